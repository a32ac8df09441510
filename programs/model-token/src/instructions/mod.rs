//! What one can do, by who may do it.

mod admin;
mod anyone;
mod developer;
mod distributor;
mod investor;

pub use {admin::*, anyone::*, developer::*, distributor::*, investor::*};
