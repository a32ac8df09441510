mod deposit;

pub use deposit::*;
