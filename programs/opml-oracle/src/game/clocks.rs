//! The chess clock.

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace};
use imo_protocol::{Deadline, Now, deadline::SLOT_MILLISECONDS};

use super::Side;

/// What each side has left, and until when the present turn must be played.
///
/// A turn is due after `response_slots` or when the side's clock runs out, whichever is earlier; a move takes off the clock what the turn lasted. So
/// the sum of each side's turns is bounded, whatever the other does.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// The longest turn, in slots.
    pub response_slots: u64,
    /// What the challenger has left, in slots.
    pub challenger_slots: u64,
    /// What the operator has left, in slots.
    pub operator_slots: u64,
    /// Until when the side whose turn it is must move.
    pub deadline: Deadline,
    /// When the turn began, in Unix seconds.
    pub turn_began_unix: i64,
}

impl Clocks {
    /// Both clocks full, no turn begun.
    pub fn new(response_slots: u64, clock_slots: u64) -> Self {
        Self {
            response_slots,
            challenger_slots: clock_slots,
            operator_slots: clock_slots,
            deadline: Deadline::default(),
            turn_began_unix: 0,
        }
    }

    /// Slots that a side has left.
    pub fn left(&self, side: Side) -> u64 {
        match side {
            Side::Challenger => self.challenger_slots,
            Side::Operator => self.operator_slots,
        }
    }

    /// `side`'s turn begins.
    pub fn start(&mut self, side: Side, now: &Now) {
        self.deadline = Deadline::after(now, self.response_slots.min(self.left(side)));
        self.turn_began_unix = now.unix;
    }

    /// `side` has moved: what the turn lasted is gone from its clock.
    pub fn stop(&mut self, side: Side, now: &Now) {
        let left = self.left(side).saturating_sub(self.elapsed_slots(now));
        match side {
            Side::Challenger => self.challenger_slots = left,
            Side::Operator => self.operator_slots = left,
        }
    }

    /// Whether the turn can no longer be played.
    pub fn is_late(&self, now: &Now) -> bool {
        self.deadline.is_past(now)
    }

    /// How long the turn has lasted. Like a deadline, it counts only what slots and clock agree on, the clock rounded up; and a restart of
    /// the cluster costs nobody more than the turn had.
    fn elapsed_slots(&self, now: &Now) -> u64 {
        let by_slots = now.slot.saturating_sub(self.deadline.opened_slot);
        let seconds = u64::try_from(now.unix.saturating_sub(self.turn_began_unix)).unwrap_or(0);
        let by_clock = seconds.saturating_add(1).saturating_mul(1_000) / SLOT_MILLISECONDS;
        let elapsed = by_slots.min(by_clock);
        let (effective_due_slot, _) = self.deadline.effective(now.last_restart_slot);
        if effective_due_slot == self.deadline.due_slot {
            elapsed
        } else {
            elapsed.min(self.deadline.length_slots())
        }
    }
}
