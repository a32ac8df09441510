//! Reading a cluster over JSON-RPC.

use anchor_lang::{AccountDeserialize, Owner, prelude::Pubkey};
use anyhow::{Context, anyhow};
use imo_protocol::Now;
use solana_account_decoder_client_types::{UiAccountData, UiAccountEncoding};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    request::TokenAccountsFilter,
};

use crate::{
    cli::ClusterArgs,
    error::{OrUserError, UserError},
    rpc,
};

/// A cluster that answered.
pub struct Chain {
    pub rpc: RpcClient,
    url: String,
}

impl Chain {
    pub fn connect(ClusterArgs { url }: &ClusterArgs) -> anyhow::Result<Self> {
        Ok(Self {
            rpc: rpc::connect(url)?,
            url: url.clone(),
        })
    }

    /// The owner and the data of an account, or `None` when there is none.
    pub fn find(&self, address: &Pubkey) -> anyhow::Result<Option<(Pubkey, Vec<u8>)>> {
        let found = self
            .rpc
            .get_account_with_commitment(address, CommitmentConfig::confirmed())
            .or_user_error_with(|error| format!("The RPC {} cannot read {address}: {error}.", self.url))?;
        Ok(found.value.map(|account| (account.owner, account.data)))
    }

    /// An account of one of the programs, or `None` when it has not been made.
    pub fn find_account<T: AccountDeserialize + Owner>(&self, address: &Pubkey) -> anyhow::Result<Option<T>> {
        let Some((owner, data)) = self.find(address)?.filter(|(owner, _)| *owner == T::owner()) else {
            return Ok(None);
        };
        let account = T::try_deserialize(&mut data.as_slice());
        account
            .map(Some)
            .map_err(|_| anyhow!("The account {address} of {owner} has another layout than this version knows"))
    }

    /// An account of one of the programs, called `what` in the sentence that says that it is not there.
    pub fn account<T: AccountDeserialize + Owner>(&self, address: &Pubkey, what: &str) -> anyhow::Result<T> {
        self.find_account(address)?
            .ok_or_else(|| UserError::new(format!("There is no {what} at {address}.")).into())
    }

    /// All accounts of one kind that hold `key` at `offset`.
    pub fn accounts_with<T: AccountDeserialize + Owner>(
        &self,
        discriminator: &[u8],
        offset: usize,
        key: &Pubkey,
    ) -> anyhow::Result<Vec<(Pubkey, T)>> {
        let filters = vec![
            RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, discriminator)),
            RpcFilterType::Memcmp(Memcmp::new_base58_encoded(offset, key.as_ref())),
        ];
        self.accounts(filters)
    }

    /// All accounts of one kind.
    pub fn all_accounts<T: AccountDeserialize + Owner>(
        &self,
        discriminator: &[u8],
    ) -> anyhow::Result<Vec<(Pubkey, T)>> {
        self.accounts(vec![RpcFilterType::Memcmp(Memcmp::new_base58_encoded(
            0,
            discriminator,
        ))])
    }

    fn accounts<T: AccountDeserialize + Owner>(&self, filters: Vec<RpcFilterType>) -> anyhow::Result<Vec<(Pubkey, T)>> {
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self
            .rpc
            .get_program_ui_accounts_with_config(&T::owner(), config)
            .or_user_error_with(|error| {
                format!("The RPC {} does not list the accounts of a program: {error}.", self.url)
            })?;
        let mut accounts = Vec::with_capacity(found.len());
        for (address, account) in found {
            let data = account
                .data
                .decode()
                .context("The RPC sent an account that is not base64")?;
            let account = T::try_deserialize(&mut data.as_slice())
                .map_err(|_| anyhow!("The account {address} has another layout than this version knows"))?;
            accounts.push((address, account));
        }
        accounts.sort_by_key(|(address, _)| *address);
        Ok(accounts)
    }

    /// Mints and units of all token accounts that somebody owns under a token program.
    pub fn tokens_of(&self, owner: &Pubkey, token_program: &Pubkey) -> anyhow::Result<Vec<(Pubkey, u64)>> {
        let found = self
            .rpc
            .get_token_accounts_by_owner(owner, TokenAccountsFilter::ProgramId(*token_program))
            .or_user_error_with(|error| format!("The RPC {} does not list token accounts: {error}.", self.url))?;
        found
            .iter()
            .map(|keyed| held(&keyed.account.data).with_context(|| format!("{} is no token account", keyed.pubkey)))
            .collect()
    }

    /// Supply and decimals of a mint, of either token program.
    pub fn mint(&self, address: &Pubkey) -> anyhow::Result<Mint> {
        let (_, data) = self
            .find(address)?
            .ok_or_else(|| anyhow!("The mint {address} is not there"))?;
        let supply = data.get(36..).and_then(|tail| tail.first_chunk::<8>()).copied();
        match (supply, data.get(44)) {
            (Some(supply), Some(decimals)) => Ok(Mint {
                supply_units: u64::from_le_bytes(supply),
                decimals: *decimals,
            }),
            _ => Err(anyhow!("The account {address} is no mint")),
        }
    }

    /// The time as the programs see it.
    pub fn now(&self) -> anyhow::Result<Now> {
        rpc::now(&self.rpc)
    }
}

/// What a view needs of a mint.
#[derive(Clone, Copy, Debug)]
pub struct Mint {
    pub supply_units: u64,
    pub decimals: u8,
}

/// Mint and units of a token account, as an RPC sends it: parsed, or in bytes.
fn held(data: &UiAccountData) -> Option<(Pubkey, u64)> {
    if let UiAccountData::Json(parsed) = data {
        let info = &parsed.parsed["info"];
        let mint = info["mint"].as_str()?.parse().ok()?;
        let amount = info["tokenAmount"]["amount"].as_str()?.parse().ok()?;
        return Some((mint, amount));
    }
    let data = data.decode()?;
    let mint = data.first_chunk::<32>()?;
    let amount = data.get(64..)?.first_chunk::<8>()?;
    Some((Pubkey::new_from_array(*mint), u64::from_le_bytes(*amount)))
}
