//! The index against chains that are made up: gaps, forks, RPCs that fail.

mod cases;
mod chain;
#[path = "../gateway/postgres.rs"]
mod postgres;
