use anchor_lang::prelude::*;

use crate::{
    constants::{ALL_BPS, MAX_LOCK_SECONDS, MAX_TRANCHES},
    errors::ModelTokenError,
    math::tranches::tranche_units,
};

/// What the developer has to wait for, or to bring about.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrancheCondition {
    /// Time alone.
    Time {
        /// When it unlocks, in seconds after the settlement; 0 for at once.
        unlocks_seconds: u32,
    },
    /// Revenue that was paid for good to others than the developer.
    Revenue {
        /// How much of it there must have been in the model's life, in units of the payment mint.
        others_units: u64,
        /// From when on the tranche is missed if there was not as much, in seconds after the settlement.
        deadline_seconds: u32,
    },
}

impl TrancheCondition {
    /// When it is decided at the latest if nobody is late, in seconds after the settlement.
    pub fn due_seconds(&self) -> u32 {
        match *self {
            Self::Time { unlocks_seconds } => unlocks_seconds,
            Self::Revenue {
                others_units: _,
                deadline_seconds,
            } => deadline_seconds,
        }
    }
}

/// What became of a tranche.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrancheState {
    /// Still in the payment vault.
    Locked,
    /// The developer has it.
    Paid,
    /// The redeem pool has it.
    Missed,
}

/// What a tranche is opened with.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrancheTerms {
    /// Its part of the proceeds, in basis points.
    pub share_bps: u16,
    /// When the developer may have it.
    pub condition: TrancheCondition,
}

/// One part of the proceeds.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tranche {
    /// Its part of the proceeds, in basis points.
    pub share_bps: u16,
    /// When the developer may have it.
    pub condition: TrancheCondition,
    /// What became of it.
    pub state: TrancheState,
}

const _: () = assert!(Tranche::INIT_SPACE == 16);

impl Tranche {
    /// Checks the tranches of one offering, all at once, and makes them. A tranche that is to be earned asks for at least as much revenue for others as it
    /// can pay, so that a developer who pays that revenue itself has gained nothing.
    pub fn plan(terms: &[TrancheTerms], max_raise_units: u64) -> Result<Vec<Self>> {
        require!(
            (1..=MAX_TRANCHES).contains(&terms.len()),
            ModelTokenError::InvalidTranches
        );
        let shares = || terms.iter().map(|tranche| tranche.share_bps);
        let sum = shares().fold(0u32, |sum, bps| sum.saturating_add(u32::from(bps)));
        require!(
            sum == u32::from(ALL_BPS) && shares().all(|bps| bps > 0),
            ModelTokenError::InvalidTranches
        );
        for (index, tranche) in terms.iter().enumerate() {
            require!(
                tranche.condition.due_seconds() <= MAX_LOCK_SECONDS,
                ModelTokenError::InvalidTranches
            );
            if let TrancheCondition::Revenue {
                others_units,
                deadline_seconds: _,
            } = tranche.condition
            {
                let most = tranche_units(max_raise_units, shares(), index).ok_or(ModelTokenError::InvalidTranches)?;
                require!(others_units >= most.max(1), ModelTokenError::TrancheTooCheap);
            }
        }
        let tranche = |terms: &TrancheTerms| Self {
            share_bps: terms.share_bps,
            condition: terms.condition,
            state: TrancheState::Locked,
        };
        Ok(terms.iter().map(tranche).collect())
    }

    /// Whether it has to be earned and it is not decided yet whether it was.
    pub fn is_undecided(&self) -> bool {
        self.state == TrancheState::Locked && matches!(self.condition, TrancheCondition::Revenue { .. })
    }

    /// Refuses what is decided already.
    pub fn require_locked(&self) -> Result<()> {
        match self.state {
            TrancheState::Locked => Ok(()),
            TrancheState::Paid => err!(ModelTokenError::NothingToWithdraw),
            TrancheState::Missed => err!(ModelTokenError::TrancheMissed),
        }
    }

    /// Refuses a withdrawal before the time, or with less revenue for others than was asked for. Late revenue counts as long as nobody has called the
    /// tranche missed: at any moment one of the two is possible at most, and a developer who was in time never loses by being slow to withdraw.
    pub fn require_unlocked(&self, elapsed_seconds: i64, paid_to_others_units: u64) -> Result<()> {
        self.require_locked()?;
        let unlocked = match self.condition {
            TrancheCondition::Time { unlocks_seconds } => elapsed_seconds >= i64::from(unlocks_seconds),
            TrancheCondition::Revenue {
                others_units,
                deadline_seconds: _,
            } => paid_to_others_units >= others_units,
        };
        require!(unlocked, ModelTokenError::TrancheLocked);
        Ok(())
    }

    /// Refuses unless it had to be earned, was not, and the time for that is over.
    pub fn require_missed(&self, elapsed_seconds: i64, paid_to_others_units: u64) -> Result<()> {
        self.require_locked()?;
        let missed = match self.condition {
            TrancheCondition::Time { unlocks_seconds: _ } => false,
            TrancheCondition::Revenue {
                others_units,
                deadline_seconds,
            } => elapsed_seconds > i64::from(deadline_seconds) && paid_to_others_units < others_units,
        };
        require!(missed, ModelTokenError::TrancheNotMissed);
        Ok(())
    }
}
