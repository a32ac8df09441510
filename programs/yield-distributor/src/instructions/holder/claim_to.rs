use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    errors::YieldError,
    events::{Claimed, ClaimedTo},
    instructions::{payout::RevenuePayout, roll::emit_rolled},
    state::{
        CLAIM_DELEGATION_SEED, ClaimDelegation, EPOCH_MARK_SEED, EpochMark, POOL_SEED, POSITION_SEED, Pool, Position,
        REVENUE_VAULT_SEED,
    },
};

/// Settles a position and pays its yield to a token account other than the owner's own. The owner may, to any account; its delegate may, to the one that the
/// owner fixed, for which the delegation is needed. The mark is needed when pending stake is due. Refused when there is nothing to pay; where the transfer
/// cannot succeed, as into a frozen account, the amount stays owed.
#[derive(Accounts)]
pub struct ClaimTo<'info> {
    /// The owner of the position, or its delegate.
    pub claimer: Signer<'info>,
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
    #[account(
        seeds = [CLAIM_DELEGATION_SEED, pool.key().as_ref(), position.owner.as_ref()],
        bump = delegation.bump,
        has_one = pool @ YieldError::WrongPool,
        constraint = delegation.owner == position.owner @ YieldError::WrongOwner,
    )]
    pub delegation: Option<Box<Account<'info, ClaimDelegation>>>,
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
    #[account(mut, token::mint = revenue_mint, token::token_program = token_program)]
    pub destination: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

impl ClaimTo<'_> {
    fn validate(&self) -> Result<()> {
        let claimer = self.claimer.key();
        if claimer == self.position.owner {
            return Ok(());
        }
        let delegation = self.delegation.as_ref().ok_or(YieldError::NotOwnerOrDelegate)?;
        require_keys_eq!(delegation.delegate, claimer, YieldError::NotOwnerOrDelegate);
        require_keys_eq!(
            delegation.destination,
            self.destination.key(),
            YieldError::WrongDestination
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
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
        let amount_units = position.take_owed(pool)?;
        require!(amount_units > 0, YieldError::NothingToClaim);
        RevenuePayout {
            pool,
            vault: &mut accounts.revenue_vault,
            mint: &accounts.revenue_mint,
            token_program: &accounts.token_program,
        }
        .pay(&accounts.destination, amount_units)?;
        let owner = accounts.position.owner;
        emit!(Claimed {
            pool: pool_address,
            owner,
            amount_units
        });
        emit!(ClaimedTo {
            pool: pool_address,
            owner,
            claimer: accounts.claimer.key(),
            destination: accounts.destination.key(),
        });
        Ok(())
    }
}
