use anchor_lang::prelude::*;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::YieldError,
    events::ClaimDelegateSet,
    state::{CLAIM_DELEGATION_SEED, ClaimDelegation, POOL_SEED, Pool},
};

/// Lets another key have the owner's yield paid to one token account that the owner chooses, in place of any earlier delegate. The owner may. A delegate
/// never touches the stake, and anyone's `claim` still pays the owner's own account.
#[derive(Accounts)]
pub struct SetClaimDelegate<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    // Setting it again changes delegate and destination: the handler writes the identity only while the version is still zero.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + ClaimDelegation::INIT_SPACE,
        seeds = [CLAIM_DELEGATION_SEED, pool.key().as_ref(), owner.key().as_ref()],
        bump,
    )]
    pub delegation: Box<Account<'info, ClaimDelegation>>,
    pub system_program: Program<'info, System>,
}

impl SetClaimDelegate<'_> {
    fn validate(delegate: &Pubkey, destination: &Pubkey) -> Result<()> {
        let nobody = Pubkey::default();
        require!(
            *delegate != nobody && *destination != nobody,
            YieldError::NobodyDelegated
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, delegate: Pubkey, destination: Pubkey) -> Result<()> {
        Self::validate(&delegate, &destination)?;
        let (pool, owner) = (ctx.accounts.pool.key(), ctx.accounts.owner.key());
        let rent_payer = ctx.accounts.payer.key();
        let delegation = &mut ctx.accounts.delegation;
        if delegation.version == 0 {
            delegation.set_inner(ClaimDelegation {
                version: ACCOUNT_VERSION,
                bump: ctx.bumps.delegation,
                pool,
                owner,
                delegate,
                destination,
                rent_payer,
                reserved: [0; 16],
            });
        } else {
            delegation.delegate = delegate;
            delegation.destination = destination;
        }
        emit!(ClaimDelegateSet {
            pool,
            owner,
            delegate,
            destination
        });
        Ok(())
    }
}
