//! Entry points by who calls them. `tokens` and `verdict` are what several share.

mod anyone;
mod challenger;
mod demander;
mod operator;
mod tokens;
mod verdict;

pub use {anyone::*, challenger::*, demander::*, operator::*};
