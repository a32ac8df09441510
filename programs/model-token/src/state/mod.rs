//! Accounts, one file each, with their seeds.

mod commitment;
mod dispute_terms;
mod model;
mod model_version;
mod offering;
mod protocol;
mod revenue_split;

#[cfg(test)]
mod tests;

pub use {commitment::*, dispute_terms::*, model::*, model_version::*, offering::*, protocol::*, revenue_split::*};
