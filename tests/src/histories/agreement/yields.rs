//! The pool: stakers, what vests, and what there is to redeem.

use ::yield_distributor::state::{ClaimDelegation, Pool, Vesting};
use imo_client::addresses;

use crate::histories::stage::Stage;

pub fn assert_pool(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let address = stage.pool_account();
    let Some(held) = &ledger.pool else {
        assert!(!world.is_made(&address), "a pool that nobody made");
        return;
    };
    let pool = world.pool(&stage.published);
    assert_eq!(
        (pool.accumulator, pool.owed_units, pool.redeem_units),
        (held.rate, held.owed, held.redeem),
        "the pool"
    );
    assert_eq!(
        (pool.staked_units, pool.vesting_units),
        (held.staked(), held.vesting),
        "what earns in the pool"
    );
    let revenue = world.tokens(&addresses::yield_distributor::revenue_vault(&address));
    assert_eq!(revenue, held.owed + held.redeem, "what the pool holds of revenue");
    let staked = world.tokens(&addresses::yield_distributor::stake_vault(&address));
    assert_eq!(staked, held.staked(), "what the pool holds of stake");
    for (whom, position) in ledger.people.holders.iter().zip(&held.positions) {
        let chain = world.position(&stage.published, whom);
        assert_eq!(
            chain.map(|chain| (chain.active_units, chain.pending_units, chain.owed_units)),
            position
                .as_ref()
                .map(|position| (position.active, position.pending, position.owed)),
            "a position"
        );
    }
    for (whose, vesting) in held.vestings.iter().enumerate() {
        let (owner, _) = stage.vesting_of(whose);
        let address = addresses::yield_distributor::vesting(&address, &owner);
        let Some(vesting) = vesting else {
            assert!(!world.is_made(&address), "a vesting that is closed");
            continue;
        };
        let chain: Vesting = world.read(&address);
        assert_eq!(
            (chain.units, chain.owed_units),
            (vesting.units, vesting.owed),
            "what vests"
        );
    }
    for (owner, set) in ledger.people.holders.iter().zip(&held.delegates) {
        let address = addresses::yield_distributor::claim_delegation(&address, owner);
        let Some(set) = set else {
            assert!(!world.is_made(&address), "a delegation that is revoked");
            continue;
        };
        let chain: ClaimDelegation = world.read(&address);
        let destination = addresses::payment_account(&set.payee, &world.usdc);
        assert_eq!(
            (chain.delegate, chain.destination),
            (set.delegate, destination),
            "a delegation"
        );
    }
}

/// The pool of the model upstream, in which nobody stakes.
pub fn assert_upstream(stage: &Stage) {
    let address = addresses::yield_distributor::pool(&stage.upstream.model);
    let Some(redeem) = stage.ledger.upstream.redeem else {
        assert!(!stage.world.is_made(&address), "a pool that nobody made");
        return;
    };
    let pool: Pool = stage.world.read(&address);
    assert_eq!((pool.redeem_units, pool.owed_units), (redeem, 0), "the pool upstream");
    let held = stage
        .world
        .tokens(&addresses::yield_distributor::revenue_vault(&address));
    assert_eq!(held, redeem, "what the pool upstream holds");
}
