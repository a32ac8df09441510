//! Accounts, one file each, with their seeds. `Bucket`, `Collection` and `Session` are in `imo_protocol`, because opml-oracle reads them.

mod credit;
mod earnings;
mod lane;
mod model_vault;
mod session;

pub use {
    credit::*,
    earnings::*,
    imo_protocol::{BUCKET_SEED, Bucket, COLLECTION_SEED, Collection},
    lane::*,
    model_vault::*,
    session::*,
};
