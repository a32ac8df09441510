use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked, transfer_checked},
};

use crate::{
    errors::YieldError,
    events::Unstaked,
    instructions::roll::emit_rolled,
    state::{EPOCH_MARK_SEED, EpochMark, POOL_SEED, POSITION_SEED, Pool, Position, STAKE_VAULT_SEED},
};

/// Takes tokens out at once, first those that do not earn yet. The owner may, at any time. Yield earned so far stays owed. The mark is
/// needed while the position has pending stake.
#[derive(Accounts)]
pub struct Unstake<'info> {
    pub owner: Signer<'info>,
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = token_mint @ YieldError::WrongTokenMint,
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [POSITION_SEED, pool.key().as_ref(), owner.key().as_ref()],
        bump = position.bump,
        has_one = owner @ YieldError::WrongOwner,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub position: Box<Account<'info, Position>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &position_mark.epoch.to_le_bytes()],
        bump = position_mark.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub position_mark: Option<Box<Account<'info, EpochMark>>>,
    #[account(mint::token_program = token_program)]
    pub token_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut, token::mint = token_mint, token::authority = owner, token::token_program = token_program)]
    pub owner_tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        mut,
        seeds = [STAKE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.stake_vault_bump,
        token::mint = token_mint,
        token::authority = pool,
        token::token_program = token_program,
    )]
    pub stake_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl Unstake<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        require!(amount_units > 0, YieldError::AmountIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let pool_address = accounts.pool.key();
        let pool = &mut accounts.pool;
        let position = &mut accounts.position;
        let now_epoch = pool.epoch_at(Clock::get()?.slot)?;
        let mut mark = accounts.position_mark.as_deref_mut();
        if position.settle(pool, mark.as_mut().map(|mark| &mut ***mark), now_epoch)? {
            if let Some(mark) = &mark {
                emit_rolled(pool_address, pool, mark);
            }
        }
        position.unstake(pool, mark.map(|mark| &mut **mark), amount_units)?;

        transfer_checked(
            CpiContext::new_with_signer(
                accounts.token_program.key(),
                TransferChecked {
                    from: accounts.stake_vault.to_account_info(),
                    mint: accounts.token_mint.to_account_info(),
                    to: accounts.owner_tokens.to_account_info(),
                    authority: pool.to_account_info(),
                },
                &[&[POOL_SEED, pool.model.as_ref(), &[pool.bump]]],
            ),
            amount_units,
            accounts.token_mint.decimals,
        )?;
        accounts.stake_vault.reload()?;
        require!(accounts.stake_vault.amount >= pool.staked_units, YieldError::VaultShort);
        emit!(Unstaked {
            pool: pool_address,
            owner: position.owner,
            amount_units,
            active_units: position.active_units,
            pending_units: position.pending_units,
        });
        Ok(())
    }
}
