//! Every instruction, one function each, named as the instruction and under the program that runs it.
//!
//! Arguments are what a caller decides; addresses that follow from them are derived here. `payer` pays rent and need not be the one who acts.

pub mod data;
pub mod model_token;
pub mod opml_oracle;
pub mod revenue_escrow;
pub mod yield_distributor;

use anchor_lang::{InstructionData, ToAccountMetas, prelude::Pubkey, solana_program::instruction::Instruction};

fn build(program_id: Pubkey, accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction {
        program_id,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    }
}
