//! The index against chains that are made up: gaps, forks, RPCs that fail.

mod cases;
mod chain;
#[allow(dead_code, reason = "other tests stop it and start it again")]
#[path = "../gateway/postgres.rs"]
mod postgres;
