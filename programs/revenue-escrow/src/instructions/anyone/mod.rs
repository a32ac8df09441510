mod close_bucket;
mod close_collection;
mod close_session;
mod open_bucket;
mod open_vault;
mod pay_audit_share;
mod pay_upstream;
mod refund;
mod split;
mod withdraw_contribution;
mod withdraw_earnings;

pub use {
    close_bucket::*, close_collection::*, close_session::*, open_bucket::*, open_vault::*, pay_audit_share::*,
    pay_upstream::*, refund::*, split::*, withdraw_contribution::*, withdraw_earnings::*,
};
