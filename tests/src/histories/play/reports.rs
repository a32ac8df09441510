//! Operators stake and report.

use ::opml_oracle::state::{Operator as OperatorAccount, Report as ReportAccount, Trace};
use imo_client::{
    addresses,
    instructions::{
        opml_oracle::{self, ReportTerms},
        revenue_escrow,
    },
};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::histories::{kinds::Kind, stage::Stage, step::Step};

impl Stage {
    pub(super) fn operate(&self, step: &Step) -> Option<Attempt> {
        self.ledger.founded.stake_vault.then_some(())?;
        let (who, mint, model, ledger) = (step.person(), self.mint(), self.published.model, &self.ledger);
        let stranger = || self.stranger();
        self.require_operator(who)?;
        Some(match step.kind {
            Kind::StakeBond => {
                let key = self.keys.operators[who].pubkey();
                let units = step.units(ledger.wallets[&key]);
                of(
                    self.keys.operators[who].insecure_clone(),
                    opml_oracle::stake_bond(key, self.operator_account(who), mint, units),
                    move |ledger| ledger.stake_bond(who, units),
                )
            }
            Kind::RequestUnbond => {
                let key = self.keys.operators[who].pubkey();
                let units = step.units(ledger.operators[who].free());
                of(
                    self.keys.operators[who].insecure_clone(),
                    opml_oracle::request_unbond(key, mint, units),
                    move |ledger| ledger.request_unbond(who, units),
                )
            }
            Kind::WithdrawBond => {
                let key = self.keys.operators[who].pubkey();
                let recipient = addresses::payment_account(&key, &mint);
                of(
                    self.keys.operators[who].insecure_clone(),
                    opml_oracle::withdraw_bond(key, mint, recipient),
                    move |ledger| ledger.withdraw_bond(who),
                )
            }
            Kind::PostReport => {
                self.require_business()?;
                let key = self.keys.operators[who].pubkey();
                let bond_units = step.units(ledger.operators[who].free());
                let operator: OperatorAccount = self.world.read(&self.operator_account(who));
                let terms = ReportTerms {
                    model,
                    version: 1,
                    bond_units,
                    period_start_unix: 0,
                    period_end_unix: 1,
                };
                let post = match ledger.access.appointments[who] {
                    Some(_) => opml_oracle::post_report_as_appointed(key, &operator, terms),
                    None => opml_oracle::post_report(key, &operator, terms),
                };
                let report = addresses::opml_oracle::report(&self.operator_account(who), operator.next_sequence);
                Attempt {
                    instructions: vec![post, revenue_escrow::open_bucket(key, report)],
                    signer: self.keys.operators[who].insecure_clone(),
                    effect: Box::new(move |ledger| ledger.post_report(who, bond_units)),
                    repeatable: false,
                }
            }
            Kind::SealReport | Kind::SealReportByStranger => {
                let report = self.report(step)?;
                let by_operator = step.kind == Kind::SealReport;
                let signer = match by_operator {
                    true => self.keys.operators[ledger.reports[report].operator].insecure_clone(),
                    false => stranger(),
                };
                let state: ReportAccount = self.world.read(&self.report_account(report));
                let seal = opml_oracle::seal_report(signer.pubkey(), &state);
                of(signer, seal, move |ledger| ledger.seal_report(report, by_operator))
            }
            Kind::FinaliseReport => {
                let report = self.report(step)?;
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(stranger(), opml_oracle::finalise_report(&state), move |ledger| {
                    ledger.finalise_report(report)
                })
            }
            Kind::CloseReport => {
                let report = self.report(step)?;
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(stranger(), opml_oracle::close_report(&state), move |ledger| {
                    ledger.close_report(report)
                })
            }
            Kind::CloseTrace => {
                let report = self.report(step)?;
                let claim = ledger.reports[report].traces.first()?.claim;
                let trace: Trace = self
                    .world
                    .read(&addresses::opml_oracle::trace(&self.report_account(report), &claim));
                of(stranger(), opml_oracle::close_trace(&trace), move |ledger| {
                    ledger.close_trace(report, &claim)
                })
            }
            _ => return None,
        })
    }
}
