//! Reading a signature check of the Ed25519 program from inside a transaction.
//!
//! That program has checked *something*; which bytes, with which key, is stated by offsets that may point anywhere in the transaction. So exactly
//! one layout is accepted, the one that everybody's library writes, and each field that differs is its own refusal.

use anchor_lang::{prelude::*, solana_program::instruction::Instruction};
use solana_instructions_sysvar::{load_current_index_checked, load_instruction_at_checked};
use solana_sdk_ids::{ed25519_program, sysvar};

use crate::errors::ProtocolError;

const KEY_OFFSET: usize = 16;
const SIGNATURE_OFFSET: usize = 48;
const MESSAGE_OFFSET: usize = 112;
/// "In the Ed25519 instruction itself."
const THIS_INSTRUCTION: u16 = u16::MAX;

/// A message whose signature the Ed25519 program checks in this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key that the signature is checked with.
    pub signer: Pubkey,
    pub message: Vec<u8>,
}

/// Checks that the instruction directly before the current one makes the Ed25519 program check `signer`'s signature of exactly `message`.
///
/// A program that calls ours twice from one instruction shows the same signature twice: what it is good for only once is the caller's to refuse.
pub fn verify_preceding_ed25519(instructions_sysvar: &AccountInfo, signer: &Pubkey, message: &[u8]) -> Result<()> {
    let instruction = preceding(instructions_sysvar, 1)?;
    check_ed25519_instruction(&instruction.program_id, &instruction.data, signer, message)
}

/// What the Ed25519 program checks in the instruction that is `back` before the current one (1: directly before). What the message means, and whose key
/// it has to be, is the caller's to check.
pub fn preceding_signed(instructions_sysvar: &AccountInfo, back: u16) -> Result<Signed> {
    let instruction = preceding(instructions_sysvar, back)?;
    let (signer, message) = parse_ed25519_instruction(&instruction.program_id, &instruction.data)?;
    Ok(Signed {
        signer: Pubkey::new_from_array(*signer),
        message: message.to_vec(),
    })
}

fn preceding(instructions_sysvar: &AccountInfo, back: u16) -> Result<Instruction> {
    require_keys_eq!(
        *instructions_sysvar.key,
        sysvar::instructions::ID,
        ProtocolError::NotInstructionsSysvar
    );
    let current = load_current_index_checked(instructions_sysvar)?;
    let index = current.checked_sub(back).ok_or(ProtocolError::NoPrecedingInstruction)?;
    Ok(load_instruction_at_checked(usize::from(index), instructions_sysvar)?)
}

/// Checks that an instruction with this program and data makes the Ed25519 program check `signer`'s signature of exactly `message`.
pub fn check_ed25519_instruction(program_id: &Pubkey, data: &[u8], signer: &Pubkey, message: &[u8]) -> Result<()> {
    require_keys_eq!(*program_id, ed25519_program::ID, ProtocolError::NotEd25519Program);
    require!(
        data.len() == MESSAGE_OFFSET + message.len(),
        ProtocolError::WrongEd25519DataLength
    );
    let (key, signed) = parse_ed25519_instruction(program_id, data)?;
    require!(key == signer.as_array(), ProtocolError::WrongSigner);
    require!(signed == message, ProtocolError::WrongMessage);
    Ok(())
}

/// Key and message of the one signature that an instruction with this program and data makes the Ed25519 program check, in the standard layout.
fn parse_ed25519_instruction<'a>(program_id: &Pubkey, data: &'a [u8]) -> Result<(&'a [u8; 32], &'a [u8])> {
    require_keys_eq!(*program_id, ed25519_program::ID, ProtocolError::NotEd25519Program);
    let (header, rest) = data
        .split_first_chunk::<KEY_OFFSET>()
        .ok_or(ProtocolError::WrongEd25519DataLength)?;
    let (key, rest) = rest
        .split_first_chunk::<32>()
        .ok_or(ProtocolError::WrongEd25519DataLength)?;
    let (_signature, signed) = rest
        .split_first_chunk::<64>()
        .ok_or(ProtocolError::WrongEd25519DataLength)?;

    let [count, padding, offsets @ ..] = header;
    require!(*count == 1, ProtocolError::WrongSignatureCount);
    require!(*padding == 0, ProtocolError::WrongPadding);
    let [s0, s1, si0, si1, k0, k1, ki0, ki1, m0, m1, ml0, ml1, mi0, mi1] = *offsets;
    let field = |low, high| u16::from_le_bytes([low, high]);
    require!(
        usize::from(field(s0, s1)) == SIGNATURE_OFFSET,
        ProtocolError::WrongSignatureOffset
    );
    require!(
        field(si0, si1) == THIS_INSTRUCTION,
        ProtocolError::WrongSignatureInstruction
    );
    require!(usize::from(field(k0, k1)) == KEY_OFFSET, ProtocolError::WrongKeyOffset);
    require!(field(ki0, ki1) == THIS_INSTRUCTION, ProtocolError::WrongKeyInstruction);
    require!(
        usize::from(field(m0, m1)) == MESSAGE_OFFSET,
        ProtocolError::WrongMessageOffset
    );
    require!(
        usize::from(field(ml0, ml1)) == signed.len(),
        ProtocolError::WrongMessageLength
    );
    require!(
        field(mi0, mi1) == THIS_INSTRUCTION,
        ProtocolError::WrongMessageInstruction
    );
    Ok((key, signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::solana_program::{
        instruction::AccountMeta,
        sysvar::instructions::{BorrowedAccountMeta, BorrowedInstruction, construct_instructions_data},
    };
    use proptest::prelude::*;

    const MESSAGE: &[u8] = b"what was signed";
    const SIGNER: Pubkey = Pubkey::new_from_array([7; 32]);

    fn data() -> Vec<u8> {
        let mut data = vec![1, 0];
        for field in [48, u16::MAX, 16, u16::MAX, 112, MESSAGE.len() as u16, u16::MAX] {
            data.extend(field.to_le_bytes());
        }
        data.extend([7; 32]);
        data.extend([9; 64]);
        data.extend(MESSAGE);
        data
    }

    fn check(data: &[u8]) -> Result<()> {
        check_ed25519_instruction(&ed25519_program::ID, data, &SIGNER, MESSAGE)
    }

    fn assert_refused(result: Result<()>, error: ProtocolError) {
        match result.unwrap_err() {
            Error::AnchorError(refused) => assert_eq!(refused.error_code_number, u32::from(error)),
            Error::ProgramError(refused) => panic!("{refused:?}"),
        }
    }

    #[test]
    fn given_the_standard_layout_when_checked_then_accepted() {
        check(&data()).unwrap();
    }

    #[test]
    fn given_another_program_when_checked_then_refused() {
        let result = check_ed25519_instruction(&Pubkey::new_unique(), &data(), &SIGNER, MESSAGE);
        assert_refused(result, ProtocolError::NotEd25519Program);
    }

    #[test]
    fn given_one_forged_byte_when_checked_then_the_fields_own_error() {
        for (byte, value, error) in [
            (0, 0, ProtocolError::WrongSignatureCount),
            (0, 2, ProtocolError::WrongSignatureCount),
            (1, 1, ProtocolError::WrongPadding),
            (2, 49, ProtocolError::WrongSignatureOffset),
            (3, 1, ProtocolError::WrongSignatureOffset),
            (4, 0, ProtocolError::WrongSignatureInstruction),
            (5, 0, ProtocolError::WrongSignatureInstruction),
            (6, 17, ProtocolError::WrongKeyOffset),
            (7, 1, ProtocolError::WrongKeyOffset),
            (8, 0, ProtocolError::WrongKeyInstruction),
            (9, 0, ProtocolError::WrongKeyInstruction),
            (10, 113, ProtocolError::WrongMessageOffset),
            (11, 1, ProtocolError::WrongMessageOffset),
            (12, 14, ProtocolError::WrongMessageLength),
            (13, 1, ProtocolError::WrongMessageLength),
            (14, 0, ProtocolError::WrongMessageInstruction),
            (15, 0, ProtocolError::WrongMessageInstruction),
            (16, 8, ProtocolError::WrongSigner),
            (47, 8, ProtocolError::WrongSigner),
            (112, b'W', ProtocolError::WrongMessage),
            (126, b'D', ProtocolError::WrongMessage),
        ] {
            let mut forged = data();
            forged[byte] = value;
            assert_refused(check(&forged), error);
        }
    }

    #[test]
    fn given_another_length_when_checked_then_refused() {
        let whole = data();
        for len in 0..whole.len() {
            assert_refused(check(&whole[..len]), ProtocolError::WrongEd25519DataLength);
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert_refused(check(&longer), ProtocolError::WrongEd25519DataLength);
    }

    proptest! {
        #[test]
        fn given_any_bytes_when_checked_then_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = check(&bytes);
        }

        #[test]
        fn given_any_single_change_outside_the_signature_when_checked_then_refused(
            byte in (0usize..127).prop_filter("the signature is the native program's to check", |byte| !(48..112).contains(byte)),
            flip in 1u8..,
        ) {
            let mut forged = data();
            forged[byte] ^= flip;
            prop_assert!(check(&forged).is_err());
        }

        #[test]
        fn given_any_single_change_of_the_frame_when_a_message_is_read_then_refused(byte in 0usize..16, flip in 1u8..) {
            let mut forged = data();
            forged[byte] ^= flip;
            prop_assert!(parse_ed25519_instruction(&ed25519_program::ID, &forged).is_err());
        }
    }

    /// What a program sees of a transaction with these instructions while it runs number `current`.
    fn seen<T>(
        instructions: &[(Pubkey, Vec<u8>)],
        current: u16,
        key: Pubkey,
        look: impl FnOnce(&AccountInfo) -> Result<T>,
    ) -> Result<T> {
        let meta = AccountMeta::new(Pubkey::new_unique(), true);
        let borrowed: Vec<_> = instructions
            .iter()
            .map(|(program_id, data)| BorrowedInstruction {
                program_id,
                accounts: vec![BorrowedAccountMeta {
                    pubkey: &meta.pubkey,
                    is_signer: true,
                    is_writable: true,
                }],
                data,
            })
            .collect();
        let mut sysvar = construct_instructions_data(&borrowed);
        let len = sysvar.len();
        sysvar[len - 2..].copy_from_slice(&current.to_le_bytes());
        let mut lamports = 1;
        let owner = sysvar::ID;
        look(&AccountInfo::new(
            &key,
            false,
            false,
            &mut lamports,
            &mut sysvar,
            &owner,
            false,
        ))
    }

    fn in_transaction(instructions: &[(Pubkey, Vec<u8>)], current: u16, key: Pubkey) -> Result<()> {
        seen(instructions, current, key, |sysvar| {
            verify_preceding_ed25519(sysvar, &SIGNER, MESSAGE)
        })
    }

    #[test]
    fn given_two_checks_before_when_read_then_each_at_its_place_and_nothing_else() {
        let ours = (Pubkey::new_unique(), vec![1]);
        let first = (ed25519_program::ID, data());
        let mut changed = data();
        changed[16] = 8;
        changed[112] = b'W';
        let second = (ed25519_program::ID, changed);
        let instructions = [ours.clone(), first, second, ours];
        let read = |back| {
            seen(&instructions, 3, sysvar::instructions::ID, |sysvar| {
                preceding_signed(sysvar, back)
            })
        };
        let Signed { signer, message } = read(2).unwrap();
        assert_eq!((signer, message.as_slice()), (SIGNER, MESSAGE));
        let Signed { signer, message } = read(1).unwrap();
        assert_eq!(signer.as_array()[0], 8);
        assert_eq!(message, b"What was signed");
        assert_refused(read(3).map(|_| ()), ProtocolError::NotEd25519Program);
        assert_refused(read(4).map(|_| ()), ProtocolError::NoPrecedingInstruction);
        let look_alike = seen(&instructions, 3, Pubkey::new_unique(), |sysvar| {
            preceding_signed(sysvar, 1)
        });
        assert_refused(look_alike.map(|_| ()), ProtocolError::NotInstructionsSysvar);
    }

    #[test]
    fn given_the_check_directly_before_when_verified_then_accepted() {
        let ours = (Pubkey::new_unique(), vec![1]);
        let other = (Pubkey::new_unique(), vec![2]);
        let signature = (ed25519_program::ID, data());
        in_transaction(&[other, signature, ours], 2, sysvar::instructions::ID).unwrap();
    }

    #[test]
    fn given_the_check_elsewhere_when_verified_then_refused() {
        let ours = (Pubkey::new_unique(), vec![1]);
        let signature = (ed25519_program::ID, data());
        let instructions = [signature.clone(), ours.clone(), ours.clone(), signature];
        assert_refused(
            in_transaction(&instructions, 2, sysvar::instructions::ID),
            ProtocolError::NotEd25519Program,
        );
        assert_refused(
            in_transaction(&instructions, 0, sysvar::instructions::ID),
            ProtocolError::NoPrecedingInstruction,
        );
    }

    #[test]
    fn given_a_look_alike_of_the_sysvar_when_verified_then_refused() {
        let instructions = [(ed25519_program::ID, data()), (Pubkey::new_unique(), vec![1])];
        assert_refused(
            in_transaction(&instructions, 1, Pubkey::new_unique()),
            ProtocolError::NotInstructionsSysvar,
        );
    }
}
