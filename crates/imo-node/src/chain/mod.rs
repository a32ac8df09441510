//! The chain as the node reads and writes it: JSON-RPC and nothing else.

mod cache;
mod feed;
mod history;
pub mod places;
mod rpc;
mod send;

use anchor_lang::{AccountDeserialize, Discriminator, prelude::Pubkey};
use imo_protocol::Now;
use solana_sdk_ids::sysvar;

pub use {
    cache::{AccountSet, Cache},
    feed::{Follow, Wake, follow, websocket_url},
    history::Performed,
    rpc::Rpc,
    send::{FeePolicy, SendError, budget, pack},
};

#[derive(Clone, Debug, thiserror::Error)]
pub enum ChainError {
    #[error("The RPC does not answer: {0}.")]
    Unreachable(String),
    #[error("There is no account at {0}.")]
    Missing(Pubkey),
    #[error("The account at {0} is not a {1}.")]
    Malformed(Pubkey, &'static str),
    #[error("Too many look-ups wait for the RPC.")]
    Busy,
    #[error("The RPC knows less than it said before: its nodes are not in step.")]
    Behind,
}

/// An account as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAccount {
    pub owner: Pubkey,
    pub lamports: u64,
    pub data: Vec<u8>,
}

impl RawAccount {
    /// Decodes an account of `T`'s program; `None` for another program's, or another kind.
    pub fn decode<T: AccountDeserialize + Discriminator + anchor_lang::Owner>(&self) -> Option<T> {
        (self.owner == T::owner())
            .then(|| T::try_deserialize(&mut self.data.as_slice()).ok())
            .flatten()
    }
}

/// Reading accounts, which is all that the gateway does with the chain.
#[async_trait::async_trait]
pub trait Accounts: Send + Sync {
    /// The accounts at these addresses, all of the same slot; `None` where there is none.
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError>;
}

/// Addresses of the sysvars that [`now`] reads.
pub const TIME: [Pubkey; 2] = [sysvar::clock::ID, sysvar::last_restart_slot::ID];

/// The time as the programs see it, from the accounts at [`TIME`].
pub fn now(accounts: &[Option<RawAccount>]) -> Result<Now, ChainError> {
    let number = |account: usize, at: usize| {
        let data = &accounts.get(account)?.as_ref()?.data;
        data.get(at..)?.first_chunk::<8>().copied()
    };
    let malformed = || ChainError::Malformed(sysvar::clock::ID, "clock");
    // Five numbers: slot, start of the epoch, epoch, epoch of the leader schedule, Unix time.
    Ok(Now {
        slot: u64::from_le_bytes(number(0, 0).ok_or_else(malformed)?),
        unix: i64::from_le_bytes(number(0, 32).ok_or_else(malformed)?),
        // A cluster that never restarted may have no such account.
        last_restart_slot: number(1, 0).map_or(0, u64::from_le_bytes),
    })
}
