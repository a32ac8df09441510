//! What somebody calls that wants to see what an operator committed to.

mod demand_data;
mod open_constant_inquiry;
mod open_input_inquiry;
mod open_receipts_inquiry;

pub use {demand_data::*, open_constant_inquiry::*, open_input_inquiry::*, open_receipts_inquiry::*};
