use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::DeveloperProposed,
    state::{MODEL_SEED, Model},
};

/// Names the developer's successor, or nobody with the default key. The model's developer may; it stays the developer until the successor accepts, so that
/// a wrong address changes nothing.
#[derive(Accounts)]
pub struct ProposeDeveloper<'info> {
    pub developer: Signer<'info>,
    #[account(
        mut,
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
}

impl ProposeDeveloper<'_> {
    pub fn handle(ctx: Context<Self>, pending_developer: Pubkey) -> Result<()> {
        let model = &mut ctx.accounts.model;
        model.pending_developer = pending_developer;
        emit!(DeveloperProposed {
            model: model.key(),
            developer: model.developer,
            pending_developer,
        });
        Ok(())
    }
}
