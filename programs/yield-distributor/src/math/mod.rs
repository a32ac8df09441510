//! Arithmetic without accounts, time or tokens.

pub mod accumulator;
pub mod redemption;

#[cfg(test)]
mod tests;
