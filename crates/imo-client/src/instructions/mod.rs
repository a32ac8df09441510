//! Every instruction, one function each, named as the instruction and under the program that runs it.
//!
//! Arguments are what a caller decides; addresses that follow from them are derived here. `payer` pays rent and need not be the one who acts.

pub mod audit;
pub mod data;
pub mod model_token;
pub mod opml_oracle;
pub mod revenue_escrow;
pub mod yield_distributor;

use anchor_lang::{InstructionData, ToAccountMetas, prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;

/// Makes `owner`'s associated account for a payment mint unless it is there; `payer` signs. Before whatever pays into it.
pub fn create_payment_account(payer: Pubkey, owner: Pubkey, payment_mint: Pubkey) -> Instruction {
    create_associated_token_account_idempotent(&payer, &owner, &payment_mint, &anchor_spl::token::ID)
}

/// Makes `owner`'s associated account for a model's token unless it is there; `payer` signs. Before whatever pays into it.
pub fn create_token_account(payer: Pubkey, owner: Pubkey, mint: Pubkey) -> Instruction {
    create_associated_token_account_idempotent(&payer, &owner, &mint, &anchor_spl::token_2022::ID)
}

fn build(program_id: Pubkey, accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction {
        program_id,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}
