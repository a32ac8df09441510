use anchor_lang::{prelude::*, system_program};

use super::make_account;
use crate::{constants::ACCOUNT_VERSION, errors::RevenueEscrowError};

/// Seeds: `"earnings", vault, recipient`.
pub const EARNINGS_SEED: &[u8] = b"earnings";

/// What a vault owes one recipient from splits: an operator, a developer, or the treasury; or, from contributions,
/// the developer of an upstream model that has no token. Stays when it is empty, like a token account.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Earnings {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The vault that owes.
    pub vault: Pubkey,
    /// Whom it owes.
    pub recipient: Pubkey,
    /// Owed, in units of the revenue mint.
    pub owed_units: u64,
    /// Who paid this account's rent.
    pub rent_payer: Pubkey,
    /// Owed to the mint's audit fund out of the protocol's share, in units of the revenue mint; the recipient never gets it.
    pub audit_units: u64,
    /// Zero.
    pub reserved: [u8; 8],
}

const _: () = assert!(Earnings::INIT_SPACE == 122);

/// Whose earnings, and at which address, which the accounts of the instruction have checked.
pub struct EarningsOf<'a, 'info> {
    pub account: &'a UncheckedAccount<'info>,
    pub bump: u8,
    pub vault: Pubkey,
    pub recipient: Pubkey,
}

impl<'info> EarningsOf<'_, 'info> {
    /// Owes the recipient `units` more and makes the account when it is not there. Read and written in one go, because one person may be operator
    /// and developer at once, so that two names of an instruction are one account. Making it twice is impossible: once made it is ours and is
    /// never closed.
    pub fn credit(&self, units: u64, rent_payer: &Signer<'info>) -> Result<()> {
        if units == 0 {
            return Ok(());
        }
        let mut earnings = if *self.account.owner == system_program::ID {
            self.create(rent_payer)?
        } else {
            require_keys_eq!(*self.account.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
            Earnings::try_deserialize(&mut &self.account.try_borrow_data()?[..])?
        };
        require_keys_eq!(earnings.vault, self.vault, RevenueEscrowError::WrongEarnings);
        require_keys_eq!(earnings.recipient, self.recipient, RevenueEscrowError::WrongEarnings);
        earnings.owed_units = earnings
            .owed_units
            .checked_add(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        earnings.try_serialize(&mut &mut self.account.try_borrow_mut_data()?[..])
    }

    /// Sets `units` of what was just credited aside for the audit fund.
    pub fn set_aside_for_audits(&self, units: u64) -> Result<()> {
        if units == 0 {
            return Ok(());
        }
        require_keys_eq!(*self.account.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
        let mut earnings = Earnings::try_deserialize(&mut &self.account.try_borrow_data()?[..])?;
        earnings.owed_units = earnings
            .owed_units
            .checked_sub(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        earnings.audit_units = earnings
            .audit_units
            .checked_add(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        earnings.try_serialize(&mut &mut self.account.try_borrow_mut_data()?[..])
    }

    fn create(&self, rent_payer: &Signer<'info>) -> Result<Earnings> {
        let space = Earnings::DISCRIMINATOR.len().saturating_add(Earnings::INIT_SPACE);
        let seeds: &[&[u8]] = &[
            EARNINGS_SEED,
            self.vault.as_ref(),
            self.recipient.as_ref(),
            &[self.bump],
        ];
        make_account(self.account, seeds, space, rent_payer)?;
        Ok(Earnings {
            version: ACCOUNT_VERSION,
            bump: self.bump,
            vault: self.vault,
            recipient: self.recipient,
            owed_units: 0,
            rent_payer: rent_payer.key(),
            audit_units: 0,
            reserved: [0; 8],
        })
    }
}
