//! What developer and authority decide: who serves the model, and the protocol's settings.

use model_token::errors::ModelTokenError as Error;

use super::{Code, IN_USE, Ledger, NOT_THERE, OPERATORS, time::Due};

/// Who may serve the model.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Whether the developer says who, and until when others may still report.
    pub listing: Option<Due>,
    pub appointments: [Option<Appointment>; OPERATORS],
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Appointment {
    pub dismissal: Option<Due>,
}

/// Settings that wait for the timelock.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    pub due: Due,
    /// The least bond that they state.
    pub least_bond: u64,
}

impl Ledger {
    /// Whether an operator may take on new work.
    pub(super) fn admits_work(&self, operator: usize) -> bool {
        let appointment = &self.access.appointments[operator];
        self.access.listing.is_none() || appointment.is_some_and(|appointment| appointment.dismissal.is_none())
    }

    /// Whether it may still report what it did.
    pub(super) fn admits_report(&self, operator: usize) -> bool {
        let is_over = |due: Option<Due>| due.is_some_and(|due| due.is_past(&self.now));
        let appointment = &self.access.appointments[operator];
        !is_over(self.access.listing) || appointment.is_some_and(|appointment| !is_over(appointment.dismissal))
    }

    pub fn set_listed(&mut self, listed: bool) -> Result<(), Code> {
        if self.access.listing.is_some() == listed {
            return Err(Error::AccessUnchanged.into());
        }
        self.access.listing = listed.then(|| Due::after(&self.now, self.terms.notice_slots));
        Ok(())
    }

    pub fn appoint(&mut self, operator: usize) -> Result<(), Code> {
        self.access.appointments[operator] = Some(Appointment::default());
        Ok(())
    }

    pub fn dismiss(&mut self, operator: usize) -> Result<(), Code> {
        let due = Due::after(&self.now, self.terms.notice_slots);
        let appointment = self.access.appointments[operator].as_mut().ok_or(NOT_THERE)?;
        if appointment.dismissal.is_some() {
            return Err(Error::AlreadyDismissed.into());
        }
        appointment.dismissal = Some(due);
        Ok(())
    }

    pub fn close_appointment(&mut self, operator: usize) -> Result<(), Code> {
        let appointment = self.access.appointments[operator].ok_or(NOT_THERE)?;
        if !appointment.dismissal.is_some_and(|due| due.is_past(&self.now)) {
            return Err(Error::AppointmentInForce.into());
        }
        self.access.appointments[operator] = None;
        Ok(())
    }

    pub fn propose_update(&mut self, timelock_slots: u64, least_bond: u64) -> Result<(), Code> {
        if self.update.is_some() {
            return Err(IN_USE);
        }
        let due = Due::after(&self.now, timelock_slots);
        self.update = Some(Update { due, least_bond });
        Ok(())
    }

    pub fn execute_update(&mut self) -> Result<(), Code> {
        let Update { due, least_bond } = self.update.ok_or(NOT_THERE)?;
        if !due.is_past(&self.now) {
            return Err(Error::UpdateNotDue.into());
        }
        if due.has_lapsed(&self.now) {
            return Err(Error::UpdateLapsed.into());
        }
        self.least_bond = least_bond;
        self.update = None;
        Ok(())
    }

    pub fn cancel_update(&mut self, by_authority: bool) -> Result<(), Code> {
        let Update { due, .. } = self.update.ok_or(NOT_THERE)?;
        if !by_authority && !due.has_lapsed(&self.now) {
            return Err(Error::CancelNotYours.into());
        }
        self.update = None;
        Ok(())
    }
}
