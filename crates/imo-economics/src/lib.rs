//! What cheating costs and what honesty costs under given terms (`docs/economics.md`).
//!
//! Nothing here decides about money: programs keep to [`DisputeTerms`], this crate helps to choose them. So it may use floating point; amounts are
//! units of the revenue mint as `f64`, shares and probabilities 0 to 1.
//!
//! [`DisputeTerms`]: model_token::state::DisputeTerms

pub mod attack;
pub mod audits;
pub mod defaults;
pub mod honesty;
pub mod market;
pub mod monte_carlo;
pub mod plots;
pub mod safety;
pub mod terms;

pub use market::{Market, MarketError};
