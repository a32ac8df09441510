//! Time that a change of the slot length, a slow clock or a restart of the cluster cannot shorten.

use anchor_lang::prelude::*;
use solana_sysvar::last_restart_slot::LastRestartSlot;

/// Length of a slot that deadlines count with, in milliseconds.
pub const SLOT_MILLISECONDS: u64 = 400;

/// What a restart of the cluster adds to a deadline that it fell into: an hour, to come back.
pub const RESTART_GRACE_SLOTS: u64 = 9_000;

/// [`RESTART_GRACE_SLOTS`] in seconds.
pub const RESTART_GRACE_SECONDS: i64 = 3_600;

const _: () = assert!(RESTART_GRACE_SECONDS as u64 * 1_000 == RESTART_GRACE_SLOTS * SLOT_MILLISECONDS);

/// The time, as the chain knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub slot: u64,
    /// Unix seconds.
    pub unix: i64,
    /// Slot of the last restart of the cluster, 0 when there was none.
    pub last_restart_slot: u64,
}

impl Now {
    /// Reads both sysvars.
    pub fn read() -> Result<Self> {
        let clock = Clock::get()?;
        let LastRestartSlot { last_restart_slot } = LastRestartSlot::get()?;
        Ok(Self {
            slot: clock.slot,
            unix: clock.unix_timestamp,
            last_restart_slot,
        })
    }

    /// Whether the cluster came back from a restart less than [`RESTART_GRACE_SLOTS`] ago.
    pub fn is_in_restart_grace(&self) -> bool {
        self.last_restart_slot > 0 && self.slot <= self.last_restart_slot.saturating_add(RESTART_GRACE_SLOTS)
    }

    /// Whether a message good until `expires_unix` is expired. For the grace after a restart nothing is: who holds it could not use it while
    /// the cluster stood still, and no program can know since when.
    pub fn is_expired(&self, expires_unix: i64) -> bool {
        self.unix > expires_unix && !self.is_in_restart_grace()
    }
}

/// A point in time as a slot and a Unix time, past only when both are. Neither alone decides: slots may change their length and the clock
/// may drift.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline {
    /// Slot in which it began to run.
    pub opened_slot: u64,
    /// Last slot that is in time.
    pub due_slot: u64,
    /// Last second that is in time, in Unix seconds.
    pub due_unix: i64,
}

const _: () = assert!(Deadline::INIT_SPACE == 24);

impl Deadline {
    /// `slots` from now. Beyond the end of time it is never past.
    pub fn after(now: &Now, slots: u64) -> Self {
        Self {
            opened_slot: now.slot,
            due_slot: now.slot,
            due_unix: now.unix,
        }
        .later_by(slots)
    }

    /// The same beginning, due `slots` later.
    pub fn later_by(&self, slots: u64) -> Self {
        let seconds = slots.saturating_mul(SLOT_MILLISECONDS).div_ceil(1_000);
        Self {
            opened_slot: self.opened_slot,
            due_slot: self.due_slot.saturating_add(slots),
            due_unix: self.due_unix.saturating_add_unsigned(seconds),
        }
    }

    /// Whether this is a deadline at all: accounts hold [`Deadline::default`] where nothing runs.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// From its beginning to when it is due, restarts left out, in slots.
    pub fn length_slots(&self) -> u64 {
        self.due_slot.saturating_sub(self.opened_slot)
    }

    /// The last slot and second that are in time, given the last restart: a pure function, never stored, so that nobody gains by calling often.
    /// A restart within the deadline, or within the grace that an earlier restart may have given it, moves both.
    pub fn effective(&self, last_restart_slot: u64) -> (u64, i64) {
        let extended_until = self.due_slot.saturating_add(RESTART_GRACE_SLOTS);
        if self.opened_slot < last_restart_slot && last_restart_slot <= extended_until {
            let from = self.due_slot.max(last_restart_slot);
            (
                from.saturating_add(RESTART_GRACE_SLOTS),
                self.due_unix.saturating_add(RESTART_GRACE_SECONDS),
            )
        } else {
            (self.due_slot, self.due_unix)
        }
    }

    /// Whether it is over. A move needs `false`, a timeout `true`, and both ask here.
    pub fn is_past(&self, now: &Now) -> bool {
        // A restart only ever extends, so that the common case needs no look at it.
        if now.slot <= self.due_slot || now.unix <= self.due_unix {
            return false;
        }
        let (slot, unix) = self.effective(now.last_restart_slot);
        now.slot > slot && now.unix > unix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPENED: Now = Now {
        slot: 1_000,
        unix: 1_700_000_000,
        last_restart_slot: 0,
    };

    fn at(slot: u64, unix: i64, last_restart_slot: u64) -> Now {
        Now {
            slot,
            unix,
            last_restart_slot,
        }
    }

    #[test]
    fn given_slots_when_a_deadline_is_made_then_seconds_are_rounded_up() {
        for (slots, seconds) in [(0, 0), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (9_000, 3_600)] {
            let deadline = Deadline::after(&OPENED, slots);
            assert_eq!(deadline.due_slot, OPENED.slot + slots);
            assert_eq!(deadline.due_unix, OPENED.unix + seconds);
            assert_eq!(deadline.length_slots(), slots);
        }
    }

    #[test]
    fn given_a_deadline_when_just_before_on_and_after_it_then_past_only_after_both() {
        let deadline = Deadline::after(&OPENED, 100);
        let (slot, unix) = (1_100, 1_700_000_040);
        for (slot, unix, past) in [
            (slot - 1, unix - 1, false),
            (slot, unix, false),
            (slot + 1, unix, false),
            (slot, unix + 1, false),
            (slot + 1, unix + 1, true),
            (slot + 1_000_000, unix, false),
            (slot, unix + 1_000_000, false),
        ] {
            assert_eq!(deadline.is_past(&at(slot, unix, 0)), past, "{slot} {unix}");
        }
    }

    #[test]
    fn given_a_restart_when_around_the_borders_then_extended_only_inside() {
        let deadline = Deadline::after(&OPENED, 100);
        let plain = (1_100, 1_700_000_040);
        let extended = |slot| (slot + RESTART_GRACE_SLOTS, 1_700_000_040 + RESTART_GRACE_SECONDS);
        for (restart, expected) in [
            (0, plain),
            (999, plain),
            (1_000, plain),
            (1_001, extended(1_100)),
            (1_099, extended(1_100)),
            (1_100, extended(1_100)),
            (1_101, extended(1_101)),
            (10_100, extended(10_100)),
            (10_101, plain),
        ] {
            assert_eq!(deadline.effective(restart), expected, "restart at {restart}");
        }
    }

    #[test]
    fn given_two_restarts_in_a_row_when_the_second_is_after_due_then_the_grace_stays() {
        let deadline = Deadline::after(&OPENED, 100);
        let just_before_due = at(1_150, 1_700_100_000, 1_099);
        assert!(!deadline.is_past(&just_before_due));
        let second = at(1_151, 1_700_200_000, 1_150);
        assert!(!deadline.is_past(&second));
    }

    #[test]
    fn given_no_restart_when_a_message_expires_then_expired_a_second_later() {
        assert!(!at(5, 100, 0).is_expired(100));
        assert!(at(5, 101, 0).is_expired(100));
    }

    #[test]
    fn given_a_restart_when_a_message_expired_meanwhile_then_good_for_the_grace() {
        let restart = 50;
        assert!(!at(restart + RESTART_GRACE_SLOTS, 1_000_000, restart).is_expired(100));
        assert!(at(restart + RESTART_GRACE_SLOTS + 1, 1_000_000, restart).is_expired(100));
    }

    fn deadline() -> impl Strategy<Value = Deadline> {
        (0u64..1 << 40, 0i64..1 << 40, 0u64..1 << 30)
            .prop_map(|(slot, unix, slots)| Deadline::after(&at(slot, unix, 0), slots))
    }

    proptest! {
        #[test]
        fn given_any_deadline_when_time_goes_on_then_past_stays_past(
            deadline in deadline(), slot in 0u64..1 << 41, unix in 0i64..1 << 41, restart in 0u64..1 << 41,
            more_slots in 0u64..1 << 40, more_seconds in 0i64..1 << 40,
        ) {
            let now = at(slot, unix, restart);
            let later = at(slot + more_slots, unix + more_seconds, restart);
            prop_assert!(!deadline.is_past(&now) || deadline.is_past(&later));
        }

        #[test]
        fn given_any_restart_when_extended_then_never_earlier_and_by_at_most_two_graces(deadline in deadline(), restart in 0u64..1 << 41) {
            let (slot, unix) = deadline.effective(restart);
            prop_assert!(slot >= deadline.due_slot && unix >= deadline.due_unix);
            prop_assert!(slot - deadline.due_slot <= 2 * RESTART_GRACE_SLOTS);
            prop_assert!(unix - deadline.due_unix <= RESTART_GRACE_SECONDS);
        }

        #[test]
        fn given_a_restart_while_it_runs_when_back_then_the_whole_grace_is_left(deadline in deadline(), part in 0.0f64..=1.0, unix in any::<i64>()) {
            prop_assume!(deadline.length_slots() > 0);
            let restart = deadline.opened_slot + 1 + ((deadline.length_slots() - 1) as f64 * part) as u64;
            prop_assert!(!deadline.is_past(&at(restart + RESTART_GRACE_SLOTS, unix, restart)));
        }

        #[test]
        fn given_the_borders_when_one_step_is_missing_then_not_past(deadline in deadline(), restart in 0u64..1 << 41) {
            let (slot, unix) = deadline.effective(restart);
            prop_assert!(!deadline.is_past(&at(slot, unix + 1, restart)));
            prop_assert!(!deadline.is_past(&at(slot + 1, unix, restart)));
            prop_assert!(deadline.is_past(&at(slot + 1, unix + 1, restart)));
        }

        #[test]
        fn given_more_slots_when_a_deadline_is_made_then_not_earlier(slot in any::<u64>(), unix in any::<i64>(), slots in any::<u64>(), more in any::<u64>()) {
            let now = at(slot, unix, 0);
            let short = Deadline::after(&now, slots);
            let long = Deadline::after(&now, slots.saturating_add(more));
            prop_assert!(long.due_slot >= short.due_slot && long.due_unix >= short.due_unix);
        }
    }
}
