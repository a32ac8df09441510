//! `dispute.<model>.*`: what it takes to prove one wrong element, from the opening to the proof.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, bail};
use imo_client::challenge::{
    Challenge,
    audit::{Finding, judge},
};
use imo_protocol::{Now, Receipt};
use imo_tests::{
    Cast, World,
    imported::{self, Imported},
    models::{dense, digits, lying},
    world::{Asked, Case, Duel, Tally, usdc},
};
use opml::ops::{FullyConnected, Gather, GroupedFullyConnected, LayerNorm, RmsNorm};
use opml_oracle::{
    game::{Game, Phase, Side},
    state::Trace,
};
use opml_runtime::{Model, NodeRecord, Operand, fast::Plan};

use crate::{figures::Figures, timing::shortest};

/// How often the watcher's computation is timed.
const RUNS: usize = 31;

pub fn measure(figures: &mut Figures) -> Result<()> {
    // The digits model has five nodes, the network two: the lie is in an element in the middle of a node in the middle.
    for (name, model, node) in [("digits", digits(), 2), ("dnn_784_20_10", dense(&[784, 20, 10]), 0)] {
        let subject = Subject {
            name,
            model: &model,
            plan: &Plan::new(&model),
            runs: RUNS,
        };
        let (world, cast) = World::with_protocol();
        let proof = prove_a_lie(world, &cast, &subject, lying(&model, 0, usdc(10), node))?;
        subject.report(figures, &proof)?;
    }
    imported::ALL
        .into_iter()
        .try_for_each(|source| measure_imported(figures, source))
}

/// A lie in each kind of operator of an imported model, and of everything the most that one of them takes.
fn measure_imported(figures: &mut Figures, source: imported::Source) -> Result<()> {
    let imported = Imported::open(source);
    let (name, plan) = (imported.name, Plan::new(&imported.model));
    let subject = Subject {
        name,
        model: &imported.model,
        plan: &plan,
        runs: RUNS,
    };
    let lies = imported.lies(&plan);
    figures.set(format!("dispute.{name}.operators"), lies.len());
    let mut most = Proof::default();
    for lie in lies {
        let (world, cast) = World::with_protocol();
        most = most.max(prove_a_lie(world, &cast, &subject, lie.wrong)?);
    }
    subject.report(figures, &most)
}

/// A turn of the challenger's as it found it.
type Turn = (Game, Option<Trace>);

/// What a dispute is about.
pub struct Subject<'a> {
    pub name: &'a str,
    pub model: &'a Model,
    pub plan: &'a Plan,
    /// How often the watcher's computation is timed.
    pub runs: usize,
}

impl Subject<'_> {
    pub fn report(&self, figures: &mut Figures, proof: &Proof) -> Result<()> {
        let Proof { tally, watcher } = proof;
        let mut set = |figure: &str, value: u64| figures.set(format!("dispute.{}.{figure}", self.name), value);
        set("parameters", parameters(self.model));
        set("operator_moves", tally.operator_moves);
        set("transactions", tally.transactions);
        set("compute_units", tally.compute_units);
        set("bytes", tally.bytes);
        figures.set_rounded(format!("dispute.{}.watcher_ms", self.name), watcher.as_secs_f64() * 1e3)
    }
}

/// What it took to prove a lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proof {
    tally: Tally,
    /// What the watcher computed.
    watcher: Duration,
}

impl Proof {
    /// Of each figure the greater one.
    fn max(self, other: Self) -> Self {
        let (a, b) = (self.tally, other.tally);
        Self {
            tally: Tally {
                transactions: a.transactions.max(b.transactions),
                compute_units: a.compute_units.max(b.compute_units),
                bytes: a.bytes.max(b.bytes),
                operator_moves: a.operator_moves.max(b.operator_moves),
            },
            watcher: self.watcher.max(other.watcher),
        }
    }
}

/// Plays a dispute about one wrong answer to its end, and times what the watcher computes in it.
pub fn prove_a_lie(mut world: World, cast: &Cast, subject: &Subject, asked: Asked) -> Result<Proof> {
    let Subject { model, plan, .. } = *subject;
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![asked]);
    let own = plan.execute(&case.asked[0].input)?;
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, model, &own);
    let turns = play(&mut world, cast, &case, &mut duel);
    Ok(Proof {
        tally: duel.tally,
        watcher: time_the_watcher(subject, &case, &turns, &world.now())?,
    })
}

/// Weights, biases, embeddings and what normalisations scale with: what people count. Quantisation parameters and tables of functions are none.
fn parameters(model: &Model) -> u64 {
    let learned = |node: &NodeRecord| match node.operator {
        FullyConnected::NUMBER | GroupedFullyConnected::NUMBER => node.operands[1..3].to_vec(),
        Gather::NUMBER => node.operands[1..2].to_vec(),
        LayerNorm::NUMBER | RmsNorm::NUMBER => node.operands[1..].to_vec(),
        _ => Vec::new(),
    };
    let constants: BTreeSet<u32> = model
        .nodes()
        .iter()
        .flat_map(learned)
        .filter_map(|operand| match operand {
            Operand::Constant(index) => Some(index),
            _ => None,
        })
        .collect();
    let elements = |index: u32| u64::from(model.constants()[index as usize].spec().elements());
    constants.into_iter().map(elements).sum()
}

/// Both sides play to the proof.
fn play(world: &mut World, cast: &Cast, case: &Case, duel: &mut Duel) -> Vec<Turn> {
    let mut turns = Vec::new();
    loop {
        match duel.phase(world).turn() {
            Some(Side::Challenger) => {
                turns.push((duel.state(world).game, duel.trace(world)));
                duel.challenger_moves(world);
            }
            Some(Side::Operator) => {
                duel.operator_answers(world, &cast.operator, &case.asked[0].answer);
            }
            None => {
                assert_eq!(duel.phase(world), Phase::Proven, "the watcher wins");
                return turns;
            }
        }
    }
}

/// What the watcher itself computes: from the receipt, by running the model, over the search for the wrong place to the finished witness. The model is open and
/// planned, as a watcher's is that judges one receipt after the other.
fn time_the_watcher(subject: &Subject, case: &Case, turns: &[Turn], now: &Now) -> Result<Duration> {
    let Subject { model, plan, runs, .. } = *subject;
    let input = &case.asked[0].input;
    let receipt = Receipt {
        lane: case.service.customer.lane,
        sequence: 0,
        claim: case.asked[0].claim,
        salt: case.asked[0].salt,
    };
    shortest(runs, || {
        let Finding::WrongOutput(own) = judge(plan.execute(input)?, &receipt) else {
            bail!("the answer is wrong")
        };
        let mut challenge = Challenge::new(model, &own);
        for (game, trace) in turns {
            challenge.next_move(game, trace.as_ref(), now)?;
        }
        Ok(())
    })
}
