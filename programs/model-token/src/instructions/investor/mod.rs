mod commit;
mod withdraw_commitment;

pub use {commit::*, withdraw_commitment::*};
