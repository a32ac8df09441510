use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::ModelTokenError,
    events::AppointmentClosed,
    state::{APPOINTMENT_SEED, Appointment},
};

/// Closes the appointment of an operator whose notice is over; the rent goes back to who paid it. Anyone may.
#[derive(Accounts)]
pub struct CloseAppointment<'info> {
    #[account(
        mut,
        close = rent_payer,
        seeds = [APPOINTMENT_SEED, appointment.model.as_ref(), appointment.operator_authority.as_ref()],
        bump = appointment.bump,
        has_one = rent_payer @ ModelTokenError::WrongRentPayer,
    )]
    pub appointment: Box<Account<'info, Appointment>>,
    /// CHECK: the appointment names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseAppointment<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.appointment.is_over(&Now::read()?),
            ModelTokenError::AppointmentInForce
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let appointment = &ctx.accounts.appointment;
        emit!(AppointmentClosed {
            model: appointment.model,
            appointment: appointment.key(),
            operator_authority: appointment.operator_authority,
        });
        Ok(())
    }
}
