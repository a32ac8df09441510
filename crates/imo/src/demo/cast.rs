//! Who plays.

use std::fmt;

use anchor_lang::prelude::Pubkey;
use opml::hashv;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A part in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Makes the play money.
    Faucet,
    /// Upgrade authority, authority and guardian of the protocol.
    Protocol,
    /// Owner of the protocol's share.
    Treasury,
    Developer,
    InvestorOne,
    InvestorTwo,
    InvestorThree,
    Payer,
    /// Honest.
    OperatorA,
    /// Lies once.
    OperatorB,
    Watcher,
    /// Calls what anyone may call.
    Passerby,
}

pub const EVERYBODY: [Role; 12] = [
    Role::Faucet,
    Role::Protocol,
    Role::Treasury,
    Role::Developer,
    Role::InvestorOne,
    Role::InvestorTwo,
    Role::InvestorThree,
    Role::Payer,
    Role::OperatorA,
    Role::OperatorB,
    Role::Watcher,
    Role::Passerby,
];

pub const INVESTORS: [Role; 3] = [Role::InvestorOne, Role::InvestorTwo, Role::InvestorThree];

pub const OPERATORS: [Role; 2] = [Role::OperatorA, Role::OperatorB];

/// Everybody who ever holds money.
pub const HOLDERS: [Role; 9] = [
    Role::Treasury,
    Role::Developer,
    Role::InvestorOne,
    Role::InvestorTwo,
    Role::InvestorThree,
    Role::Payer,
    Role::OperatorA,
    Role::OperatorB,
    Role::Watcher,
];

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faucet => "faucet",
            Self::Protocol => "protocol",
            Self::Treasury => "treasury",
            Self::Developer => "developer",
            Self::InvestorOne => "investor 1",
            Self::InvestorTwo => "investor 2",
            Self::InvestorThree => "investor 3",
            Self::Payer => "payer",
            Self::OperatorA => "operator A",
            Self::OperatorB => "operator B",
            Self::Watcher => "watcher",
            Self::Passerby => "passer-by",
        })
    }
}

impl Role {
    /// The part's key: the same in every performance.
    pub fn keypair(self) -> Keypair {
        keypair(&self.to_string())
    }

    pub fn address(self) -> Pubkey {
        self.keypair().pubkey()
    }
}

/// Name of the key of the play dollars' mint.
pub const DOLLARS: &str = "dollars";

/// A key that follows from a name.
pub fn keypair(name: &str) -> Keypair {
    Keypair::new_from_array(hashv(&[b"imo:demo:v1", name.as_bytes()]))
}
