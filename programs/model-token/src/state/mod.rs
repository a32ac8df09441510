//! Accounts, one file each, with their seeds.

mod appointment;
mod commitment;
mod contributor;
mod dispute_terms;
mod model;
mod model_version;
mod offering;
mod protocol;
mod protocol_update;
mod revenue_split;
mod settings;

#[cfg(test)]
mod tests;

pub use {
    appointment::*, commitment::*, contributor::*, dispute_terms::*, model::*, model_version::*, offering::*,
    protocol::*, protocol_update::*, revenue_split::*, settings::*,
};
