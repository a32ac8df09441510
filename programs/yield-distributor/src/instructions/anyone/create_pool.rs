use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint as RevenueMint, Token, TokenAccount as RevenueAccount},
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};
use model_token::state::{MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::YieldError,
    events::{PoolCreated, VestingOpened},
    state::{POOL_SEED, PendingBucket, Pool, REVENUE_VAULT_SEED, STAKE_VAULT_SEED, VESTING_SEED, Vesting},
};

/// Makes the pool of a model whose offering has succeeded. Anyone may, once. Its epochs are the protocol's, which never change.
///
/// What vests earns from the first deposit on: the pool counts all of it as active from here, and nothing can have been released before. When the developer
/// has tokens its vesting account is made here, too; otherwise there is none.
#[derive(Accounts)]
pub struct CreatePool<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        seeds::program = model_token::ID,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        seeds = [OFFERING_SEED, model.key().as_ref()],
        bump = offering.bump,
        seeds::program = model_token::ID,
        has_one = model @ YieldError::WrongModel,
        constraint = offering.status == OfferingStatus::Succeeded @ YieldError::OfferingNotSucceeded,
    )]
    pub offering: Box<Account<'info, Offering>>,
    #[account(address = offering.mint @ YieldError::WrongTokenMint, mint::token_program = token_program)]
    pub token_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(address = model.payment_mint @ YieldError::WrongRevenueMint)]
    pub revenue_mint: Box<Account<'info, RevenueMint>>,
    #[account(init, payer = payer, space = 8 + Pool::INIT_SPACE, seeds = [POOL_SEED, model.key().as_ref()], bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        init,
        payer = payer,
        seeds = [STAKE_VAULT_SEED, pool.key().as_ref()],
        bump,
        token::mint = token_mint,
        token::authority = pool,
        token::token_program = token_program,
    )]
    pub stake_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        init,
        payer = payer,
        seeds = [REVENUE_VAULT_SEED, pool.key().as_ref()],
        bump,
        token::mint = revenue_mint,
        token::authority = pool,
        token::token_program = revenue_token_program,
    )]
    pub revenue_vault: Box<Account<'info, RevenueAccount>>,
    #[account(
        init,
        payer = payer,
        space = 8 + Vesting::INIT_SPACE,
        seeds = [VESTING_SEED, pool.key().as_ref(), model.key().as_ref()],
        bump,
    )]
    pub developer_vesting: Option<Box<Account<'info, Vesting>>>,
    pub token_program: Program<'info, Token2022>,
    pub revenue_token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl CreatePool<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.developer_vesting.is_some() == (self.offering.developer_units > 0),
            YieldError::DeveloperVestingMissing
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let vesting_units = ctx.accounts.offering.vesting_units()?;
        let model = ctx.accounts.model.key();
        let token_mint = ctx.accounts.token_mint.key();
        let revenue_mint = ctx.accounts.revenue_mint.key();
        let epoch_slots = ctx.accounts.protocol.terms.epoch_slots;
        ctx.accounts.pool.set_inner(Pool {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.pool,
            model,
            token_mint,
            revenue_mint,
            stake_vault_bump: ctx.bumps.stake_vault,
            revenue_vault_bump: ctx.bumps.revenue_vault,
            accumulator: 0,
            active_units: vesting_units,
            staked_units: 0,
            pending: [PendingBucket::default(); 2],
            owed_units: 0,
            redeem_units: 0,
            epoch_slots,
            vesting_units,
            reserved: [0; 24],
        });
        let pool = ctx.accounts.pool.key();
        emit!(PoolCreated {
            pool,
            model,
            token_mint,
            revenue_mint,
            epoch_slots,
            vesting_units,
        });
        let units = ctx.accounts.offering.developer_units;
        if let (Some(vesting), Some(bump)) = (&mut ctx.accounts.developer_vesting, ctx.bumps.developer_vesting) {
            vesting.set_inner(Vesting {
                version: ACCOUNT_VERSION,
                bump,
                pool,
                owner: model,
                units,
                accumulator_snapshot: 0,
                owed_units: 0,
                rent_payer: ctx.accounts.payer.key(),
                reserved: [0; 16],
            });
            emit!(VestingOpened {
                pool,
                owner: model,
                units
            });
        }
        Ok(())
    }
}
