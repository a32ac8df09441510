use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint as RevenueMint, Token, TokenAccount as RevenueAccount},
    token_2022,
    token_interface::{Mint, TransferChecked, transfer_checked},
};

use crate::{
    constants::DEPOSITOR,
    errors::YieldError,
    events::Deposited,
    instructions::roll::roll,
    math::accumulator::HolderShares,
    state::{EPOCH_MARK_SEED, EpochMark, POOL_SEED, Pool, REVENUE_VAULT_SEED},
};

/// Takes the holders' and the redeem pool's share of a final report in. Only the revenue escrow may. Stake that is due becomes active
/// first, for which the marks of due epochs are needed (at most two); the holders' share of tokens that are not staked goes to the
/// redeem pool. Tokens and counters move together; nothing to deposit is no error.
#[derive(Accounts)]
pub struct Deposit<'info> {
    #[account(address = DEPOSITOR @ YieldError::NotDepositor)]
    pub depositor: Signer<'info>,
    /// Owner of `source`: the escrow's vault of the model.
    pub source_authority: Signer<'info>,
    #[account(mut, token::mint = revenue_mint, token::authority = source_authority, token::token_program = token_program)]
    pub source: Box<Account<'info, RevenueAccount>>,
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = token_mint @ YieldError::WrongTokenMint,
        has_one = revenue_mint @ YieldError::WrongRevenueMint,
    )]
    pub pool: Box<Account<'info, Pool>>,
    /// Read for its supply.
    #[account(mint::token_program = token_2022::ID)]
    pub token_mint: Box<InterfaceAccount<'info, Mint>>,
    pub revenue_mint: Box<Account<'info, RevenueMint>>,
    #[account(
        mut,
        seeds = [REVENUE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.revenue_vault_bump,
        token::mint = revenue_mint,
        token::authority = pool,
        token::token_program = token_program,
    )]
    pub revenue_vault: Box<Account<'info, RevenueAccount>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &mark_a.epoch.to_le_bytes()],
        bump = mark_a.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub mark_a: Option<Box<Account<'info, EpochMark>>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &mark_b.epoch.to_le_bytes()],
        bump = mark_b.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub mark_b: Option<Box<Account<'info, EpochMark>>>,
    pub token_program: Program<'info, Token>,
}

impl Deposit<'_> {
    pub fn handle(ctx: Context<Self>, holders_units: u64, redeem_units: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let pool_address = accounts.pool.key();
        let pool = &mut accounts.pool;
        let now_epoch = pool.epoch_at(Clock::get()?.slot)?;
        for mark in [&mut accounts.mark_a, &mut accounts.mark_b].into_iter().flatten() {
            roll(pool_address, pool, mark, now_epoch)?;
        }
        pool.require_rolled(now_epoch)?;

        let supply_units = accounts.token_mint.supply;
        let HolderShares {
            stakers_units,
            redeem_units: _,
            accumulator: _,
        } = pool.credit(holders_units, redeem_units, supply_units)?;
        let amount_units = holders_units
            .checked_add(redeem_units)
            .ok_or(YieldError::ArithmeticOverflow)?;
        transfer_checked(
            CpiContext::new(
                accounts.token_program.key(),
                TransferChecked {
                    from: accounts.source.to_account_info(),
                    mint: accounts.revenue_mint.to_account_info(),
                    to: accounts.revenue_vault.to_account_info(),
                    authority: accounts.source_authority.to_account_info(),
                },
            ),
            amount_units,
            accounts.revenue_mint.decimals,
        )?;
        accounts.revenue_vault.reload()?;
        require!(
            accounts.revenue_vault.amount >= pool.revenue_owed_units()?,
            YieldError::VaultShort
        );
        emit!(Deposited {
            pool: pool_address,
            holders_units,
            redeem_units,
            stakers_units,
            active_units: pool.active_units,
            supply_units,
        });
        Ok(())
    }
}
