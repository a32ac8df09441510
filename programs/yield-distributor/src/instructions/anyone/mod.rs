mod claim;
mod close_epoch_mark;
mod close_position;
mod create_pool;

pub use {claim::*, close_epoch_mark::*, close_position::*, create_pool::*};
