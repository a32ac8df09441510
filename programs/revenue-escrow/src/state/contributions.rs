use anchor_lang::{prelude::*, system_program};
use model_token::{
    constants::MAX_CONTRIBUTORS,
    state::{Contributor, ModelVersion},
};

use super::make_account;
use crate::{constants::ACCOUNT_VERSION, errors::RevenueEscrowError, math::contribution::entitled_units};

/// Seeds: `"contributions", model version`.
pub const CONTRIBUTIONS_SEED: &[u8] = b"contributions";

/// What the contributors of one version have earned from splits. One sum for all of them, so that a split costs the same however many they are;
/// each one's part of it is counted when it is paid. Stays when it is empty, because its counters must not begin anew.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Contributions {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The vault that owes.
    pub vault: Pubkey,
    /// The version, whose list says who the contributors are.
    pub model_version: Pubkey,
    /// All that they earned so far, together, in units of the revenue mint; only grows.
    pub earned_units: u128,
    /// What each of them was paid so far, in the order of the version's list, in units of the revenue mint; only grows.
    pub paid_units: [u128; MAX_CONTRIBUTORS],
    /// Who paid this account's rent.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(Contributions::INIT_SPACE == 258);

impl Contributions {
    /// Books the payment of all that one contributor has earned and not been paid. Returns who it is and how much it is, above zero.
    pub fn take_due<'a>(&mut self, version: &'a ModelVersion, index: u8) -> Result<(&'a Contributor, u64)> {
        let index = usize::from(index);
        let contributor = version
            .contributors
            .get(index)
            .ok_or(RevenueEscrowError::NoSuchContributor)?;
        let entitled = entitled_units(self.earned_units, contributor.bps, version.split.contributors_bps)
            .ok_or(RevenueEscrowError::Overflow)?;
        let paid = self
            .paid_units
            .get_mut(index)
            .ok_or(RevenueEscrowError::NoSuchContributor)?;
        let due = entitled.checked_sub(*paid).ok_or(RevenueEscrowError::Overflow)?;
        require!(due > 0, RevenueEscrowError::AmountIsZero);
        *paid = entitled;
        let due = u64::try_from(due).map_err(|_| RevenueEscrowError::Overflow)?;
        Ok((contributor, due))
    }
}

/// Whose contributions, and at which address, which the accounts of the instruction have checked.
pub struct ContributionsOf<'a, 'info> {
    pub account: &'a UncheckedAccount<'info>,
    pub bump: u8,
    pub vault: Pubkey,
    pub model_version: Pubkey,
}

impl<'info> ContributionsOf<'_, 'info> {
    /// Owes the contributors `units` more together, and makes the account when it is not there.
    pub fn credit(&self, units: u64, rent_payer: &Signer<'info>) -> Result<()> {
        if units == 0 {
            return Ok(());
        }
        let mut contributions = if *self.account.owner == system_program::ID {
            self.create(rent_payer)?
        } else {
            require_keys_eq!(*self.account.owner, crate::ID, ErrorCode::AccountOwnedByWrongProgram);
            Contributions::try_deserialize(&mut &self.account.try_borrow_data()?[..])?
        };
        require_keys_eq!(contributions.vault, self.vault, RevenueEscrowError::WrongContributions);
        require_keys_eq!(
            contributions.model_version,
            self.model_version,
            RevenueEscrowError::WrongContributions
        );
        contributions.earned_units = contributions
            .earned_units
            .checked_add(u128::from(units))
            .ok_or(RevenueEscrowError::Overflow)?;
        contributions.try_serialize(&mut &mut self.account.try_borrow_mut_data()?[..])
    }

    fn create(&self, rent_payer: &Signer<'info>) -> Result<Contributions> {
        let space = Contributions::DISCRIMINATOR
            .len()
            .saturating_add(Contributions::INIT_SPACE);
        let seeds: &[&[u8]] = &[CONTRIBUTIONS_SEED, self.model_version.as_ref(), &[self.bump]];
        make_account(self.account, seeds, space, rent_payer)?;
        Ok(Contributions {
            version: ACCOUNT_VERSION,
            bump: self.bump,
            vault: self.vault,
            model_version: self.model_version,
            earned_units: 0,
            paid_units: [0; MAX_CONTRIBUTORS],
            rent_payer: rent_payer.key(),
            reserved: [0; 16],
        })
    }
}
