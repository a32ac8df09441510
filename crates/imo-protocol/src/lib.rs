//! What several programs share (`docs/protocol.md`): messages, deadlines, and the accounts that one program writes and another reads.
//!
//! The bytes of each message are built here and nowhere else, so that client, node and chain cannot disagree on them.

pub mod accounts;
pub mod answer;
pub mod deadline;
pub mod dispute;
pub mod ed25519;
pub mod errors;
pub mod ids;
pub mod receipt;
pub mod request;
pub mod session;
pub mod shares;
pub mod vault;
pub mod voucher;

pub use {
    accounts::{BUCKET_SEED, Bucket, COLLECTION_SEED, Collection},
    answer::{ANSWER_BYTES, Answer, answer_key_hash, question_hash},
    deadline::{Deadline, Now, RESTART_GRACE_SLOTS},
    dispute::{first_digest, move_digest, place_commitment},
    ed25519::{Signed, check_ed25519_instruction, preceding_signed, verify_preceding_ed25519},
    errors::ProtocolError,
    receipt::Receipt,
    request::{PUBLIC_SALT, Request},
    session::{CREDIT_SEED, SESSION_SEED, Session, credit_address},
    shares::{ALL_BPS, share_floor},
    vault::{MODEL_VAULT_SEED, ModelVault},
    voucher::{VOUCHER_BYTES, Voucher},
};
