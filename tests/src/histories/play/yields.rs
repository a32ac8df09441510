//! Holders stake, claim and redeem.

use ::yield_distributor::state::ClaimDelegation;
use anchor_lang::prelude::Pubkey;
use imo_client::{addresses, instructions::yield_distributor};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::histories::{
    kinds::Kind,
    ledger::{Claimer, Delegate},
    stage::Stage,
    step::Step,
};

impl Stage {
    pub(super) fn hold(&self, step: &Step) -> Option<Attempt> {
        let (who, model, ledger) = (step.person(), self.published.model, &self.ledger);
        let held = ledger.pool.as_ref()?;
        let holder = || self.keys.holders[who].insecure_clone();
        let holder_key = self.keys.holders[who].pubkey();
        let stranger = || self.stranger();
        let stranger_key = self.stranger().pubkey();
        let pool = || self.world.pool(&self.published);
        // Whoever never claimed a token has no account for it.
        let account = addresses::token_account(&holder_key, &addresses::model_token::mint(&model));
        let has_account = || self.world.is_made(&account).then_some(());
        let tokens = ledger.tokens[&holder_key];
        Some(match step.kind {
            Kind::Stake => {
                has_account()?;
                let units = step.units(tokens);
                of(
                    holder(),
                    self.world.stake_of(&self.published, &holder_key, units),
                    move |ledger| ledger.stake(who, units),
                )
            }
            Kind::Unstake => {
                let position = self.world.position(&self.published, &holder_key)?;
                let units = step.units(position.active_units + position.pending_units);
                of(
                    holder(),
                    yield_distributor::unstake(&pool(), &position, units),
                    move |ledger| ledger.unstake(who, units),
                )
            }
            Kind::Claim => {
                let position = self.world.position(&self.published, &holder_key)?;
                of(
                    stranger(),
                    yield_distributor::claim(stranger_key, &pool(), &position),
                    move |ledger| ledger.claim(who),
                )
            }
            Kind::Redeem => {
                has_account()?;
                let units = step.units(tokens);
                of(
                    holder(),
                    yield_distributor::redeem(holder_key, holder_key, &pool(), units),
                    move |ledger| ledger.redeem(who, units),
                )
            }
            Kind::ClosePosition => {
                let position = self.world.position(&self.published, &holder_key)?;
                of(
                    stranger(),
                    yield_distributor::close_position(&position),
                    move |ledger| ledger.close_position(who),
                )
            }
            Kind::CloseEpochMark => {
                let marks: Vec<u64> = held.marks.iter().copied().collect();
                let epoch = marks[step.one_of(marks.len())?];
                let address = addresses::yield_distributor::pool(&model);
                let mark = self
                    .world
                    .read(&addresses::yield_distributor::epoch_mark(&address, epoch));
                of(stranger(), yield_distributor::close_epoch_mark(&mark), move |ledger| {
                    ledger.close_epoch_mark(epoch)
                })
            }
            Kind::ClaimTo => self.claim_to(step)?,
            Kind::SetClaimDelegate => {
                // The default address is nobody's.
                let delegate = match step.amount % 8 {
                    0 => Pubkey::default(),
                    _ => self.keys.cast.backup.pubkey(),
                };
                let payee = self.keys.challengers[step.other()].pubkey();
                let destination = addresses::payment_account(&payee, &self.mint());
                let set = yield_distributor::set_claim_delegate(
                    holder_key,
                    holder_key,
                    self.pool_account(),
                    delegate,
                    destination,
                );
                let delegate = Delegate { delegate, payee };
                of(holder(), set, move |ledger| ledger.set_claim_delegate(who, delegate))
            }
            Kind::RevokeClaimDelegate => {
                held.delegates[who]?;
                let revoke = yield_distributor::revoke_claim_delegate(&self.delegation(who));
                of(holder(), revoke, move |ledger| ledger.revoke_claim_delegate(who))
            }
            _ => return None,
        })
    }

    fn delegation(&self, holder: usize) -> ClaimDelegation {
        let owner = self.keys.holders[holder].pubkey();
        self.world.read(&addresses::yield_distributor::claim_delegation(
            &self.pool_account(),
            &owner,
        ))
    }

    /// The owner to somebody's account; its delegate; somebody else in place of that.
    fn claim_to(&self, step: &Step) -> Option<Attempt> {
        let (who, pool) = (step.person(), self.world.pool(&self.published));
        let owner = self.keys.holders[who].insecure_clone();
        let position = self.world.position(&self.published, &owner.pubkey())?;
        if step.other() == 0 {
            let payee = self.keys.challengers[usize::from(step.amount % 2)].pubkey();
            let destination = addresses::payment_account(&payee, &self.mint());
            let claim = yield_distributor::claim_to(&pool, &position, destination);
            return Some(of(owner, claim, move |ledger| {
                ledger.claim_to(who, Claimer::Owner(payee))
            }));
        }
        self.ledger.pool.as_ref()?.delegates[who]?;
        let set = self.delegation(who);
        if step.what % 8 != 3 {
            let backup = self.keys.cast.backup.insecure_clone();
            let claim = yield_distributor::claim_by_delegate(&pool, &position, &set);
            return Some(of(backup, claim, move |ledger| ledger.claim_to(who, Claimer::Delegate)));
        }
        let stranger = self.stranger();
        let delegate = stranger.pubkey();
        let claim = yield_distributor::claim_by_delegate(&pool, &position, &ClaimDelegation { delegate, ..set });
        Some(of(stranger, claim, move |ledger| {
            ledger.claim_to(who, Claimer::Stranger)
        }))
    }
}
