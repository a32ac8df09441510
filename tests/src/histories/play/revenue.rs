//! What operators collect, and where it goes.

use ::opml_oracle::state::Report as ReportAccount;
use imo_client::{
    addresses,
    instructions::{
        revenue_escrow::{self, CollectedLane, SplitReport, UpstreamPayment},
        yield_distributor::due_marks,
    },
};
use imo_protocol::{Bucket, Collection, Voucher as VoucherMessage};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::{
    histories::{
        kinds::Kind,
        ledger::{CONTRIBUTORS, Voucher},
        stage::Stage,
        step::Step,
    },
    world::{CLUSTER, sign},
};

/// How long a voucher lasts, in seconds.
const VOUCHER_SECONDS: i64 = 1_500;

impl Stage {
    pub(super) fn move_revenue(&self, step: &Step) -> Option<Attempt> {
        self.require_business()?;
        let (model, mint, ledger) = (self.published.model, self.mint(), &self.ledger);
        let stranger = || self.stranger();
        let stranger_key = self.stranger().pubkey();
        Some(match step.kind {
            Kind::Collect | Kind::CollectReplayed => self.collect(step)?,
            Kind::AnnounceRetraction => {
                let (report, payer) = self.collection(step)?;
                let operator = self.keys.operators[ledger.reports[report].operator].insecure_clone();
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(
                    operator.insecure_clone(),
                    revenue_escrow::announce_retraction(operator.pubkey(), &state, &collection),
                    move |ledger| ledger.announce_retraction(report, payer),
                )
            }
            Kind::Split => {
                let report = self.report(step)?;
                ledger.reports[report].bucket.as_ref()?;
                let due_marks = match &ledger.pool {
                    Some(pool) => due_marks(&self.world.pool(&self.published), pool.epoch(self.now().slot)),
                    None => [None; 2],
                };
                let split = SplitReport {
                    rent_payer: stranger_key,
                    report: self.report_account(report),
                    operator: self.operator_account(ledger.reports[report].operator),
                    operator_authority: ledger.people.operators[ledger.reports[report].operator],
                    model,
                    developer: ledger.developer(),
                    model_version: self.published.version,
                    treasury: ledger.people.treasury,
                    mint,
                    due_marks,
                };
                of(stranger(), revenue_escrow::split(split), move |ledger| {
                    ledger.split(report)
                })
            }
            Kind::Refund => {
                let (report, payer) = self.collection(step)?;
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                of(stranger(), revenue_escrow::refund(&collection), move |ledger| {
                    ledger.refund(report, payer)
                })
            }
            Kind::CloseCollection => {
                let (report, payer) = self.collection(step)?;
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                of(
                    stranger(),
                    revenue_escrow::close_collection(&collection),
                    move |ledger| ledger.close_collection(report, payer),
                )
            }
            Kind::CloseBucket => {
                let report = self.report(step)?;
                ledger.reports[report].bucket.as_ref()?;
                let bucket: Bucket = self
                    .world
                    .read(&addresses::revenue_escrow::bucket(&self.report_account(report)));
                of(stranger(), revenue_escrow::close_bucket(&bucket), move |ledger| {
                    ledger.close_bucket(report)
                })
            }
            Kind::WithdrawEarnings => {
                let people = &ledger.people;
                let everybody = [
                    people.developers[0],
                    people.developers[1],
                    people.treasury,
                    people.operators[0],
                    people.operators[1],
                ];
                let whom = everybody[usize::from(step.what) % 5];
                of(
                    stranger(),
                    revenue_escrow::withdraw_earnings(stranger_key, model, whom, mint),
                    move |ledger| ledger.withdraw_earnings(&whom),
                )
            }
            Kind::WithdrawContribution => {
                let index = usize::from(step.what) % ledger.contributors.len();
                let (whom, _) = ledger.contributors[index];
                let withdraw = revenue_escrow::withdraw_contribution(
                    stranger_key,
                    model,
                    self.published.version,
                    index as u8,
                    whom,
                    mint,
                );
                of(stranger(), withdraw, move |ledger| ledger.withdraw_contribution(index))
            }
            Kind::PayUpstream => self.pay_upstream(step),
            _ => of(
                stranger(),
                revenue_escrow::pay_audit_share(model, ledger.people.treasury, mint),
                |ledger| ledger.pay_audit_share(),
            ),
        })
    }

    /// A contributor that is a model is paid, or one that is none is tried.
    fn pay_upstream(&self, step: &Step) -> Attempt {
        let stranger = self.stranger();
        let index = match step.what % 8 {
            0 => 0,
            _ => CONTRIBUTORS - 1,
        };
        let pool = addresses::yield_distributor::pool(&self.upstream.model);
        let payment = UpstreamPayment {
            rent_payer: stranger.pubkey(),
            model: self.published.model,
            model_version: self.published.version,
            index: index as u8,
            upstream: self.upstream.model,
            upstream_developer: self.upstream.developer,
            mint: self.mint(),
            due_marks: match self.world.is_made(&pool) {
                true => due_marks(&self.world.read(&pool), 0),
                false => [None; 2],
            },
        };
        of(stranger, revenue_escrow::pay_upstream(payment), move |ledger| {
            ledger.pay_upstream(index)
        })
    }

    /// An operator brings the voucher over all that a payer asked so far, or the last one once more.
    fn collect(&self, step: &Step) -> Option<Attempt> {
        let payer = step.person();
        let report = self.report(step)?;
        let operator = self.ledger.reports[report].operator;
        let credit = self.ledger.credits[payer].as_ref()?;
        let (lane, session) = (credit.lanes[operator].as_ref()?, credit.session.as_ref()?);
        let book = &self.lanes[payer][operator];
        let voucher = match step.kind {
            Kind::CollectReplayed => book.collected?,
            _ => self.voucher(payer, operator, session.generation),
        };
        let address = self.lane_account(payer, operator);
        let count = usize::try_from(voucher.count).ok()?;
        let asked = &book.asked[..count.min(book.asked.len())];
        let (requests, _) = self.requests(address, asked);
        let (receipts, _) = self.receipts(address, asked, lane.collected_count);
        let message = VoucherMessage {
            cluster: CLUSTER,
            escrow: ::revenue_escrow::ID,
            lane: address,
            lane_generation: voucher.lane_generation,
            session: self.keys.sessions[payer].pubkey(),
            session_generation: voucher.session_generation,
            cumulative_amount_units: voucher.units,
            cumulative_count: voucher.count,
            requests_root: requests.root(),
            expires_unix: voucher.expires_unix,
        };
        let authority = self.keys.operators[operator].insecure_clone();
        let lane = CollectedLane {
            authority: authority.pubkey(),
            rent_payer: authority.pubkey(),
            operator: self.operator_account(operator),
            report: self.report_account(report),
            credit: self.credit_account(payer),
        };
        let signed = sign(message, &self.keys.sessions[payer]);
        Some(Attempt {
            instructions: revenue_escrow::collect(lane, &signed, receipts.root()).into(),
            signer: authority,
            effect: Box::new(move |ledger| ledger.collect(payer, report, &voucher)),
            repeatable: true,
        })
    }

    /// What was asked on the lane when it was collected.
    pub(super) fn note_collection(&mut self, step: &Step) {
        let (who, report) = (step.person(), self.report(step).expect("it was collected for a report"));
        let operator = self.ledger.reports[report].operator;
        let credit = self.ledger.credits[who].as_ref();
        let session = credit.and_then(|credit| credit.session.as_ref()).expect("it signed");
        let voucher = self.voucher(who, operator, session.generation);
        let book = &mut self.lanes[who][operator];
        book.collected = Some(voucher);
        self.collected.insert((report, who), book.asked.clone());
    }

    /// What a payer signs for all that it asked on a lane so far.
    fn voucher(&self, payer: usize, operator: usize, session_generation: u64) -> Voucher {
        let book = &self.lanes[payer][operator];
        Voucher {
            lane_generation: book.generation,
            session_generation,
            units: book
                .asked
                .iter()
                .map(|asked| self.asked(*asked).asked.price_units)
                .sum(),
            count: book.asked.len() as u64,
            expires_unix: self.now().unix + VOUCHER_SECONDS,
        }
    }
}
