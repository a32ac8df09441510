//! Whole nodes on a cluster inside this process: payers are answered, operators paid, liars caught.

#[path = "../../examples/agent.rs"]
mod agent;
mod agents;
mod buying;
mod crash;
mod demands;
#[path = "../gateway/postgres.rs"]
mod postgres;
mod stories;
mod survival;
mod world;
