use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::{Appointment, Model, PROTOCOL_SEED, Protocol};
use opml_oracle::state::Operator;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::RevenueEscrowError,
    events::LaneOpened,
    state::{CREDIT_SEED, Credit, LANE_SEED, Lane, MODEL_VAULT_SEED, ModelVault},
};

/// Opens a lane from a credit to an operator and reserves available money for it; a private one for good. The payer may; the operator's mint must be
/// the model's. Refused while the protocol is paused, and for an operator that the model's list does not admit.
#[derive(Accounts)]
pub struct OpenLane<'info> {
    pub payer: Signer<'info>,
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(seeds = [MODEL_VAULT_SEED, credit.model.as_ref()], bump = vault.bump)]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(constraint = operator.mint == vault.mint @ RevenueEscrowError::WrongMint)]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + Lane::INIT_SPACE,
        seeds = [LANE_SEED, credit.key().as_ref(), operator.key().as_ref()],
        bump,
    )]
    pub lane: Box<Account<'info, Lane>>,
    pub system_program: Program<'info, System>,
    #[account(address = credit.model @ RevenueEscrowError::WrongModel)]
    pub model: Box<Account<'info, Model>>,
    /// The operator's, where the model has a list. There is one for each model and authority, and it names both.
    #[account(
        has_one = model @ RevenueEscrowError::NotAppointed,
        constraint = appointment.operator_authority == operator.authority @ RevenueEscrowError::NotAppointed,
    )]
    pub appointment: Option<Box<Account<'info, Appointment>>>,
}

impl OpenLane<'_> {
    fn validate(&self, now: &Now, amount_units: u64) -> Result<()> {
        self.protocol
            .require_not_paused(now.unix)
            .map_err(|_| RevenueEscrowError::Paused)?;
        require!(amount_units > 0, RevenueEscrowError::AmountIsZero);
        let appointment = self.appointment.as_ref().map(|account| &***account);
        require!(self.model.admits_work(appointment), RevenueEscrowError::NotAppointed);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64, private: bool) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now, amount_units)?;
        let accounts = ctx.accounts;
        let credit = &mut accounts.credit;
        credit.funds().take(amount_units, &now)?;
        credit.reserve(amount_units)?;
        credit.open_lanes = credit.open_lanes.checked_add(1).ok_or(RevenueEscrowError::Overflow)?;
        let (credit, operator) = (credit.key(), accounts.operator.key());
        accounts.lane.set_inner(Lane {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.lane,
            credit,
            operator,
            generation: now.slot,
            reserved_units: amount_units,
            releasing_units: 0,
            release_deadline: Deadline::default(),
            collected_units: 0,
            collected_count: 0,
            rent_payer: accounts.rent_payer.key(),
            private,
            reserved: [0; 32],
        });
        emit!(LaneOpened {
            lane: accounts.lane.key(),
            credit,
            operator,
            generation: now.slot,
            reserved_units: amount_units,
            private,
        });
        Ok(())
    }
}
