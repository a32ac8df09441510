mod claim_to;
mod redeem;
mod revoke_claim_delegate;
mod set_claim_delegate;
mod stake;
mod unstake;

pub use {claim_to::*, redeem::*, revoke_claim_delegate::*, set_claim_delegate::*, stake::*, unstake::*};
