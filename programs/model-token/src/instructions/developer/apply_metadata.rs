use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::ModelTokenError,
    events::MetadataSet,
    model_mint::update_token_metadata,
    state::{METADATA_UPDATE_SEED, MINT_SEED, MODEL_SEED, MetadataUpdate, Model, OFFERING_SEED, Offering},
};

/// Makes proposed metadata hold once their notice has ended, in the model and in its token if there is one, and closes the proposal; the rent goes back to who
/// paid it. The model's developer may. Refused while the model's offering is open.
#[derive(Accounts)]
pub struct ApplyMetadata<'info> {
    pub developer: Signer<'info>,
    /// Pays for what a token's mint grows.
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        mut,
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
    /// CHECK: the model's offering; empty when there is none.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: UncheckedAccount<'info>,
    /// CHECK: the model's token; empty when there is none.
    #[account(mut, seeds = [MINT_SEED, model.key().as_ref()], bump)]
    pub mint: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl ApplyMetadata<'_> {
    fn validate(&self) -> Result<()> {
        Offering::require_none_open(&self.offering)?;
        require!(
            Clock::get()?.slot >= self.update.notice_ends_slot,
            ModelTokenError::NoticeNotOver
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let metadata = accounts.update.metadata.clone();
        // Nothing but a settlement makes an account of the token program at this address.
        if *accounts.mint.owner == accounts.token_program.key() {
            update_token_metadata(
                &accounts.payer,
                &accounts.model,
                &accounts.mint,
                &accounts.token_program,
                &metadata,
            )?;
        }
        accounts.model.metadata = metadata.clone();
        emit!(MetadataSet {
            model: accounts.model.key(),
            metadata,
        });
        Ok(())
    }
}
