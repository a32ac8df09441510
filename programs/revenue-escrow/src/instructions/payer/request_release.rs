use anchor_lang::prelude::*;
use imo_protocol::Now;
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::RevenueEscrowError,
    events::ReleaseRequested,
    state::{CREDIT_SEED, Credit, LANE_SEED, Lane},
};

/// Announces that reserved money leaves the lane, in place of any earlier notice; 0 withdraws the notice. The payer may. Until it has left, the
/// operator can collect it for what it served before.
#[derive(Accounts)]
pub struct RequestRelease<'info> {
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        mut,
        seeds = [LANE_SEED, lane.credit.as_ref(), lane.operator.as_ref()],
        bump = lane.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
    )]
    pub lane: Box<Account<'info, Lane>>,
}

impl RequestRelease<'_> {
    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let lane = &mut accounts.lane;
        lane.funds()
            .announce(amount_units, accounts.protocol.terms.notice_slots, &Now::read()?)?;
        emit!(ReleaseRequested {
            lane: lane.key(),
            releasing_units: lane.releasing_units,
            reserved_units: lane.reserved_units,
            due_slot: lane.release_deadline.due_slot,
            due_unix: lane.release_deadline.due_unix,
        });
        Ok(())
    }
}
