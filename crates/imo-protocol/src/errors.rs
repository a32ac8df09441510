//! Refusals that more than one program can give. Each program's own codes start at 6000, these at 9000, so that a code has one meaning.

use anchor_lang::prelude::*;

#[error_code(offset = 9000)]
#[derive(PartialEq, Eq)]
pub enum ProtocolError {
    // 0: the Ed25519 instruction before ours
    #[msg("Put the Ed25519 instruction directly before this one: there is no instruction before it")]
    NoPrecedingInstruction = 0,
    #[msg("Pass the instructions sysvar, not another account")]
    NotInstructionsSysvar = 1,
    #[msg("The instruction directly before this one must be of the Ed25519 program")]
    NotEd25519Program = 2,
    #[msg("The Ed25519 instruction must hold exactly one header, key, signature and message")]
    WrongEd25519DataLength = 3,
    #[msg("The Ed25519 instruction must check exactly one signature")]
    WrongSignatureCount = 4,
    #[msg("The padding byte of the Ed25519 instruction must be zero")]
    WrongPadding = 5,
    #[msg("The signature must be at offset 48 of the Ed25519 instruction")]
    WrongSignatureOffset = 6,
    #[msg("The signature must be in the Ed25519 instruction itself (index 65535)")]
    WrongSignatureInstruction = 7,
    #[msg("The key must be at offset 16 of the Ed25519 instruction")]
    WrongKeyOffset = 8,
    #[msg("The key must be in the Ed25519 instruction itself (index 65535)")]
    WrongKeyInstruction = 9,
    #[msg("The message must be at offset 112 of the Ed25519 instruction")]
    WrongMessageOffset = 10,
    #[msg("The Ed25519 instruction states another message length than the expected message has")]
    WrongMessageLength = 11,
    #[msg("The message must be in the Ed25519 instruction itself (index 65535)")]
    WrongMessageInstruction = 12,
    #[msg("The Ed25519 instruction checks another key than the expected signer")]
    WrongSigner = 13,
    #[msg("The signed message differs from the one that follows from these accounts and arguments")]
    WrongMessage = 14,

    // 100: places in trees
    #[msg(
        "The sequence is outside the tree: a lane holds 2^32 requests, a collection's receipts start at its first sequence"
    )]
    SequenceOutOfRange = 100,
}
