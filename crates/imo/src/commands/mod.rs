//! Everything but the demo.

mod import;
pub mod model;
pub mod simulate;
pub mod status;
