//! Accounts, one file each, with their seeds. `Bucket`, `Collection`, `Session` and `ModelVault` are in `imo_protocol`, because other
//! programs read them.

mod contributions;
mod credit;
mod earnings;
mod lane;
mod model_vault;
mod on_demand;
mod session;

pub use {
    contributions::*,
    credit::*,
    earnings::*,
    imo_protocol::{BUCKET_SEED, Bucket, COLLECTION_SEED, Collection},
    lane::*,
    model_vault::*,
    on_demand::*,
    session::*,
};
