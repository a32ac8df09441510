//! Accounts, one file each, with their seeds.

mod appointment;
mod audit_terms;
mod commitment;
mod contributor;
mod dispute_terms;
mod metadata;
mod metadata_update;
mod model;
mod model_version;
mod offering;
mod protocol;
mod protocol_update;
mod revenue_split;
mod settings;
mod tranche;
mod vesting_terms;

#[cfg(test)]
mod tests;

pub use {
    appointment::*, audit_terms::*, commitment::*, contributor::*, dispute_terms::*, metadata::*, metadata_update::*,
    model::*, model_version::*, offering::*, protocol::*, protocol_update::*, revenue_split::*, settings::*,
    tranche::*, vesting_terms::*,
};
