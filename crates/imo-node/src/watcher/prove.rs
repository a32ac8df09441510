//! Proofs: the witness goes on chain piece by piece, the last transaction proves.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use imo_client::{
    challenge::{
        evidence,
        staging::{self, Staging},
    },
    instructions::opml_oracle as oracle,
};
use opml_oracle::{game::Phase, state::Dispute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{PROOF_COMPUTE_UNITS, WatcherLoop};
use crate::store::{Fraud, StoredDispute};

impl WatcherLoop {
    /// Proves what needs no walk, from the opening of the dispute.
    pub(super) async fn prove_at_once(&self, stored: &StoredDispute, dispute: &Dispute) -> anyhow::Result<()> {
        if dispute.game.phase != Phase::Opened {
            return Ok(());
        }
        let digest = dispute.game.digest;
        let place = &stored.place;
        match &stored.fraud {
            Fraud::WrongOutput => anyhow::bail!("a wrong output is walked to"),
            Fraud::WrongQuestion { witness } => {
                let prove = |account| vec![oracle::prove_wrong_question(dispute, digest, place.collection, account)];
                self.stage(stored, dispute, witness, "prove_wrong_question", prove)
                    .await
            }
            Fraud::Equivocation { answer } => {
                let witness = evidence::reported(place);
                let prove =
                    |account| oracle::prove_equivocation(dispute, digest, place.collection, account, answer).to_vec();
                self.stage(stored, dispute, &witness, "prove_equivocation", prove).await
            }
            Fraud::Malformed => {
                let model = self
                    .model(&place.claim.model_root)
                    .context("the model's file is not configured any more")?;
                let malformed = model.malformed().context("the model keeps all rules")?;
                let prove = |account| vec![oracle::prove_malformed(dispute, digest, account, malformed.node)];
                self.stage(stored, dispute, &malformed.witness, "prove_malformed", prove)
                    .await
            }
        }
    }

    /// Stages a witness, and sends what proves with it in the last of the transactions.
    pub(super) async fn stage(
        &self,
        stored: &StoredDispute,
        dispute: &Dispute,
        witness: &[u8],
        action: &'static str,
        prove: impl FnOnce(Pubkey) -> Vec<Instruction>,
    ) -> anyhow::Result<()> {
        let key = Keypair::new_from_array(stored.witness_key);
        // Begun before, and how far is not known: from the beginning.
        self.close_witness(&key.pubkey()).await?;
        let staging = Staging {
            dispute,
            witness,
            witness_account: key.pubkey(),
            lamports: self.rpc.rent(staging::account_bytes(witness)).await?,
        };
        // The budget's instructions are sent with the last transaction: they take room in it.
        let prelude = crate::chain::budget(PROOF_COMPUTE_UNITS, u64::MAX);
        let transactions = staging::stage(&staging, &prelude, &prove(key.pubkey()));
        let last = transactions.len().saturating_sub(1);
        for (place, instructions) in transactions.iter().enumerate() {
            let signers = if place == 0 { vec![&key] } else { Vec::new() };
            if place == last {
                let instructions = instructions.get(prelude.len()..).unwrap_or_default();
                self.send(action, instructions, PROOF_COMPUTE_UNITS, &signers).await?;
            } else {
                self.send_bare("stage_witness", instructions, &signers).await?;
            }
        }
        self.close_witness(&key.pubkey()).await
    }
}
