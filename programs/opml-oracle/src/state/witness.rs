use anchor_lang::prelude::*;

/// The head of a witness account; the raw bytes follow it at [`Witness::BYTES_OFFSET`] and are the whole rest of the account.
///
/// The account is made by the challenger at top level with a keypair, because a program can make one of 10,240 bytes at most, in exactly
/// the size that the proof needs. It is not a PDA and therefore has no bump.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Witness {
    /// Layout version, 1.
    pub version: u8,
    /// The dispute that it is for.
    pub dispute: Pubkey,
    /// Who writes and closes it, nobody else.
    pub challenger: Pubkey,
    /// Zero.
    pub reserved: [u8; 7],
}

const _: () = assert!(Witness::INIT_SPACE == 72);
const _: () = assert!(Witness::BYTES_OFFSET == 80);

impl Witness {
    /// Where the raw bytes start in the account's data.
    pub const BYTES_OFFSET: usize = Witness::DISCRIMINATOR.len() + Witness::INIT_SPACE;

    /// The raw bytes in a witness account's data.
    pub fn bytes(data: &[u8]) -> Option<&[u8]> {
        data.get(Self::BYTES_OFFSET..)
    }
}
