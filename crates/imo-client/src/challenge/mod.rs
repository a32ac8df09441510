//! Disputes without chain or network: what is wrong, and what each side does next.
//!
//! [`audit`] judges receipts. A [`Challenge`] looks at the game as the chain has it and names the challenger's [`NextMove`]; [`next_answer`] does the same
//! for the operator. [`evidence`] is for fraud that needs no game. [`staging`] cuts a proof into transactions. Sending them is the caller's part.

mod answer;
pub mod audit;
mod challenger;
pub mod evidence;
mod operator;
pub mod staging;

#[cfg(test)]
mod tests;

pub use {
    answer::{Answer, TamperError},
    challenger::{Challenge, ChallengeError, NextMove},
    operator::{NextAnswer, next_answer},
};
