use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use crate::{
    errors::ModelTokenError,
    events::OperatorAccessSet,
    state::{MODEL_SEED, Model, OperatorAccess, PROTOCOL_SEED, Protocol},
};

/// Opens a model to every operator, or admits only those that are appointed. The model's developer may.
///
/// Opening holds at once. With a list, new lanes open only to appointed operators from now on; the others may post reports until the protocol's notice
/// is over, so that what they have served is paid. Refuses what is so already: setting the list again would begin the notice anew.
#[derive(Accounts)]
pub struct SetOperatorAccess<'info> {
    pub developer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
}

impl SetOperatorAccess<'_> {
    fn validate(&self, operators: OperatorAccess) -> Result<()> {
        require!(self.model.operators != operators, ModelTokenError::AccessUnchanged);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, operators: OperatorAccess) -> Result<()> {
        ctx.accounts.validate(operators)?;
        let notice_slots = ctx.accounts.protocol.terms.notice_slots;
        let model = &mut ctx.accounts.model;
        model.operators = operators;
        model.listing = match operators {
            OperatorAccess::Open => Deadline::default(),
            OperatorAccess::Listed => Deadline::after(&Now::read()?, notice_slots),
        };
        emit!(OperatorAccessSet {
            model: model.key(),
            operators,
            due_slot: model.listing.due_slot,
            due_unix: model.listing.due_unix,
        });
        Ok(())
    }
}
