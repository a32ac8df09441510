//! What one can do, by who may do it.

mod anyone;
mod escrow;
mod holder;
mod payout;
mod roll;

pub use {anyone::*, escrow::*, holder::*};
