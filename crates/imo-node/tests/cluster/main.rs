//! Whole nodes on a cluster inside this process: payers are answered, operators paid, liars caught.

mod audits;
mod buying;
mod cheats;
mod crash;
mod demands;
mod evidence;
mod faulty_rpc;
mod figures;
mod lies;
mod outages;
mod process;
mod stories;
mod withholding;
mod world;
