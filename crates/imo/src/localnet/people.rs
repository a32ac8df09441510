//! Who is on a local cluster. Everybody knows their keys: they are worth nothing anywhere else.

use anchor_lang::prelude::Pubkey;
use opml::hashv;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Somebody, or something that has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person(pub &'static str);

/// Makes dollars.
pub const FAUCET: Person = Person("faucet");
/// Upgrade authority, authority and guardian of the protocol.
pub const PROTOCOL: Person = Person("protocol");
pub const TREASURY: Person = Person("treasury");
pub const DEVELOPER: Person = Person("developer");
pub const ALICE: Person = Person("alice");
pub const BOB: Person = Person("bob");
pub const CAROL: Person = Person("carol");
pub const PAYER: Person = Person("payer");
/// Signs the payer's vouchers.
pub const SESSION: Person = Person("session");
pub const OPERATOR: Person = Person("operator");
pub const OPERATOR_ANSWERS: Person = Person("operator-answers");
pub const OPERATOR_BACKUP: Person = Person("operator-backup");
pub const WATCHER: Person = Person("watcher");
/// The operator that lies.
pub const LIAR: Person = Person("liar");
pub const LIAR_ANSWERS: Person = Person("liar-answers");

/// The mint of the dollars.
pub const DOLLARS: Person = Person("dollars");

/// Whose key files are written.
pub const EVERYBODY: [Person; 15] = [
    FAUCET,
    PROTOCOL,
    TREASURY,
    DEVELOPER,
    ALICE,
    BOB,
    CAROL,
    PAYER,
    SESSION,
    OPERATOR,
    OPERATOR_ANSWERS,
    OPERATOR_BACKUP,
    WATCHER,
    LIAR,
    LIAR_ANSWERS,
];

/// Who begins with SOL and dollars.
pub const HOLDERS: [Person; 10] = [
    PROTOCOL, TREASURY, DEVELOPER, ALICE, BOB, CAROL, PAYER, OPERATOR, WATCHER, LIAR,
];

impl Person {
    pub fn key(self) -> Keypair {
        Keypair::new_from_array(hashv(&[b"imo:localnet:v1", self.0.as_bytes()]))
    }

    pub fn address(self) -> Pubkey {
        self.key().pubkey()
    }
}
