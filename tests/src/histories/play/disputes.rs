//! Challengers and operators move, and strangers end and settle.

use ::opml_oracle::state::Report as ReportAccount;
use imo_client::{
    addresses,
    challenge::{NextAnswer, next_answer},
    instructions::opml_oracle,
};
use opml_runtime::execute::trace_tree;
use solana_signer::Signer;

use super::{Attempt, of, once};
use crate::histories::{kinds::Kind, ledger::Phase, stage::Stage, step::Step};

impl Stage {
    pub(super) fn dispute_step(&self, step: &Step) -> Option<Attempt> {
        let stranger = self.stranger();
        match step.kind {
            Kind::OpenDispute => self.open_dispute(step),
            Kind::NextMove => {
                let dispute = self.running(step)?;
                self.move_of(dispute, self.next_move(dispute)?, step)
            }
            Kind::TimeOut => {
                let dispute = self.dispute(step)?;
                self.is_report_there(dispute)?;
                let time_out = opml_oracle::timeout(&self.state(dispute));
                Some(of(stranger, time_out, move |ledger| ledger.time_out(dispute)))
            }
            Kind::SettleDispute => {
                let dispute = self.dispute(step)?;
                self.is_report_there(dispute)?;
                let settle = opml_oracle::settle_dispute(&self.state(dispute));
                Some(of(stranger, settle, move |ledger| ledger.settle_dispute(dispute)))
            }
            Kind::WithdrawPayout => {
                let dispute = self.dispute(step)?;
                let withdraw = opml_oracle::withdraw_payout(stranger.pubkey(), &self.state(dispute));
                Some(of(stranger, withdraw, move |ledger| ledger.withdraw_payout(dispute)))
            }
            Kind::Prove => None,
            _ => self.move_of(self.dispute(step)?, step.kind, step),
        }
    }

    fn open_dispute(&self, step: &Step) -> Option<Attempt> {
        let (who, report) = (step.person(), self.report(step)?);
        let challenger = self.keys.challengers[who].insecure_clone();
        let key = challenger.pubkey();
        let nonce = self.ledger.disputes.len() as u64;
        let address = addresses::opml_oracle::dispute(&self.report_account(report), &key, nonce);
        let commitment = match self.place_to_dispute(report, step) {
            Some(place) => self.shown(report, &place).commitment(&address),
            None => [0; 32],
        };
        let state: ReportAccount = self.world.read(&self.report_account(report));
        Some(once(
            challenger,
            opml_oracle::open_dispute(key, key, &state, nonce, commitment),
            move |ledger| ledger.open_dispute(report, who),
        ))
    }

    pub(super) fn note_dispute(&mut self, step: &Step) {
        let report = self.ledger.disputes.last().expect("one was opened").report;
        let place = self.place_to_dispute(report, step);
        self.places.push(place);
    }

    fn next_move(&self, dispute: usize) -> Option<Kind> {
        let game = &self.ledger.disputes[dispute];
        Some(match game.phase {
            Phase::Opened => Kind::Point,
            Phase::Pointed if self.is_trace_there(dispute) => Kind::AttachTrace,
            Phase::Pointed => Kind::PostTrace,
            Phase::Traced if game.walk.level > 0 => Kind::Demand,
            Phase::Traced => Kind::DemandNode,
            Phase::Demanded if game.walk.in_node => Kind::RevealTile,
            Phase::Demanded => Kind::Reveal,
            Phase::TileKnown | Phase::Proven | Phase::Lost => return None,
        })
    }

    fn move_of(&self, dispute: usize, kind: Kind, step: &Step) -> Option<Attempt> {
        self.is_report_there(dispute)?;
        let place = self.places.get(dispute).copied().flatten()?;
        let asked = self.asked(place.asked);
        let (answer, claim) = (&asked.asked.answer, asked.asked.claim.claim_hash());
        let state = self.state(dispute);
        let digest = state.game.digest;
        let opened = &self.ledger.disputes[dispute];
        let challenger = self.keys.challengers[opened.challenger].insecure_clone();
        // The one who plays on goes to the lie, or to the first node; who tries anything goes anywhere.
        let child = match kind == step.kind {
            true => u8::try_from(step.amount % 17).ok()?,
            false => opened.walk.child_above(asked.lie.unwrap_or(0)).unwrap_or(0),
        };
        Some(match kind {
            Kind::Point => {
                let bucket = self.ledger.reports[opened.report].bucket.as_ref()?;
                bucket.collections.get(&place.payer)?;
                let point = opml_oracle::point(&state, digest, &self.shown(opened.report, &place));
                of(challenger, point, move |ledger| {
                    ledger.point(dispute, place.payer, claim)
                })
            }
            Kind::PostTrace => {
                opened.claim?;
                self.post_trace(dispute, claim, answer.roots())?
            }
            Kind::AttachTrace => {
                opened.claim?;
                let attach = opml_oracle::attach_trace(&state, digest);
                of(self.stranger(), attach, move |ledger| {
                    ledger.attach_trace(dispute, claim)
                })
            }
            Kind::Demand => {
                let demand = opml_oracle::demand(&state, digest, child);
                of(challenger, demand, move |ledger| ledger.demand(dispute, child))
            }
            Kind::DemandNode => {
                let nodes = self.served.model.nodes();
                let node = (opened.walk.first as usize + usize::from(child)).min(nodes.len() - 1);
                let path = self.served.model.graph().path(0, u32::try_from(node).ok()?);
                let header = self.served.model.header();
                let demand = opml_oracle::demand_node(&state, digest, child, header, &nodes[node], path);
                of(challenger, demand, move |ledger| ledger.demand_node(dispute, child))
            }
            Kind::Reveal | Kind::RevealOtherHashes => {
                let is_it = kind == Kind::Reveal;
                let mut hashes = match next_answer(answer, &state.game, true) {
                    NextAnswer::Reveal { hashes } => hashes,
                    // Nobody waits for hashes.
                    _ => vec![[1; 32]; 16],
                };
                if !is_it {
                    hashes[0][0] ^= 1;
                }
                let reveal = opml_oracle::reveal(&state, digest, hashes);
                of(self.stranger(), reveal, move |ledger| ledger.reveal(dispute, is_it))
            }
            _ => {
                let is_it = kind == Kind::RevealTile;
                let output = answer.outputs().get(opened.node as usize)?;
                let mut tile = output.tile(0).expect("an output has a tile").to_vec();
                if !is_it {
                    tile[0] ^= 1;
                }
                let reveal = opml_oracle::reveal_tile(&state, digest, tile);
                of(self.stranger(), reveal, move |ledger| {
                    ledger.reveal_tile(dispute, is_it)
                })
            }
        })
    }

    /// The trace as its size wants it; there is none of a model that nobody can run.
    fn post_trace(&self, dispute: usize, claim: [u8; 32], roots: &[[u8; 32]]) -> Option<Attempt> {
        (!self.served.is_malformed).then_some(())?;
        let state = self.state(dispute);
        let operator = self.ledger.reports[self.ledger.disputes[dispute].report].operator;
        let operator = self.keys.operators[operator].insecure_clone();
        let (key, digest, nodes) = (operator.pubkey(), state.game.digest, self.served.nodes());
        let post = if nodes <= ::opml_oracle::constants::MAX_WHOLE_TRACE_NODES {
            opml_oracle::post_trace(key, key, &state, digest, roots.to_vec())
        } else {
            let tree = trace_tree(roots);
            opml_oracle::post_trace_root(key, key, &state, digest, tree.root(), tree.path(0, nodes - 1))
        };
        Some(of(operator, post, move |ledger| ledger.post_trace(dispute, claim)))
    }
}
