use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    state::{MODEL_SEED, MODEL_VERSION_SEED, Model, ModelVersion, OFFERING_SEED, Offering},
};

/// Makes a published version live once its notice has ended. The model's developer may. Refuses to go back to an earlier version,
/// whose return nobody would have been told of, and to change anything while the model's offering is open.
#[derive(Accounts)]
pub struct ActivateVersion<'info> {
    pub developer: Signer<'info>,
    #[account(
        mut,
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [MODEL_VERSION_SEED, model.key().as_ref(), &model_version.number.to_le_bytes()],
        bump = model_version.bump,
        has_one = model @ ModelTokenError::WrongModel,
    )]
    pub model_version: Box<Account<'info, ModelVersion>>,
    /// CHECK: the model's offering; empty when there is none.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: UncheckedAccount<'info>,
}

impl ActivateVersion<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        Offering::require_none_open(&ctx.accounts.offering)?;
        let now_slot = Clock::get()?.slot;
        let version = ctx.accounts.model_version.key();
        require!(
            now_slot >= ctx.accounts.model_version.notice_ends_slot,
            ModelTokenError::NoticeNotOver
        );
        ctx.accounts
            .model
            .make_live(version, &mut ctx.accounts.model_version, now_slot)
    }
}
