//! What anybody can do at a table.

use anchor_lang::prelude::Pubkey;
use imo_client::challenge::{Challenge, NextMove};
use opml::{Verdict, referee};
use opml_oracle::{
    constants::MAX_WHOLE_TRACE_NODES,
    errors::OracleError,
    game::{Game, Phase, Side},
    state::Dispute,
};
use opml_runtime::{ClaimedTrace, witness};
use stateright::{Model, Property};

use super::{
    properties,
    scene::{Honest, Reply, Scene},
    table::{Closed, Table, first_slot_past, zeroed},
};

/// One call, or time that passes. Whoever is named by a seat is its challenger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nobody does anything for a tick.
    Wait,
    /// A challenger opens a dispute and commits to a receipt.
    Open { seat: usize, receipt: usize },
    /// It names the receipt; the trace is attached when it is there.
    Point { seat: usize },
    /// The operator commits to one of the traces that it may.
    PostTrace { seat: usize, commitment: usize },
    /// Somebody attaches the trace that a sibling dispute brought.
    AttachTrace { seat: usize },
    /// A challenger picks a child of the frontier.
    Demand { seat: usize, child: u8 },
    /// Somebody shows what the operator has to show.
    Answer { seat: usize },
    /// An honest challenger makes the move that it has planned.
    Planned { seat: usize },
    /// A challenger has the referee look at an element.
    Prove { seat: usize, element: u32 },
    /// Anyone ends a turn that is over.
    TimeOut { seat: usize },
    /// Anyone settles a dispute and has it paid out and closed.
    Settle { seat: usize },
    /// Anyone makes the report final.
    Finalise,
}

impl Model for Scene {
    type State = Table;
    type Action = Action;

    fn init_states(&self) -> Vec<Table> {
        vec![self.laid()]
    }

    fn actions(&self, table: &Table, actions: &mut Vec<Action>) {
        if self.may_wait(table) {
            actions.push(Action::Wait);
        }
        actions.push(Action::Finalise);
        for seat in 0..self.seats {
            self.seat_actions(table, seat, actions);
        }
    }

    /// The state after the call, or `None` when the programs refuse it.
    fn next_state(&self, last: &Table, action: Action) -> Option<Table> {
        let mut table = last.clone();
        self.apply(&mut table, &action).ok()?;
        if let Some(seat) = action.seat() {
            self.remember(&mut table, seat);
        }
        Some(table)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self.honest)
    }
}

impl Action {
    fn seat(&self) -> Option<usize> {
        match *self {
            Self::Wait | Self::Finalise => None,
            Self::Open { seat, .. }
            | Self::Point { seat }
            | Self::PostTrace { seat, .. }
            | Self::AttachTrace { seat }
            | Self::Demand { seat, .. }
            | Self::Answer { seat }
            | Self::Planned { seat }
            | Self::Prove { seat, .. }
            | Self::TimeOut { seat }
            | Self::Settle { seat } => Some(seat),
        }
    }

    /// Whether a stranger can do it, who has no money at stake and nothing to show.
    pub fn is_anyones(&self) -> bool {
        matches!(self, Self::TimeOut { .. } | Self::Settle { .. } | Self::Finalise)
    }
}

/// A refusal: an error of the program, or of the clients' planning.
pub struct Refused;

impl<E: std::fmt::Debug> From<E> for Refused {
    fn from(_: E) -> Self {
        Self
    }
}

impl Scene {
    /// Time passes while it can change anything, unless an honest side would lose its turn.
    fn may_wait(&self, table: &Table) -> bool {
        let mut later = table.clone();
        later.pass(self.tick_slots);
        table.deadlines().any(|deadline| !deadline.is_past(&table.now)) && !self.misses(table, &later)
    }

    /// Whether an honest side that has to move would be late.
    fn misses(&self, table: &Table, later: &Table) -> bool {
        let late = |seat: usize, side: Side| {
            table.seat(seat).is_some_and(|dispute| {
                let game = &dispute.game;
                game.phase.turn() == Some(side) && !game.clocks.is_late(&table.now) && game.clocks.is_late(&later.now)
            })
        };
        match self.honest {
            Honest::Nobody => false,
            Honest::Operator => (0..self.seats).any(|seat| late(seat, Side::Operator)),
            Honest::Challenger => {
                let has_opened = table.seat(0).is_some() || table.seats[0].closed.is_some();
                let can_open = !has_opened && table.report.require_disputable(&table.now).is_ok();
                late(0, Side::Challenger) || (can_open && table.report.require_disputable(&later.now).is_err())
            }
        }
    }

    fn is_honest_seat(&self, seat: usize) -> bool {
        self.honest == Honest::Challenger && seat == 0
    }

    fn seat_actions(&self, table: &Table, seat: usize, actions: &mut Vec<Action>) {
        let Some(dispute) = table.seat(seat) else {
            if table.seats[seat].closed.is_none() {
                let receipts = if self.is_honest_seat(seat) {
                    1
                } else {
                    self.receipts.len()
                };
                actions.extend((0..receipts).map(|receipt| Action::Open { seat, receipt }));
            }
            return;
        };
        actions.extend([Action::TimeOut { seat }, Action::Settle { seat }]);
        let game = &dispute.game;
        match game.phase {
            Phase::Opened => actions.push(Action::Point { seat }),
            Phase::Pointed => {
                actions.push(Action::AttachTrace { seat });
                let receipt = &self.receipts[table.seats[seat].receipt];
                actions.extend((0..receipt.commitments.len()).map(|commitment| Action::PostTrace { seat, commitment }));
            }
            Phase::Demanded => actions.push(Action::Answer { seat }),
            Phase::Traced | Phase::Narrowed | Phase::TileKnown if self.is_honest_seat(seat) => {
                actions.push(Action::Planned { seat });
            }
            Phase::Traced | Phase::Narrowed => {
                let children = u8::try_from(game.frontier.len()).expect("a frontier is at most sixteen");
                // One more than there are: it is refused.
                actions.extend((0..=children).map(|child| Action::Demand { seat, child }));
            }
            Phase::TileKnown => {
                let spec = game.spec().expect("a node was picked");
                let elements = game.tile.len() / spec.element().size() as usize;
                let elements = u32::try_from(elements).expect("a tile is at most 256 bytes");
                // The first, the last, and the one that a lie in the middle of a row is in.
                let mut tried = vec![0, elements / 2, elements.saturating_sub(1)];
                tried.dedup();
                actions.extend(tried.into_iter().map(|element| Action::Prove { seat, element }));
            }
            Phase::Proven | Phase::Lost => {}
        }
    }

    fn apply(&self, table: &mut Table, action: &Action) -> Result<(), Refused> {
        let now = table.now;
        match *action {
            Action::Wait => {
                table.pass(self.tick_slots);
                Ok(())
            }
            Action::Finalise => Ok(table.report.finalise(&now, &mut table.operator)?),
            Action::Open { seat, receipt } => self.open(table, seat, receipt),
            Action::Point { seat } => {
                let receipt = table.seats[seat].receipt;
                let claim = self.receipts[receipt].claim;
                let dispute = dispute(table, seat)?;
                let digest = dispute.game.digest;
                dispute.game.point(&now, &digest, &[])?;
                dispute.input_root = claim.input_root;
                dispute.output_root = claim.output_root;
                dispute.claim_hash = claim.claim_hash();
                if table.traces[receipt].is_some() {
                    self.attach(table, seat)?;
                }
                Ok(())
            }
            Action::PostTrace { seat, commitment } => {
                let receipt = table.seats[seat].receipt;
                if table.traces[receipt].is_some() {
                    return Err(Refused);
                }
                let trace = &self.receipts[receipt].commitments[commitment].trace;
                let dispute = dispute(table, seat)?;
                let digest = dispute.game.digest;
                dispute
                    .game
                    .trace(&now, &digest, true, &trace.trace_root, &trace.roots)?;
                table.traces[receipt] = Some(trace.clone());
                Ok(())
            }
            Action::AttachTrace { seat } => self.attach(table, seat),
            Action::Demand { seat, child } => {
                let dispute = dispute(table, seat)?;
                self.demand(&mut dispute.game, &now, child)
            }
            Action::Answer { seat } => {
                let receipt = table.seats[seat].receipt;
                let posted = table.traces[receipt].as_ref().ok_or(Refused)?.trace_root;
                let committed = self.receipts[receipt]
                    .commitments
                    .iter()
                    .find(|committed| committed.trace.trace_root == posted)
                    .ok_or(Refused)?;
                let game = &mut dispute(table, seat)?.game;
                let digest = game.digest;
                match committed.reply(game) {
                    Reply::Hashes(hashes) => Ok(game.reveal(&now, &digest, &hashes)?),
                    Reply::Tile(tile) => Ok(game.reveal_tile(&now, &digest, &tile)?),
                }
            }
            Action::Planned { seat } => match self.planned(table, seat) {
                NextMove::Demand { child } | NextMove::DemandNode { child, .. } => {
                    self.demand(&mut dispute(table, seat)?.game, &now, child)
                }
                NextMove::Prove { element, witness } => self.prove(table, seat, element, &witness),
                other => panic!("it is the challenger's turn, which plans {other:?}"),
            },
            Action::Prove { seat, element } => {
                let game = &table.seat(seat).ok_or(Refused)?.game;
                let receipt = table.seats[seat].receipt;
                let truth = &self.receipts[receipt].truth;
                let trace = table.traces[receipt].as_ref().ok_or(Refused)?;
                let claimed = if trace.whole {
                    ClaimedTrace::whole(&trace.roots)
                } else {
                    ClaimedTrace::walked(truth)
                };
                let witness = witness::build(
                    &self.model,
                    truth,
                    &claimed,
                    game.node_index,
                    game.cursor.first,
                    element,
                )?;
                self.prove(table, seat, element, &witness)
            }
            Action::TimeOut { seat } => {
                let silent = dispute(table, seat)?.game.time_out(&now)?;
                if silent == Side::Operator {
                    table.report.reject(&mut table.operator, &now)?;
                }
                Ok(())
            }
            Action::Settle { seat } => {
                let Table {
                    report,
                    operator,
                    stake_vault,
                    seats,
                    ..
                } = table;
                let mut dispute = seats[seat].dispute.take().ok_or(Refused)?;
                dispute.settle(report, operator, stake_vault)?;
                stake_vault.pay(dispute.payout_units)?;
                seats[seat].closed = Some(Closed {
                    order: dispute.order,
                    challenger_moves: dispute.game.challenger_moves,
                    payout_units: dispute.payout_units,
                });
                Ok(())
            }
        }
    }

    fn open(&self, table: &mut Table, seat: usize, receipt: usize) -> Result<(), Refused> {
        table.report.require_disputable(&table.now)?;
        let terms = &self.terms;
        let order = table.report.enter_dispute(&mut table.operator)?;
        table.stake_vault.insure(terms.open_fee_units)?;
        table
            .stake_vault
            .owe(terms.open_fee_units + terms.challenger_bond_units)?;
        table.seats[seat].receipt = receipt;
        table.seats[seat].opened_slot = table.now.slot;
        table.seats[seat].dispute = Some(Dispute {
            order,
            bond_units: terms.challenger_bond_units,
            game: Game::open(
                &table.now,
                terms,
                &Pubkey::default(),
                order,
                &[0; 32],
                table.report.node_count,
            ),
            ..zeroed()
        });
        Ok(())
    }

    fn attach(&self, table: &mut Table, seat: usize) -> Result<(), Refused> {
        let trace = table.traces[table.seats[seat].receipt].clone().ok_or(Refused)?;
        let now = table.now;
        let dispute = dispute(table, seat)?;
        let digest = dispute.game.digest;
        Ok(dispute.attach(&now, &digest, Pubkey::default(), &trace)?)
    }

    fn demand(&self, game: &mut Game, now: &imo_protocol::Now, child: u8) -> Result<(), Refused> {
        let digest = game.digest;
        if !game.cursor.is_at_trace_leaves() {
            return Ok(game.demand(now, &digest, child)?);
        }
        let node = game.picked_node(child)?;
        let spec = self.receipts[0].truth.outputs()[node as usize].spec();
        Ok(game.demand_node(now, &digest, child, Some(spec))?)
    }

    fn prove(&self, table: &mut Table, seat: usize, element: u32, witness: &[u8]) -> Result<(), Refused> {
        let now = table.now;
        let model_root = table.report.model_root;
        let dispute = table.seats[seat].dispute.as_mut().ok_or(Refused)?;
        let digest = dispute.game.digest;
        dispute.game.require_provable(&now, &digest)?;
        let verdict = referee::check(
            &dispute.claim(model_root),
            &dispute.game.trace_root,
            dispute.game.node_index,
            dispute.game.cursor.first,
            &dispute.game.tile,
            element,
            witness,
        )?;
        match verdict {
            Verdict::Wrong { .. } | Verdict::MalformedModel(_) => {}
            Verdict::Correct => return Err(Refused::from(OracleError::ElementIsCorrect)),
        }
        dispute.game.prove(&now, &digest, element)?;
        table.report.reject(&mut table.operator, &now)?;
        Ok(())
    }

    /// What the client of an honest challenger does, given all that it saw.
    fn planned(&self, table: &Table, seat: usize) -> NextMove {
        let receipt = table.seats[seat].receipt;
        let mut challenge = Challenge::new(&self.model, &self.receipts[receipt].truth);
        let trace = table.traces[receipt].as_ref();
        for game in &table.seats[seat].seen {
            challenge.observe(game, trace);
        }
        let game = &table.seat(seat).expect("it has opened").game;
        challenge
            .next_move(game, trace, &table.now)
            .expect("an honest challenger finds what is wrong")
    }

    /// The digest names the moves so far. Every action answers the present state, and two histories that lead to the same state are the same from
    /// then on: so it is forgotten, and only what an honest challenger's planning needs is remembered.
    fn remember(&self, table: &mut Table, seat: usize) {
        let walks = self.is_honest_seat(seat) && self.model.header().node_count > MAX_WHOLE_TRACE_NODES;
        let place = &mut table.seats[seat];
        let Some(dispute) = place.dispute.as_mut() else {
            place.seen.clear();
            return;
        };
        let game = &mut dispute.game;
        game.digest = [0; 32];
        if walks && matches!(game.phase, Phase::Traced | Phase::Narrowed) {
            place.seen.push(game.clone());
        }
        if game.phase.turn().is_some() {
            self.note_length(first_slot_past(&game.clocks.deadline) - place.opened_slot);
        }
    }
}

fn dispute(table: &mut Table, seat: usize) -> Result<&mut Dispute, Refused> {
    table.seats[seat].dispute.as_mut().ok_or(Refused)
}
