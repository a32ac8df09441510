//! What is explored: a small model, two receipts, terms, and who is honest.

use std::sync::atomic::{AtomicU64, Ordering};

use imo_client::challenge::{Answer, NextAnswer, next_answer};
use model_token::state::DisputeTerms;
use opml::{Claim, Hash, PAD};
use opml_oracle::{
    constants::REVEAL_LEVELS,
    game::{Game, Tree, check_trace_root, whole_trace_root},
    state::{Operator, Report, ReportStatus, StakeVault, Trace},
};
use opml_runtime::{Execution, Model, Tensor, execute, execute::trace_tree};

use super::table::{Seat, Table, beginning, zeroed};

/// Whoever it is plays well and in time; the others do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honest {
    /// Both receipts are true, and the operator answers.
    Operator,
    /// The first receipt is false, and the first seat is a watcher's that knows.
    Challenger,
    /// The first receipt is false.
    Nobody,
}

/// One answered request of the report.
pub struct Answered {
    /// What the model makes of the input.
    pub truth: Execution,
    /// What the operator claims.
    pub claim: Claim,
    /// What the operator may commit to when it is asked for its trace: what it has an answer for, or only roots.
    pub commitments: Vec<Committed>,
}

/// What an operator may post as its trace of one claim.
pub struct Committed {
    pub trace: Trace,
    /// What the trace's leaves are made of.
    pub roots: Vec<Hash>,
    /// What it has to show for it.
    pub answer: Answer,
}

/// A report on a model of which the operator bonds [`BOND`], disputed from `seats` seats.
pub struct Scene {
    pub model: Model,
    pub receipts: Vec<Answered>,
    pub terms: DisputeTerms,
    pub honest: Honest,
    pub seats: usize,
    /// How much the clock moves at once, in slots.
    pub tick_slots: u64,
    longest_slots: AtomicU64,
}

/// What the report's operator bonds, in units: all of its stake.
pub const BOND: u64 = 10_000;

/// A root of which nobody has the preimage.
const GARBAGE: Hash = [0xA5; 32];

impl Scene {
    /// `lie` is what the operator makes of the first receipt; of the second one it always says the truth.
    pub fn new(
        model: Model,
        inputs: &[Tensor],
        lie: Option<Answer>,
        honest: Honest,
        seats: usize,
        terms: DisputeTerms,
        tick_slots: u64,
    ) -> Self {
        assert_eq!(
            lie.is_some(),
            honest != Honest::Operator,
            "an honest operator does not lie"
        );
        let mut lie = lie;
        let receipts = inputs
            .iter()
            .map(|input| {
                let truth = execute(&model, input).expect("the input fits the model");
                let answer = lie.take().unwrap_or_else(|| Answer::from(&truth));
                let mut commitments = vec![Committed::to(&answer, answer.roots().to_vec())];
                if honest != Honest::Operator {
                    let mut roots = answer.roots().to_vec();
                    if roots.len() > 1 {
                        roots[0] = GARBAGE;
                        commitments.push(Committed::to(&answer, roots));
                    }
                }
                Answered {
                    truth,
                    claim: answer.claim(),
                    commitments,
                }
            })
            .collect();
        Self {
            model,
            receipts,
            terms,
            honest,
            seats,
            tick_slots,
            longest_slots: AtomicU64::new(0),
        }
    }

    /// The table when the report has just been sealed.
    pub fn laid(&self) -> Table {
        let now = beginning();
        let node_count = self.model.header().node_count;
        let mut operator = Operator {
            stake_units: BOND,
            ..zeroed()
        };
        operator.lock(BOND).expect("the stake is the bond");
        operator.open_report().expect("the first report");
        let mut report = Report {
            node_count,
            bond_units: BOND,
            model_root: self.model.model_root(),
            status: ReportStatus::Open,
            terms: self.terms,
            ..zeroed()
        };
        report.seal(&now).expect("the report is open");
        Table {
            now,
            report,
            operator,
            stake_vault: StakeVault {
                owed_units: BOND,
                ..zeroed()
            },
            traces: vec![None; self.receipts.len()],
            seats: vec![
                Seat {
                    dispute: None,
                    receipt: 0,
                    opened_slot: 0,
                    seen: Vec::new(),
                    closed: None,
                };
                self.seats
            ],
        }
    }

    /// What the clocks promise for one dispute, in slots: both of them, and to the end of the second for each of the turns, of which there is one
    /// for every move of the deepest descent.
    pub fn longest_bound_slots(&self) -> u64 {
        self.terms.longest_dispute_slots() + SLACK_SLOTS * self.most_turns()
    }

    /// Turns of the longest game on this model.
    fn most_turns(&self) -> u64 {
        let descent = |depth: u8| u64::from(depth).div_ceil(4);
        let trace = match self.model.header().node_count {
            ..=16 => 0,
            count => descent(opml::merkle::depth(count)),
        };
        let outputs = self.receipts[0].truth.outputs().iter();
        let tensor = outputs.map(|output| descent(output.spec().depth())).max().unwrap_or(0);
        // Place and trace, a demand and a reveal for each level of sixteen and for the tile, the proof.
        2 + 2 * (trace + tensor + 1) + 1
    }

    /// Remembers how long a dispute can still last that was opened `slots` before its present turn must have ended.
    pub fn note_length(&self, slots: u64) {
        self.longest_slots.fetch_max(slots, Ordering::Relaxed);
    }

    /// The longest of all disputes explored so far, in slots.
    pub fn longest_slots(&self) -> u64 {
        self.longest_slots.load(Ordering::Relaxed)
    }
}

/// A turn lasts to the end of the second in which it is due.
const SLACK_SLOTS: u64 = 3;

impl Committed {
    fn to(answer: &Answer, roots: Vec<Hash>) -> Self {
        let node_count = u32::try_from(roots.len()).expect("a model has fewer nodes");
        let claim = answer.claim();
        let whole = whole_trace_root(node_count, &claim.output_root, &roots);
        let trace = match whole {
            Ok(trace_root) => Trace {
                whole: true,
                node_count,
                trace_root,
                roots: roots.clone(),
                claim_hash: claim.claim_hash(),
                ..zeroed()
            },
            Err(_) => {
                let tree = trace_tree(&roots);
                let path = tree.path(0, node_count - 1);
                check_trace_root(node_count, &claim.output_root, &tree.root(), path.as_flattened())
                    .expect("the last leaf is the claimed output");
                Trace {
                    node_count,
                    trace_root: tree.root(),
                    claim_hash: claim.claim_hash(),
                    ..zeroed()
                }
            }
        };
        Self {
            trace,
            roots,
            answer: answer.clone(),
        }
    }

    /// What the operator says to a demand, true or not.
    pub fn reply(&self, game: &Game) -> Reply {
        if game.cursor.tree == Tree::Trace {
            let level = game.cursor.level;
            let hashes = if level <= REVEAL_LEVELS {
                let first = (game.cursor.first as usize) << level;
                (first..first + (1 << level))
                    .map(|node| self.roots.get(node).copied().unwrap_or(PAD))
                    .collect()
            } else {
                trace_tree(&self.roots).reveal(level, game.cursor.first)
            };
            return Reply::Hashes(hashes);
        }
        match next_answer(&self.answer, game, true) {
            NextAnswer::Reveal { hashes } => Reply::Hashes(hashes),
            NextAnswer::RevealTile { tile } => Reply::Tile(tile),
            other => panic!("a demand in an output is answered from it: {other:?}"),
        }
    }
}

/// An answer to a demand.
pub enum Reply {
    Hashes(Vec<Hash>),
    Tile(Vec<u8>),
}
