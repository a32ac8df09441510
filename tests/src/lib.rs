//! Scenarios on the compiled programs: a bank, the people, and the states that tests begin from.

pub mod cluster;
pub mod landed;
pub mod programs;

pub use cluster::Cluster;
pub use landed::{Landed, Outcome, Refused};
