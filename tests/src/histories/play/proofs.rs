//! A challenger stages a witness and has the referee look at an element.

use anchor_lang::solana_program::instruction::Instruction;
use imo_client::{
    challenge::staging::{self, Proof},
    instructions::opml_oracle,
};
use opml_runtime::{ClaimedTrace, execute, witness};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::Attempt;
use crate::{
    histories::{
        ledger::Phase,
        run::Totals,
        stage::{Place, Stage},
        step::Step,
    },
    landed::Outcome,
};

impl Stage {
    /// A dispute of which the tile is known, and what it is about. What is behind the lie follows from it: there is no witness of the own execution for it.
    fn provable(&self, step: &Step) -> Option<(usize, Place)> {
        let place = |dispute: usize| {
            let opened = &self.ledger.disputes[dispute];
            let place = self.places[dispute]?;
            let is_behind = self.asked(place.asked).lie.is_some_and(|lie| opened.node > lie);
            (opened.phase == Phase::TileKnown && !is_behind).then_some((dispute, place))
        };
        let provable: Vec<_> = (0..self.ledger.disputes.len()).filter_map(place).collect();
        step.one_of(provable.len()).map(|which| provable[which])
    }

    /// The element that is wrong, if one is. Returns whether there was something to prove.
    pub(super) fn play_proof(&mut self, step: &Step, totals: &mut Totals) -> bool {
        let Some((dispute, place)) = self.provable(step) else {
            return false;
        };
        let catalogued = self.asked(place.asked);
        let asked = &catalogued.asked;
        let truth = execute(&self.served.model, &asked.input).expect("the input fits the model");
        let node = self.ledger.disputes[dispute].node;
        let is_false = catalogued.lie == Some(node);
        let own = truth.outputs()[node as usize].bytes().iter();
        let claimed = asked.answer.outputs()[node as usize].bytes();
        let differs = own.zip(claimed).position(|(own, claimed)| own != claimed);
        let element = u32::try_from(differs.unwrap_or(0)).expect("a row is short");
        let roots = ClaimedTrace::whole(asked.answer.roots());
        let witness = witness::build(&self.served.model, &truth, &roots, node, 0, element).expect("the node has it");
        let (challenger, key) = (self.challenger_of(dispute), self.world.key());
        let last = self.stage_witness(dispute, &witness, element, &key, totals);
        let attempt = Attempt {
            instructions: last,
            signer: challenger,
            effect: Box::new(move |ledger| ledger.prove(dispute, is_false)),
            repeatable: false,
        };
        self.send(step, &attempt, totals);
        self.close_witness(dispute, &key, totals);
        true
    }

    pub(super) fn challenger_of(&self, dispute: usize) -> Keypair {
        self.keys.challengers[self.ledger.disputes[dispute].challenger].insecure_clone()
    }

    /// Writes a witness into its account. Returns the last transaction of a proof, which may still write some of it.
    pub(super) fn stage_witness(
        &mut self,
        dispute: usize,
        witness: &[u8],
        element: u32,
        key: &Keypair,
        totals: &mut Totals,
    ) -> Vec<Instruction> {
        let (state, challenger) = (self.state(dispute), self.challenger_of(dispute));
        let proof = Proof {
            dispute: &state,
            element,
            witness,
            witness_account: key.pubkey(),
            lamports: self.world.rent_of(staging::account_bytes(witness)),
        };
        let mut staged = staging::stage_and_prove(&proof, &[]);
        let last = staged.pop().expect("a proof is at least one transaction");
        for instructions in staged {
            self.prepare(&instructions, &[&challenger, key], totals);
        }
        last
    }

    pub(super) fn close_witness(&mut self, dispute: usize, key: &Keypair, totals: &mut Totals) {
        let challenger = self.challenger_of(dispute);
        let close = opml_oracle::close_witness(challenger.pubkey(), key.pubkey());
        self.prepare(&[close], &[&challenger], totals);
    }

    /// What leads to a move or cleans up after it, and changes nothing that the ledger knows.
    pub(super) fn prepare(&mut self, instructions: &[Instruction], signers: &[&Keypair], totals: &mut Totals) {
        let landed = self.world.send(instructions, signers).expect_ok();
        for used in &landed.instructions {
            totals.tally.land(used.program, &used.instruction);
        }
    }
}
