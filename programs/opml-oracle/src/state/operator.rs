use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use crate::errors::OracleError;

/// Seeds: `"operator", authority, mint`.
pub const OPERATOR_SEED: &[u8] = b"operator";

/// Who serves models and answers for it with its stake, in one mint. Never closed, so that its sequence never restarts and no address of a report is
/// used twice.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Operator {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// Posts and seals reports, posts traces, moves the stake.
    pub authority: Pubkey,
    /// May post traces as well, for when the authority's machine is down.
    pub backup: Pubkey,
    /// The mint of its stake, and of the revenue of the models that it can report on.
    pub mint: Pubkey,
    /// Slot of its registration. Lanes name it.
    pub generation: u64,
    /// All that it owns in the vault: free, locked and unbonding, in units.
    pub stake_units: u64,
    /// The part that reports lock, in units.
    pub locked_units: u64,
    /// The part that is leaving, in units.
    pub unbonding_units: u64,
    /// When the unbonding part may be withdrawn.
    pub unbonding: Deadline,
    /// Sequence of the next report.
    pub next_sequence: u64,
    /// Reports that are neither final nor rejected.
    pub open_reports: u32,
    /// Disputes of all its reports that are not settled. While there is one, no stake leaves.
    pub open_disputes: u32,
    /// SHA-256 of the key that signs its answers.
    pub endpoint_key_hash: [u8; 32],
    /// Where it serves.
    #[max_len(128)]
    pub endpoint: String,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Operator::INIT_SPACE == 398);

impl Operator {
    /// Stake that neither a report nor a withdrawal has a claim on, in units.
    pub fn free_units(&self) -> Result<u64> {
        self.stake_units
            .checked_sub(self.locked_units)
            .and_then(|units| units.checked_sub(self.unbonding_units))
            .ok_or(error!(OracleError::StakeCounters))
    }

    /// Whether `key` may answer for this operator.
    pub fn may_answer(&self, key: &Pubkey) -> bool {
        *key == self.authority || *key == self.backup
    }

    /// Takes `units` out of the free stake for a report.
    pub fn lock(&mut self, units: u64) -> Result<()> {
        require!(units <= self.free_units()?, OracleError::NotEnoughFreeStake);
        self.locked_units = self
            .locked_units
            .checked_add(units)
            .ok_or(OracleError::AmountOverflow)?;
        Ok(())
    }

    /// A report ends well: its bond is free again.
    pub fn unlock(&mut self, units: u64) -> Result<()> {
        self.locked_units = self.locked_units.checked_sub(units).ok_or(OracleError::StakeCounters)?;
        Ok(())
    }

    /// A report ends badly: its bond is the operator's no longer.
    pub fn slash(&mut self, units: u64) -> Result<()> {
        self.unlock(units)?;
        self.stake_units = self.stake_units.checked_sub(units).ok_or(OracleError::StakeCounters)?;
        Ok(())
    }

    /// Free stake grows by what the vault holds for it.
    pub fn credit(&mut self, units: u64) -> Result<()> {
        self.stake_units = self.stake_units.checked_add(units).ok_or(OracleError::AmountOverflow)?;
        Ok(())
    }

    /// Announces that free stake leaves. All that is announced leaves together, counted from the last announcement.
    pub fn unbond(&mut self, now: &Now, units: u64, unbonding_slots: u64) -> Result<()> {
        require!(units > 0, OracleError::AmountIsZero);
        require!(units <= self.free_units()?, OracleError::NotEnoughFreeStake);
        self.unbonding_units = self
            .unbonding_units
            .checked_add(units)
            .ok_or(OracleError::AmountOverflow)?;
        self.unbonding = Deadline::after(now, unbonding_slots);
        Ok(())
    }

    /// Takes out what has been announced for long enough, and returns it, in units.
    pub fn withdraw_unbonded(&mut self, now: &Now) -> Result<u64> {
        let units = self.unbonding_units;
        require!(units > 0, OracleError::NothingUnbonding);
        require!(self.unbonding.is_past(now), OracleError::StillUnbonding);
        require!(self.open_disputes == 0, OracleError::DisputesOpen);
        self.stake_units = self.stake_units.checked_sub(units).ok_or(OracleError::StakeCounters)?;
        self.unbonding_units = 0;
        self.unbonding = Deadline::default();
        Ok(units)
    }

    /// One more report counts as open.
    pub fn open_report(&mut self) -> Result<()> {
        self.open_reports = self.open_reports.checked_add(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// One report is final or rejected.
    pub fn end_report(&mut self) -> Result<()> {
        self.open_reports = self.open_reports.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }
}
