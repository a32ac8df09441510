use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};
use model_token::state::{MODEL_SEED, Model};

use crate::{
    errors::YieldError,
    events::VestingClaimed,
    state::{POOL_SEED, Pool, REVENUE_VAULT_SEED, VESTING_SEED, Vesting},
};

/// Settles the yield of vesting tokens and pays it to the investor's own associated account, or, for the developer's tokens, to the present developer's.
/// Anyone may, at any time. With a frozen account it still settles; what cannot be paid stays owed.
#[derive(Accounts)]
pub struct ClaimVesting<'info> {
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = revenue_mint @ YieldError::WrongRevenueMint,
        has_one = model @ YieldError::WrongModel,
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        seeds::program = model_token::ID,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [VESTING_SEED, pool.key().as_ref(), vesting.owner.as_ref()],
        bump = vesting.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub vesting: Box<Account<'info, Vesting>>,
    /// CHECK: only receives; the handler compares it.
    pub beneficiary: UncheckedAccount<'info>,
    pub revenue_mint: Box<Account<'info, Mint>>,
    #[account(
        mut,
        seeds = [REVENUE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.revenue_vault_bump,
        token::mint = revenue_mint,
        token::authority = pool,
        token::token_program = token_program,
    )]
    pub revenue_vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        associated_token::mint = revenue_mint,
        associated_token::authority = beneficiary,
        associated_token::token_program = token_program,
    )]
    pub beneficiary_revenue: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

impl ClaimVesting<'_> {
    fn validate(&self) -> Result<()> {
        let owner = self.vesting.owner;
        let beneficiary = if owner == self.model.key() {
            self.model.developer
        } else {
            owner
        };
        require_keys_eq!(self.beneficiary.key(), beneficiary, YieldError::WrongBeneficiary);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let vesting = &mut accounts.vesting;
        vesting.settle(&accounts.pool)?;
        let amount_units = if accounts.beneficiary_revenue.is_frozen() {
            0
        } else {
            vesting.take_owed(&mut accounts.pool)?
        };
        if amount_units > 0 {
            accounts.pay(amount_units)?;
        }
        emit!(VestingClaimed {
            pool: accounts.pool.key(),
            owner: accounts.vesting.owner,
            recipient: accounts.beneficiary.key(),
            amount_units,
        });
        Ok(())
    }

    fn pay(&mut self, amount_units: u64) -> Result<()> {
        let pool = &self.pool;
        transfer_checked(
            CpiContext::new_with_signer(
                self.token_program.key(),
                TransferChecked {
                    from: self.revenue_vault.to_account_info(),
                    mint: self.revenue_mint.to_account_info(),
                    to: self.beneficiary_revenue.to_account_info(),
                    authority: pool.to_account_info(),
                },
                &[&[POOL_SEED, pool.model.as_ref(), &[pool.bump]]],
            ),
            amount_units,
            self.revenue_mint.decimals,
        )?;
        self.revenue_vault.reload()?;
        require!(
            self.revenue_vault.amount >= pool.revenue_owed_units()?,
            YieldError::VaultShort
        );
        Ok(())
    }
}
