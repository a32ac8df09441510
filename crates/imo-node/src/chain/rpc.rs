//! JSON-RPC.

use std::{
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anchor_lang::{AccountDeserialize, Discriminator, Owner, prelude::Pubkey};
use imo_protocol::Now;
use solana_account_decoder_client_types::UiAccountEncoding;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    request::RpcRequest,
    response::{OptionalContext, RpcKeyedAccount},
};

use super::{Accounts, ChainError, RawAccount, TIME, now, places};

/// Addresses of one request, as RPCs limit them.
const ADDRESSES: usize = 100;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often an RPC is asked when it lags behind what it said before, and how often when it does not answer.
const ASKED: u32 = 8;
const ASKED_IN_VAIN: u32 = 3;

/// How long after it is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// A connection to one RPC. What it says counts once it is confirmed.
///
/// Behind one address there may be many nodes, some of them late. What is older than anything that was said before is not taken: a loop that acted on it would see its own moves undone.
pub struct Rpc {
    pub(super) client: RpcClient,
    /// The newest slot that an answer was of.
    newest: AtomicU64,
}

impl Rpc {
    pub fn new(url: impl Into<String>) -> Self {
        let client = RpcClient::new_with_timeout_and_commitment(url.into(), TIMEOUT, CommitmentConfig::confirmed());
        Self {
            client,
            newest: AtomicU64::new(0),
        }
    }

    pub async fn now(&self) -> Result<Now, ChainError> {
        now(&self.accounts(&TIME).await?)
    }

    /// `None` when there is no account, or none of this kind.
    pub async fn find<T: AccountDeserialize + Discriminator + Owner>(
        &self,
        address: &Pubkey,
    ) -> Result<Option<T>, ChainError> {
        let found = self.accounts(std::slice::from_ref(address)).await?;
        Ok(found.into_iter().flatten().next().and_then(|account| account.decode()))
    }

    /// An account that has to be there.
    pub async fn get<T: AccountDeserialize + Discriminator + Owner>(&self, address: &Pubkey) -> Result<T, ChainError> {
        self.find(address).await?.ok_or(ChainError::Missing(*address))
    }

    /// All accounts of a kind.
    pub async fn all<T: AccountDeserialize + Discriminator + Owner>(&self) -> Result<Vec<(Pubkey, T)>, ChainError> {
        self.filtered(Vec::new()).await
    }

    /// All accounts of a kind that belong to a report.
    pub async fn of_report<T: AccountDeserialize + Discriminator + Owner>(
        &self,
        report: &Pubkey,
    ) -> Result<Vec<(Pubkey, T)>, ChainError> {
        self.having(places::FIRST_KEY, report).await
    }

    /// All accounts of a kind that have a key at one of the [`places`].
    pub async fn having<T: AccountDeserialize + Discriminator + Owner>(
        &self,
        place: usize,
        key: &Pubkey,
    ) -> Result<Vec<(Pubkey, T)>, ChainError> {
        let filter = Memcmp::new_raw_bytes(place, key.to_bytes().to_vec());
        self.filtered(vec![RpcFilterType::Memcmp(filter)]).await
    }

    async fn filtered<T: AccountDeserialize + Discriminator + Owner>(
        &self,
        mut filters: Vec<RpcFilterType>,
    ) -> Result<Vec<(Pubkey, T)>, ChainError> {
        filters.insert(
            0,
            RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, T::DISCRIMINATOR.to_vec())),
        );
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(CommitmentConfig::confirmed()),
                ..RpcAccountInfoConfig::default()
            },
            with_context: Some(true),
            ..RpcProgramAccountsConfig::default()
        };
        let parameters = serde_json::json!([T::owner().to_string(), config]);
        let found = self.keyed(&parameters).await?;
        let decoded = found.into_iter().filter_map(|keyed| {
            let data = keyed.account.data.decode()?;
            let address = Pubkey::from_str(&keyed.pubkey).ok()?;
            Some((address, T::try_deserialize(&mut data.as_slice()).ok()?))
        });
        Ok(decoded.collect())
    }

    async fn keyed(&self, parameters: &serde_json::Value) -> Result<Vec<RpcKeyedAccount>, ChainError> {
        for asked in 1..=ASKED {
            let newest = self.newest.load(Ordering::SeqCst);
            let answer = self
                .client
                .send::<OptionalContext<Vec<RpcKeyedAccount>>>(RpcRequest::GetProgramAccounts, parameters.clone());
            match answer.await {
                Ok(OptionalContext::Context(response)) if !self.is_behind(newest, response.context.slot) => {
                    return Ok(response.value);
                }
                // There are services that do not say.
                Ok(OptionalContext::NoContext(value)) => return Ok(value),
                Err(error) if asked >= ASKED_IN_VAIN => return Err(unreachable(error)),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(ChainError::Behind)
    }

    async fn some_accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError> {
        for asked in 1..=ASKED {
            let newest = self.newest.load(Ordering::SeqCst);
            let answer = self
                .client
                .get_multiple_accounts_with_commitment(addresses, CommitmentConfig::confirmed());
            match answer.await {
                Ok(response) if !self.is_behind(newest, response.context.slot) => {
                    let found = response.value.into_iter().map(|account| {
                        account.map(|account| RawAccount {
                            owner: account.owner,
                            lamports: account.lamports,
                            data: account.data,
                        })
                    });
                    return Ok(found.collect());
                }
                Err(error) if asked >= ASKED_IN_VAIN => return Err(unreachable(error)),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(ChainError::Behind)
    }

    /// Whether an answer of `slot` is older than what had been said before it was asked for.
    fn is_behind(&self, newest: u64, slot: u64) -> bool {
        self.newest.fetch_max(slot, Ordering::SeqCst);
        slot < newest
    }

    pub async fn genesis_hash(&self) -> Result<[u8; 32], ChainError> {
        let hash = self.client.get_genesis_hash().await.map_err(unreachable)?;
        Ok(hash.to_bytes())
    }

    /// Lamports that keep an account of that many bytes alive.
    pub async fn rent(&self, bytes: usize) -> Result<u64, ChainError> {
        self.client
            .get_minimum_balance_for_rent_exemption(bytes)
            .await
            .map_err(unreachable)
    }
}

#[async_trait::async_trait]
impl Accounts for Rpc {
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError> {
        let mut found = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(ADDRESSES) {
            found.extend(self.some_accounts(part).await?);
        }
        if found.len() != addresses.len() {
            return Err(ChainError::Unreachable("it left accounts out".into()));
        }
        Ok(found)
    }
}

pub(super) fn unreachable(error: impl std::fmt::Display) -> ChainError {
    ChainError::Unreachable(error.to_string())
}
