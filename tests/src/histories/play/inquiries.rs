//! Challengers ask for data, and somebody who has it answers.

use ::opml_oracle::{
    instructions::ShownReceipt,
    state::{Inquiry as InquiryAccount, Report as ReportAccount},
};
use imo_client::{
    data::{Demand, Source, answer, next_demand},
    instructions::{data, opml_oracle::Place as PlaceShown},
};
use imo_protocol::Collection;
use solana_signer::Signer;

use super::{Attempt, of, once};
use crate::histories::{
    kinds::Kind,
    stage::{Stage, Subject},
    step::Step,
};

impl Stage {
    pub(super) fn inquire(&self, step: &Step) -> Option<Attempt> {
        match step.kind {
            Kind::OpenReceiptsInquiry | Kind::OpenInputInquiry | Kind::OpenConstantInquiry => self.open_inquiry(step),
            _ => self.go_on_asking(step),
        }
    }

    /// What somebody would ask about.
    fn subject(&self, report: usize, step: &Step) -> Option<Subject> {
        Some(match step.kind {
            Kind::OpenReceiptsInquiry => Subject::Receipts(self.place_to_dispute(report, step)?.payer),
            Kind::OpenInputInquiry => Subject::Input(self.place_to_dispute(report, step)?),
            _ => {
                // Of a malformed model there is nothing to show.
                let constants = if self.served.is_malformed {
                    0
                } else {
                    self.served.model.constants().len()
                };
                Subject::Constant(usize::from(step.amount).checked_rem(constants)?)
            }
        })
    }

    fn open_inquiry(&self, step: &Step) -> Option<Attempt> {
        let (who, report) = (step.person(), self.report(step)?);
        let demander = self.keys.challengers[who].insecure_clone();
        let (key, nonce) = (demander.pubkey(), self.ledger.inquiries.len() as u64);
        let state: ReportAccount = self.world.read(&self.report_account(report));
        let collection_of = |payer| -> Collection { self.world.read(&self.collection_account(report, payer)) };
        let open = match self.subject(report, step)? {
            Subject::Receipts(payer) => data::open_receipts_inquiry(key, &state, &collection_of(payer), None, nonce),
            Subject::Input(place) => {
                let PlaceShown {
                    claim,
                    receipt_salt,
                    path,
                    ..
                } = self.shown(report, &place);
                let receipt = ShownReceipt {
                    index: place.receipt,
                    input_root: claim.input_root,
                    output_root: claim.output_root,
                    salt: receipt_salt,
                    path,
                };
                data::open_input_inquiry(key, &state, &collection_of(place.payer), receipt, None, nonce)
            }
            Subject::Constant(index) => {
                let model = &self.served.model;
                let number = u32::try_from(index).ok()?;
                let path = model.weights().path(0, number);
                data::open_constant_inquiry(key, &state, number, &model.constant_records()[index], path, nonce)
            }
        };
        Some(once(demander, open, move |ledger| ledger.open_inquiry(report, who)))
    }

    pub(super) fn note_inquiry(&mut self, step: &Step) {
        let report = self.ledger.inquiries.last().expect("one was opened").report;
        let subject = self.subject(report, step).expect("it was about something");
        self.subjects.push(subject);
    }

    /// What somebody does about an inquiry that is not paid out.
    fn go_on_asking(&self, step: &Step) -> Option<Attempt> {
        let open: Vec<usize> = (0..self.ledger.inquiries.len())
            .filter(|inquiry| !self.ledger.inquiries[*inquiry].closed)
            .collect();
        let inquiry = open[step.one_of(open.len())?];
        let asked = &self.ledger.inquiries[inquiry];
        // A settled one can outlive its report.
        let is_report_there = !self.ledger.reports[asked.report].closed;
        if !is_report_there && step.kind != Kind::WithdrawInquiry {
            return None;
        }
        let state: InquiryAccount = self.world.read(&self.inquiry_account(inquiry));
        let stranger = self.stranger();
        let key = stranger.pubkey();
        Some(match step.kind {
            Kind::DemandData => {
                let demander = self.keys.challengers[asked.demander].insecure_clone();
                let demand = next_demand(&state, 0).unwrap_or(Demand {
                    level: 0,
                    index: 0,
                    hash: state.root,
                    path: Vec::new(),
                });
                of(demander, data::demand_data(&state, &demand), move |ledger| {
                    ledger.demand_data(inquiry)
                })
            }
            Kind::ServeData | Kind::ServeOtherBytes => {
                let is_it = step.kind == Kind::ServeData;
                let mut bytes = self.answer(inquiry, &state)?;
                if !is_it {
                    bytes[0] ^= 1;
                }
                of(stranger, data::serve_data(&state, bytes), move |ledger| {
                    ledger.serve_data(inquiry, is_it)
                })
            }
            Kind::TimeOutDemand => of(stranger, data::time_out_demand(&state), move |ledger| {
                ledger.time_out_demand(inquiry)
            }),
            Kind::SettleInquiry => of(stranger, data::settle_inquiry(&state), move |ledger| {
                ledger.settle_inquiry(inquiry)
            }),
            _ => of(stranger, data::withdraw_inquiry(key, &state), move |ledger| {
                ledger.withdraw_inquiry(inquiry)
            }),
        })
    }

    /// What answers the demand that waits, or anything when none does. `None` when nobody has it any more.
    fn answer(&self, inquiry: usize, state: &InquiryAccount) -> Option<Vec<u8>> {
        if state.game.pending.is_none() {
            return Some(vec![0; 32]);
        }
        match self.subjects[inquiry] {
            Subject::Receipts(payer) => {
                let report = self.ledger.inquiries[inquiry].report;
                self.ledger.reports[report].bucket.as_ref()?.collections.get(&payer)?;
                let (tree, receipts) = self.receipts_of(report, payer);
                answer(state, Source::Receipts(&tree, &receipts))
            }
            Subject::Input(place) => answer(state, Source::Tensor(&self.asked(place.asked).asked.input)),
            Subject::Constant(index) => answer(state, Source::Tensor(&self.served.model.constants()[index])),
        }
    }
}
