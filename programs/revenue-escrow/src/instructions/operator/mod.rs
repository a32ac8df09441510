mod announce_retraction;
mod collect;

pub use {announce_retraction::*, collect::*};
