mod commit;

pub use commit::*;
