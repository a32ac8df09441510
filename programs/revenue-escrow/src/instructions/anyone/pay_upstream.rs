use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::{MINT_SEED, Model, ModelVersion};
use yield_distributor::{program::YieldDistributor, state::POOL_SEED};

use crate::{
    constants::DEPOSITOR_SEED,
    errors::RevenueEscrowError,
    events::UpstreamPaid,
    pool::PoolSide,
    state::{
        CONTRIBUTIONS_SEED, Contributions, EARNINGS_SEED, EarningsOf, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED,
        VaultBooks,
    },
};

/// Pays a model that is a contributor of another model's version all that it has earned and not been paid: into its pool, as revenue for its holders. Anyone
/// may; whoever does pays the rent of earnings that are not there. A model that has no token has no pool: then its developer is owed the amount, from the
/// vault of the model that pays. A model that has a token must have its pool, as in a split.
///
/// It goes no further: what the upstream model's own contributors get comes from its own reports. So models can name each other in a circle.
#[derive(Accounts)]
#[instruction(index: u8)]
pub struct PayUpstream<'info> {
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, model_version.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        mut,
        seeds = [CONTRIBUTIONS_SEED, model_version.key().as_ref()],
        bump = contributions.bump,
        has_one = vault @ RevenueEscrowError::WrongContributions,
        has_one = model_version @ RevenueEscrowError::WrongContributions,
    )]
    pub contributions: Box<Account<'info, Contributions>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(
        mut,
        seeds = [VAULT_TOKENS_SEED, vault.model.as_ref()],
        bump = vault.tokens_bump,
        token::mint = mint,
        token::authority = vault,
        token::token_program = token_program,
    )]
    pub vault_tokens: Box<Account<'info, TokenAccount>>,
    /// The model that is paid.
    pub upstream: Box<Account<'info, Model>>,
    /// CHECK: what the paying vault owes the upstream model's developer, made when it is not there.
    #[account(mut, seeds = [EARNINGS_SEED, vault.key().as_ref(), upstream.developer.as_ref()], bump)]
    pub upstream_earnings: UncheckedAccount<'info>,
    /// CHECK: a signer without data, known to yield-distributor.
    #[account(seeds = [DEPOSITOR_SEED], bump)]
    pub depositor: UncheckedAccount<'info>,
    /// CHECK: the upstream model's pool; empty when there is none. Its content is yield-distributor's to check.
    #[account(mut, seeds = [POOL_SEED, upstream.key().as_ref()], bump, seeds::program = yield_distributor::ID)]
    pub pool: UncheckedAccount<'info>,
    /// CHECK: the upstream model's token; empty when there is none. Its content is yield-distributor's to check.
    #[account(seeds = [MINT_SEED, upstream.key().as_ref()], bump, seeds::program = model_token::ID)]
    pub token_mint: UncheckedAccount<'info>,
    /// CHECK: the pool's account for revenue, which yield-distributor checks.
    #[account(mut)]
    pub revenue_vault: UncheckedAccount<'info>,
    /// CHECK: the mark of an epoch whose stake is due, which yield-distributor checks.
    #[account(mut)]
    pub mark_a: Option<UncheckedAccount<'info>>,
    /// CHECK: the mark of another epoch whose stake is due, which yield-distributor checks.
    #[account(mut)]
    pub mark_b: Option<UncheckedAccount<'info>>,
    pub token_program: Program<'info, Token>,
    pub yield_distributor: Program<'info, YieldDistributor>,
    pub system_program: Program<'info, System>,
}

impl<'info> PayUpstream<'info> {
    fn pool_side(&self, depositor_bump: u8) -> PoolSide<'_, 'info> {
        PoolSide {
            vault: &self.vault,
            vault_tokens: &self.vault_tokens,
            mint: &self.mint,
            depositor: &self.depositor,
            depositor_bump,
            pool: &self.pool,
            token_mint: &self.token_mint,
            revenue_vault: &self.revenue_vault,
            mark_a: &self.mark_a,
            mark_b: &self.mark_b,
            token_program: &self.token_program,
            yield_distributor: &self.yield_distributor,
        }
    }

    pub fn handle(ctx: Context<Self>, index: u8) -> Result<()> {
        let accounts = ctx.accounts;
        let (contributor, amount_units) = accounts.contributions.take_due(&accounts.model_version, index)?;
        require!(contributor.is_model, RevenueEscrowError::ContributorIsNoModel);
        require_keys_eq!(
            accounts.upstream.key(),
            contributor.recipient,
            RevenueEscrowError::WrongUpstream
        );
        let to_holders = accounts.pool_side(ctx.bumps.depositor).is_there()?;
        if to_holders {
            accounts.vault.pay(amount_units)?;
            accounts.pool_side(ctx.bumps.depositor).deposit(amount_units, 0)?;
            accounts.vault.require_covered(&mut accounts.vault_tokens)?;
        } else {
            // The vault goes on owing it, to another one.
            EarningsOf {
                account: &accounts.upstream_earnings,
                bump: ctx.bumps.upstream_earnings,
                vault: accounts.vault.key(),
                recipient: accounts.upstream.developer,
            }
            .credit(amount_units, &accounts.rent_payer)?;
        }
        emit!(UpstreamPaid {
            vault: accounts.vault.key(),
            model_version: accounts.model_version.key(),
            index,
            upstream: accounts.upstream.key(),
            amount_units,
            to_holders,
        });
        Ok(())
    }
}
