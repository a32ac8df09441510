use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::MetadataCancelled,
    state::{METADATA_UPDATE_SEED, MODEL_SEED, MetadataUpdate, Model},
};

/// Takes a proposal of other metadata back and closes it; the rent goes back to who paid it. The model's developer may.
#[derive(Accounts)]
pub struct CancelMetadata<'info> {
    pub developer: Signer<'info>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [METADATA_UPDATE_SEED, model.key().as_ref()],
        bump = update.bump,
        has_one = model @ ModelTokenError::WrongModel,
        has_one = rent_payer @ ModelTokenError::WrongRentPayer,
    )]
    pub update: Box<Account<'info, MetadataUpdate>>,
    /// CHECK: the proposal names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CancelMetadata<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        emit!(MetadataCancelled {
            model: ctx.accounts.model.key()
        });
        Ok(())
    }
}
