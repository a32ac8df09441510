//! What was bought, and what the developer kept, becomes free and earns until then.

use ::model_token::state::Commitment;
use ::yield_distributor::state::Vesting;
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{create_token_account, yield_distributor},
};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::histories::{kinds::Kind, ledger::HOLDERS, stage::Stage, step::Step};

impl Stage {
    pub(super) fn vest(&self, step: &Step) -> Option<Attempt> {
        let pool = self.ledger.pool.as_ref()?;
        let offering = self.ledger.offering.as_ref()?;
        let (who, stranger) = (step.person(), self.stranger());
        let (key, holder) = (stranger.pubkey(), self.keys.holders[who].pubkey());
        let state = self.world.pool(&self.published);
        let account_of = |owner| create_token_account(key, owner, state.token_mint);
        Some(match step.kind {
            Kind::OpenVesting => {
                offering.commitments[who]?;
                let open = yield_distributor::open_vesting(key, &state, holder);
                of(stranger, open, move |ledger| ledger.open_vesting(who))
            }
            Kind::ReleaseVested => {
                offering.commitments[who]?;
                pool.vestings[who]?;
                let address = addresses::model_token::commitment(&self.offering_account(), &holder);
                let commitment: Commitment = self.world.read(&address);
                let release = yield_distributor::release_vested(&state, &commitment);
                of(stranger, release, move |ledger| ledger.release_vested(who)).after(account_of(holder))
            }
            Kind::ReleaseDeveloper => {
                pool.vestings[HOLDERS]?;
                let developer = self.ledger.developer();
                let release = yield_distributor::release_developer(&state, developer);
                of(stranger, release, |ledger| ledger.release_developer()).after(account_of(developer))
            }
            _ => {
                let whose = step.one_of(HOLDERS + 1)?;
                pool.vestings[whose]?;
                let (owner, payee) = self.vesting_of(whose);
                let address = addresses::yield_distributor::vesting(&self.pool_account(), &owner);
                let vesting: Vesting = self.world.read(&address);
                match step.kind {
                    Kind::ClaimVesting => of(
                        stranger,
                        yield_distributor::claim_vesting(&state, &vesting, payee),
                        move |ledger| ledger.claim_vesting(whose),
                    ),
                    _ => of(stranger, yield_distributor::close_vesting(&vesting), move |ledger| {
                        ledger.close_vesting(whose)
                    }),
                }
            }
        })
    }

    /// Under whose name something vests, and who is paid what it earns.
    pub(in crate::histories) fn vesting_of(&self, whose: usize) -> (Pubkey, Pubkey) {
        match self.ledger.people.holders.get(whose) {
            Some(holder) => (*holder, *holder),
            None => (self.published.model, self.ledger.developer()),
        }
    }
}
