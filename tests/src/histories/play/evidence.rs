//! Fraud that is shown at once, in place of naming the place: another answer, another question, a model that breaks a rule.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    challenge::evidence::{reported, wrong_question},
    instructions::opml_oracle,
};
use opml_runtime::Claim;
use solana_signer::Signer;

use super::{Attempt, Effect};
use crate::{
    histories::{
        kinds::Kind,
        ledger::Phase,
        run::Totals,
        stage::{Place, Stage},
        step::Step,
    },
    world::{answer_key, sign_answer},
};

/// What a challenger shows, and what the ledger makes of it.
struct Evidence {
    bytes: Vec<u8>,
    effect: Effect,
}

impl Stage {
    /// Returns whether there was a dispute in which it can be shown.
    pub(super) fn play_evidence(&mut self, step: &Step, totals: &mut Totals) -> bool {
        let Some((dispute, place)) = self.unnamed(step) else {
            return false;
        };
        let Evidence { mut bytes, mut effect } = self.evidence(step.kind, dispute, &place);
        if !step.legal && step.amount.is_multiple_of(4) {
            bytes.pop();
            effect = Box::new(move |ledger| ledger.prove_by_a_part(dispute));
        }
        let (challenger, key) = (self.challenger_of(dispute), self.world.key());
        let mut last = self.stage_witness(dispute, &bytes, 0, &key, totals);
        // It writes the rest of the evidence, and does not prove.
        last.pop().expect("the last instruction proves");
        if !last.is_empty() {
            self.prepare(&last, &[&challenger, &key], totals);
        }
        let attempt = Attempt {
            instructions: self.show(step.kind, dispute, &place, &key.pubkey()),
            signer: challenger,
            effect,
            repeatable: false,
        };
        self.send(step, &attempt, totals);
        self.close_witness(dispute, &key, totals);
        true
    }

    /// A dispute whose challenger has not named the place, which is still to be seen. Who looks for one with which it is possible takes one of those first.
    fn unnamed(&self, step: &Step) -> Option<(usize, Place)> {
        let is_there = |dispute: &usize| {
            let opened = &self.ledger.disputes[*dispute];
            let place = self.places[*dispute]?;
            let bucket = self.ledger.reports[opened.report].bucket.as_ref()?;
            let is_open = opened.phase == Phase::Opened && bucket.collections.contains_key(&place.payer);
            let fits = step.kind != Kind::ProveWrongQuestion || !self.asked(place.asked).is_to_the_question();
            is_open.then_some((*dispute, place, fits))
        };
        let all = (0..self.ledger.disputes.len()).filter_map(|dispute| is_there(&dispute));
        let (fitting, others): (Vec<_>, Vec<_>) = all.partition(|(_, _, fits)| *fits);
        let found = match step.legal && !fitting.is_empty() {
            true => fitting,
            false => fitting.into_iter().chain(others).collect(),
        };
        step.one_of(found.len()).map(|place| (found[place].0, found[place].1))
    }

    fn evidence(&self, kind: Kind, dispute: usize, place: &Place) -> Evidence {
        let report = self.ledger.disputes[dispute].report;
        match kind {
            Kind::ProveEquivocation => Evidence {
                bytes: reported(&self.shown(report, place)),
                effect: Box::new(move |ledger| ledger.prove_equivocation(dispute)),
            },
            Kind::ProveWrongQuestion => {
                let lane = self.lane_account(place.payer, self.ledger.reports[report].operator);
                let (tree, requests) = self.requests(lane, &self.collected[&(report, place.payer)]);
                let bucket = self.ledger.reports[report]
                    .bucket
                    .as_ref()
                    .expect("its collection is there");
                let sequence = bucket.collections[&place.payer].first + u64::from(place.receipt);
                let request = &requests[usize::try_from(sequence).expect("a history is short")];
                let path = tree.path(sequence).expect("the lane has that request");
                let is_right = self.asked(place.asked).is_to_the_question();
                Evidence {
                    bytes: wrong_question(&self.shown(report, place), request, &path),
                    effect: Box::new(move |ledger| ledger.prove_wrong_question(dispute, is_right)),
                }
            }
            _ => {
                let node = self.node_to_show();
                let bytes = self.served.records.witness(node).expect("the model has that node");
                let is_well_formed = !self.served.is_malformed;
                Evidence {
                    bytes,
                    effect: Box::new(move |ledger| ledger.prove_malformed(dispute, is_well_formed)),
                }
            }
        }
    }

    /// The node that breaks a rule, or the first one.
    fn node_to_show(&self) -> u32 {
        self.served.records.first_fault().map_or(0, |(node, _)| node)
    }

    fn show(&self, kind: Kind, dispute: usize, place: &Place, witness: &Pubkey) -> Vec<Instruction> {
        let report = self.ledger.disputes[dispute].report;
        let (state, collection) = (self.state(dispute), self.collection_account(report, place.payer));
        let digest = state.game.digest;
        match kind {
            Kind::ProveEquivocation => {
                let operator = self.operator_account(self.ledger.reports[report].operator);
                let other = Claim {
                    output_root: [0x77; 32],
                    ..self.asked(place.asked).asked.claim
                };
                let answer = sign_answer(operator, other, &answer_key());
                opml_oracle::prove_equivocation(&state, digest, collection, *witness, &answer).into()
            }
            Kind::ProveWrongQuestion => vec![opml_oracle::prove_wrong_question(&state, digest, collection, *witness)],
            _ => vec![opml_oracle::prove_malformed(
                &state,
                digest,
                *witness,
                self.node_to_show(),
            )],
        }
    }
}
