//! Hearing of changes over a websocket, so that nobody has to wait for the next round.
//!
//! What the socket says is never taken for true: it only wakes a loop, which then reads the chain as it does in every round. So a socket that is slow, lies, or is gone costs
//! the time until the next round and nothing else.

use std::{sync::Arc, time::Duration};

use anchor_lang::{Discriminator, Owner, prelude::Pubkey};
use futures_util::{
    StreamExt,
    stream::{BoxStream, SelectAll},
};
use rand::Rng;
use solana_account_decoder_client_types::{UiAccountEncoding, UiDataSliceConfig};
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig},
    filter::{Memcmp, RpcFilterType},
    response::SlotInfo,
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How long a connection may take to be made, and a subscription to be confirmed.
const PATIENCE: Duration = Duration::from_secs(10);

/// When nothing was heard for so long, not even of a slot, the socket is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(15);

/// Pauses between attempts to connect: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection that lasted for so long was a good one: the next attempt comes soon.
const GOOD: Duration = Duration::from_secs(60);

/// Accounts that a loop wants to hear of: those of one kind, all or those with a key at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    program: Pubkey,
    discriminator: Vec<u8>,
    key: Option<(usize, Pubkey)>,
}

impl Follow {
    /// All accounts of a kind.
    pub fn all<T: Discriminator + Owner>() -> Self {
        Self {
            program: T::owner(),
            discriminator: T::DISCRIMINATOR.to_vec(),
            key: None,
        }
    }

    /// The accounts of a kind that have a key so many bytes behind their beginning.
    pub fn of<T: Discriminator + Owner>(offset: usize, key: Pubkey) -> Self {
        Self {
            key: Some((offset, key)),
            ..Self::all::<T>()
        }
    }

    fn config(&self) -> RpcProgramAccountsConfig {
        let kind = Memcmp::new_raw_bytes(0, self.discriminator.clone());
        let key = self
            .key
            .map(|(offset, key)| Memcmp::new_raw_bytes(offset, key.to_bytes().to_vec()));
        RpcProgramAccountsConfig {
            filters: Some(std::iter::once(kind).chain(key).map(RpcFilterType::Memcmp).collect()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(CommitmentConfig::confirmed()),
                // That it changed is all that is wanted of it.
                data_slice: Some(UiDataSliceConfig { offset: 0, length: 0 }),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        }
    }
}

/// Says that something changed since it was last looked at.
#[derive(Debug)]
pub struct Wake {
    heard: watch::Receiver<u64>,
    own: Option<Arc<Notify>>,
}

impl Wake {
    /// One that never says anything: rounds go by the clock alone.
    pub fn never() -> Self {
        Self::on(watch::channel(0).1)
    }

    fn on(heard: watch::Receiver<u64>) -> Self {
        Self { heard, own: None }
    }

    /// One that another loop of this node may ring, too.
    pub fn or(self, own: Arc<Notify>) -> Self {
        Self { own: Some(own), ..self }
    }

    /// Returns when something changed, also when that was while nobody waited.
    pub async fn changed(&mut self) {
        let Self { heard, own } = self;
        let heard = async {
            if heard.changed().await.is_err() {
                // Nobody follows any more.
                std::future::pending::<()>().await;
            }
        };
        let own = async {
            match own {
                Some(own) => own.notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = heard => {}
            () = own => {}
        }
    }
}

/// The websocket of an RPC by convention: the same place, and where a port is named the next one.
pub fn websocket_url(rpc: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(rpc).ok()?;
    let scheme = match url.scheme() {
        "http" => "ws",
        "https" => "wss",
        _ => return None,
    };
    let port = url.port().map(|port| port.checked_add(1)).unwrap_or_default();
    url.set_port(port).ok()?;
    url.set_scheme(scheme).ok()?;
    Some(url.to_string())
}

/// Follows the groups' accounts until told to stop, connecting again whenever the socket is lost. Each group has its own bell, which also rings when a connection is made,
/// because nobody knows what happened before.
pub fn follow<const N: usize>(
    url: String,
    groups: [Vec<Follow>; N],
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> [Wake; N] {
    let bells: [watch::Sender<u64>; N] = std::array::from_fn(|_| watch::channel(0).0);
    let wakes = std::array::from_fn(|group| Wake::on(bells[group].subscribe()));
    tokio::spawn(async move {
        stop.run_until_cancelled(keep_following(&url, &groups, &bells, &metrics))
            .await;
    });
    wakes
}

async fn keep_following(url: &str, groups: &[Vec<Follow>], bells: &[watch::Sender<u64>], metrics: &Metrics) {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = tokio::time::Instant::now();
        let lost = follow_once(url, groups, bells, metrics).await;
        metrics.socket(false);
        Metrics::count(&metrics.socket, "lost");
        if began.elapsed() > GOOD {
            pause = FIRST_PAUSE;
        }
        tracing::warn!(
            error = lost,
            seconds = pause.as_secs_f32(),
            "the websocket is not there: rounds go by the clock"
        );
        // Not all nodes of a cluster come back in the same moment.
        let jitter = rand::rng().random_range(0.5..1.5);
        tokio::time::sleep(pause.mul_f64(jitter)).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Follows until the connection is lost, and says why.
async fn follow_once(url: &str, groups: &[Vec<Follow>], bells: &[watch::Sender<u64>], metrics: &Metrics) -> String {
    let client = match timeout(PATIENCE, PubsubClient::new(url)).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return error.to_string(),
        Err(_) => return "it takes too long to connect".into(),
    };
    let mut changes = SelectAll::new();
    for (group, follows) in groups.iter().enumerate() {
        for follow in follows {
            let subscribed = client.program_subscribe(&follow.program, Some(follow.config()));
            match timeout(PATIENCE, subscribed).await {
                Ok(Ok((stream, _))) => changes.push(stream.map(move |_| Some(group)).chain(ended())),
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "a subscription is not confirmed".into(),
            }
        }
    }
    let mut slots = match slots(&client).await {
        Ok(slots) => slots,
        Err(error) => return error,
    };
    metrics.socket(true);
    Metrics::count(&metrics.socket, "connected");
    tracing::info!("the websocket is connected");
    bells.iter().for_each(ring);
    loop {
        let silence = tokio::time::sleep(SILENCE);
        tokio::select! {
            change = changes.next() => match change.flatten() {
                Some(group) => {
                    Metrics::count(&metrics.socket, "heard");
                    bells.get(group).into_iter().for_each(ring);
                }
                None => return "the connection ended".into(),
            },
            slot = slots.next() => if slot.is_none() {
                return "the connection ended".into();
            },
            // An idle cluster may be silent; a socket that is gone answers nothing, either.
            () = silence => match self::slots(&client).await {
                Ok(again) => slots = again,
                Err(error) => return error,
            },
        }
    }
}

/// The cluster's slots, which say that the connection lives.
async fn slots(client: &PubsubClient) -> Result<BoxStream<'_, SlotInfo>, String> {
    match timeout(PATIENCE, client.slot_subscribe()).await {
        Ok(Ok((stream, _))) => Ok(stream),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the subscription to slots is not confirmed".into()),
    }
}

/// What a stream of changes ends with, so that the end of one among many is noticed.
fn ended() -> BoxStream<'static, Option<usize>> {
    futures_util::stream::once(std::future::ready(None)).boxed()
}

fn ring(bell: &watch::Sender<u64>) {
    bell.send_modify(|rung| *rung = rung.wrapping_add(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_rpc_when_its_websocket_is_looked_for_then_by_convention() {
        for (rpc, websocket) in [
            ("http://127.0.0.1:8899", Some("ws://127.0.0.1:8900/")),
            ("https://rpc.example.com/key", Some("wss://rpc.example.com/key")),
            ("https://rpc.example.com:8443", Some("wss://rpc.example.com:8444/")),
            ("ftp://rpc.example.com", None),
            ("nonsense", None),
        ] {
            assert_eq!(websocket_url(rpc).as_deref(), websocket, "{rpc}");
        }
    }

    #[tokio::test]
    async fn given_a_bell_that_rang_while_nobody_listened_when_waited_for_then_at_once_and_only_once() {
        let (bell, wake) = watch::channel(0);
        let mut wake = Wake::on(wake);
        ring(&bell);
        ring(&bell);
        let soon = Duration::from_millis(50);
        assert!(timeout(soon, wake.changed()).await.is_ok());
        assert!(timeout(soon, wake.changed()).await.is_err());
        drop(bell);
        assert!(timeout(soon, wake.changed()).await.is_err(), "silence is no change");
    }
}
