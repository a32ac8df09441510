//! Accounts of the four programs, and signature checks beside their instructions.

use anchor_lang::prelude::Pubkey;
use imo_client::accounts::Account;
use imo_protocol::ed25519::check_ed25519_instruction;
use solana_sdk_ids::ed25519_program;

const OWNERS: [Pubkey; 4] = [
    model_token::ID,
    opml_oracle::ID,
    revenue_escrow::ID,
    yield_distributor::ID,
];
/// Where the key and the message of a signature check are.
const KEY: std::ops::Range<usize> = 16..48;
const MESSAGE_OFFSET: usize = 112;

/// The first byte names the owner of an account, the rest are its data.
pub fn check(bytes: &[u8]) {
    let Some((owner, data)) = bytes.split_first() else {
        return;
    };
    match Account::decode(&OWNERS[usize::from(*owner) % OWNERS.len()], data) {
        Err(error) => super::assert_sentence(&error),
        Ok(account) => assert!(!account.to_string().is_empty()),
    }
    check_signature(data);
}

/// Only one layout is accepted, whatever the key and the message.
fn check_signature(data: &[u8]) {
    let key = data.get(KEY).and_then(|key| key.try_into().ok()).unwrap_or([0; 32]);
    let message = data.get(MESSAGE_OFFSET..).unwrap_or_default();
    let accepted = check_ed25519_instruction(&ed25519_program::ID, data, &Pubkey::new_from_array(key), message).is_ok();
    assert_eq!(
        accepted,
        data.len() >= MESSAGE_OFFSET && data[..KEY.start] == header(message.len())
    );
}

/// One signature, all of it in this instruction.
fn header(message_len: usize) -> [u8; 16] {
    let mut header = [0; 16];
    header[0] = 1;
    let fields = [48, u16::MAX, 16, u16::MAX, 112, message_len as u16, u16::MAX];
    header[2..].copy_from_slice(fields.map(u16::to_le_bytes).as_flattened());
    header
}
