use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::ModelVersion;
use opml_oracle::state::{Operator, Report};

use crate::{
    errors::RevenueEscrowError,
    events::RetractionAnnounced,
    math::retraction::retraction_fee,
    state::{
        BUCKET_SEED, Bucket, COLLECTION_SEED, Collection, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks,
    },
    tokens::VaultSide,
};

/// Takes a collection back before anybody has disputed its report, for an operator that has found its own answers wrong: the payer gets its money back
/// when the report is final, and nobody is slashed for it. The operator's authority may, once a collection, and pays what everybody but the operator
/// would have got of it; that is shared among them in place of the amount.
///
/// The collection stays disputable as long as the report is, and the bond locked, so that whoever watches loses nothing by it. When the report is rejected
/// all the same, the fee goes to the payer as well. Refuses a report that has ended, or on which anybody has begun to look for the error: an announcement
/// after that would only be an escape.
#[derive(Accounts)]
pub struct AnnounceRetraction<'info> {
    pub authority: Signer<'info>,
    #[account(mut, token::mint = mint, token::token_program = token_program)]
    pub authority_tokens: Box<Account<'info, TokenAccount>>,
    #[account(has_one = authority @ RevenueEscrowError::NotOperatorAuthority)]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        has_one = operator @ RevenueEscrowError::WrongOperator,
        has_one = model_version @ RevenueEscrowError::WrongModel,
    )]
    pub report: Box<Account<'info, Report>>,
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
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
    )]
    pub collection: Box<Account<'info, Collection>>,
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
    pub token_program: Program<'info, Token>,
}

impl AnnounceRetraction<'_> {
    fn validate(&self) -> Result<()> {
        require!(!self.report.is_terminal(), RevenueEscrowError::TooLateToRetract);
        require!(self.report.is_unchallenged(), RevenueEscrowError::ReportIsChallenged);
        require!(!self.collection.retracted, RevenueEscrowError::AlreadyRetracted);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let overflow = RevenueEscrowError::Overflow;
        let amount_units = accounts.collection.amount_units;
        let fee_units = retraction_fee(amount_units, &accounts.model_version.split).ok_or(overflow)?;
        accounts.collection.retracted = true;
        accounts.collection.retraction_fee_units = fee_units;
        let bucket = &mut accounts.bucket;
        bucket.collected_units = bucket.collected_units.checked_sub(amount_units).ok_or(overflow)?;
        bucket.retracted_units = bucket.retracted_units.checked_add(amount_units).ok_or(overflow)?;
        bucket.fee_units = bucket.fee_units.checked_add(fee_units).ok_or(overflow)?;
        accounts.vault.owe(fee_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_in(&accounts.authority_tokens, &accounts.authority, fee_units)?;
        emit!(RetractionAnnounced {
            report: accounts.report.key(),
            collection: accounts.collection.key(),
            credit: accounts.collection.credit,
            amount_units,
            fee_units,
        });
        Ok(())
    }
}
