//! Showing a signature to the chain.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::{VOUCHER_BYTES, Voucher};

/// Bytes of an Ed25519 signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Bytes of a voucher on its way to an operator: the message, then its signature.
pub const SIGNED_VOUCHER_BYTES: usize = VOUCHER_BYTES + SIGNATURE_BYTES;

/// A voucher with its session key's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedVoucher {
    pub voucher: Voucher,
    /// Of [`Voucher::message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedVoucher {
    /// The instruction that goes directly before `collect`.
    pub fn verify_instruction(&self) -> Instruction {
        verify_signature(&self.voucher.session, &self.signature, &self.voucher.message())
    }

    /// The message, then its signature.
    pub fn bytes(&self) -> [u8; SIGNED_VOUCHER_BYTES] {
        let mut bytes = [0; SIGNED_VOUCHER_BYTES];
        bytes[..VOUCHER_BYTES].copy_from_slice(&self.voucher.message());
        bytes[VOUCHER_BYTES..].copy_from_slice(&self.signature);
        bytes
    }

    /// What [`bytes`](Self::bytes) wrote; `None` for anything else. The signature is not checked.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (message, signature) = bytes.split_at_checked(VOUCHER_BYTES)?;
        let field = |at: usize| message.get(at..)?.first_chunk::<32>().copied();
        let number = |at: usize| {
            message
                .get(at..)?
                .first_chunk::<8>()
                .map(|bytes| u64::from_le_bytes(*bytes))
        };
        let voucher = Voucher {
            cluster: field(16)?,
            escrow: Pubkey::new_from_array(field(48)?),
            lane: Pubkey::new_from_array(field(80)?),
            lane_generation: number(112)?,
            session: Pubkey::new_from_array(field(120)?),
            session_generation: number(152)?,
            cumulative_amount_units: number(160)?,
            cumulative_count: number(168)?,
            requests_root: field(176)?,
            expires_unix: number(208)?.cast_signed(),
        };
        // Only the domain is not a field: a message that is written back the same is one.
        (voucher.message() == message).then_some(Self {
            voucher,
            signature: signature.try_into().ok()?,
        })
    }
}

/// Has the Ed25519 program check one signature, in the only layout that the programs accept.
///
/// # Panics
/// When the message is longer than 65,535 bytes: no transaction is.
pub fn verify_signature(signer: &Pubkey, signature: &[u8; SIGNATURE_BYTES], message: &[u8]) -> Instruction {
    const KEY_OFFSET: u16 = 16;
    const SIGNATURE_OFFSET: u16 = 48;
    const MESSAGE_OFFSET: u16 = 112;
    const THIS_INSTRUCTION: u16 = u16::MAX;
    let message_len = u16::try_from(message.len()).expect("a message fits a transaction");

    let mut data = vec![1, 0];
    for field in [
        SIGNATURE_OFFSET,
        THIS_INSTRUCTION,
        KEY_OFFSET,
        THIS_INSTRUCTION,
        MESSAGE_OFFSET,
        message_len,
        THIS_INSTRUCTION,
    ] {
        data.extend(field.to_le_bytes());
    }
    data.extend(signer.as_ref());
    data.extend(signature);
    data.extend(message);
    Instruction {
        program_id: solana_sdk_ids::ed25519_program::ID,
        accounts: Vec::new(),
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imo_protocol::check_ed25519_instruction;

    fn voucher() -> Voucher {
        Voucher {
            cluster: [1; 32],
            escrow: Pubkey::new_from_array([2; 32]),
            lane: Pubkey::new_from_array([3; 32]),
            lane_generation: 4,
            session: Pubkey::new_from_array([5; 32]),
            session_generation: 6,
            cumulative_amount_units: 7,
            cumulative_count: 8,
            requests_root: [9; 32],
            expires_unix: -10,
        }
    }

    #[test]
    fn given_a_signed_voucher_when_written_and_parsed_then_equal_and_other_bytes_are_none() {
        let signed = SignedVoucher {
            voucher: voucher(),
            signature: [11; 64],
        };
        let bytes = signed.bytes();
        assert_eq!(SignedVoucher::parse(&bytes), Some(signed));
        assert_eq!(SignedVoucher::parse(&bytes[1..]), None);
        assert_eq!(SignedVoucher::parse(&[bytes.as_slice(), &[0]].concat()), None);
        for byte in 0..16 {
            let mut other = bytes;
            other[byte] ^= 1;
            assert_eq!(SignedVoucher::parse(&other), None, "byte {byte} of the domain");
        }
    }

    #[test]
    fn given_a_signed_voucher_when_shown_then_the_programs_accept_the_layout() {
        let voucher = voucher();
        let instruction = SignedVoucher {
            voucher,
            signature: [11; 64],
        }
        .verify_instruction();
        check_ed25519_instruction(
            &instruction.program_id,
            &instruction.data,
            &voucher.session,
            &voucher.message(),
        )
        .unwrap();
    }
}
