mod accept_developer;
mod activate_version;
mod apply_metadata;
mod appoint_operator;
mod cancel_metadata;
mod dismiss_operator;
mod open_offering;
mod propose_developer;
mod propose_metadata;
mod publish_version;
mod register_model;
mod set_operator_access;
mod withdraw_tranche;

pub use {
    accept_developer::*, activate_version::*, apply_metadata::*, appoint_operator::*, cancel_metadata::*,
    dismiss_operator::*, open_offering::*, propose_developer::*, propose_metadata::*, publish_version::*,
    register_model::*, set_operator_access::*, withdraw_tranche::*,
};
