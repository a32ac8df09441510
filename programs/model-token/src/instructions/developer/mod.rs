mod activate_version;
mod open_offering;
mod publish_version;
mod register_model;
mod withdraw_proceeds;

pub use {activate_version::*, open_offering::*, publish_version::*, register_model::*, withdraw_proceeds::*};
