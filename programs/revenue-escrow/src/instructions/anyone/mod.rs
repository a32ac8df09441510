mod close_bucket;
mod close_collection;
mod close_session;
mod open_bucket;
mod open_vault;
mod refund;
mod split;
mod withdraw_earnings;

pub use {
    close_bucket::*, close_collection::*, close_session::*, open_bucket::*, open_vault::*, refund::*, split::*,
    withdraw_earnings::*,
};
