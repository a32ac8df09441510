//! The node's daemons as processes of their own: what they are told, and how they are started and stopped.

mod config;
mod daemon;

pub use config::{Operator, Served, Watcher, write_key};
pub use daemon::{Daemon, program};
