//! Letting another key spend: an agent's, which then pays for itself and can spend no more than it was granted.
//!
//! The programs hold the agent to three limits: the lane's money, the session's limit and its expiry. Nothing else of the payer's can be moved with its key.

use ::model_token::state::{Model, OperatorAccess};
use ::opml_oracle::state::Operator;
use ::revenue_escrow::{
    instructions::GrantSessionArgs,
    state::{Credit, Lane},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use imo_client::{addresses::revenue_escrow as at, instructions::revenue_escrow as send};
use imo_protocol::Session;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::chain::{FeePolicy, Rpc};

/// Enough for all five instructions.
const COMPUTE_UNITS: u32 = 400_000;

/// What a key may spend, on whose account, where.
pub struct Delegation<'a> {
    /// Pays, and signs this once.
    pub payer: &'a Keypair,
    pub model: Pubkey,
    /// The operator account.
    pub operator: Pubkey,
    /// May sign vouchers.
    pub key: Pubkey,
    /// At most so much, counted from now.
    pub limit_units: u64,
    /// For so long.
    pub seconds: i64,
    /// Whether questions and answers are shown only with the payer's permission. Of a lane that is there already nothing changes.
    pub private: bool,
}

impl Delegation<'_> {
    /// Opens credit and lane where there are none, moves the limit into the lane, and grants: all in one transaction.
    pub async fn grant(&self, rpc: &Rpc) -> anyhow::Result<Signature> {
        let payer = self.payer.pubkey();
        let model: Model = rpc.get(&self.model).await.context("The model was not found")?;
        let operator: Operator = rpc.get(&self.operator).await.context("The operator was not found")?;
        anyhow::ensure!(
            operator.mint == model.payment_mint,
            "The operator stakes in another mint than the model is paid in."
        );
        let credit = at::credit(&payer, &self.model);
        let session: Option<Session> = rpc.find(&at::session(&credit, &self.key)).await?;
        anyhow::ensure!(
            session.is_none(),
            "{} has a session already: revoke it, or take another key.",
            self.key
        );
        let now = rpc.now().await?;
        let mut instructions: Vec<Instruction> = Vec::new();
        if rpc.find::<Credit>(&credit).await?.is_none() {
            instructions.push(send::open_credit(payer, payer, self.model));
        }
        instructions.push(send::deposit_credit(
            payer,
            credit,
            self.model,
            model.payment_mint,
            self.limit_units,
        ));
        let lane: Option<Lane> = rpc.find(&at::lane(&credit, &self.operator)).await?;
        instructions.push(match (lane, model.operators) {
            (Some(_), _) => send::fund_lane(payer, self.model, self.operator, self.limit_units),
            (None, OperatorAccess::Open) => {
                send::open_lane(payer, payer, self.model, self.operator, self.limit_units, self.private)
            }
            (None, OperatorAccess::Listed) => send::open_lane_to_appointed(
                payer,
                payer,
                self.model,
                self.operator,
                operator.authority,
                self.limit_units,
                self.private,
            ),
        });
        let args = GrantSessionArgs {
            key: self.key,
            limit_units: self.limit_units,
            expires_unix: now.unix.saturating_add(self.seconds),
        };
        instructions.push(send::grant_session(payer, payer, self.model, args));
        Ok(rpc
            .send(&instructions, COMPUTE_UNITS, &FeePolicy::default(), &[self.payer])
            .await?)
    }
}

/// Announces that a key may spend no more. What it has signed for can be collected until the protocol's notice is over; no honest operator answers to it from now on.
pub async fn revoke(rpc: &Rpc, payer: &Keypair, model: &Pubkey, key: Pubkey) -> anyhow::Result<Signature> {
    let instruction = send::revoke_session(payer.pubkey(), *model, key);
    Ok(rpc
        .send(&[instruction], COMPUTE_UNITS, &FeePolicy::default(), &[payer])
        .await?)
}
