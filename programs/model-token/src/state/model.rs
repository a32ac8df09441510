use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use super::{Appointment, Metadata, ModelVersion};
use crate::{errors::ModelTokenError, events::VersionActivated};

/// Seeds: `"model", creator, index u32`.
pub const MODEL_SEED: &[u8] = b"model";

/// Who may operate a model.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAccess {
    /// Every registered operator.
    Open,
    /// Those that hold an [`Appointment`].
    Listed,
}

/// A model. Its identity is (creator, index): a name or a root is not one, and cannot be squatted. Who acts for it is its developer, at first the creator.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Model {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The creator's own number for this model.
    pub index: u32,
    /// Registered it; part of its address for ever.
    pub creator: Pubkey,
    /// Publishes, raises money and is paid the developer's share. Changes hands in two steps.
    pub developer: Pubkey,
    /// Whom the developer has named as its successor; the default key when nobody.
    pub pending_developer: Pubkey,
    /// The mint of the offering and of all revenue: classic SPL Token.
    pub payment_mint: Pubkey,
    /// Versions published so far; their numbers are 1 to this.
    pub version_count: u16,
    /// Number of the version that serves new requests; 0 when none is published.
    pub live_version: u16,
    /// What it is called and where it is described. Changes behind a notice only.
    pub metadata: Metadata,
    /// Who may operate it.
    pub operators: OperatorAccess,
    /// Until when operators without an appointment may report what they served before the model became `Listed`; not set while it is `Open`.
    pub listing: Deadline,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Model::INIT_SPACE == 445);

impl Model {
    /// Bytes of `index` in the seeds.
    pub fn index_seed(&self) -> [u8; 4] {
        self.index.to_le_bytes()
    }

    /// Bytes of the next version's number in its seeds. After the last number they are zero, which is no version's: publishing refuses it.
    pub fn next_version_seed(&self) -> [u8; 2] {
        self.version_count.wrapping_add(1).to_le_bytes()
    }

    /// Whether an operator may take on work: have a lane opened to it. `appointment` is its own for this model, if it has one.
    pub fn admits_work(&self, appointment: Option<&Appointment>) -> bool {
        match self.operators {
            OperatorAccess::Open => true,
            OperatorAccess::Listed => appointment.is_some_and(|appointment| !appointment.is_dismissed()),
        }
    }

    /// Whether an operator may report work. Longer than it may take any on, so that nobody loses what it has earned by being sent away.
    pub fn admits_report(&self, now: &Now, appointment: Option<&Appointment>) -> bool {
        match self.operators {
            OperatorAccess::Open => true,
            OperatorAccess::Listed => {
                !self.listing.is_past(now) || appointment.is_some_and(|appointment| !appointment.is_over(now))
            }
        }
    }

    /// Lets `version` serve new requests from now on. Versions go live in the order of their numbers, each at most once.
    pub fn make_live(&mut self, address: Pubkey, version: &mut ModelVersion, now_slot: u64) -> Result<()> {
        require!(version.number > self.live_version, ModelTokenError::VersionNotLater);
        self.live_version = version.number;
        // A version that was live has a slot other than zero, even in the first slot of a chain.
        version.live_since_slot = now_slot.max(1);
        emit!(VersionActivated {
            model: version.model,
            version: address,
            number: version.number,
            live_since_slot: version.live_since_slot,
        });
        Ok(())
    }
}
