mod claim_commitment;
mod settle_offering;

pub use {claim_commitment::*, settle_offering::*};
