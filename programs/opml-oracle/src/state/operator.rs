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
    /// After a rejected report or an equivocation: until when it posts no report and takes out no stake.
    pub jail: Deadline,
    /// SHA-256 of the key that signed its answers before the present one.
    pub previous_key_hash: [u8; 32],
    /// Until when answers under the previous key count against it, and the key does not change again.
    pub key_change: Deadline,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Operator::INIT_SPACE == 478);

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

    /// Stake that no report has a claim on, in units: free, or leaving and not gone yet.
    pub fn unlocked_units(&self) -> Result<u64> {
        self.stake_units
            .checked_sub(self.locked_units)
            .ok_or(error!(OracleError::StakeCounters))
    }

    /// Takes `units` of the unlocked stake away: first what is free, then what is leaving.
    pub fn slash_unlocked(&mut self, units: u64) -> Result<()> {
        let leaving = units.saturating_sub(self.free_units()?);
        self.unbonding_units = self
            .unbonding_units
            .checked_sub(leaving)
            .ok_or(OracleError::StakeCounters)?;
        self.stake_units = self.stake_units.checked_sub(units).ok_or(OracleError::StakeCounters)?;
        Ok(())
    }

    /// For `slots` from now it posts no report and takes out no stake.
    pub fn jail(&mut self, now: &Now, slots: u64) {
        self.jail = Deadline::after(now, slots);
    }

    /// Refuses while the operator is jailed.
    pub fn require_not_jailed(&self, now: &Now) -> Result<()> {
        require!(!self.jail.is_set() || self.jail.is_past(now), OracleError::Jailed);
        Ok(())
    }

    /// Whether a key with this hash signs its answers, or did until its time is past.
    pub fn answers_with(&self, key_hash: &[u8; 32], now: &Now) -> bool {
        let previous_counts = self.key_change.is_set() && !self.key_change.is_past(now);
        *key_hash == self.endpoint_key_hash || (previous_counts && *key_hash == self.previous_key_hash)
    }

    /// Answers with another key from now on. Evidence under the old one counts for `slots` more, and until then the key does not change again, so that
    /// no change makes evidence worthless.
    pub fn change_key(&mut self, key_hash: [u8; 32], now: &Now, slots: u64) -> Result<()> {
        if key_hash == self.endpoint_key_hash {
            return Ok(());
        }
        require!(
            !self.key_change.is_set() || self.key_change.is_past(now),
            OracleError::KeyChangesTooSoon
        );
        self.previous_key_hash = self.endpoint_key_hash;
        self.endpoint_key_hash = key_hash;
        self.key_change = Deadline::after(now, slots);
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
        self.require_not_jailed(now)?;
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
