//! Driving a dispute to its end.

use std::sync::Arc;

use anchor_lang::{AccountDeserialize, prelude::Pubkey};
use anyhow::Context;
use imo_client::{
    addresses,
    challenge::{
        Challenge, NextMove,
        staging::{self, Proof},
    },
    instructions::opml_oracle as oracle,
};
use imo_protocol::Now;
use opml_oracle::state::{Dispute, Report, Trace, Witness};
use opml_runtime::{Execution, Tensor};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{COMPUTE_UNITS, PROOF_COMPUTE_UNITS, WatchedModel, WatcherLoop, check::execute};
use crate::{
    chain::{Accounts, RawAccount},
    store::StoredDispute,
};

impl WatcherLoop {
    /// Does the next thing about a dispute, whatever was done before.
    pub(super) async fn pursue(&self, stored: &StoredDispute, now: &Now) -> anyhow::Result<()> {
        let seen = self.store.dispute_states(&stored.dispute).await?;
        let account = self.rpc.accounts(&[stored.dispute]).await?.into_iter().flatten().next();
        let Some((account, dispute)) =
            account.and_then(|account| Some((account.clone(), account.decode::<Dispute>()?)))
        else {
            if seen.is_empty() {
                return self.open(stored, now).await;
            }
            // It was there and is closed: its payout is withdrawn, by us or by somebody else.
            tracing::info!(dispute = %stored.dispute, "a dispute is over");
            if let Ok(mut truths) = self.truths.lock() {
                truths.remove(&stored.dispute);
            }
            self.store.end_dispute(&stored.dispute).await?;
            return Ok(());
        };
        self.store
            .add_dispute_state(&stored.dispute, &dispute.game.digest, &account.data)
            .await?;
        if dispute.is_finished() {
            return self.cash(stored, &dispute).await;
        }
        self.play(stored, &dispute, &account, seen, now).await
    }

    async fn open(&self, stored: &StoredDispute, now: &Now) -> anyhow::Result<()> {
        let report: Option<Report> = self.rpc.find(&stored.report).await?;
        let Some(report) = report.filter(|report| report.require_disputable(now).is_ok()) else {
            tracing::warn!(report = %stored.report, "a wrong report cannot be disputed any more");
            self.store.end_dispute(&stored.dispute).await?;
            return Ok(());
        };
        let commitment = stored.place.commitment(&stored.dispute);
        let challenger = self.key.pubkey();
        let open = oracle::open_dispute(challenger, challenger, &report, stored.nonce, commitment);
        self.send("open_dispute", &[open], COMPUTE_UNITS, &[]).await?;
        Ok(())
    }

    async fn play(
        &self,
        stored: &StoredDispute,
        dispute: &Dispute,
        account: &RawAccount,
        seen: Vec<Vec<u8>>,
        now: &Now,
    ) -> anyhow::Result<()> {
        let model = self
            .model(&stored.place.claim.model_root)
            .context("the model's file is not configured any more")?;
        let truth = self.truth(stored, &model).await?;
        let trace = addresses::opml_oracle::trace(&stored.report, &stored.place.claim.claim_hash());
        let trace: Option<Trace> = self.rpc.find(&trace).await?;
        let next = {
            let mut challenge = Challenge::new(&model.model, &truth);
            // A trace that is walked is on chain in part only: what was shown before is remembered.
            for earlier in seen.iter().filter(|earlier| **earlier != account.data) {
                let earlier =
                    Dispute::try_deserialize(&mut earlier.as_slice()).context("a stored state is not a dispute")?;
                challenge.observe(&earlier.game, trace.as_ref());
            }
            challenge.next_move(&dispute.game, trace.as_ref(), now)?
        };
        let action = match &next {
            NextMove::Point => "point",
            NextMove::Demand { .. } => "demand",
            NextMove::DemandNode { .. } => "demand_node",
            NextMove::Timeout => "timeout",
            NextMove::Prove { element, witness } => return self.prove(stored, dispute, *element, witness).await,
            NextMove::Wait | NextMove::Over => return Ok(()),
        };
        let instruction = next
            .instruction(dispute, &model.model, &stored.place)
            .context("a move is an instruction")?;
        self.send(action, &[instruction], COMPUTE_UNITS, &[]).await?;
        Ok(())
    }

    /// What the own copy of the model gives, computed again after a restart.
    async fn truth(&self, stored: &StoredDispute, model: &Arc<WatchedModel>) -> anyhow::Result<Arc<Execution>> {
        let known = self
            .truths
            .lock()
            .ok()
            .and_then(|truths| truths.get(&stored.dispute).cloned());
        if let Some(truth) = known {
            return Ok(truth);
        }
        let bytes = self.blobs.input(&stored.place.claim.input_root).await?;
        let input = Tensor::new(
            *model.model.input_spec(),
            bytes.context("the input is not in the store")?,
        )?;
        let truth = Arc::new(execute(model, input).await?);
        if let Ok(mut truths) = self.truths.lock() {
            truths.insert(stored.dispute, truth.clone());
        }
        Ok(truth)
    }

    async fn prove(
        &self,
        stored: &StoredDispute,
        dispute: &Dispute,
        element: u32,
        witness: &[u8],
    ) -> anyhow::Result<()> {
        let key = Keypair::new_from_array(stored.witness_key);
        // Begun before, and how far is not known: from the beginning.
        self.close_witness(&key.pubkey()).await?;
        let proof = Proof {
            dispute,
            element,
            witness,
            witness_account: key.pubkey(),
            lamports: self.rpc.rent(staging::account_bytes(witness)).await?,
        };
        // The budget's instructions are sent with every transaction: they take room in each.
        let prelude = crate::chain::budget(PROOF_COMPUTE_UNITS, u64::MAX);
        let transactions = staging::stage_and_prove(&proof, &prelude);
        let last = transactions.len().saturating_sub(1);
        for (place, instructions) in transactions.iter().enumerate() {
            let signers = if place == 0 { vec![&key] } else { Vec::new() };
            if place == last {
                let instructions = &instructions[prelude.len()..];
                self.send("prove", instructions, PROOF_COMPUTE_UNITS, &signers).await?;
            } else {
                self.send_bare("stage_witness", instructions, &signers).await?;
            }
        }
        self.close_witness(&key.pubkey()).await
    }

    async fn close_witness(&self, address: &Pubkey) -> anyhow::Result<()> {
        let witness: Option<Witness> = self.rpc.find(address).await?;
        if witness.is_some() {
            let close = oracle::close_witness(self.key.pubkey(), *address);
            self.send("close_witness", &[close], COMPUTE_UNITS, &[]).await?;
        }
        Ok(())
    }

    /// Settles a dispute in its turn and takes what it is owed.
    async fn cash(&self, stored: &StoredDispute, dispute: &Dispute) -> anyhow::Result<()> {
        self.close_witness(&Keypair::new_from_array(stored.witness_key).pubkey())
            .await?;
        if dispute.settled {
            tracing::info!(dispute = %stored.dispute, units = dispute.payout_units, "a dispute is paid out");
            let withdraw = oracle::withdraw_payout(self.key.pubkey(), dispute);
            self.send("withdraw_payout", &[withdraw], COMPUTE_UNITS, &[]).await?;
            return Ok(());
        }
        let report: Report = self.rpc.get(&stored.report).await?;
        let mut earlier: Vec<(Pubkey, Dispute)> = self.rpc.of_report(&stored.report).await?;
        earlier.sort_by_key(|(_, dispute)| dispute.order);
        let waiting = earlier
            .iter()
            .filter(|(_, other)| other.order >= report.disputes_settled && other.order <= dispute.order);
        for ((_, other), turn) in waiting.zip(report.disputes_settled..) {
            if other.order != turn || !other.is_finished() {
                break;
            }
            self.send("settle_dispute", &[oracle::settle_dispute(other)], COMPUTE_UNITS, &[])
                .await?;
        }
        Ok(())
    }
}
