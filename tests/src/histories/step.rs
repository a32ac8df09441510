//! What a history is made of.

use proptest::prelude::*;

use super::{
    beginning::Beginning,
    kinds::{CARRIES_ON, Kind, kind},
};

/// One try. The numbers choose among what there is when it is its turn, so that a history stays meaningful when it is shortened.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub kind: Kind,
    pub who: u8,
    pub what: u8,
    pub amount: u16,
    /// Whether the same is sent a second time.
    pub again: bool,
    /// Whether it looks for somebody and something with which it is possible, or tries what comes.
    pub legal: bool,
}

impl Step {
    /// Nothing, one, all of `reference`, one more than that, or a part.
    pub fn units(&self, reference: u64) -> u64 {
        match self.amount % 16 {
            0 => 0,
            1 => 1,
            2 | 4 | 6 => reference,
            3 => reference.saturating_add(1),
            _ => reference / 65_536 * u64::from(self.amount) + reference % 65_536,
        }
    }

    /// The same try with the next person, thing and amount, and the ones after that; then some of what carries things on, in any order.
    pub fn variations(&self) -> impl Iterator<Item = Self> {
        const OWN: u8 = 8;
        const OTHER: u8 = 2;
        const KINDS: usize = 24;
        let begin = usize::from(self.what);
        let stride = 1 + usize::from(self.amount) % (CARRIES_ON.len() - 1);
        let others = (1..=KINDS).map(move |kind| CARRIES_ON[(begin + kind * stride) % CARRIES_ON.len()]);
        let kinds = [(self.kind, OWN)].into_iter().chain(others.map(|kind| (kind, OTHER)));
        kinds.flat_map(move |(kind, count)| {
            (0..count).map(move |variation| Self {
                kind,
                who: self.who.wrapping_add(variation % 2),
                what: self.what.wrapping_add(variation / 2),
                amount: self.amount.wrapping_add(u16::from(variation) * 4_099),
                ..*self
            })
        })
    }

    /// One of two people.
    pub fn person(&self) -> usize {
        usize::from(self.who) % 2
    }

    /// One of two things.
    pub fn other(&self) -> usize {
        usize::from(self.what) % 2
    }

    /// One of `count`.
    pub fn one_of(&self, count: usize) -> Option<usize> {
        usize::from(self.what).checked_rem(count)
    }

    /// One of `count`, the last ones more often than the first.
    pub fn recent_of(&self, count: usize) -> Option<usize> {
        let back = usize::from(self.what) % 4;
        Some(count.checked_sub(1)?.saturating_sub(back))
    }
}

/// Any try after a beginning.
pub fn step(beginning: Beginning) -> impl Strategy<Value = Step> {
    (
        kind(beginning),
        any::<u8>(),
        any::<u8>(),
        any::<u16>(),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.75),
    )
        .prop_map(|(kind, who, what, amount, again, legal)| Step {
            kind,
            who,
            what,
            amount,
            again,
            legal,
        })
}
