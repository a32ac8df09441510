use anchor_lang::prelude::*;

use crate::{errors::OracleError, events::WitnessClosed, state::Witness};

/// Closes a witness; its lamports go to the challenger, who paid for it.
///
/// The challenger of the witness may, at any time, also when the dispute is gone.
#[derive(Accounts)]
pub struct CloseWitness<'info> {
    #[account(mut)]
    pub challenger: Signer<'info>,
    #[account(mut, close = challenger, has_one = challenger @ OracleError::NotTheChallenger)]
    pub witness: Box<Account<'info, Witness>>,
}

impl CloseWitness<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        emit!(WitnessClosed {
            witness: ctx.accounts.witness.key(),
            dispute: ctx.accounts.witness.dispute,
        });
        Ok(())
    }
}
