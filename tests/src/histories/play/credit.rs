//! Payers keep credits, lanes and sessions, and ask.

use ::revenue_escrow::{
    instructions::GrantSessionArgs,
    state::{Lane as LaneAccount, Session as SessionAccount},
};
use imo_client::{addresses, instructions::revenue_escrow};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::histories::{
    kinds::Kind,
    ledger::PAYERS,
    stage::{LaneBook, Stage},
    step::Step,
};

/// How long a session lasts, in seconds.
const SESSION_SECONDS: i64 = 4_000;

impl Stage {
    pub(super) fn keep_credit(&self, step: &Step) -> Option<Attempt> {
        self.require_business()?;
        let (who, other) = (step.person(), step.other());
        let (model, mint, ledger) = (self.published.model, self.mint(), &self.ledger);
        let payer = || self.keys.payers[who].insecure_clone();
        let payer_key = self.keys.payers[who].pubkey();
        let wallet = ledger.wallets[&payer_key];
        let funds = ledger.credits[who].as_ref().map_or(0, |credit| credit.funds.total());
        let lane_funds = ledger.credits[who]
            .as_ref()
            .and_then(|credit| credit.lanes[other].as_ref())
            .map_or(0, |lane| lane.funds.total());
        Some(match step.kind {
            Kind::OpenCredit => of(
                payer(),
                revenue_escrow::open_credit(payer_key, payer_key, model),
                move |ledger| ledger.open_credit(who),
            ),
            Kind::DepositCredit => {
                let units = step.units(wallet);
                let credit = self.credit_account(who);
                of(
                    payer(),
                    revenue_escrow::deposit_credit(payer_key, credit, model, mint, units),
                    move |ledger| ledger.deposit_credit(who, units),
                )
            }
            Kind::RequestWithdraw => {
                let units = step.units(funds);
                of(
                    payer(),
                    revenue_escrow::request_withdraw(payer_key, model, units),
                    move |ledger| ledger.request_withdraw(who, units),
                )
            }
            Kind::WithdrawCredit => {
                let destination = addresses::payment_account(&payer_key, &mint);
                of(
                    payer(),
                    revenue_escrow::withdraw_credit(payer_key, model, mint, destination),
                    move |ledger| ledger.withdraw_credit(who),
                )
            }
            Kind::CloseCredit => {
                ledger.credits[who].as_ref()?;
                let credit = self.world.read(&self.credit_account(who));
                of(payer(), revenue_escrow::close_credit(&credit), move |ledger| {
                    ledger.close_credit(who)
                })
            }
            Kind::OpenLane => {
                self.require_operator(other)?;
                let units = step.units(funds);
                let operator = self.operator_account(other);
                let authority = ledger.people.operators[other];
                let open = match ledger.access.appointments[other] {
                    Some(_) => revenue_escrow::open_lane_to_appointed(
                        payer_key, payer_key, model, operator, authority, units, false,
                    ),
                    None => revenue_escrow::open_lane(payer_key, payer_key, model, operator, units, false),
                };
                of(payer(), open, move |ledger| ledger.open_lane(who, other, units))
            }
            Kind::FundLane => {
                let units = step.units(funds);
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::fund_lane(payer_key, model, operator, units),
                    move |ledger| ledger.fund_lane(who, other, units),
                )
            }
            Kind::RequestRelease => {
                // Whoever leaves takes all.
                let leaves = step.amount & 0x200 == 0;
                let units = if leaves { lane_funds } else { step.units(lane_funds) };
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::request_release(payer_key, model, operator, units),
                    move |ledger| ledger.request_release(who, other, units),
                )
            }
            Kind::ReleaseLane => {
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::release_lane(payer_key, model, operator),
                    move |ledger| ledger.release_lane(who, other),
                )
            }
            Kind::CloseLane => {
                ledger.credits[who].as_ref()?.lanes[other].as_ref()?;
                let lane: LaneAccount = self.world.read(&self.lane_account(who, other));
                of(payer(), revenue_escrow::close_lane(payer_key, &lane), move |ledger| {
                    ledger.close_lane(who, other)
                })
            }
            Kind::GrantSession => {
                let limit = step.units(wallet.max(funds) * 2);
                let expires_unix = self.now().unix
                    + if step.what == 0 {
                        SESSION_SECONDS * 9
                    } else {
                        SESSION_SECONDS
                    };
                let args = GrantSessionArgs {
                    key: self.keys.sessions[who].pubkey(),
                    limit_units: limit,
                    expires_unix,
                };
                of(
                    payer(),
                    revenue_escrow::grant_session(payer_key, payer_key, model, args),
                    move |ledger| ledger.grant_session(who, limit, expires_unix),
                )
            }
            Kind::RevokeSession => of(
                payer(),
                revenue_escrow::revoke_session(payer_key, model, self.keys.sessions[who].pubkey()),
                move |ledger| ledger.revoke_session(who),
            ),
            Kind::CloseSession => {
                ledger.credits[who].as_ref()?.session.as_ref()?;
                let address =
                    addresses::revenue_escrow::session(&self.credit_account(who), &self.keys.sessions[who].pubkey());
                let session: SessionAccount = self.world.read(&address);
                of(
                    self.stranger(),
                    revenue_escrow::close_session(&session),
                    move |ledger| ledger.close_session(who),
                )
            }
            _ => return None,
        })
    }

    /// A payer asks an operator once more, and signs for it.
    pub(super) fn ask(&mut self, step: &Step) {
        let (payer, operator) = (usize::from(step.who) % PAYERS, usize::from(step.what) % 2);
        let Some(lane) = self.ledger.credits[payer]
            .as_ref()
            .and_then(|credit| credit.lanes[operator].as_ref())
        else {
            return;
        };
        let generation = lane.generation;
        let book = &mut self.lanes[payer][operator];
        if book.generation != generation {
            *book = LaneBook {
                generation,
                ..LaneBook::default()
            };
        }
        book.asked.push(usize::from(step.amount) % self.served.catalogue.len());
    }
}
