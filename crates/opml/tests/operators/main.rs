//! One binary, so that it links once.

mod nodes;
mod totality;
mod values;
