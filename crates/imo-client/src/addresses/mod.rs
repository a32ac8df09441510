//! Every address that follows from seeds, one function each, under the program that owns it.

pub mod model_token;
pub mod opml_oracle;
pub mod revenue_escrow;
pub mod yield_distributor;

use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;

/// The associated account of `owner` for a payment mint, which is classic SPL Token.
pub fn payment_account(owner: &Pubkey, payment_mint: &Pubkey) -> Pubkey {
    get_associated_token_address_with_program_id(owner, payment_mint, &anchor_spl::token::ID)
}

/// The associated account of `owner` for a model's token, which is Token-2022.
pub fn token_account(owner: &Pubkey, mint: &Pubkey) -> Pubkey {
    get_associated_token_address_with_program_id(owner, mint, &anchor_spl::token_2022::ID)
}

fn find(seeds: &[&[u8]], program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(seeds, program).0
}
