//! The Rust client of the four programs: everything that a node, a tool or a test needs and that needs no network.
//!
//! [`addresses`] and [`instructions`] say what to send, [`accounts`], [`errors`] and [`events`] what came back, [`voucher`], [`answer`] and [`trees`] make what payers
//! and operators sign and commit to, [`signature`] checks it, [`payer`] keeps what a payer owes on a lane, [`challenge`] plans both sides of a dispute, [`data`] those of an inquiry, [`audit`] finds what an audit is about.

pub mod accounts;
pub mod addresses;
pub mod answer;
pub mod audit;
pub mod challenge;
pub mod data;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod payer;
pub mod signature;
pub mod trees;
pub mod voucher;

#[cfg(test)]
mod tests {
    use imo_protocol::ids;

    #[test]
    fn given_the_programs_when_their_ids_are_compared_then_as_the_protocol_says() {
        assert_eq!(model_token::ID, ids::MODEL_TOKEN);
        assert_eq!(opml_oracle::ID, ids::OPML_ORACLE);
        assert_eq!(revenue_escrow::ID, ids::REVENUE_ESCROW);
        assert_eq!(yield_distributor::ID, ids::YIELD_DISTRIBUTOR);
    }
}
