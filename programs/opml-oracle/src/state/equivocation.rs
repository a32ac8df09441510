use anchor_lang::prelude::*;
use imo_protocol::{Now, share_floor};

use super::{Operator, StakeVault};
use crate::errors::OracleError;

/// Seeds: `"equivocation", operator, question hash`.
pub const EQUIVOCATION_SEED: &[u8] = b"equivocation";

/// An operator that answered one question in two ways, outside any report. While the account is there the question is not punished again; it goes when the
/// evidence counts no longer.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Equivocation {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The operator account.
    pub operator: Pubkey,
    /// The mint of stake and payout.
    pub mint: Pubkey,
    /// `imo_protocol::question_hash` of the two answers.
    pub question: [u8; 32],
    /// Hashes of the keys that signed the two answers.
    pub key_hashes: [[u8; 32]; 2],
    /// Who showed it, gets the prover's share, paid the rent and gets it back.
    pub prover: Pubkey,
    /// What it costs the operator, in units: the protocol's least bond when it was shown.
    pub due_units: u64,
    /// What it has cost so far, in units. The rest is taken as soon as stake is unlocked.
    pub slashed_units: u64,
    /// The prover's share, in basis points, as the protocol had it.
    pub prover_share_bps: u16,
    /// What the prover is owed, in units.
    pub payout_units: u64,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Equivocation::INIT_SPACE == 284);

/// Where a slashed part of the stake goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EquivocationSlash {
    /// To the prover, in units.
    pub prover_units: u64,
    /// To the insurance pool, in units.
    pub insurance_units: u64,
}

impl Equivocation {
    /// Takes what is still due out of the stake that no report locks. Nothing may be left to take, or to take it from.
    pub fn slash(&mut self, operator: &mut Operator, stake_vault: &mut StakeVault) -> Result<EquivocationSlash> {
        let left = self
            .due_units
            .checked_sub(self.slashed_units)
            .ok_or(OracleError::Inconsistent)?;
        let units = left.min(operator.unlocked_units()?);
        // Shares of the sum, so that many small parts round like one.
        let given = self.share_units()?;
        self.slashed_units = self
            .slashed_units
            .checked_add(units)
            .ok_or(OracleError::AmountOverflow)?;
        let prover_units = self
            .share_units()?
            .checked_sub(given)
            .ok_or(OracleError::Inconsistent)?;
        let insurance_units = units.checked_sub(prover_units).ok_or(OracleError::Inconsistent)?;
        operator.slash_unlocked(units)?;
        self.payout_units = self
            .payout_units
            .checked_add(prover_units)
            .ok_or(OracleError::AmountOverflow)?;
        stake_vault.insure(insurance_units)?;
        Ok(EquivocationSlash {
            prover_units,
            insurance_units,
        })
    }

    /// Refuses to forget what is not paid out, not slashed while there is stake, or could be shown again.
    pub fn require_over(&self, operator: &Operator, now: &Now) -> Result<()> {
        require!(self.payout_units == 0, OracleError::PayoutWaits);
        require!(
            self.slashed_units == self.due_units || operator.stake_units == 0,
            OracleError::SlashWaits
        );
        let counts = self.key_hashes.iter().all(|hash| operator.answers_with(hash, now));
        require!(!counts, OracleError::EvidenceCounts);
        Ok(())
    }

    fn share_units(&self) -> Result<u64> {
        share_floor(self.slashed_units, self.prover_share_bps).ok_or(error!(OracleError::Inconsistent))
    }
}
