//! Whole nodes on a cluster inside this process: payers are answered, operators paid, liars caught.

#[path = "../../examples/agent.rs"]
mod agent;
mod agents;
mod audits;
mod buying;
mod cheats;
mod checking;
mod costs;
mod demands;
mod evidence;
mod faulty_rpc;
mod figures;
mod lies;
mod outages;
#[path = "../gateway/postgres.rs"]
mod postgres;
mod process;
mod stories;
mod survival;
mod withholding;
mod world;
