//! The sale, and what is in its two vaults.

use ::model_token::state::{Commitment, Offering, OfferingStatus, TrancheState};
use imo_client::addresses;

use crate::histories::{
    ledger::{Sale, Tranche},
    stage::Stage,
};

pub fn assert_offering(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let address = stage.offering_account();
    let Some(offered) = &ledger.offering else {
        assert!(!world.is_made(&address), "an offering that nobody opened");
        return;
    };
    let chain: Offering = world.read(&address);
    let sale = match chain.status {
        OfferingStatus::Open => Sale::Open,
        OfferingStatus::Succeeded => Sale::Succeeded,
        OfferingStatus::Failed => Sale::Failed,
    };
    assert_eq!(
        (sale, chain.committed_units, chain.accepted_units, chain.dust_swept),
        (offered.sale, offered.committed, offered.accepted, offered.swept)
    );
    let money = world.tokens(&addresses::model_token::payment_vault(&address));
    assert_eq!(
        (money, chain.payment_owed_units().expect("the counters fit")),
        (offered.money(), offered.money()),
        "what the offering holds and owes"
    );
    let tokens = world.tokens(&addresses::model_token::token_vault(&address));
    assert_eq!(tokens, offered.tokens(), "the tokens that the offering holds");
    if offered.sale == Sale::Succeeded {
        assert_eq!(chain.tokens_owed_units().expect("the counters fit"), tokens);
        assert_eq!(
            chain.developer_left_units().expect("the counters fit"),
            offered.developer_left()
        );
    }
    for (tranche, state) in chain.tranches.iter().zip(&offered.tranches) {
        let is = match tranche.state {
            TrancheState::Locked => Tranche::Locked,
            TrancheState::Paid => Tranche::Paid,
            TrancheState::Missed => Tranche::Missed,
        };
        assert_eq!(is, *state, "a tranche");
    }
    for (investor, commitment) in ledger.people.holders.iter().zip(&offered.commitments) {
        let address = addresses::model_token::commitment(&address, investor);
        let Some(commitment) = commitment else {
            assert!(!world.is_made(&address), "a commitment that is over");
            continue;
        };
        let chain: Commitment = world.read(&address);
        assert_eq!(
            (
                chain.amount_units,
                chain.claimed,
                chain.vesting_units,
                chain.released_units
            ),
            (
                commitment.units,
                commitment.claimed,
                commitment.vesting,
                commitment.released
            ),
            "a commitment"
        );
    }
}
