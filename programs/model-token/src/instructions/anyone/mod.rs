mod cancel_update;
mod claim_commitment;
mod close_appointment;
mod execute_update;
mod settle_offering;

pub use {cancel_update::*, claim_commitment::*, close_appointment::*, execute_update::*, settle_offering::*};
