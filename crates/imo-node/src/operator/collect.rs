//! Bringing vouchers under a report, and sealing it.

use std::ops::Range;

use ::revenue_escrow::state::Lane;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use imo_client::{
    addresses,
    instructions::{
        opml_oracle as oracle,
        revenue_escrow::{self, CollectedLane},
    },
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Now, Session};
use opml::Hash;
use opml_oracle::state::Report;
use solana_signer::Signer;

use super::OperatorLoop;
use crate::{
    chain::{Accounts, RawAccount, pack},
    clock,
    metrics::Metrics,
    receipts,
    store::{Store, StoredLane},
};

/// Lanes whose receipts are read and hashed at once.
pub const ROOTS_AT_ONCE: usize = 4;

/// A lane that can be collected.
pub(super) struct Collectable {
    pub stored: StoredLane,
    /// What the chain has collected. The receipts begin here, whatever the store has noted.
    pub collected_count: u64,
    /// Its money, or the key that signs for it, is announced to leave.
    pub leaving: bool,
}

/// A lane with what to send for it.
struct Ready {
    lane: Pubkey,
    instructions: Vec<Instruction>,
}

impl OperatorLoop {
    /// Notes what the chain has collected, whoever sent the transaction and whenever it landed.
    pub(super) async fn sync_lanes(&self) -> anyhow::Result<()> {
        let owing = self.store.owing_lanes().await?;
        let addresses: Vec<Pubkey> = owing.iter().map(StoredLane::address).collect();
        let found = self.rpc.accounts(&addresses).await?;
        for (lane, account) in owing.iter().zip(found) {
            let on_chain: Option<Lane> = account.as_ref().and_then(RawAccount::decode);
            // A lane that is not there is no reason to forget what it owes: an RPC can be wrong.
            let same = on_chain.filter(|on_chain| on_chain.generation == lane.generation());
            if let Some(on_chain) = same.filter(|on_chain| on_chain.collected_count > lane.collected_count) {
                let (count, units) = (on_chain.collected_count, on_chain.collected_units);
                self.store
                    .note_collected(&lane.address(), lane.generation(), count, units, clock::unix())
                    .await?;
            }
        }
        Ok(())
    }

    /// Lanes whose newest voucher the programs would take now, those that wait longest first. The others are told and left: no bond is locked for what nobody can
    /// collect.
    pub(super) async fn collectable_lanes(&self, now: &Now) -> anyhow::Result<Vec<Collectable>> {
        let owing = self.store.owing_lanes().await?;
        let sessions = owing
            .iter()
            .map(|lane| addresses::revenue_escrow::session(&lane.credit, &lane.voucher.voucher.session));
        let addresses: Vec<Pubkey> = owing.iter().map(StoredLane::address).chain(sessions).collect();
        let found = self.rpc.accounts(&addresses).await?;
        let (lanes, sessions) = found.split_at(owing.len());
        let mut collectable = Vec::new();
        for ((stored, lane), session) in owing.into_iter().zip(lanes).zip(sessions) {
            let lane = lane.as_ref().and_then(RawAccount::decode);
            let session = session.as_ref().and_then(RawAccount::decode);
            match uncollectable(&stored, lane.as_ref(), session.as_ref(), now) {
                None => collectable.extend(lane.zip(session).map(|(lane, session)| Collectable {
                    leaving: lane.releasing_units > 0 || session.revoke_deadline.is_set(),
                    collected_count: lane.collected_count,
                    stored,
                })),
                Some(why) => {
                    Metrics::count(&self.metrics.operator, "lane_uncollectable");
                    tracing::warn!(lane = %stored.address(), units = stored.owed_units(), why, "a lane cannot be collected");
                }
            }
        }
        Ok(collectable)
    }

    /// Collects every lane that owes for the report's version, publishes the receipts, seals.
    pub(super) async fn collect_and_seal(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        // Its own time is over, then nothing is collected any more.
        if !report.seal_by.is_past(now) {
            let ready = self.ready_lanes(address, report, now).await?;
            self.collect(address, ready).await?;
            self.sync_lanes().await?;
            // What could not be sent is tried again in the next round.
            if !self.ready_lanes(address, report, now).await?.is_empty() {
                return Ok(());
            }
        }
        self.publish(address).await?;
        let seal = oracle::seal_report(self.authority.pubkey(), report);
        self.send("seal_report", &[seal]).await?;
        Ok(())
    }

    async fn ready_lanes(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<Vec<Ready>> {
        let collected: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        let mut lanes = self.collectable_lanes(now).await?;
        lanes.retain(|lane| {
            let stored = &lane.stored;
            let lane = stored.address();
            let concerned = (stored.model, stored.model_root) == (report.model, report.model_root);
            let done = collected.iter().any(|(_, collection)| collection.lane == lane);
            concerned && !done && !self.is_refused(address, &lane)
        });
        stream::iter(lanes)
            .map(|lane| self.ready(*address, lane))
            .buffered(ROOTS_AT_ONCE)
            .try_collect()
            .await
    }

    fn is_refused(&self, report: &Pubkey, lane: &Pubkey) -> bool {
        let refused = self.refused.lock();
        refused.is_ok_and(|refused| refused.contains(&(*report, *lane)))
    }

    async fn ready(&self, report: Pubkey, lane: Collectable) -> anyhow::Result<Ready> {
        let stored = &lane.stored;
        let sequences = lane.collected_count..stored.count();
        let root = receipts_root(&self.store, stored.address(), stored.generation(), sequences).await?;
        let authority = self.authority.pubkey();
        let lane = CollectedLane {
            authority,
            rent_payer: authority,
            operator: self.operator(),
            report,
            credit: stored.credit,
        };
        Ok(Ready {
            lane: stored.address(),
            instructions: revenue_escrow::collect(lane, &stored.voucher, root).to_vec(),
        })
    }

    /// Several in one transaction where they fit; one by one when together they are refused.
    async fn collect(&self, report: &Pubkey, ready: Vec<Ready>) -> anyhow::Result<()> {
        let payer = self.authority.pubkey();
        let groups: Vec<_> = ready.iter().map(|ready| ready.instructions.clone()).collect();
        let mut ready = ready.into_iter();
        for transaction in pack(&groups, &payer) {
            // Two instructions a lane.
            let members: Vec<Ready> = ready.by_ref().take(transaction.len() / 2).collect();
            if members.len() > 1 && self.send("collect", &transaction).await.is_ok() {
                continue;
            }
            for member in members {
                match self.send("collect", &member.instructions).await {
                    Ok(()) => {}
                    Err(error) if error.refusal().is_some() => {
                        tracing::error!(lane = %member.lane, %error, "a lane is not collected for this report");
                        if let Ok(mut refused) = self.refused.lock() {
                            refused.insert((*report, member.lane));
                        }
                    }
                    Err(error) => return Err(error).context("a lane was not collected"),
                }
            }
        }
        Ok(())
    }

    /// Writes down the receipts of a report for whoever watches, those of private lanes left out.
    async fn publish(&self, report: &Pubkey) -> anyhow::Result<()> {
        let mut collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(report).await?;
        collections.retain(|(_, collection)| !collection.private);
        for (_, collection) in collections {
            let bytes = receipts::encode(&self.receipts_of(&collection).await?);
            self.blobs.put_receipts(report, &collection.lane, bytes.into()).await?;
        }
        Ok(())
    }

    /// The receipts of a Collection, as they were collected.
    pub(super) async fn receipts_of(&self, collection: &Collection) -> anyhow::Result<Vec<imo_protocol::Receipt>> {
        let first = collection.first_sequence;
        let end = first + u64::from(collection.count);
        let lane = &collection.lane;
        Ok(self
            .store
            .receipts(lane, collection.lane_generation, first..end)
            .await?)
    }
}

/// What `collect` states of a lane's receipts at these sequences.
pub async fn receipts_root(
    store: &Store,
    lane: Pubkey,
    generation: u64,
    sequences: Range<u64>,
) -> anyhow::Result<Hash> {
    let receipts = store.receipts(&lane, generation, sequences.clone()).await?;
    let root = move || ReceiptTree::over(sequences.start, &receipts).map(|tree| tree.root());
    Ok(tokio::task::spawn_blocking(root).await??)
}

/// Why the programs would refuse a lane's newest voucher; `None` when they would take it.
fn uncollectable(
    stored: &StoredLane,
    lane: Option<&Lane>,
    session: Option<&Session>,
    now: &Now,
) -> Option<&'static str> {
    let voucher = &stored.voucher.voucher;
    let Some(lane) = lane.filter(|lane| lane.generation == voucher.lane_generation) else {
        return Some("the lane was closed");
    };
    let Some(session) = session.filter(|session| session.generation == voucher.session_generation) else {
        return Some("the session was closed");
    };
    if session.is_revoked(now) {
        return Some("the session is revoked");
    }
    if now.is_expired(voucher.expires_unix) || voucher.expires_unix > session.expires_unix {
        return Some("the voucher expired");
    }
    let owed_units = voucher.cumulative_amount_units.saturating_sub(lane.collected_units);
    if owed_units > lane.reserved_units.saturating_add(lane.releasing_units) {
        return Some("the lane does not hold enough");
    }
    if owed_units > session.limit_units.saturating_sub(session.spent_units) {
        return Some("the session's limit is used up");
    }
    (owed_units == 0).then_some("nothing is owed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use imo_client::voucher::SignedVoucher;
    use imo_protocol::{Deadline, Voucher};

    const NOW: Now = Now {
        slot: 1_000,
        unix: 1_000_000,
        last_restart_slot: 0,
    };

    fn stored() -> StoredLane {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        StoredLane {
            credit: key(1),
            model: key(2),
            model_root: [3; 32],
            private: false,
            collected_count: 0,
            collected_units: 0,
            first_owed_unix: 0,
            voucher: SignedVoucher {
                voucher: Voucher {
                    cluster: [4; 32],
                    escrow: key(5),
                    lane: key(6),
                    lane_generation: 7,
                    session: key(8),
                    session_generation: 9,
                    cumulative_amount_units: 100,
                    cumulative_count: 10,
                    requests_root: [10; 32],
                    expires_unix: NOW.unix + 10,
                },
                signature: [11; 64],
            },
        }
    }

    fn lane() -> Lane {
        Lane {
            version: 1,
            bump: 255,
            credit: Pubkey::default(),
            operator: Pubkey::default(),
            generation: 7,
            reserved_units: 60,
            releasing_units: 20,
            release_deadline: Deadline::default(),
            collected_units: 20,
            collected_count: 2,
            rent_payer: Pubkey::default(),
            private: false,
            reserved: [0; 32],
        }
    }

    fn session() -> Session {
        Session {
            version: 1,
            bump: 255,
            key: Pubkey::default(),
            credit: Pubkey::default(),
            generation: 9,
            limit_units: 100,
            spent_units: 20,
            expires_unix: NOW.unix + 10,
            revoke_deadline: Deadline::default(),
            rent_payer: Pubkey::default(),
            reserved: [0; 32],
        }
    }

    #[test]
    fn given_a_lane_when_one_thing_makes_its_voucher_worthless_then_told_which_and_else_collected() {
        let why = |change: fn(&mut StoredLane, &mut Lane, &mut Session)| {
            let (mut stored, mut lane, mut session) = (stored(), lane(), session());
            change(&mut stored, &mut lane, &mut session);
            uncollectable(&stored, Some(&lane), Some(&session), &NOW)
        };
        // What is announced to leave is still collectable.
        assert_eq!(why(|_, _, _| {}), None);
        assert_eq!(why(|_, lane, _| lane.generation += 1), Some("the lane was closed"));
        assert_eq!(
            why(|_, _, session| session.generation += 1),
            Some("the session was closed")
        );
        assert_eq!(
            why(|stored, _, _| stored.voucher.voucher.expires_unix = NOW.unix - 1),
            Some("the voucher expired")
        );
        assert_eq!(
            why(|_, _, session| session.expires_unix -= 1),
            Some("the voucher expired")
        );
        assert_eq!(
            why(|_, lane, _| lane.reserved_units -= 1),
            Some("the lane does not hold enough")
        );
        assert_eq!(
            why(|_, _, session| session.spent_units += 1),
            Some("the session's limit is used up")
        );
        assert_eq!(why(|_, lane, _| lane.collected_units = 100), Some("nothing is owed"));
        let revoked = |_: &mut StoredLane, _: &mut Lane, session: &mut Session| {
            session.revoke_deadline = Deadline {
                opened_slot: 1,
                due_slot: 2,
                due_unix: 3,
            };
        };
        assert_eq!(why(revoked), Some("the session is revoked"));
        assert_eq!(
            uncollectable(&stored(), None, Some(&session()), &NOW),
            Some("the lane was closed")
        );
        assert_eq!(
            uncollectable(&stored(), Some(&lane()), None, &NOW),
            Some("the session was closed")
        );
    }
}
