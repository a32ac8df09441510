//! What an operator calls.

mod post_audit_trace;
mod post_report;
mod post_trace;
mod register_operator;
mod request_unbond;
mod stake_bond;
mod update_operator;
mod withdraw_bond;

pub use {
    post_audit_trace::*, post_report::*, post_trace::*, register_operator::*, request_unbond::*, stake_bond::*,
    update_operator::*, withdraw_bond::*,
};
