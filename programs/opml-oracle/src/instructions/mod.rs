//! Entry points by who calls them. `answers`, `tokens` and `verdict` are what several share.

mod answers;
mod anyone;
mod challenger;
mod demander;
mod operator;
mod tokens;
mod verdict;

pub use {anyone::*, challenger::*, demander::*, operator::*};
