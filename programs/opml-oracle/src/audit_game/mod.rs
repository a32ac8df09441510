//! A random audit (`docs/protocol.md`, 2.3): auditors commit to the trace of a drawn receipt that they have recomputed, then the operator shows its own, then
//! whoever committed to the same is paid. A state and its transitions, free of accounts, money and RPC.
//!
//! It proves work without a dispute. Who finds another output than the claimed one needs no audit: that is a dispute, at once. Who finds another trace below the same
//! output disputes the trace that the operator shows here, for which the window stays open long enough.

mod draw;
mod refusal;

#[cfg(test)]
mod tests;

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace, Pubkey};
use imo_protocol::{Deadline, Now};
use opml::{Hash, hashv};

pub use {
    draw::{
        DRAW_LAG_SLOTS, DRAW_PERIOD_SLOTS, MAX_AUDITS, RECEIPTS_PER_AUDIT, SlotHashes, audits_of, deciding_slot,
        drawn_receipt,
    },
    refusal::AuditRefusal,
};

/// Turns of `response_slots` that a draw must find left of the window: to commit, to ask, to answer, and to dispute what was answered.
pub const TURNS_TO_DRAW: u64 = 4;
/// Turns of `response_slots` that asking must find left of the window: to answer, and to dispute what was answered.
pub const TURNS_TO_ASK: u64 = 2;

/// What an auditor commits to: `H("imo:audit:v1" ‖ audit ‖ auditor ‖ trace_root ‖ salt)`. It names the auditor, so that a copy is of no use to anybody else.
pub fn audit_commitment(audit: &Pubkey, auditor: &Pubkey, trace_root: &Hash, salt: &[u8; 32]) -> Hash {
    hashv(&[b"imo:audit:v1", audit.as_ref(), auditor.as_ref(), trace_root, salt])
}

/// Where an audit is in its life.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditPhase {
    /// Auditors commit; when their time is over, anyone who has the receipt asks for its trace.
    Drawn,
    /// The operator owes its trace.
    Asked,
    /// The trace is there; auditors open their commitments.
    Traced,
    /// The operator owed the trace to the end. The report is rejected.
    Silent,
}

/// One audit of one receipt.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditGame {
    pub phase: AuditPhase,
    /// Length of each phase, in slots.
    pub response_slots: u64,
    /// End of the present phase.
    pub deadline: Deadline,
    /// Commitments ever made.
    pub committed: u32,
    /// Of those, how many were opened to the operator's trace.
    pub matched: u32,
    /// The operator's trace, once it is there.
    pub trace_root: [u8; 32],
    /// When it was posted. What was committed to from then on is worth nothing.
    pub traced_slot: u64,
}

impl AuditGame {
    /// Begins, when the window is open for long enough that even an answer in the last moment can be disputed.
    pub fn draw(now: &Now, response_slots: u64, window: &Deadline) -> Result<Self, AuditRefusal> {
        require_left(now, TURNS_TO_DRAW, response_slots, window)?;
        Ok(Self {
            phase: AuditPhase::Drawn,
            response_slots,
            deadline: Deadline::after(now, response_slots),
            committed: 0,
            matched: 0,
            trace_root: [0; 32],
            traced_slot: 0,
        })
    }

    /// An auditor commits.
    pub fn commit(&mut self, now: &Now) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Drawn)?;
        self.require_in_time(now)?;
        self.committed = self.committed.checked_add(1).ok_or(AuditRefusal::Inconsistent)?;
        Ok(())
    }

    /// Somebody shows the receipt, and the operator owes its trace from now on. Refused when nobody committed: a draw alone asks nothing of anybody.
    pub fn ask(&mut self, now: &Now, window: &Deadline) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Drawn)?;
        self.require_over(now)?;
        if self.committed == 0 {
            return Err(AuditRefusal::NothingCommitted);
        }
        require_left(now, TURNS_TO_ASK, self.response_slots, window)?;
        self.enter(AuditPhase::Asked, now);
        Ok(())
    }

    /// The operator answers in time.
    pub fn answer(&mut self, now: &Now, trace_root: &Hash) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Asked)?;
        self.require_in_time(now)?;
        self.show(now, trace_root, now.slot);
        Ok(())
    }

    /// A trace that is on chain already is the answer, however late anybody says so.
    pub fn attach(&mut self, now: &Now, trace_root: &Hash, posted_slot: u64) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Asked)?;
        self.show(now, trace_root, posted_slot);
        Ok(())
    }

    /// The operator has not answered. The caller has checked that no trace is on chain.
    pub fn time_out(&mut self, now: &Now) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Asked)?;
        self.require_over(now)?;
        self.phase = AuditPhase::Silent;
        Ok(())
    }

    /// An auditor's commitment, made in `committed_slot`, is opened: `opens_to` says what it would have to be, given the operator's trace.
    pub fn reveal(
        &mut self,
        now: &Now,
        commitment: &Hash,
        committed_slot: u64,
        opens_to: impl FnOnce(&Hash) -> Hash,
    ) -> Result<(), AuditRefusal> {
        self.require(AuditPhase::Traced)?;
        self.require_in_time(now)?;
        if committed_slot >= self.traced_slot {
            return Err(AuditRefusal::CommittedTooLate);
        }
        if opens_to(&self.trace_root) != *commitment {
            return Err(AuditRefusal::WrongOpening);
        }
        self.matched = self.matched.checked_add(1).ok_or(AuditRefusal::Inconsistent)?;
        Ok(())
    }

    /// Whether it can be settled: nothing that is still to come changes what it pays. `report_ended` is whether the report is final or rejected, `rejected` whether the latter,
    /// when it pays nobody.
    pub fn require_over_with(&self, now: &Now, report_ended: bool, rejected: bool) -> Result<(), AuditRefusal> {
        let is_over = match self.phase {
            // Nobody came.
            AuditPhase::Drawn if self.committed == 0 && self.deadline.is_past(now) => true,
            AuditPhase::Drawn => report_ended,
            // A trace that is owed keeps the report from becoming final.
            AuditPhase::Asked | AuditPhase::Silent => rejected,
            AuditPhase::Traced => rejected || (report_ended && self.deadline.is_past(now)),
        };
        is_over.then_some(()).ok_or(AuditRefusal::NotOver)
    }

    fn show(&mut self, now: &Now, trace_root: &Hash, posted_slot: u64) {
        self.trace_root = *trace_root;
        self.traced_slot = posted_slot;
        self.enter(AuditPhase::Traced, now);
    }

    fn enter(&mut self, phase: AuditPhase, now: &Now) {
        self.phase = phase;
        self.deadline = Deadline::after(now, self.response_slots);
    }

    fn require(&self, phase: AuditPhase) -> Result<(), AuditRefusal> {
        (self.phase == phase).then_some(()).ok_or(AuditRefusal::WrongPhase)
    }

    fn require_in_time(&self, now: &Now) -> Result<(), AuditRefusal> {
        (!self.deadline.is_past(now)).then_some(()).ok_or(AuditRefusal::TooLate)
    }

    fn require_over(&self, now: &Now) -> Result<(), AuditRefusal> {
        self.deadline.is_past(now).then_some(()).ok_or(AuditRefusal::TooEarly)
    }
}

/// Refuses when less than so many turns are left of the window, in slots or in time. What a restart of the cluster adds to the window is not counted: it adds no less than
/// to the turns.
fn require_left(now: &Now, turns: u64, response_slots: u64, window: &Deadline) -> Result<(), AuditRefusal> {
    let needed = Deadline::after(now, response_slots.saturating_mul(turns));
    if needed.due_slot <= window.due_slot && needed.due_unix <= window.due_unix {
        Ok(())
    } else {
        Err(AuditRefusal::WindowTooShort)
    }
}
