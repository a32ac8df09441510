mod redeem;
mod stake;
mod unstake;

pub use {redeem::*, stake::*, unstake::*};
