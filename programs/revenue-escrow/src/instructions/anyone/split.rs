use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::share_floor;
use model_token::state::{MINT_SEED, Model, ModelVersion, OFFERING_SEED, Offering, PROTOCOL_SEED, Protocol};
use opml_oracle::state::{Operator, Report, ReportStatus};
use yield_distributor::{program::YieldDistributor, state::POOL_SEED};

use crate::{
    constants::DEPOSITOR_SEED,
    errors::RevenueEscrowError,
    events::BucketSplit,
    math::{
        retraction::fee_shares,
        split::{Shares, Supply, shares},
    },
    pool::PoolSide,
    state::{
        BUCKET_SEED, Bucket, CONTRIBUTIONS_SEED, ContributionsOf, EARNINGS_SEED, EarningsOf, MODEL_VAULT_SEED,
        ModelVault, VAULT_TOKENS_SEED, VaultBooks,
    },
};

/// Splits what was collected for a final report by the terms of its version: operator, developer, treasury and contributors are owed their shares, the
/// holders' and the redeem pool's go to yield-distributor in the same instruction. Collections that were retracted are left out; what their operator paid for that is
/// shared among all but the operator. Anyone may, once; whoever does pays the rent of earnings that are not there.
///
/// A model whose offering has not succeeded has neither token nor pool: then the developer takes the holders' and the redeem pool's shares, which were
/// promised to nobody else. A model that has a token must have its pool, which anyone can create: without it the split is refused, so that no
/// developer takes the holders' share by being quick.
#[derive(Accounts)]
pub struct Split<'info> {
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        has_one = operator @ RevenueEscrowError::WrongOperator,
        has_one = model @ RevenueEscrowError::WrongModel,
        has_one = model_version @ RevenueEscrowError::WrongModel,
    )]
    pub report: Box<Account<'info, Report>>,
    pub operator: Box<Account<'info, Operator>>,
    pub model: Box<Account<'info, Model>>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        mut,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, bucket.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
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
    /// CHECK: the operator's earnings, made when they are not there; may be one with the others.
    #[account(mut, seeds = [EARNINGS_SEED, vault.key().as_ref(), operator.authority.as_ref()], bump)]
    pub operator_earnings: UncheckedAccount<'info>,
    /// CHECK: the developer's earnings, made when they are not there; may be one with the others.
    #[account(mut, seeds = [EARNINGS_SEED, vault.key().as_ref(), model.developer.as_ref()], bump)]
    pub developer_earnings: UncheckedAccount<'info>,
    /// CHECK: the treasury's earnings, made when they are not there; may be one with the others.
    #[account(mut, seeds = [EARNINGS_SEED, vault.key().as_ref(), protocol.treasury.as_ref()], bump)]
    pub protocol_earnings: UncheckedAccount<'info>,
    /// CHECK: what the contributors of the version have earned, made when it is not there.
    #[account(mut, seeds = [CONTRIBUTIONS_SEED, model_version.key().as_ref()], bump)]
    pub contributions: UncheckedAccount<'info>,
    /// CHECK: the model's offering, read when the model has a pool.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump, seeds::program = model_token::ID)]
    pub offering: UncheckedAccount<'info>,
    /// CHECK: a signer without data, known to yield-distributor.
    #[account(seeds = [DEPOSITOR_SEED], bump)]
    pub depositor: UncheckedAccount<'info>,
    /// CHECK: the model's pool; empty when there is none. Its content is yield-distributor's to check.
    #[account(mut, seeds = [POOL_SEED, model.key().as_ref()], bump, seeds::program = yield_distributor::ID)]
    pub pool: UncheckedAccount<'info>,
    /// CHECK: the model's token; empty when there is none. Its content is yield-distributor's to check.
    #[account(seeds = [MINT_SEED, model.key().as_ref()], bump, seeds::program = model_token::ID)]
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

impl<'info> Split<'info> {
    fn validate(&self) -> Result<()> {
        require!(
            self.report.status == ReportStatus::Final,
            RevenueEscrowError::ReportNotFinal
        );
        require!(!self.bucket.settled, RevenueEscrowError::AlreadySplit);
        Ok(())
    }

    fn earnings<'a>(&self, account: &'a UncheckedAccount<'info>, bump: u8, recipient: Pubkey) -> EarningsOf<'a, 'info> {
        EarningsOf {
            account,
            bump,
            vault: self.vault.key(),
            recipient,
        }
    }

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

    /// The token as it was offered. Its model has a pool, and therefore an offering that succeeded.
    fn supply(&self) -> Result<Supply> {
        require_keys_eq!(
            *self.offering.owner,
            model_token::ID,
            ErrorCode::AccountOwnedByWrongProgram
        );
        let offering = Offering::try_deserialize(&mut &self.offering.try_borrow_data()?[..])?;
        Ok(Supply {
            supply_units: offering.supply_units()?,
            developer_units: offering.developer_units,
        })
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let overflow = RevenueEscrowError::Overflow;
        let amount_units = std::mem::take(&mut accounts.bucket.collected_units);
        accounts.bucket.settled = true;
        let fee_units = std::mem::take(&mut accounts.bucket.fee_units);
        let terms = &accounts.model_version.split;
        let mut parts = shares(amount_units, terms)
            .and_then(|parts| parts.plus(fee_shares(fee_units, terms)?))
            .ok_or(overflow)?;
        let mut supply = Supply::default();
        if accounts.pool_side(ctx.bumps.depositor).is_there()? {
            supply = accounts.supply()?;
        } else {
            parts = parts.without_holders().ok_or(overflow)?;
        }
        let pool_units = parts.pool_units().ok_or(overflow)?;
        let Shares {
            holders_units,
            redeem_units,
            developer_units,
            operator_units,
            protocol_units,
            contributors_units,
        } = parts;

        accounts.vault.pay(pool_units)?;
        let audit_units = share_floor(protocol_units, accounts.protocol.audits.share_bps).ok_or(overflow)?;
        // Auditors may be the developer's friends, as operators may.
        let others_units = parts
            .paid_to_others(supply)
            .and_then(|units| units.checked_sub(audit_units))
            .ok_or(overflow)?;
        accounts.vault.count_paid_to_others(others_units);
        for (account, bump, recipient, units) in [
            (
                &accounts.operator_earnings,
                ctx.bumps.operator_earnings,
                accounts.operator.authority,
                operator_units,
            ),
            (
                &accounts.developer_earnings,
                ctx.bumps.developer_earnings,
                accounts.model.developer,
                developer_units,
            ),
            (
                &accounts.protocol_earnings,
                ctx.bumps.protocol_earnings,
                accounts.protocol.treasury,
                protocol_units,
            ),
        ] {
            accounts
                .earnings(account, bump, recipient)
                .credit(units, &accounts.rent_payer)?;
        }
        ContributionsOf {
            account: &accounts.contributions,
            bump: ctx.bumps.contributions,
            vault: accounts.vault.key(),
            model_version: accounts.model_version.key(),
        }
        .credit(contributors_units, &accounts.rent_payer)?;
        accounts
            .earnings(
                &accounts.protocol_earnings,
                ctx.bumps.protocol_earnings,
                accounts.protocol.treasury,
            )
            .set_aside_for_audits(audit_units)?;
        if pool_units > 0 {
            accounts
                .pool_side(ctx.bumps.depositor)
                .deposit(holders_units, redeem_units)?;
        }
        accounts.vault.require_covered(&mut accounts.vault_tokens)?;
        emit!(BucketSplit {
            report: accounts.report.key(),
            model: accounts.model.key(),
            amount_units,
            holders_units,
            redeem_units,
            developer_units,
            operator_units,
            protocol_units,
            contributors_units,
            others_units,
            fee_units,
            audit_units,
        });
        Ok(())
    }
}
