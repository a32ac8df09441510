//! A Solana cluster inside this process: Surfpool's own, on ports of one's choice, from accounts of one's choice, at a time of one's choice.

use std::{collections::BTreeMap, net::TcpListener, sync::mpsc, thread, time::Duration};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, anyhow};
use crossbeam_channel::{Receiver, Sender};
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{
    AccountSnapshot, BlockProductionMode, ExportSnapshotConfig, ExportSnapshotFilter, RpcConfig, SimnetCommand,
    SimnetConfig, SimnetEvent, SurfpoolConfig,
};
use tokio::runtime::Runtime;

use super::SLOT_MILLISECONDS;
use crate::error::UserError;

const HOST: &str = "127.0.0.1";

/// How long the cluster may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a start looks whether it has failed.
const GLANCE: Duration = Duration::from_millis(100);

/// Most bytes of a transaction's logs that are kept: as many as a validator keeps.
const LOG_BYTES: usize = 10_000;

/// Owner of what is a part of the cluster itself.
const NATIVE_LOADER: &str = "NativeLoader1111111111111111111111111111111";

/// All accounts, by address.
pub type Accounts = BTreeMap<String, AccountSnapshot>;

/// When blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// One for each transaction; no time passes in between.
    OnDemand,
    /// One every slot, as on other clusters.
    Steady,
}

impl From<Blocks> for BlockProductionMode {
    fn from(blocks: Blocks) -> Self {
        match blocks {
            Blocks::OnDemand => Self::Transaction,
            Blocks::Steady => Self::Clock,
        }
    }
}

/// How a cluster begins.
pub struct Settings {
    /// Port of JSON-RPC; 0 is any.
    pub rpc_port: u16,
    /// Port of the websocket; 0 is any.
    pub ws_port: u16,
    pub blocks: Blocks,
    /// Time of the first slot, in Unix milliseconds. The time of every other slot and the genesis hash follow from it.
    pub genesis_unix_ms: u64,
    pub accounts: Accounts,
    /// Who gets lamports in the beginning, and how many each.
    pub airdrops: (Vec<Pubkey>, u64),
}

/// A running cluster. It ends when this is dropped.
pub struct Embedded {
    pub rpc_url: String,
    pub ws_url: String,
    /// Number of the first slot.
    pub genesis_slot: u64,
    pub genesis_unix_ms: u64,
    locker: SurfnetSvmLocker,
    commands: Sender<SimnetCommand>,
    /// Told once for each server that has stopped.
    stopped: Receiver<()>,
}

impl Embedded {
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        let rpc_port = free_port(settings.rpc_port)?;
        let ws_port = free_port(settings.ws_port)?;
        let config = SurfpoolConfig {
            simnets: vec![SimnetConfig {
                offline_mode: true,
                remote_rpc_url: None,
                slot_time: SLOT_MILLISECONDS,
                block_production_mode: settings.blocks.into(),
                airdrop_addresses: settings.airdrops.0,
                airdrop_token_amount: settings.airdrops.1,
                instruction_profiling_enabled: false,
                log_bytes_limit: Some(LOG_BYTES),
                snapshot: settings
                    .accounts
                    .into_iter()
                    .map(|(address, account)| (address, Some(account)))
                    .collect(),
                ..SimnetConfig::default()
            }],
            rpc: RpcConfig {
                bind_host: HOST.into(),
                bind_port: rpc_port,
                ws_port,
                ..RpcConfig::default()
            },
            ..SurfpoolConfig::default()
        };
        let (mut svm, events, geyser) = SurfnetSvm::new(SurfnetSvmConfig {
            slot_time: SLOT_MILLISECONDS,
            instruction_profiling_enabled: false,
            log_bytes_limit: Some(LOG_BYTES),
            ..SurfnetSvmConfig::default()
        })
        .map_err(|error| anyhow!("The local cluster was not made: {error}"))?;
        svm.updated_at = settings.genesis_unix_ms;
        svm.genesis_updated_at = settings.genesis_unix_ms;
        svm.genesis_config.creation_time = i64::try_from(settings.genesis_unix_ms / 1_000)?;
        let genesis_slot = svm.genesis_slot;

        let (commands, received) = crossbeam_channel::unbounded();
        let locker = SurfnetSvmLocker::new(svm);
        let (failed, failure) = mpsc::channel();
        let (its_locker, its_commands) = (locker.clone(), commands.clone());
        let runtime = Runtime::new().context("The local cluster needs threads")?;
        thread::Builder::new().name("cluster".into()).spawn(move || {
            let running = start_local_surfnet_runloop(its_locker, config, its_commands, received, geyser);
            if let Err(error) = runtime.block_on(running) {
                // Nobody listens any more once the cluster has started.
                let _ = failed.send(error.to_string());
            }
        })?;
        wait_until_ready(&events, &failure)?;

        let (stops, stopped) = crossbeam_channel::unbounded();
        // Nobody else reads the events, and what is not read stays in memory.
        thread::Builder::new()
            .name("cluster events".into())
            .spawn(move || drain(&events, &stops))?;
        Ok(Self {
            rpc_url: format!("http://{HOST}:{rpc_port}"),
            ws_url: format!("ws://{HOST}:{ws_port}"),
            genesis_slot,
            genesis_unix_ms: settings.genesis_unix_ms,
            locker,
            commands,
            stopped,
        })
    }

    /// All accounts but programs and what the cluster itself makes.
    pub fn accounts(&self) -> anyhow::Result<Accounts> {
        let config = ExportSnapshotConfig {
            filter: Some(ExportSnapshotFilter {
                exclude_sysvars: Some(true),
                exclude_feature_gates: Some(true),
                ..ExportSnapshotFilter::default()
            }),
            ..ExportSnapshotConfig::default()
        };
        let mut accounts = self
            .locker
            .export_snapshot(config)
            .map_err(|error| anyhow!("The accounts were not read: {error}"))?;
        accounts.retain(|_, account| account.owner != NATIVE_LOADER);
        Ok(accounts)
    }

    /// Makes blocks in another way from now on.
    pub fn make_blocks(&self, blocks: Blocks) -> anyhow::Result<()> {
        self.command(SimnetCommand::UpdateBlockProductionMode(blocks.into()))
    }

    /// Ends the cluster and frees its ports.
    pub fn stop(&self) -> anyhow::Result<()> {
        const SERVERS: usize = 2;
        self.command(SimnetCommand::Terminate(None))?;
        for _ in 0..SERVERS {
            self.stopped
                .recv_timeout(PATIENCE)
                .context("The local cluster does not stop")?;
        }
        Ok(())
    }

    fn command(&self, command: SimnetCommand) -> anyhow::Result<()> {
        self.commands
            .send(command)
            .map_err(|_| anyhow!("The local cluster has ended"))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // A cluster that is gone already does not hear it.
        let _ = self.commands.send(SimnetCommand::Terminate(None));
    }
}

fn free_port(port: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((HOST, port)).map_err(|error| {
        UserError::new(format!(
            "Nobody can listen on {HOST}:{port}: {error}. Choose another port."
        ))
    })?;
    Ok(listener.local_addr()?.port())
}

fn wait_until_ready(events: &Receiver<SimnetEvent>, failure: &mpsc::Receiver<String>) -> anyhow::Result<()> {
    let begin = std::time::Instant::now();
    while begin.elapsed() < PATIENCE {
        match events.recv_timeout(GLANCE) {
            Ok(SimnetEvent::CoreStarted(_)) => return Ok(()),
            Ok(SimnetEvent::Aborted(error)) => anyhow::bail!("The local cluster did not start: {error}"),
            Ok(_) => {}
            Err(_) => match failure.try_recv() {
                Ok(error) => anyhow::bail!("The local cluster did not start: {error}"),
                Err(_) => continue,
            },
        }
    }
    anyhow::bail!("The local cluster did not start within {} seconds", PATIENCE.as_secs())
}

fn drain(events: &Receiver<SimnetEvent>, stops: &Sender<()>) {
    for event in events {
        if matches!(event, SimnetEvent::Shutdown) && stops.send(()).is_err() {
            return;
        }
    }
}
