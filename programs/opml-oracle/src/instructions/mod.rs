//! Entry points by who calls them. `answers`, `permission`, `tokens` and `verdict` are what several share.

mod answers;
mod anyone;
mod auditor;
mod challenger;
mod demander;
mod operator;
mod permission;
mod tokens;
mod verdict;

pub use {anyone::*, auditor::*, challenger::*, demander::*, operator::*};
