use anchor_lang::{AnchorDeserialize, Space};
use imo_protocol::{Collection, Deadline, Now};
use proptest::{prelude::*, sample::Index};

use super::{
    AuditGame, AuditPhase, AuditRefusal, DRAW_LAG_SLOTS, DRAW_PERIOD_SLOTS, MAX_AUDITS, RECEIPTS_PER_AUDIT, SlotHashes,
    TURNS_TO_ASK, TURNS_TO_DRAW, audits_of, deciding_slot, drawn_receipt,
};

const RESPONSE: u64 = 50;
const SEALED: u64 = 1_000;
/// Slots that the chain remembers.
const REMEMBERED: usize = 512;

fn at(slot: u64) -> Now {
    Now {
        slot,
        unix: i64::try_from(slot * 2 / 5).unwrap(),
        last_restart_slot: 0,
    }
}

/// The sysvar in `now`, with the blocks of the slots that are not skipped.
fn sysvar(now: u64, skipped: impl Fn(u64) -> bool) -> Vec<u8> {
    let slots: Vec<u64> = (0..now).rev().filter(|slot| !skipped(*slot)).take(REMEMBERED).collect();
    let mut data = (slots.len() as u64).to_le_bytes().to_vec();
    for slot in slots {
        data.extend(slot.to_le_bytes());
        data.extend([slot as u8; 32]);
    }
    // The account is as long as a full list.
    data.resize(8 + REMEMBERED * 40, 0);
    data
}

fn empty_collection() -> Collection {
    Collection::deserialize(&mut &[0; Collection::INIT_SPACE][..]).unwrap()
}

/// The slot that decides in `now`.
fn decides(now: u64, skipped: impl Fn(u64) -> bool) -> Option<u64> {
    let data = sysvar(now, skipped);
    let slot = deciding_slot(SEALED, now)?;
    let (slot, hash) = SlotHashes::new(&data).unwrap().first_from(slot)?;
    assert_eq!(hash, [slot as u8; 32]);
    Some(slot)
}

#[test]
fn given_a_seal_when_the_lag_is_not_over_then_no_slot_decides() {
    let first = SEALED + DRAW_LAG_SLOTS;
    for now in [0, SEALED, first - 1, first] {
        assert_eq!(deciding_slot(SEALED, now), None, "{now}");
    }
    for (now, expected) in [
        (first + 1, first),
        (first + DRAW_PERIOD_SLOTS, first),
        (first + DRAW_PERIOD_SLOTS + 1, first + DRAW_PERIOD_SLOTS),
        (first + 2 * DRAW_PERIOD_SLOTS, first + DRAW_PERIOD_SLOTS),
    ] {
        assert_eq!(deciding_slot(SEALED, now), Some(expected), "{now}");
    }
    assert_eq!(deciding_slot(u64::MAX, u64::MAX), None);
}

#[test]
fn given_skipped_slots_when_drawn_then_the_first_block_after_them_decides() {
    let first = SEALED + DRAW_LAG_SLOTS;
    let skipped = |slot| (first..first + 3).contains(&slot);
    // Until there is a block, nothing decides, not even what was before.
    for now in [first + 1, first + 3] {
        assert_eq!(decides(now, skipped), None, "{now}");
    }
    for now in [first + 4, first + 5, first + DRAW_PERIOD_SLOTS] {
        assert_eq!(decides(now, skipped), Some(first + 3), "{now}");
    }
}

#[test]
fn given_a_list_without_anything_earlier_when_it_does_not_hold_the_slot_itself_then_nothing_decides() {
    let data = sysvar(600, |_| false);
    let hashes = SlotHashes::new(&data).unwrap();
    let oldest = 600 - REMEMBERED as u64;
    assert_eq!(hashes.first_from(oldest).unwrap().0, oldest);
    assert_eq!(hashes.first_from(oldest - 1), None);
    assert_eq!(hashes.first_from(600), None);
    assert!(SlotHashes::new(&data[..8 + 39]).is_none());
    assert!(SlotHashes::new(&[]).is_none());
    let empty = [0; 8];
    assert_eq!(SlotHashes::new(&empty).unwrap().first_from(0), None);
}

#[test]
fn given_a_number_of_receipts_when_audits_are_counted_then_one_for_each_begun_part_and_no_more_than_the_most() {
    let part = RECEIPTS_PER_AUDIT;
    for (receipts, audits) in [
        (0, 0),
        (1, 1),
        (part, 1),
        (part + 1, 2),
        (15 * part, 15),
        (15 * part + 1, 16),
        (16 * part + 1, 16),
    ] {
        assert_eq!(audits_of(receipts), audits, "{receipts}");
    }
    assert_eq!(audits_of(u64::MAX), MAX_AUDITS);
    // A report remembers what was drawn in sixteen bits.
    assert_eq!(MAX_AUDITS, 16);
}

#[test]
fn given_many_slots_when_receipts_are_drawn_then_each_is_as_likely() {
    const RECEIPTS: u64 = 10;
    const DRAWS: u32 = 20_000;
    let mut drawn = [0u32; RECEIPTS as usize];
    for draw in 0..DRAWS {
        let hash = opml::hashv(&[&draw.to_le_bytes()]);
        drawn[drawn_receipt(&hash, &[7; 32], 0, RECEIPTS).unwrap() as usize] += 1;
    }
    let expected = f64::from(DRAWS) / RECEIPTS as f64;
    let chi_squared: f64 = drawn
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    // Of nine degrees of freedom, 27.9 is passed once in a thousand.
    assert!(chi_squared < 27.9, "{drawn:?}: {chi_squared}");
}

#[test]
fn given_one_slot_when_report_or_number_differ_then_another_draw() {
    let draw = |report, number| drawn_receipt(&[1; 32], &[report; 32], number, u64::MAX);
    assert_eq!(draw(1, 0), draw(1, 0));
    assert_ne!(draw(1, 0), draw(1, 1));
    assert_ne!(draw(1, 0), draw(2, 0));
    assert_eq!(drawn_receipt(&[1; 32], &[1; 32], 0, 0), None);
    assert_eq!(drawn_receipt(&[1; 32], &[1; 32], 0, 1), Some(0));
}

proptest! {
    #[test]
    fn given_any_skipped_slots_when_called_at_any_time_of_a_period_then_the_same_slot_decides(
        skipped in prop::collection::hash_set(900u64..2_200, 0..600), when in any::<Index>(), again in any::<Index>(), period in 0u64..2,
    ) {
        let first = SEALED + DRAW_LAG_SLOTS + period * DRAW_PERIOD_SLOTS;
        let now = |index: &Index| first + 1 + index.index(DRAW_PERIOD_SLOTS as usize) as u64;
        let skip = |slot: u64| skipped.contains(&slot);
        let (early, late) = (now(&when).min(now(&again)), now(&when).max(now(&again)));
        let expected = (first..).find(|slot| !skip(*slot)).unwrap();
        for now in [early, late] {
            // Either the first block of the period decides, or there is none yet.
            prop_assert_eq!(decides(now, skip), (expected < now).then_some(expected));
        }
    }

    #[test]
    fn given_any_receipts_when_drawn_then_one_of_them(hash in any::<[u8; 32]>(), report in any::<[u8; 32]>(), number in 0u8..16, receipts in 1u64..) {
        prop_assert!(drawn_receipt(&hash, &report, number, receipts).unwrap() < receipts);
    }

    #[test]
    fn given_any_collections_when_a_number_is_drawn_then_exactly_one_holds_it(counts in prop::collection::vec(1u32..=65_536, 1..20), drawn in any::<Index>()) {
        let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let number = drawn.index(total as usize) as u64;
        let mut first_receipt = 0;
        let mut holders = 0;
        for count in counts {
            let collection = Collection { count, first_receipt, ..empty_collection() };
            if let Some(index) = collection.index_of(number) {
                prop_assert_eq!(first_receipt + u64::from(index), number);
                holders += 1;
            }
            first_receipt += u64::from(count);
        }
        prop_assert_eq!(holders, 1);
    }
}

fn window() -> Deadline {
    Deadline::after(&at(SEALED), 20 * RESPONSE)
}

fn drawn_at(slot: u64) -> AuditGame {
    AuditGame::draw(&at(slot), RESPONSE, &window()).unwrap()
}

/// A slot after which a deadline is past.
fn past(deadline: &Deadline) -> Now {
    let now = at(deadline.due_slot + 3);
    assert!(deadline.is_past(&now));
    now
}

#[test]
fn given_a_window_when_a_turn_too_little_is_left_then_neither_drawn_nor_asked() {
    let last = window().due_slot - TURNS_TO_DRAW * RESPONSE;
    assert!(AuditGame::draw(&at(last), RESPONSE, &window()).is_ok());
    assert_eq!(
        AuditGame::draw(&at(last + 1), RESPONSE, &window()),
        Err(AuditRefusal::WindowTooShort)
    );
    let mut game = drawn_at(SEALED + 100);
    game.commit(&at(SEALED + 100)).unwrap();
    let last = window().due_slot - TURNS_TO_ASK * RESPONSE;
    assert_eq!(game.ask(&at(last + 1), &window()), Err(AuditRefusal::WindowTooShort));
    game.ask(&at(last), &window()).unwrap();
    // Even an answer in the last moment leaves a turn for a dispute.
    assert!(game.deadline.due_slot + RESPONSE <= window().due_slot);
}

#[test]
fn given_an_audit_when_played_in_order_then_matched_and_over_with_the_report() {
    let mut game = drawn_at(SEALED + 100);
    assert_eq!(game.ask(&at(SEALED + 101), &window()), Err(AuditRefusal::TooEarly));
    game.commit(&at(SEALED + 101)).unwrap();
    let now = past(&game.deadline);
    assert_eq!(game.commit(&now), Err(AuditRefusal::TooLate));
    assert_eq!(game.answer(&now, &[1; 32]), Err(AuditRefusal::WrongPhase));
    game.ask(&now, &window()).unwrap();
    assert_eq!(game.ask(&now, &window()), Err(AuditRefusal::WrongPhase));
    assert_eq!(game.time_out(&now), Err(AuditRefusal::TooEarly));
    assert_eq!(
        game.reveal(&now, &[1; 32], SEALED, |root| *root),
        Err(AuditRefusal::WrongPhase)
    );
    game.answer(&now, &[1; 32]).unwrap();
    let committed = SEALED + 101;
    assert_eq!(
        game.reveal(&now, &[2; 32], committed, |root| *root),
        Err(AuditRefusal::WrongOpening)
    );
    assert_eq!(
        game.reveal(&now, &[1; 32], now.slot, |root| *root),
        Err(AuditRefusal::CommittedTooLate)
    );
    game.reveal(&now, &[1; 32], committed, |root| *root).unwrap();
    assert_eq!(game.require_over_with(&now, true, false), Err(AuditRefusal::NotOver));
    let later = past(&game.deadline);
    assert_eq!(
        game.reveal(&later, &[1; 32], committed, |root| *root),
        Err(AuditRefusal::TooLate)
    );
    assert_eq!(game.require_over_with(&later, false, false), Err(AuditRefusal::NotOver));
    game.require_over_with(&later, true, false).unwrap();
    assert_eq!((game.committed, game.matched), (1, 1));
}

#[test]
fn given_nobody_who_committed_when_the_time_is_over_then_nothing_is_asked_and_it_is_over() {
    let mut game = drawn_at(SEALED + 100);
    assert_eq!(
        game.require_over_with(&at(SEALED + 100), false, false),
        Err(AuditRefusal::NotOver)
    );
    let now = past(&game.deadline);
    assert_eq!(game.ask(&now, &window()), Err(AuditRefusal::NothingCommitted));
    game.require_over_with(&now, false, false).unwrap();
}

#[test]
fn given_a_trace_that_a_dispute_brought_when_attached_late_then_answered_and_only_earlier_commitments_count() {
    let mut game = drawn_at(SEALED + 100);
    for slot in [SEALED + 110, SEALED + 120, SEALED + 121] {
        game.commit(&at(slot)).unwrap();
    }
    let now = past(&game.deadline);
    assert_eq!(game.attach(&now, &[1; 32], SEALED + 120), Err(AuditRefusal::WrongPhase));
    game.ask(&now, &window()).unwrap();
    let now = past(&game.deadline);
    assert_eq!(game.answer(&now, &[1; 32]), Err(AuditRefusal::TooLate));
    game.attach(&now, &[1; 32], SEALED + 120).unwrap();
    game.reveal(&now, &[1; 32], SEALED + 110, |root| *root).unwrap();
    for slot in [SEALED + 120, SEALED + 121] {
        assert_eq!(
            game.reveal(&now, &[1; 32], slot, |root| *root),
            Err(AuditRefusal::CommittedTooLate)
        );
    }
}

#[test]
fn given_a_silent_operator_when_its_time_is_over_then_silent_and_over_with_the_rejection() {
    let mut game = drawn_at(SEALED + 100);
    game.commit(&at(SEALED + 100)).unwrap();
    let now = past(&game.deadline);
    game.ask(&now, &window()).unwrap();
    let now = past(&game.deadline);
    game.time_out(&now).unwrap();
    assert_eq!(game.phase, AuditPhase::Silent);
    assert_eq!(game.time_out(&now), Err(AuditRefusal::WrongPhase));
    assert_eq!(game.attach(&now, &[1; 32], 0), Err(AuditRefusal::WrongPhase));
    game.require_over_with(&now, true, true).unwrap();
}

proptest! {
    #[test]
    fn given_any_moment_and_restart_when_an_answer_is_owed_then_exactly_one_of_answer_and_timeout_is_possible(
        slots in 0u64..20_000, seconds in 0i64..9_000, restart in 0u64..22_000,
    ) {
        let mut game = drawn_at(SEALED + 100);
        game.commit(&at(SEALED + 100)).unwrap();
        let asked = past(&game.deadline);
        game.ask(&asked, &window()).unwrap();
        let now = Now { slot: asked.slot + slots, unix: asked.unix + seconds, last_restart_slot: restart };
        let (mut answered, mut timed_out) = (game, game);
        prop_assert!(answered.answer(&now, &[1; 32]).is_ok() != timed_out.time_out(&now).is_ok());
        // No report is held up by an answer that is owed: its window is open for longer.
        prop_assert!(game.deadline.is_past(&now) || !window().is_past(&now));
    }
}
