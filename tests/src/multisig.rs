//! A stand-in for a multisig: a program that signs with an address of its own for whatever it is asked to run. The real ones ask their members first.

use anchor_lang::{
    prelude::{AccountInfo, Pubkey},
    solana_program::{
        entrypoint::ProgramResult,
        instruction::{AccountMeta, Instruction},
        program_error::ProgramError,
    },
};
use solana_program_test::{ProgramTest, processor};
use solana_sysvar::program_stubs::sol_invoke_signed;

const ID: Pubkey = Pubkey::new_from_array([0x4D; 32]);
const VAULT_SEED: &[u8] = b"vault";

/// The address that it signs with.
pub fn vault() -> Pubkey {
    find_vault().0
}

/// The same instruction, run by the multisig.
pub fn by_multisig(instruction: &Instruction) -> Instruction {
    let target = AccountMeta::new_readonly(instruction.program_id, false);
    let unsigned = instruction.accounts.iter().map(|meta| AccountMeta {
        is_signer: meta.is_signer && meta.pubkey != vault(),
        ..meta.clone()
    });
    Instruction {
        program_id: ID,
        accounts: std::iter::once(target).chain(unsigned).collect(),
        data: instruction.data.clone(),
    }
}

pub(crate) fn deploy(test: &mut ProgramTest) {
    test.prefer_bpf(false);
    test.add_program("multisig", ID, processor!(process));
}

fn find_vault() -> (Pubkey, u8) {
    Pubkey::find_program_address(&[VAULT_SEED], &ID)
}

fn process(_program: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (target, rest) = accounts.split_first().ok_or(ProgramError::NotEnoughAccountKeys)?;
    let (vault, bump) = find_vault();
    let meta = |account: &AccountInfo| AccountMeta {
        pubkey: *account.key,
        is_signer: account.is_signer || *account.key == vault,
        is_writable: account.is_writable,
    };
    let instruction = Instruction {
        program_id: *target.key,
        accounts: rest.iter().map(meta).collect(),
        data: data.to_vec(),
    };
    sol_invoke_signed(&instruction, accounts, &[&[VAULT_SEED, &[bump]]])
}
