use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use crate::{
    errors::ModelTokenError,
    events::OperatorDismissed,
    state::{APPOINTMENT_SEED, Appointment, MODEL_SEED, Model, PROTOCOL_SEED, Protocol},
};

/// Sends an operator of a model's list away. The model's developer may, once.
///
/// From now on no lane opens to it; it may post reports until the protocol's notice is over, so that what it has served is paid. Reports that are posted
/// are not affected at all.
#[derive(Accounts)]
pub struct DismissOperator<'info> {
    pub developer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [APPOINTMENT_SEED, appointment.model.as_ref(), appointment.operator_authority.as_ref()],
        bump = appointment.bump,
        has_one = model @ ModelTokenError::WrongModel,
    )]
    pub appointment: Box<Account<'info, Appointment>>,
}

impl DismissOperator<'_> {
    fn validate(&self) -> Result<()> {
        require!(!self.appointment.is_dismissed(), ModelTokenError::AlreadyDismissed);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let notice_slots = ctx.accounts.protocol.terms.notice_slots;
        let appointment = &mut ctx.accounts.appointment;
        appointment.dismissal = Deadline::after(&Now::read()?, notice_slots);
        emit!(OperatorDismissed {
            model: appointment.model,
            appointment: appointment.key(),
            operator_authority: appointment.operator_authority,
            due_slot: appointment.dismissal.due_slot,
            due_unix: appointment.dismissal.due_unix,
        });
        Ok(())
    }
}
