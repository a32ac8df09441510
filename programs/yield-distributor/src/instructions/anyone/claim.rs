use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token::{Mint, Token, TokenAccount},
};

use crate::{
    errors::YieldError,
    events::Claimed,
    instructions::{payout::RevenuePayout, roll::emit_rolled},
    state::{EPOCH_MARK_SEED, EpochMark, POOL_SEED, POSITION_SEED, Pool, Position, REVENUE_VAULT_SEED},
};

/// Settles a position and pays its yield to the owner's own associated account. Anyone may, at any time; the caller pays for the
/// account if it is missing. The mark is needed when pending stake is due. With nothing earned, or with a frozen account, it still
/// settles, which lets the mark be closed; what cannot be paid stays owed.
#[derive(Accounts)]
pub struct Claim<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// CHECK: only receives; its address is the position's.
    #[account(address = position.owner @ YieldError::WrongOwner)]
    pub owner: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = revenue_mint @ YieldError::WrongRevenueMint,
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [POSITION_SEED, pool.key().as_ref(), position.owner.as_ref()],
        bump = position.bump,
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
    // An associated account holds nothing that a second initialisation could reset.
    #[account(
        init_if_needed,
        payer = payer,
        associated_token::mint = revenue_mint,
        associated_token::authority = owner,
        associated_token::token_program = token_program,
    )]
    pub owner_revenue: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

impl Claim<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
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
        let amount_units = if accounts.owner_revenue.is_frozen() {
            0
        } else {
            position.take_owed(pool)?
        };
        if amount_units > 0 {
            RevenuePayout {
                pool,
                vault: &mut accounts.revenue_vault,
                mint: &accounts.revenue_mint,
                token_program: &accounts.token_program,
            }
            .pay(&accounts.owner_revenue, amount_units)?;
        }
        emit!(Claimed {
            pool: pool_address,
            owner: accounts.position.owner,
            amount_units
        });
        Ok(())
    }
}
