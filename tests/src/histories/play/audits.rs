//! Receipts that nobody chose are recomputed.

use ::opml_oracle::{
    audit_game::audit_commitment,
    instructions::ShownReceipt,
    state::{Audit as AuditAccount, AuditEntry, Report as ReportAccount},
};
use imo_client::{addresses, instructions::audit};
use imo_protocol::Collection;
use opml_runtime::execute::trace_tree;
use solana_signer::Signer;

use super::{Attempt, of, once};
use crate::{
    cluster::slot_hash,
    histories::{
        kinds::Kind,
        ledger::deciding_slot,
        stage::{Place, Stage},
        step::Step,
    },
};

/// The salt of every auditor's commitment.
const SALT: [u8; 32] = [0xA5; 32];

impl Stage {
    pub(super) fn audit_step(&self, step: &Step) -> Option<Attempt> {
        self.ledger.founded.audit_fund.then_some(())?;
        if step.kind == Kind::DrawAudit {
            return self.draw_audit(step);
        }
        let open: Vec<usize> = (0..self.ledger.audits.len())
            .filter(|audit| !self.ledger.audits[*audit].closed)
            .collect();
        let number = open[step.one_of(open.len())?];
        let drawn = &self.ledger.audits[number];
        // A settled one can outlive its report.
        let is_report_there = !self.ledger.reports[drawn.report].closed;
        if !is_report_there && !matches!(step.kind, Kind::WithdrawAuditFee | Kind::CloseAudit) {
            return None;
        }
        let (who, stranger) = (step.person(), self.stranger());
        let auditor = self.keys.challengers[who].insecure_clone();
        let state: AuditAccount = self.world.read(&self.audit_account(number));
        Some(match step.kind {
            Kind::CommitAudit => self.commit_audit(step, number, &state)?,
            Kind::AskAudit => {
                let (claim, receipt) = self.audited_receipt(number)?;
                let ask = audit::ask_audit(&state, receipt);
                of(stranger, ask, move |ledger| ledger.ask_audit(number, claim))
            }
            Kind::PostAuditTrace => {
                drawn.claim?;
                // Of a model that nobody can run there is no trace.
                (!self.served.is_malformed).then_some(())?;
                let answer = &self.asked(self.audited(number)?.asked).asked.answer;
                let operator = self.ledger.reports[drawn.report].operator;
                let operator = self.keys.operators[operator].insecure_clone();
                let post = audit::answer_audit(operator.pubkey(), operator.pubkey(), &state, answer.roots());
                of(operator, post, move |ledger| ledger.post_audit_trace(number))
            }
            Kind::AttachAuditTrace => of(stranger, audit::attach_audit_trace(&state), move |ledger| {
                ledger.attach_audit_trace(number)
            }),
            Kind::RevealAudit => of(
                auditor.insecure_clone(),
                audit::reveal_audit(auditor.pubkey(), &state, SALT),
                move |ledger| ledger.reveal_audit(number, who),
            ),
            Kind::TimeOutAudit => of(stranger, audit::time_out_audit(&state), move |ledger| {
                ledger.time_out_audit(number)
            }),
            Kind::SettleAudit => of(stranger, audit::settle_audit(&state), move |ledger| {
                ledger.settle_audit(number)
            }),
            Kind::WithdrawAuditFee => {
                drawn.entries[who]?;
                let address = addresses::opml_oracle::audit_entry(&self.audit_account(number), &auditor.pubkey());
                let entry: AuditEntry = self.world.read(&address);
                let withdraw = audit::withdraw_audit_fee(stranger.pubkey(), &state, &entry);
                of(stranger, withdraw, move |ledger| ledger.withdraw_audit_fee(number, who))
            }
            _ => of(stranger, audit::close_audit(&state), move |ledger| {
                ledger.close_audit(number)
            }),
        })
    }

    /// Names the collection that holds the receipt which is drawn now, or any; mostly the first audit of a report.
    fn draw_audit(&self, step: &Step) -> Option<Attempt> {
        let report = self.report(step)?;
        let bucket = self.ledger.reports[report].bucket.as_ref()?;
        let drawn_number = u8::from(step.amount % 16 == 5);
        let drawn = self.drawn(report, drawn_number);
        let holding = bucket.collections.iter().find(|(_, collection)| {
            let receipt = drawn.and_then(|drawn| drawn.checked_sub(collection.first_receipt));
            receipt.is_some_and(|receipt| receipt < collection.count)
        });
        let payers: Vec<usize> = bucket.collections.keys().copied().collect();
        let any = payers[step.person().checked_rem(payers.len())?];
        let named = match holding {
            Some((payer, _)) if step.amount % 8 != 6 => *payer,
            _ => any,
        };
        let state: ReportAccount = self.world.read(&self.report_account(report));
        let collection: Collection = self.world.read(&self.collection_account(report, named));
        let stranger = self.stranger();
        let draw = audit::draw_audit(stranger.pubkey(), &state, &collection, drawn_number);
        Some(once(stranger, draw, move |ledger| {
            ledger.draw_audit(report, drawn_number, named, drawn)
        }))
    }

    /// The number of the receipt that a draw gives now, among all of the report; `None` before one can be drawn.
    fn drawn(&self, report: usize, number: u8) -> Option<u64> {
        let reported = &self.ledger.reports[report];
        let slot = deciding_slot(reported.window?.opened, self.now().slot)?;
        let address = self.report_account(report);
        let hash = opml::hashv(&[b"imo:audit-draw:v1", &slot_hash(slot), address.as_ref(), &[number]]);
        let (drawn, _) = hash.split_first_chunk()?;
        let drawn = u128::from_le_bytes(*drawn).checked_rem(reported.receipts.into())?;
        u64::try_from(drawn).ok()
    }

    /// The receipt that an audit is about, as long as its collection is there.
    fn audited(&self, audit: usize) -> Option<Place> {
        let drawn = &self.ledger.audits[audit];
        self.place(drawn.report, drawn.payer, drawn.receipt)
    }

    /// The claim of that receipt, and the receipt as it is shown.
    fn audited_receipt(&self, audit: usize) -> Option<([u8; 32], ShownReceipt)> {
        let place = self.audited(audit)?;
        let shown = self.shown(self.ledger.audits[audit].report, &place);
        let receipt = ShownReceipt {
            index: place.receipt,
            input_root: shown.claim.input_root,
            output_root: shown.claim.output_root,
            salt: shown.receipt_salt,
            path: shown.path,
        };
        Some((shown.claim.claim_hash(), receipt))
    }

    /// To the trace that the operator has to show, or now and then to another one.
    fn commit_audit(&self, step: &Step, audit_number: usize, state: &AuditAccount) -> Option<Attempt> {
        let who = step.person();
        let auditor = self.keys.challengers[who].insecure_clone();
        let place = self.audited(audit_number)?;
        let is_operators = step.amount % 8 != 7;
        let root = match is_operators {
            true => trace_tree(self.asked(place.asked).asked.answer.roots()).root(),
            false => [9; 32],
        };
        let commitment = audit_commitment(&self.audit_account(audit_number), &auditor.pubkey(), &root, &SALT);
        let collection: Collection = self.world.read(&state.collection);
        let commit = audit::commit_audit(auditor.pubkey(), state, &collection, None, commitment);
        Some(of(auditor, commit, move |ledger| {
            ledger.commit_audit(audit_number, who, is_operators)
        }))
    }
}
