use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::MODEL_VAULT_SEED;

use crate::{
    errors::ModelTokenError,
    events::TrancheWithdrawn,
    payment_vault::PaymentVault,
    state::{
        MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, TrancheCondition, TrancheState,
        paid_to_others_units,
    },
};

/// Pays one tranche of an offering that succeeded to the developer's own associated account, once. The model's developer may, when its time has come or
/// others were paid enough.
#[derive(Accounts)]
pub struct WithdrawTranche<'info> {
    pub developer: Signer<'info>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, model.key().as_ref()],
        bump = offering.bump,
        has_one = model @ ModelTokenError::WrongModel,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    pub payment_mint: Box<Account<'info, Mint>>,
    #[account(
        mut,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump = offering.payment_vault_bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub payment_vault: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        associated_token::mint = payment_mint,
        associated_token::authority = developer,
        associated_token::token_program = token_program,
    )]
    pub developer_payment: Box<Account<'info, TokenAccount>>,
    /// CHECK: the escrow's vault of the model, read for what others were paid; empty when there is none.
    #[account(seeds = [MODEL_VAULT_SEED, model.key().as_ref()], bump, seeds::program = imo_protocol::ids::REVENUE_ESCROW)]
    pub model_vault: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawTranche<'_> {
    /// Returns what others were paid, when the tranche had to be earned by that.
    fn validate(&self, index: u8) -> Result<u64> {
        self.offering.require_status(OfferingStatus::Succeeded)?;
        let tranche = self.offering.tranche(index)?;
        let paid_to_others_units = match tranche.condition {
            TrancheCondition::Time { unlocks_seconds: _ } => 0,
            TrancheCondition::Revenue {
                others_units: _,
                deadline_seconds: _,
            } => paid_to_others_units(&self.model_vault)?,
        };
        let elapsed_seconds = self.offering.elapsed_seconds(Clock::get()?.unix_timestamp);
        tranche.require_unlocked(elapsed_seconds, paid_to_others_units)?;
        Ok(paid_to_others_units)
    }

    pub fn handle(ctx: Context<Self>, index: u8) -> Result<()> {
        let paid_to_others_units = ctx.accounts.validate(index)?;
        let accounts = ctx.accounts;
        let offering = &mut accounts.offering;
        let amount_units = offering.decide_tranche(index, TrancheState::Paid)?;
        PaymentVault {
            offering: &accounts.offering,
            mint: &accounts.payment_mint,
            vault: &mut accounts.payment_vault,
            token_program: &accounts.token_program,
        }
        .pay(accounts.developer_payment.to_account_info(), amount_units)?;
        emit!(TrancheWithdrawn {
            offering: accounts.offering.key(),
            developer: accounts.developer.key(),
            index,
            amount_units,
            paid_to_others_units,
        });
        Ok(())
    }
}
