use anchor_lang::prelude::*;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::WitnessBound,
    state::{DISPUTE_SEED, Dispute, Witness},
};

/// Binds a fresh account of this program to a dispute, as its challenger's witness.
///
/// The challenger may, with the signature of the account's key: nobody can take an account that is being made. The account is created before, at top level, 80 bytes longer
/// than the proof. Refuses an account that is in use.
#[derive(Accounts)]
pub struct InitWitness<'info> {
    pub challenger: Signer<'info>,
    #[account(
        has_one = challenger @ OracleError::NotTheChallenger,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    #[account(zero, signer)]
    pub witness: Box<Account<'info, Witness>>,
}

impl InitWitness<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let dispute = ctx.accounts.dispute.key();
        let challenger = ctx.accounts.challenger.key();
        ctx.accounts.witness.set_inner(Witness {
            version: ACCOUNT_VERSION,
            dispute,
            challenger,
            reserved: [0; 7],
        });
        emit!(WitnessBound {
            witness: ctx.accounts.witness.key(),
            dispute,
            challenger,
        });
        Ok(())
    }
}
