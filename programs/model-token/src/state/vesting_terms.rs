use anchor_lang::prelude::*;

use crate::{
    constants::{ALL_BPS, MAX_LOCK_SECONDS},
    errors::ModelTokenError,
    math::vesting::vested_units,
};

/// When allotted tokens are free, counted from the settlement.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VestingTerms {
    /// The part that is free at once, in basis points.
    pub immediate_bps: u16,
    /// For how long nothing of the rest is free, in seconds.
    pub cliff_seconds: u32,
    /// For how long the rest then becomes free evenly, in seconds; 0 for all of it at the cliff.
    pub linear_seconds: u32,
}

const _: () = assert!(VestingTerms::INIT_SPACE == 10);

impl VestingTerms {
    /// All is free at once.
    pub const IMMEDIATE: Self = Self {
        immediate_bps: ALL_BPS,
        cliff_seconds: 0,
        linear_seconds: 0,
    };

    /// When the last unit is free, in seconds after the settlement.
    pub fn end_seconds(&self) -> u64 {
        u64::from(self.cliff_seconds).saturating_add(u64::from(self.linear_seconds))
    }

    /// The part of `tokens_units` that is free at once. Floored like the part that vests, so that what all buyers have of each never exceeds that of the whole sale,
    /// and never both together the sale: what is free at once cannot be paid with tokens that vest.
    pub fn immediate_part(&self, tokens_units: u64) -> Result<u64> {
        imo_protocol::share_floor(tokens_units, self.immediate_bps).ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// The part of `tokens_units` that vests, floored.
    pub fn vesting_part(&self, tokens_units: u64) -> Result<u64> {
        ALL_BPS
            .checked_sub(self.immediate_bps)
            .and_then(|bps| imo_protocol::share_floor(tokens_units, bps))
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// Of `vesting_units`, what is free `elapsed_seconds` after the settlement.
    pub fn vested_units(&self, vesting_units: u64, elapsed_seconds: i64) -> u64 {
        vested_units(vesting_units, elapsed_seconds, self.cliff_seconds, self.linear_seconds)
    }

    /// Checks the terms of buyers: what does not vest has no schedule, and what vests has one.
    pub fn validate(&self) -> Result<()> {
        let Self {
            immediate_bps,
            cliff_seconds,
            linear_seconds,
        } = *self;
        require!(
            cliff_seconds <= MAX_LOCK_SECONDS && linear_seconds <= MAX_LOCK_SECONDS,
            ModelTokenError::InvalidVesting
        );
        let vests = self.end_seconds() > 0;
        require!(
            immediate_bps <= ALL_BPS && (immediate_bps < ALL_BPS) == vests,
            ModelTokenError::InvalidVesting
        );
        Ok(())
    }

    /// Checks the developer's terms: nothing at once, at no time ahead of the buyers, done later than they are, and nothing before the last tranche has
    /// come due at `tranches_seconds`.
    pub fn validate_for_developer(&self, buyers: &Self, tranches_seconds: u32) -> Result<()> {
        self.validate()?;
        require!(
            self.immediate_bps == 0
                && self.cliff_seconds >= buyers.cliff_seconds
                && self.cliff_seconds >= tranches_seconds
                && self.end_seconds() > buyers.end_seconds(),
            ModelTokenError::DeveloperVestsTooSoon
        );
        Ok(())
    }
}
