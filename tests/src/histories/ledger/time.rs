//! Time, told again: what a deadline is, without the programs' code.

use imo_protocol::Now;

/// An hour, in slots and seconds.
const GRACE_SLOTS: u64 = 9_000;
const GRACE_SECONDS: i64 = 3_600;

/// Due when both its slot and its second are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub opened: u64,
    pub slot: u64,
    pub unix: i64,
}

/// Seconds of so many slots of 400 ms, rounded up.
fn seconds(slots: u64) -> i64 {
    i64::try_from((slots * 400).div_ceil(1_000)).expect("no history lasts that long")
}

impl Due {
    pub fn after(now: &Now, slots: u64) -> Self {
        Self {
            opened: now.slot,
            slot: now.slot + slots,
            unix: now.unix + seconds(slots),
        }
    }

    /// The slot and the second with the hour that a restart of the cluster gives when it fell into it, or into the hour behind it.
    fn with_grace(&self, restart: u64) -> (u64, i64) {
        if self.opened < restart && restart <= self.slot + GRACE_SLOTS {
            (self.slot.max(restart) + GRACE_SLOTS, self.unix + GRACE_SECONDS)
        } else {
            (self.slot, self.unix)
        }
    }

    pub fn is_past(&self, now: &Now) -> bool {
        let (slot, unix) = self.with_grace(now.last_restart_slot);
        now.slot > slot && now.unix > unix
    }

    /// When a notice that comes due here lapses: as long again later.
    pub fn lapse(&self) -> Self {
        let length = self.slot - self.opened;
        Self {
            slot: self.slot + length,
            unix: self.unix + seconds(length),
            ..*self
        }
    }

    pub fn has_lapsed(&self, now: &Now) -> bool {
        self.lapse().is_past(now)
    }

    /// What a turn that began at `began_unix` takes off a clock when it is played now.
    pub fn used(&self, began_unix: i64, now: &Now) -> u64 {
        let by_slots = now.slot - self.opened;
        let by_seconds = u64::try_from(now.unix - began_unix + 1).expect("time does not go back") * 5 / 2;
        let used = by_slots.min(by_seconds);
        if self.with_grace(now.last_restart_slot).0 == self.slot {
            used
        } else {
            used.min(self.slot - self.opened)
        }
    }
}

/// Whether a message good until a second is expired: not within an hour after a restart.
pub fn is_expired(now: &Now, until_unix: i64) -> bool {
    let back = now.last_restart_slot > 0 && now.slot <= now.last_restart_slot + GRACE_SLOTS;
    now.unix > until_unix && !back
}
