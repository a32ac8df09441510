//! Accounts, one file each, with their seeds.

mod audit;
mod audit_fund;
mod dispute;
mod equivocation;
mod inquiry;
mod operator;
mod queue;
mod report;
mod stake_vault;
mod trace;
mod witness;

#[cfg(test)]
mod tests;

pub use {
    audit::*, audit_fund::*, dispute::*, equivocation::*, inquiry::*, operator::*, report::*, stake_vault::*, trace::*,
    witness::*,
};
