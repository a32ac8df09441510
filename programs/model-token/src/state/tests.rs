use anchor_lang::prelude::*;
use proptest::prelude::*;

use super::*;
use crate::{constants::MAX_TERM_SLOTS, errors::ModelTokenError};

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 216_000,
    seal_slots: 216_000,
    response_slots: 18_000,
    clock_slots: 54_000,
    bond_ratio_bps: 15_000,
    min_bond_units: 10_000_000,
    challenger_bond_units: 5_000_000,
    open_fee_units: 100_000,
    move_cost_units: 200_000,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 324_000,
    notice_slots: 432_000,
    epoch_slots: 324_000,
    byte_fee_units: 10,
};

/// What a test does to sound terms.
type Change = fn(&mut DisputeTerms);

fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> Error {
    outcome.expect_err("refused")
}

#[test]
fn given_sound_terms_when_validated_then_accepted() {
    TERMS.validate().unwrap();
    assert_eq!(TERMS.longest_dispute_slots(), 108_000);
    assert_eq!(TERMS.finality_slots(), 324_000);
    TERMS.validate_deterrence(1_000).unwrap();
}

#[test]
fn given_one_term_beyond_its_border_when_validated_then_its_own_error() {
    use ModelTokenError::*;
    let cases: [(Change, ModelTokenError); 16] = [
        (|terms| terms.window_slots = 0, TermSlotsOutOfRange),
        (|terms| terms.seal_slots = 0, TermSlotsOutOfRange),
        (|terms| terms.response_slots = 0, TermSlotsOutOfRange),
        (|terms| terms.notice_slots = 0, TermSlotsOutOfRange),
        (|terms| terms.notice_slots = MAX_TERM_SLOTS + 1, TermSlotsOutOfRange),
        (|terms| terms.window_slots = u64::MAX, TermSlotsOutOfRange),
        (
            |terms| terms.response_slots = terms.clock_slots + 1,
            ClockShorterThanResponse,
        ),
        (|terms| terms.unbonding_slots -= 1, UnbondingTooShort),
        (|terms| terms.epoch_slots -= 1, EpochTooShort),
        (|terms| terms.bond_ratio_bps = 0, BondRatioOutOfRange),
        (|terms| terms.bond_ratio_bps = 1_000_001, BondRatioOutOfRange),
        (|terms| terms.cost_cap_bps = 7_001, SlashSharesExceedAll),
        (|terms| terms.prover_share_bps = u16::MAX, SlashSharesExceedAll),
        (|terms| terms.min_bond_units = 0, BondIsZero),
        (|terms| terms.challenger_bond_units = 0, BondIsZero),
        (
            |terms| terms.move_cost_units = terms.challenger_bond_units + 1,
            MoveCostExceedsBond,
        ),
    ];
    for (change, expected) in cases {
        let mut terms = TERMS;
        change(&mut terms);
        assert_eq!(refusal(terms.validate()), error!(expected));
    }
}

#[test]
fn given_an_operator_share_below_the_border_when_checked_then_the_bond_does_not_deter() {
    assert_eq!(
        refusal(TERMS.validate_deterrence(999)),
        error!(ModelTokenError::BondDoesNotDeter)
    );
    assert_eq!(
        refusal(TERMS.validate_deterrence(10_001)),
        error!(ModelTokenError::BondDoesNotDeter)
    );
}

#[test]
fn given_a_split_when_its_sum_or_the_protocol_share_is_off_then_refused() {
    let split = RevenueSplit {
        holders_bps: 3_000,
        redeem_bps: 1_000,
        developer_bps: 2_000,
        operator_bps: 3_500,
        protocol_bps: 500,
    };
    split.validate(500).unwrap();
    assert_eq!(
        refusal(split.validate(400)),
        error!(ModelTokenError::WrongProtocolShare)
    );
    for holders_bps in [2_999, 3_001, u16::MAX] {
        let off = RevenueSplit { holders_bps, ..split };
        assert_eq!(refusal(off.validate(500)), error!(ModelTokenError::SplitIsNotAll));
    }
}

fn protocol() -> Protocol {
    Protocol {
        version: 1,
        bump: 255,
        authority: Pubkey::default(),
        guardian: Pubkey::default(),
        paused_until_unix: 100,
        cluster: [0; 32],
        treasury: Pubkey::default(),
        payment_mints: [Pubkey::default(); 8],
        payment_mint_count: 0,
        protocol_bps: 0,
        terms: TERMS,
        reserved: [0; 64],
    }
}

#[test]
fn given_payment_mints_when_replaced_then_only_the_new_ones_are_allowed() {
    let mut protocol = protocol();
    let mints: Vec<Pubkey> = (1..=9).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
    protocol.set_payment_mints(&mints[..8]).unwrap();
    assert_eq!(protocol.allowed_payment_mints(), &mints[..8]);
    protocol.set_payment_mints(&mints[8..]).unwrap();
    assert_eq!(protocol.allowed_payment_mints(), &mints[8..]);
    assert_eq!(protocol.payment_mints[1..], [Pubkey::default(); 7]);
    assert_eq!(
        refusal(protocol.set_payment_mints(&mints)),
        error!(ModelTokenError::TooManyPaymentMints)
    );
    assert_eq!(
        refusal(protocol.set_payment_mints(&[])),
        error!(ModelTokenError::NoPaymentMint)
    );
    assert_eq!(
        refusal(protocol.set_payment_mints(&[mints[0], mints[1], mints[0]])),
        error!(ModelTokenError::DuplicatePaymentMint)
    );
}

#[test]
fn given_a_pause_when_its_last_second_is_over_then_entries_are_open() {
    let protocol = protocol();
    assert_eq!(
        refusal(protocol.require_not_paused(99)),
        error!(ModelTokenError::Paused)
    );
    protocol.require_not_paused(100).unwrap();
}

#[test]
fn given_the_arithmetic_crate_when_a_header_is_read_back_then_its_root_is_the_stored_one() {
    let input = opml::TensorSpec::new(opml::ElementType::Int8, &[1, 784]).unwrap();
    let header = opml::ModelHeader {
        arithmetic_version: opml::ARITHMETIC_VERSION,
        node_count: 3,
        constant_count: 6,
        graph_root: [1; 32],
        weights_root: [2; 32],
        input,
    };
    let version = ModelVersion {
        version: 1,
        bump: 255,
        model: Pubkey::default(),
        number: 1,
        model_root: header.model_root(),
        arithmetic_version: header.arithmetic_version,
        node_count: header.node_count,
        constant_count: header.constant_count,
        graph_root: header.graph_root,
        weights_root: header.weights_root,
        input_spec: input.encode(),
        split: RevenueSplit {
            holders_bps: 10_000,
            redeem_bps: 0,
            developer_bps: 0,
            operator_bps: 0,
            protocol_bps: 0,
        },
        price_units: 1,
        checkable: Checkable::Anyone,
        terms: TERMS,
        notice_ends_slot: 0,
        live_since_slot: 0,
        weights_uri_hash: [0; 32],
        weights_uri: String::new(),
        reserved: [0; 32],
    };
    assert_eq!(version.header().unwrap().model_root(), version.model_root);
    assert!(!version.was_live());
}

proptest! {
    #[test]
    fn given_any_terms_when_accepted_then_stake_leaves_and_earns_after_finality(
        window_slots in 1u64..1_000, response_slots in 1u64..1_000, clock_slots in 1u64..1_000, unbonding_slots in 1u64..6_000,
        epoch_slots in 1u64..6_000, prover_share_bps in 0u16..11_000, cost_cap_bps in 0u16..3_000,
    ) {
        let terms = DisputeTerms {
            window_slots, response_slots, clock_slots, unbonding_slots, epoch_slots,
            prover_share_bps, cost_cap_bps, ..TERMS
        };
        if terms.validate().is_ok() {
            prop_assert!(unbonding_slots >= window_slots + 2 * clock_slots);
            prop_assert!(epoch_slots >= window_slots + 2 * clock_slots);
            prop_assert!(u32::from(prover_share_bps) + u32::from(cost_cap_bps) <= 10_000);
        }
    }
}
