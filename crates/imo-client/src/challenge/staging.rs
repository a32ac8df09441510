//! Cutting a proof into transactions.
//!
//! A witness is larger than a transaction. The challenger makes an account in exactly its size, fills it with as few transactions as fit, and proves
//! in the last of them.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use opml_oracle::state::{Dispute, Witness};
use solana_message::Message;
use solana_system_interface::instruction as system;

use crate::instructions::opml_oracle as oracle;

/// Most bytes of a transaction.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// What the length of a longer instruction costs on the wire, at most.
const LENGTH_GROWTH: usize = 2;

/// A proof to be staged.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    pub dispute: &'a Dispute,
    /// The element that is wrong.
    pub element: u32,
    pub witness: &'a [u8],
    /// Address of the witness account to be made; its key signs the first transaction besides the challenger's.
    pub witness_account: Pubkey,
    /// Rent of [`account_bytes`], in lamports.
    pub lamports: u64,
}

/// Size of the account for a witness.
pub fn account_bytes(witness: &[u8]) -> usize {
    Witness::BYTES_OFFSET + witness.len()
}

/// The transactions that stage the witness and prove, in order; the challenger pays their fees. `prelude` (such as a compute limit) begins the last.
pub fn stage_and_prove(proof: &Proof, prelude: &[Instruction]) -> Vec<Vec<Instruction>> {
    let Proof {
        dispute,
        element,
        witness,
        witness_account,
        lamports,
    } = *proof;
    let staging = Staging {
        dispute,
        witness,
        witness_account,
        lamports,
    };
    let prove = oracle::prove(dispute, dispute.game.digest, witness_account, element);
    stage(&staging, prelude, &[prove])
}

/// A witness to be staged.
#[derive(Clone, Copy, Debug)]
pub struct Staging<'a> {
    pub dispute: &'a Dispute,
    pub witness: &'a [u8],
    /// Address of the witness account to be made; its key signs the first transaction besides the challenger's.
    pub witness_account: Pubkey,
    /// Rent of [`account_bytes`], in lamports.
    pub lamports: u64,
}

/// The transactions that stage the witness, in order; the challenger pays their fees. `prelude` begins the last one and `ending`, which uses the witness, ends
/// it.
pub fn stage(staging: &Staging, prelude: &[Instruction], ending: &[Instruction]) -> Vec<Vec<Instruction>> {
    let Staging {
        dispute,
        witness,
        witness_account,
        lamports,
    } = *staging;
    let challenger = dispute.challenger;
    let write =
        |offset: usize, bytes: &[u8]| oracle::write_witness(challenger, witness_account, offset as u32, bytes.to_vec());
    let fitting = |around: &[Instruction]| {
        let mut instructions = around.to_vec();
        instructions.push(write(0, &[]));
        let taken = transaction_bytes(&instructions, &challenger);
        MAX_TRANSACTION_BYTES.saturating_sub(taken + LENGTH_GROWTH)
    };

    // Not `create_account`: it refuses an address that holds a lamport, and anyone who sees the transaction could send one first.
    let create = [
        system::transfer(&challenger, &witness_account, lamports),
        system::allocate(&witness_account, account_bytes(witness) as u64),
        system::assign(&witness_account, &opml_oracle::ID),
    ];
    let mut first = create.to_vec();
    first.push(oracle::init_witness(dispute, witness_account));
    let mut last = prelude.to_vec();

    let (head, mut rest) = witness.split_at(fitting(&first).min(witness.len()));
    first.push(write(0, head));
    let mut transactions = vec![first];
    let last_fits = fitting(&[prelude, ending].concat());
    while rest.len() > last_fits {
        let offset = witness.len() - rest.len();
        let (piece, tail) = rest.split_at(fitting(&[]).min(rest.len()));
        transactions.push(vec![write(offset, piece)]);
        rest = tail;
    }
    if !rest.is_empty() {
        last.push(write(witness.len() - rest.len(), rest));
    }
    last.extend_from_slice(ending);
    transactions.push(last);
    transactions
}

/// Size on the wire of a transaction with these instructions, signatures included.
pub fn transaction_bytes(instructions: &[Instruction], fee_payer: &Pubkey) -> usize {
    let message = Message::new(instructions, Some(fee_payer));
    1 + 64 * usize::from(message.header.num_required_signatures) + message.serialize().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::tests::opened_dispute;
    use proptest::prelude::*;

    fn proof<'a>(dispute: &'a Dispute, witness: &'a [u8]) -> Proof<'a> {
        Proof {
            dispute,
            element: 3,
            witness,
            witness_account: Pubkey::new_from_array([9; 32]),
            lamports: 1,
        }
    }

    /// Offset and bytes of a write; `None` for another instruction.
    fn written(instruction: &Instruction) -> Option<(usize, &[u8])> {
        let write = oracle::write_witness(Pubkey::default(), Pubkey::default(), 0, Vec::new());
        let arguments = instruction.data.strip_prefix(&write.data[..8])?;
        let (offset, bytes) = arguments.split_first_chunk()?;
        Some((u32::from_le_bytes(*offset) as usize, &bytes[4..]))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn given_any_witness_when_staged_then_every_byte_is_written_once_and_everything_fits(len in 0usize..12_000, prelude in 0usize..2) {
            let dispute = opened_dispute();
            let witness: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let prelude = vec![Instruction { program_id: Pubkey::new_from_array([5; 32]), accounts: Vec::new(), data: vec![0; 5] }; prelude];
            let transactions = stage_and_prove(&proof(&dispute, &witness), &prelude);
            let mut staged: Vec<u8> = Vec::new();
            for instructions in &transactions {
                prop_assert!(transaction_bytes(instructions, &dispute.challenger) <= MAX_TRANSACTION_BYTES);
                for (offset, bytes) in instructions.iter().filter_map(written) {
                    prop_assert_eq!(offset, staged.len());
                    staged.extend(bytes);
                }
            }
            prop_assert_eq!(staged, witness);
            let last = transactions.last().unwrap();
            prop_assert_eq!(last.last(), Some(&oracle::prove(&dispute, dispute.game.digest, Pubkey::new_from_array([9; 32]), 3)));
            prop_assert_eq!(&last[..prelude.len()], prelude.as_slice());
        }
    }

    #[test]
    fn given_a_small_witness_when_staged_then_two_transactions() {
        let dispute = opened_dispute();
        assert_eq!(stage_and_prove(&proof(&dispute, &[1; 700]), &[]).len(), 2);
    }
}
