//! An operator that lies. No daemon does that: this one is made here, of the daemon's own parts and an executor that lies.

use std::{net::TcpListener, path::Path, sync::Arc, time::Duration};

use anchor_lang::prelude::Pubkey;
use imo_client::addresses::opml_oracle;
use imo_node::{
    chain::{Cache, Rpc, Wake},
    gateway::{self, Gateway, Identity, Limits},
    metrics::Metrics,
    model::ServedModel,
    operator::{OperatorLoop, Policy},
    store::{Blobs, Store},
};
use opml_runtime::Model;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

use super::lie::Liar;

/// Lanes that may be looked up at once.
const LOOK_UPS: usize = 8;

/// Who lies about what.
pub struct LyingOperator<'a> {
    pub rpc: &'a str,
    /// The cluster's genesis hash.
    pub cluster: [u8; 32],
    pub authority: Keypair,
    pub answers: Keypair,
    pub mint: Pubkey,
    /// What clients may call the model.
    pub name: &'a str,
    pub address: Pubkey,
    pub model: &'a Model,
    pub liar: Liar,
    pub policy: Policy,
    /// Where it keeps its things.
    pub folder: &'a Path,
}

impl LyingOperator<'_> {
    /// Gateway and operator's loop in this process, on the runtime that this is called on, until `stop`.
    pub async fn start(self, listener: TcpListener, stop: &CancellationToken) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.folder)?;
        let rpc = Arc::new(Rpc::new(self.rpc));
        let (model, liar) = (self.model.clone(), Arc::new(self.liar));
        let served = ServedModel::with_executor(&rpc, self.name, self.address, model, liar).await?;
        let models = vec![Arc::new(served)];
        let store = Store::open(&format!("sqlite://{}", self.folder.join("operator.db").display())).await?;
        let blobs = Blobs::in_folder(&self.folder.join("blobs"))?;
        let metrics = Arc::new(Metrics::default());
        let authority = self.authority.pubkey();
        let identity = Identity {
            cluster: self.cluster,
            authority,
            operator: opml_oracle::operator(&authority, &self.mint),
            mint: self.mint,
            answer_key: self.answers,
        };
        let limits = Limits::default();
        let age = Duration::from_millis(limits.chain_age_ms);
        let gateway = Gateway::new(
            identity,
            models.clone(),
            store.clone(),
            blobs.clone(),
            Cache::new(rpc.clone(), age, LOOK_UPS),
            limits,
            metrics.clone(),
        );
        let operator = OperatorLoop::new(
            rpc,
            store,
            blobs,
            models,
            self.authority,
            self.mint,
            self.policy,
            metrics,
        );
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(gateway::serve(gateway, listener, stop.clone()));
        tokio::spawn(operator.run(Wake::never(), stop.clone()));
        Ok(())
    }
}
