//! Scenarios on the compiled programs: a bank, the people, and the states that tests begin from.

pub mod adversaries;
pub mod attack;
mod bank;
pub mod books;
pub mod cast;
pub mod checking;
pub mod cluster;
pub mod histories;
pub mod imported;
pub mod landed;
pub mod models;
pub mod multisig;
pub mod probe;
pub mod programs;
pub mod referee;
pub mod story;
pub mod world;

pub use cast::Cast;
pub use cluster::Cluster;
pub use landed::{Landed, Outcome, Refused};
pub use world::World;
