use anchor_lang::prelude::*;

use crate::{
    errors::YieldError,
    events::ClaimDelegateRevoked,
    state::{CLAIM_DELEGATION_SEED, ClaimDelegation},
};

/// Ends a delegation at once; the rent goes back to who paid it. The owner may.
#[derive(Accounts)]
pub struct RevokeClaimDelegate<'info> {
    pub owner: Signer<'info>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [CLAIM_DELEGATION_SEED, delegation.pool.as_ref(), owner.key().as_ref()],
        bump = delegation.bump,
        has_one = owner @ YieldError::WrongOwner,
        has_one = rent_payer @ YieldError::WrongRentPayer,
    )]
    pub delegation: Box<Account<'info, ClaimDelegation>>,
    /// CHECK: only receives lamports; its address is the delegation's.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl RevokeClaimDelegate<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let ClaimDelegation {
            version: _,
            bump: _,
            pool,
            owner,
            delegate,
            destination: _,
            rent_payer: _,
            reserved: _,
        } = **ctx.accounts.delegation;
        emit!(ClaimDelegateRevoked { pool, owner, delegate });
        Ok(())
    }
}
