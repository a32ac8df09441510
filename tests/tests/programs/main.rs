//! The four compiled programs, one module a topic. A refusal is always asserted by its exact code.

mod access;
mod audits;
mod audits_drawn;
mod by_construction;
mod claims;
mod closing;
mod configuration;
mod contributions;
mod credit;
mod data;
mod data_money;
mod developers;
mod dispute_lost;
mod dispute_moves;
mod dispute_won;
mod documents;
mod equivocation;
mod evidence;
mod imported_models;
mod jail;
mod liars;
mod locks;
mod offering;
mod pause;
mod prefunded;
mod privacy;
mod protocol;
mod reports;
mod retraction;
mod selling;
mod settling;
mod sizes;
mod substitution;
mod tranches;
mod versions;
mod vesting;
mod vouchers;
mod whole_path;
mod witness;
mod wrapped_sol;
mod yields;

/// The system program's "already in use": what a second `init` at an address gets.
const ALREADY_IN_USE: u32 = 0;
