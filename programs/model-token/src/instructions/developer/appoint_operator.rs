use anchor_lang::prelude::*;
use imo_protocol::Deadline;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::OperatorAppointed,
    state::{APPOINTMENT_SEED, Appointment, MODEL_SEED, Model},
};

/// Admits an operator, named by its authority, to a model. The model's developer may, also before the model has a list. For an operator that was
/// dismissed it takes the dismissal back; for one that is appointed it changes nothing.
#[derive(Accounts)]
#[instruction(operator_authority: Pubkey)]
pub struct AppointOperator<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    // One that is there has its identity from its address; the handler writes it only while the version is still zero.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + Appointment::INIT_SPACE,
        seeds = [APPOINTMENT_SEED, model.key().as_ref(), operator_authority.as_ref()],
        bump,
    )]
    pub appointment: Box<Account<'info, Appointment>>,
    pub system_program: Program<'info, System>,
}

impl AppointOperator<'_> {
    pub fn handle(ctx: Context<Self>, operator_authority: Pubkey) -> Result<()> {
        let model = ctx.accounts.model.key();
        let appointment = &mut ctx.accounts.appointment;
        if appointment.version == 0 {
            appointment.set_inner(Appointment {
                version: ACCOUNT_VERSION,
                bump: ctx.bumps.appointment,
                model,
                operator_authority,
                dismissal: Deadline::default(),
                rent_payer: ctx.accounts.payer.key(),
                reserved: [0; 32],
            });
        }
        appointment.dismissal = Deadline::default();
        emit!(OperatorAppointed {
            model,
            appointment: appointment.key(),
            operator_authority,
        });
        Ok(())
    }
}
