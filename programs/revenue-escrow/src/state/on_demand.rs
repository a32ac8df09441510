use anchor_lang::{
    prelude::*,
    system_program::{self, Allocate, Assign, Transfer},
};

use crate::errors::RevenueEscrowError;

/// Makes an account of this program at an address of its own, with room for `space` bytes, also where somebody has sent lamports before. `seeds`
/// include the bump.
pub fn make_account<'info>(
    account: &UncheckedAccount<'info>,
    seeds: &[&[u8]],
    space: usize,
    rent_payer: &Signer<'info>,
) -> Result<()> {
    let missing = Rent::get()?.minimum_balance(space).saturating_sub(account.lamports());
    if missing > 0 {
        let transfer = Transfer {
            from: rent_payer.to_account_info(),
            to: account.to_account_info(),
        };
        system_program::transfer(CpiContext::new(system_program::ID, transfer), missing)?;
    }
    let signer = &[seeds];
    let allocate = Allocate {
        account_to_allocate: account.to_account_info(),
    };
    let space = u64::try_from(space).map_err(|_| RevenueEscrowError::Overflow)?;
    system_program::allocate(CpiContext::new_with_signer(system_program::ID, allocate, signer), space)?;
    let assign = Assign {
        account_to_assign: account.to_account_info(),
    };
    system_program::assign(
        CpiContext::new_with_signer(system_program::ID, assign, signer),
        &crate::ID,
    )
}
