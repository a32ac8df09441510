//! The accounts of one report and its disputes.

use std::hash::{Hash, Hasher};

use anchor_lang::{AnchorDeserialize, AnchorSerialize, Space};
use imo_protocol::{Deadline, Now};
use opml_oracle::{
    game::Game,
    state::{Dispute, Operator, Report, ReportStatus, StakeVault, Trace},
};

/// When the report is sealed.
const SEALED_SLOT: u64 = 1_000;

/// One challenger's place at the table.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Its dispute, from the opening to the payout.
    pub dispute: Option<Dispute>,
    /// The receipt that its commitment names.
    pub receipt: usize,
    /// When it opened its dispute.
    pub opened_slot: u64,
    /// What it saw of the game, for the planning of an honest one.
    pub seen: Vec<Game>,
    /// What came of it, once it is paid out and closed.
    pub closed: Option<Closed>,
}

/// A dispute that was.
#[derive(AnchorSerialize, Clone, Copy, Debug)]
pub struct Closed {
    pub order: u32,
    pub challenger_moves: u16,
    pub payout_units: u64,
}

/// A state: the accounts and the time.
#[derive(Clone, Debug)]
pub struct Table {
    pub now: Now,
    pub report: Report,
    pub operator: Operator,
    pub stake_vault: StakeVault,
    /// The trace of each receipt's claim, once it is posted.
    pub traces: Vec<Option<Trace>>,
    pub seats: Vec<Seat>,
}

impl Table {
    pub fn seat(&self, seat: usize) -> Option<&Dispute> {
        self.seats[seat].dispute.as_ref()
    }

    /// Lets `slots` pass, at 400 ms a slot.
    pub fn pass(&mut self, slots: u64) {
        self.now = at(self.now.slot + slots);
    }

    /// Every deadline that something waits for.
    pub fn deadlines(&self) -> impl Iterator<Item = Deadline> {
        let window = (self.report.status == ReportStatus::Sealed).then_some(self.report.window);
        let turns = self.seats.iter().filter_map(|seat| {
            let game = &seat.dispute.as_ref()?.game;
            game.phase.turn().map(|_| game.clocks.deadline)
        });
        window.into_iter().chain(turns)
    }

    /// Whether nothing is left to do: the report has ended, every dispute is settled and paid out.
    pub fn is_over(&self) -> bool {
        self.report.is_terminal() && self.report.is_settled() && self.seats.iter().all(|seat| seat.dispute.is_none())
    }

    /// Everything that decides about the future.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.now.slot.to_le_bytes().to_vec();
        let mut add = |part: &dyn Serialize| part.add_to(&mut bytes);
        add(&self.report);
        add(&self.operator);
        add(&self.stake_vault);
        add(&self.traces);
        for seat in &self.seats {
            add(&seat.dispute);
            add(&(seat.receipt as u64));
            add(&seat.opened_slot);
            add(&seat.seen);
            add(&seat.closed);
        }
        bytes
    }
}

/// Borsh behind a reference.
trait Serialize {
    fn add_to(&self, bytes: &mut Vec<u8>);
}

impl<T: AnchorSerialize> Serialize for T {
    fn add_to(&self, bytes: &mut Vec<u8>) {
        self.serialize(bytes).expect("a vector takes any bytes");
    }
}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

/// When the scene begins.
pub fn beginning() -> Now {
    at(SEALED_SLOT)
}

/// The first slot in which a deadline is past.
pub fn first_slot_past(deadline: &Deadline) -> u64 {
    (deadline.due_slot..)
        .find(|slot| deadline.is_past(&at(*slot)))
        .expect("every deadline is past some day")
}

/// A slot and the second that it falls into.
fn at(slot: u64) -> Now {
    Now {
        slot,
        unix: 1_700_000_000 + i64::try_from(slot * 2 / 5).expect("a scene does not last that long"),
        last_restart_slot: 0,
    }
}

/// An account as its program makes room for it.
pub fn zeroed<T: AnchorDeserialize + Space>() -> T {
    T::deserialize(&mut vec![0; T::INIT_SPACE].as_slice()).expect("zeroes are an account")
}
