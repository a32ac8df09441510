//! Small changes to honest instructions.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};

/// The instruction with another account wherever `account` was.
pub fn swap(instruction: &Instruction, account: &Pubkey, other: &Pubkey) -> Instruction {
    let mut changed = instruction.clone();
    let mut found = false;
    for meta in changed.accounts.iter_mut().filter(|meta| meta.pubkey == *account) {
        meta.pubkey = *other;
        found = true;
    }
    assert!(found, "the instruction has no account {account}");
    changed
}

/// The instruction with the account at a position replaced.
pub fn swap_at(instruction: &Instruction, position: usize, other: &Pubkey) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts[position].pubkey = *other;
    changed
}

/// The instruction without the signature of `signer`.
pub fn unsigned(instruction: &Instruction, signer: &Pubkey) -> Instruction {
    let mut changed = instruction.clone();
    for meta in changed.accounts.iter_mut().filter(|meta| meta.pubkey == *signer) {
        meta.is_signer = false;
    }
    changed
}
