use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
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
        developer_bps: 1_500,
        operator_bps: 3_500,
        protocol_bps: 500,
        contributors_bps: 500,
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

fn settings() -> Settings {
    Settings {
        guardian: Pubkey::new_from_array([1; 32]),
        treasury: Pubkey::new_from_array([2; 32]),
        payment_mints: vec![Pubkey::new_from_array([3; 32])],
        protocol_bps: 500,
        terms: TERMS,
        timelock_slots: 756_000,
        audits: AuditTerms {
            share_bps: 2_000,
            fee_units: 7,
        },
    }
}

fn protocol() -> Protocol {
    Protocol {
        version: 1,
        bump: 255,
        authority: Pubkey::default(),
        guardian: Pubkey::default(),
        paused_until_unix: 0,
        cluster: [0; 32],
        treasury: Pubkey::default(),
        payment_mints: [Pubkey::default(); 8],
        payment_mint_count: 0,
        protocol_bps: 0,
        terms: TERMS,
        timelock_slots: 0,
        pending_authority: Pubkey::default(),
        paused_since_unix: 0,
        audits: AuditTerms::default(),
        reserved: [0; 54],
    }
}

#[test]
fn given_payment_mints_when_replaced_then_only_the_new_ones_are_allowed() {
    let mut protocol = protocol();
    let mints: Vec<Pubkey> = (1..=9).map(|byte| Pubkey::new_from_array([byte; 32])).collect();
    let with_mints = |mints: &[Pubkey]| Settings {
        payment_mints: mints.to_vec(),
        ..settings()
    };
    protocol.apply(&with_mints(&mints[..8])).unwrap();
    assert_eq!(protocol.allowed_payment_mints(), &mints[..8]);
    protocol.apply(&with_mints(&mints[8..])).unwrap();
    assert_eq!(protocol.allowed_payment_mints(), &mints[8..]);
    assert_eq!(protocol.payment_mints[1..], [Pubkey::default(); 7]);
    for (mints, expected) in [
        (&mints[..], ModelTokenError::TooManyPaymentMints),
        (&[], ModelTokenError::NoPaymentMint),
        (&[Pubkey::default()], ModelTokenError::NoPaymentMint),
        (&[mints[0], mints[1], mints[0]], ModelTokenError::DuplicatePaymentMint),
    ] {
        assert_eq!(refusal(protocol.apply(&with_mints(mints))), error!(expected));
    }
    assert_eq!(protocol.allowed_payment_mints(), &mints[8..]);
}

#[test]
fn given_a_timelock_when_shorter_than_leaving_takes_or_endless_then_refused() {
    // The window, both clocks and the notice.
    let shortest = 216_000 + 108_000 + 432_000;
    for (timelock_slots, sound) in [
        (shortest - 1, false),
        (shortest, true),
        (2 * MAX_TERM_SLOTS, true),
        (2 * MAX_TERM_SLOTS + 1, false),
        (u64::MAX, false),
    ] {
        let settings = Settings {
            timelock_slots,
            ..settings()
        };
        match settings.validate() {
            Ok(()) => assert!(sound, "{timelock_slots}"),
            Err(refused) => {
                assert!(!sound, "{timelock_slots}");
                assert_eq!(refused, error!(ModelTokenError::TimelockOutOfRange));
            }
        }
    }
}

#[test]
fn given_a_proposal_when_around_its_borders_then_executable_only_between_timelock_and_lapse() {
    let at = |slots: u64| Now {
        slot: 1_000 + slots,
        unix: 1_000_000 + i64::try_from(slots.div_ceil(5) * 2).unwrap(),
        last_restart_slot: 0,
    };
    let update = ProtocolUpdate {
        version: 1,
        bump: 255,
        due: Deadline::after(&at(0), 100),
        settings: settings(),
        rent_payer: Pubkey::default(),
        reserved: [0; 32],
    };
    let early = Some(error!(ModelTokenError::UpdateNotDue));
    let late = Some(error!(ModelTokenError::UpdateLapsed));
    for (slots, expected) in [(0, &early), (100, &early), (105, &None), (200, &None), (205, &late)] {
        assert_eq!(&update.require_executable(&at(slots)).err(), expected, "{slots}");
    }
}

#[test]
fn given_a_pause_when_its_last_second_is_over_then_entries_are_open() {
    let mut protocol = protocol();
    protocol.pause(50, 100).unwrap();
    assert_eq!(
        refusal(protocol.require_not_paused(99)),
        error!(ModelTokenError::Paused)
    );
    protocol.require_not_paused(100).unwrap();
}

#[test]
fn given_a_pause_when_it_is_moved_lifted_or_renewed_then_within_seven_days_and_never_at_once_again() {
    const DAY: i64 = 86_400;
    let mut protocol = protocol();
    let now = 1_000 * DAY;
    assert_eq!(refusal(protocol.pause(now, now)), error!(ModelTokenError::NotPaused));
    assert_eq!(
        refusal(protocol.pause(now, now + 7 * DAY + 1)),
        error!(ModelTokenError::PauseTooLong)
    );
    protocol.pause(now, now + DAY).unwrap();
    // Longer, but counted from its beginning.
    assert_eq!(
        refusal(protocol.pause(now + DAY - 1, now + 7 * DAY + 1)),
        error!(ModelTokenError::PauseTooLong)
    );
    protocol.pause(now + DAY - 1, now + 7 * DAY).unwrap();
    // Lifted after two days: the next one begins two days later.
    protocol.pause(now + 2 * DAY, 0).unwrap();
    protocol.require_not_paused(now + 2 * DAY).unwrap();
    assert_eq!(
        refusal(protocol.pause(now + 4 * DAY - 1, now + 5 * DAY)),
        error!(ModelTokenError::PausedTooRecently)
    );
    protocol.pause(now + 4 * DAY, now + 5 * DAY).unwrap();
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
            contributors_bps: 0,
        },
        price_units: 1,
        checkable: Checkable::Anyone,
        terms: TERMS,
        notice_ends_slot: 0,
        live_since_slot: 0,
        weights_uri_hash: [0; 32],
        weights_uri: String::new(),
        contributors: vec![],
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

    #[test]
    fn given_any_guardian_when_it_pauses_as_it_can_then_entries_are_open_half_of_the_time(
        acts in prop::collection::vec((0i64..2_000_000, -1_000i64..2_000_000), 1..60),
    ) {
        let mut protocol = protocol();
        let (begin, mut now, mut paused) = (10_000_000i64, 10_000_000i64, 0i64);
        for (waited, ahead) in acts {
            let until = protocol.paused_until_unix;
            paused += until.min(now + waited) - until.min(now);
            now += waited;
            let _ = protocol.pause(now, now + ahead);
        }
        // All but the last pause has been made up for.
        let last = protocol.paused_until_unix.min(now) - protocol.paused_since_unix;
        prop_assert!(2 * paused - last <= now - begin);
    }

    #[test]
    fn given_any_settings_when_sound_then_whoever_is_in_can_leave_before_an_update_holds(
        window_slots in 1u64..1_000, clock_slots in 200u64..1_000, notice_slots in 1u64..1_000, timelock_slots in 1u64..6_000,
    ) {
        let terms = DisputeTerms { window_slots, response_slots: 200, clock_slots, notice_slots, ..TERMS };
        let settings = Settings { terms, timelock_slots, ..settings() };
        prop_assert_eq!(settings.validate().is_ok(), timelock_slots >= window_slots + 2 * clock_slots + notice_slots);
    }
}
