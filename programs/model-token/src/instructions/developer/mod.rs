mod activate_version;
mod appoint_operator;
mod dismiss_operator;
mod open_offering;
mod publish_version;
mod register_model;
mod set_operator_access;
mod withdraw_proceeds;

pub use {
    activate_version::*, appoint_operator::*, dismiss_operator::*, open_offering::*, publish_version::*,
    register_model::*, set_operator_access::*, withdraw_proceeds::*,
};
