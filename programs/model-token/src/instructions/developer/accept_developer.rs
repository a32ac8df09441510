use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::DeveloperAccepted,
    state::{MODEL_SEED, Model, OFFERING_SEED, Offering},
};

/// Makes the named successor the model's developer. It signs itself, which shows that it can. From then on it publishes, and is paid what the developer is
/// paid: shares of later splits, tranches, vested tokens and their yield. What the escrow owes the predecessor stays the predecessor's.
///
/// Refused while the model's offering is open: whoever commits looks at who will have the money.
#[derive(Accounts)]
pub struct AcceptDeveloper<'info> {
    pub pending_developer: Signer<'info>,
    #[account(
        mut,
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = pending_developer @ ModelTokenError::NotPendingDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    /// CHECK: the model's offering; empty when there is none.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: UncheckedAccount<'info>,
}

impl AcceptDeveloper<'_> {
    fn validate(&self) -> Result<()> {
        Offering::require_none_open(&self.offering)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let model = &mut ctx.accounts.model;
        let previous = model.developer;
        model.developer = std::mem::take(&mut model.pending_developer);
        emit!(DeveloperAccepted {
            model: model.key(),
            previous,
            developer: model.developer,
        });
        Ok(())
    }
}
