mod collect;

pub use collect::*;
