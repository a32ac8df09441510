use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

/// Seeds: `"appointment", model, operator authority`.
pub const APPOINTMENT_SEED: &[u8] = b"appointment";

/// Admits one operator to a model with a list. Its address says which model and whom; opml-oracle and revenue-escrow read it.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Appointment {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// The authority of the operator that may serve the model.
    pub operator_authority: Pubkey,
    /// When a dismissal takes effect for reports; not set while the operator is wanted.
    pub dismissal: Deadline,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Appointment::INIT_SPACE == 154);

impl Appointment {
    /// Whether the developer has asked the operator to leave. It takes nothing new on from then on.
    pub fn is_dismissed(&self) -> bool {
        self.dismissal.is_set()
    }

    /// Whether the operator has had the whole notice to report what it served.
    pub fn is_over(&self, now: &Now) -> bool {
        self.is_dismissed() && self.dismissal.is_past(now)
    }
}
