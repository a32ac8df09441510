//! Plays a dispute on the cluster: what `imo_client::challenge` plans becomes transactions.

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::{
    addresses as at,
    challenge::{
        Answer, Challenge, NextAnswer, NextMove, next_answer,
        staging::{self, Proof},
    },
    instructions::opml_oracle::{self as send, Place},
};
use imo_protocol::Now;
use opml_oracle::{
    game::Side,
    state::{Dispute, Trace},
};
use opml_runtime::{Execution, Model};
use solana_signer::Signer;

use super::{
    cast::{self, Role},
    stage::Stage,
    story::DisputeFigures,
};
use crate::{
    cluster::{Landed, with_compute_limit},
    format,
};

/// Well above what a proof on the digits model takes.
const PROOF_COMPUTE_UNITS: u32 = 1_000_000;

/// The two sides of a dispute.
pub struct Players<'a> {
    pub challenger: Role,
    pub operator: Role,
    pub model: &'a Model,
    /// What the challenger computed itself.
    pub own: &'a Execution,
    /// Where it differs.
    pub place: Place,
    /// What the operator stands by.
    pub answer: &'a Answer,
}

/// Counts what a dispute takes.
#[derive(Default)]
struct Meter(DisputeFigures);

impl Meter {
    fn add(&mut self, landed: &Landed) {
        self.0.transactions += 1;
        self.0.compute_units += landed.compute_units;
        self.0.bytes += landed.bytes;
    }
}

/// Both sides play until it is over. `opening` is the transaction that opened the dispute.
pub fn play(
    stage: &mut Stage,
    dispute: &Pubkey,
    players: &Players,
    opening: &Landed,
) -> anyhow::Result<DisputeFigures> {
    let mut meter = Meter::default();
    meter.add(opening);
    let mut challenge = Challenge::new(players.model, players.own);
    loop {
        let state: Dispute = stage.cluster.account(dispute)?;
        let trace_address = at::opml_oracle::trace(&state.report, &state.claim_hash);
        let trace: Option<Trace> = stage.cluster.find_account(&trace_address)?;
        let time = stage.cluster.now()?;
        let now = Now {
            slot: time.slot,
            unix: time.unix,
            last_restart_slot: 0,
        };
        match state.game.phase.turn() {
            Some(Side::Challenger) => {
                let next = challenge.next_move(&state.game, trace.as_ref(), &now)?;
                meter.0.challenger_moves += 1;
                make_move(stage, &mut meter, players, &state, next)?;
            }
            Some(Side::Operator) => {
                challenge.observe(&state.game, trace.as_ref());
                let next = next_answer(players.answer, &state.game, trace.is_some());
                meter.0.operator_moves += u64::from(next != NextAnswer::AttachTrace);
                meter.add(&give_answer(stage, players.operator, &state, next)?);
            }
            None => return Ok(meter.0),
        }
    }
}

fn make_move(
    stage: &mut Stage,
    meter: &mut Meter,
    players: &Players,
    dispute: &Dispute,
    next: NextMove,
) -> anyhow::Result<()> {
    let action = match &next {
        NextMove::Point => "names the receipt".into(),
        NextMove::Demand { child } => format!("asks what is below child {child}"),
        NextMove::DemandNode { node, .. } => format!("asks for the output of node {node}, the first that differs"),
        NextMove::Timeout => "ends the dispute: the operator is silent".into(),
        NextMove::Prove { element, witness } => {
            return prove(stage, meter, players.challenger, dispute, *element, witness);
        }
        NextMove::Wait | NextMove::Over => String::new(),
    };
    let instruction = next
        .instruction(dispute, players.model, &players.place)
        .with_context(|| format!("The challenger does not move in phase {:?}", dispute.game.phase))?;
    meter.add(&stage.act(players.challenger, action, &[instruction])?);
    Ok(())
}

fn prove(
    stage: &mut Stage,
    meter: &mut Meter,
    challenger: Role,
    dispute: &Dispute,
    element: u32,
    witness: &[u8],
) -> anyhow::Result<()> {
    let key = cast::keypair("witness");
    let proof = Proof {
        dispute,
        element,
        witness,
        witness_account: key.pubkey(),
        lamports: stage.cluster.rent(staging::account_bytes(witness))?,
    };
    let prelude = with_compute_limit(PROOF_COMPUTE_UNITS, []);
    let transactions = staging::stage_and_prove(&proof, &prelude);
    let last = transactions.len() - 1;
    for (i, instructions) in transactions.iter().enumerate() {
        let action = if i == last {
            format!("proves element {element} of the tile wrong")
        } else {
            format!(
                "stages part {} of a witness of {} bytes",
                i + 1,
                format::thousands(witness.len() as u64)
            )
        };
        let signers = if i == 0 { vec![&key] } else { Vec::new() };
        meter.add(&stage.act_with(challenger, action, instructions, &signers)?);
    }
    let close = send::close_witness(challenger.address(), key.pubkey());
    stage.act(challenger, "closes the witness account", &[close])?;
    Ok(())
}

fn give_answer(stage: &mut Stage, operator: Role, dispute: &Dispute, next: NextAnswer) -> anyhow::Result<Landed> {
    let action = match &next {
        NextAnswer::PostTrace { roots } => format!("posts the roots of all {} nodes' outputs", roots.len()),
        NextAnswer::PostTraceRoot { .. } => "posts the root of its trace".into(),
        NextAnswer::AttachTrace => "attaches the trace".into(),
        NextAnswer::Reveal { hashes } => format!("reveals {} hashes", hashes.len()),
        NextAnswer::RevealTile { tile } => format!("reveals the tile of {} bytes", tile.len()),
        NextAnswer::Nothing => String::new(),
    };
    let signer = operator.address();
    let instruction = next
        .instruction(dispute, signer, signer)
        .context("The operator has nothing to answer with")?;
    stage.act(operator, action, &[instruction])
}
