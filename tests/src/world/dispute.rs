//! A dispute, played by the challenger's and the operator's own planning.

use ::opml_oracle::{
    game::{Phase, Side},
    state::{Dispute, Report, Trace},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    challenge::{
        Answer, Challenge, NextAnswer, NextMove, next_answer,
        staging::{self, Proof},
    },
    instructions::opml_oracle::{self, Place},
};
use opml_runtime::{Execution, Model};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Case, World, usdc};
use crate::landed::{Landed, Outcome};

/// What a dispute cost so far, from its opening on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub transactions: u64,
    pub compute_units: u64,
    /// On the wire.
    pub bytes: u64,
    /// Transactions of the operator's.
    pub operator_moves: u64,
}

/// One dispute from its opening on, seen from both sides.
pub struct Duel<'a> {
    pub challenger: &'a Keypair,
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub place: Place,
    pub tally: Tally,
    model: &'a Model,
    challenge: Challenge<'a>,
}

impl<'a> Duel<'a> {
    /// Opens a dispute about a receipt of a sealed case. `own` is the challenger's execution of its input.
    pub fn open(
        world: &mut World,
        challenger: &'a Keypair,
        case: &Case,
        receipt: u32,
        model: &'a Model,
        own: &'a Execution,
    ) -> Self {
        Self::open_with_nonce(world, challenger, 0, case, receipt, model, own)
    }

    pub fn open_with_nonce(
        world: &mut World,
        challenger: &'a Keypair,
        nonce: u64,
        case: &Case,
        receipt: u32,
        model: &'a Model,
        own: &'a Execution,
    ) -> Self {
        world.given_usdc(&challenger.pubkey(), usdc(10));
        let place = case.place(receipt);
        let mut duel = Self {
            challenger,
            dispute: addresses::opml_oracle::dispute(&case.report, &challenger.pubkey(), nonce),
            report: case.report,
            place,
            tally: Tally::default(),
            model,
            challenge: Challenge::new(model, own),
        };
        let report: Report = world.read(&case.report);
        let key = challenger.pubkey();
        let open = opml_oracle::open_dispute(key, key, &report, nonce, duel.place.commitment(&duel.dispute));
        duel.land(world, &[open], &[challenger]);
        duel
    }

    /// The dispute as the chain has it.
    pub fn state(&self, world: &World) -> Dispute {
        world.read(&self.dispute)
    }

    pub fn phase(&self, world: &World) -> Phase {
        self.state(world).game.phase
    }

    /// The trace of its claim, when there is one.
    pub fn trace(&self, world: &World) -> Option<Trace> {
        let address = addresses::opml_oracle::trace(&self.report, &self.place.claim.claim_hash());
        world.is_made(&address).then(|| world.read(&address))
    }

    /// What the challenger's planning says.
    pub fn next_move(&mut self, world: &World) -> NextMove {
        let (state, trace) = (self.state(world), self.trace(world));
        let next = self.challenge.next_move(&state.game, trace.as_ref(), &world.now());
        next.expect("the challenger finds something wrong")
    }

    /// The challenger's next move as transactions, the last of which makes the move; with the witness's key when a witness is staged.
    pub fn planned(&mut self, world: &mut World) -> (Vec<Vec<Instruction>>, Option<Keypair>) {
        let next = self.next_move(world);
        let state = self.state(world);
        let digest = state.game.digest;
        let single = |instruction| (vec![vec![instruction]], None);
        match next {
            NextMove::Point => single(opml_oracle::point(&state, digest, &self.place)),
            NextMove::Demand { child } => single(opml_oracle::demand(&state, digest, child)),
            NextMove::DemandNode {
                child, record, path, ..
            } => single(opml_oracle::demand_node(
                &state,
                digest,
                child,
                self.model.header(),
                &record,
                path,
            )),
            NextMove::Timeout => single(opml_oracle::timeout(&state)),
            NextMove::Prove { element, witness } => {
                let key = world.key();
                let proof = Proof {
                    dispute: &state,
                    element,
                    witness: &witness,
                    witness_account: key.pubkey(),
                    lamports: world.rent_of(staging::account_bytes(&witness)),
                };
                (staging::stage_and_prove(&proof, &[]), Some(key))
            }
            other => panic!("the challenger has nothing to do: {other:?}"),
        }
    }

    /// Everything before the transaction that makes the challenger's next move, which is returned.
    pub fn ready(&mut self, world: &mut World) -> Vec<Instruction> {
        let (mut transactions, witness) = self.planned(world);
        let last = transactions.pop().expect("a move is at least one transaction");
        self.land_staged(world, &transactions, witness.as_ref());
        last
    }

    /// The challenger stages a witness for an element. Returns its account, whose proof is still to come.
    pub fn stage(&mut self, world: &mut World, element: u32, witness: &[u8]) -> Pubkey {
        let key = world.key();
        let state = self.state(world);
        let lamports = world.rent_of(staging::account_bytes(witness));
        let proof = Proof {
            dispute: &state,
            element,
            witness,
            witness_account: key.pubkey(),
            lamports,
        };
        let mut transactions = staging::stage_and_prove(&proof, &[]);
        // The last one may write the rest; without its last instruction it does not prove.
        transactions
            .last_mut()
            .and_then(Vec::pop)
            .expect("the last instruction proves");
        transactions.retain(|staged| !staged.is_empty());
        self.land_staged(world, &transactions, Some(&key));
        key.pubkey()
    }

    /// The challenger stages evidence. Returns its account, which is still to be used.
    pub fn stage_evidence(&mut self, world: &mut World, evidence: &[u8]) -> Pubkey {
        self.stage(world, 0, evidence)
    }

    /// What has the referee judge an element by a witness.
    pub fn prove_of(&self, world: &World, element: u32, witness: &Pubkey) -> Instruction {
        let state = self.state(world);
        opml_oracle::prove(&state, state.game.digest, *witness, element)
    }

    /// The challenger makes its next move. Returns the witness account when it proved.
    pub fn challenger_moves(&mut self, world: &mut World) -> Option<Pubkey> {
        let (transactions, witness) = self.planned(world);
        self.land_staged(world, &transactions, witness.as_ref());
        witness.map(|key| key.pubkey())
    }

    /// The operator's next answer as an instruction, by its authority or backup key `signer`.
    pub fn planned_answer(&self, world: &World, signer: &Pubkey, answer: &Answer) -> Instruction {
        let state = self.state(world);
        let digest = state.game.digest;
        match next_answer(answer, &state.game, self.trace(world).is_some()) {
            NextAnswer::PostTrace { roots } => opml_oracle::post_trace(*signer, *signer, &state, digest, roots),
            NextAnswer::PostTraceRoot { trace_root, path } => {
                opml_oracle::post_trace_root(*signer, *signer, &state, digest, trace_root, path)
            }
            NextAnswer::AttachTrace => opml_oracle::attach_trace(&state, digest),
            NextAnswer::Reveal { hashes } => opml_oracle::reveal(&state, digest, hashes),
            NextAnswer::RevealTile { tile } => opml_oracle::reveal_tile(&state, digest, tile),
            NextAnswer::Nothing => panic!("the operator has nothing to do"),
        }
    }

    /// The operator answers.
    pub fn operator_answers(&mut self, world: &mut World, signer: &Keypair, answer: &Answer) -> Landed {
        let instruction = self.planned_answer(world, &signer.pubkey(), answer);
        self.tally.operator_moves += 1;
        self.land(world, &[instruction], &[signer])
    }

    /// Both sides play until the dispute is in `phase`.
    pub fn play_until(&mut self, world: &mut World, operator: &Keypair, answer: &Answer, phase: Phase) {
        loop {
            let now = self.phase(world);
            if now == phase {
                return;
            }
            match now.turn() {
                Some(Side::Challenger) => {
                    self.challenger_moves(world);
                }
                Some(Side::Operator) => {
                    self.operator_answers(world, operator, answer);
                }
                None => panic!("the dispute is over in phase {now:?} and never was in {phase:?}"),
            }
        }
    }

    /// Lets the deadline of the present turn pass, and anyone ends it.
    pub fn time_out(&mut self, world: &mut World, caller: &Keypair) -> Landed {
        let state = self.state(world);
        let (due_slot, now) = (state.game.clocks.deadline.due_slot, world.now().slot);
        if due_slot >= now {
            world.pass_slots(due_slot - now + 1);
        }
        self.land(world, &[opml_oracle::timeout(&state)], &[caller])
    }

    /// Anyone settles it.
    pub fn settle(&mut self, world: &mut World, caller: &Keypair) -> Landed {
        let settle = opml_oracle::settle_dispute(&self.state(world));
        world.send(&[settle], &[caller]).expect_ok()
    }

    /// Anyone has it paid out and closed.
    pub fn pay_out(&mut self, world: &mut World, caller: &Keypair) -> Landed {
        let pay = opml_oracle::withdraw_payout(caller.pubkey(), &self.state(world));
        world.send(&[pay], &[caller]).expect_ok()
    }

    /// The challenger's transactions, the first of which a witness's key signs too.
    fn land_staged(&mut self, world: &mut World, transactions: &[Vec<Instruction>], witness: Option<&Keypair>) {
        let challenger = self.challenger;
        for (number, instructions) in transactions.iter().enumerate() {
            match witness {
                Some(key) if number == 0 => self.land(world, instructions, &[challenger, key]),
                _ => self.land(world, instructions, &[challenger]),
            };
        }
    }

    fn land(&mut self, world: &mut World, instructions: &[Instruction], signers: &[&Keypair]) -> Landed {
        let landed = world.send(instructions, signers).expect_ok();
        self.tally.transactions += 1;
        self.tally.compute_units += landed.compute_units;
        self.tally.bytes += landed.bytes as u64;
        landed
    }
}
