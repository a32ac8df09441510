//! `dispute.<model>.*`: what it takes to prove one wrong element, from the opening to the proof.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use imo_client::challenge::{
    Challenge,
    audit::{Finding, recompute},
};
use imo_protocol::{Now, Receipt};
use imo_tests::{
    Cast, World,
    models::{dense, digits, lying},
    world::{Case, Duel, usdc},
};
use opml_oracle::{
    game::{Game, Phase, Side},
    state::Trace,
};
use opml_runtime::{Model, execute};
use serde_json::Number;

use crate::figures::Figures;

/// How often the watcher's computation is timed.
const RUNS: usize = 31;

pub fn measure(figures: &mut Figures) -> Result<()> {
    // The digits model has five nodes, the network two: the lie is in an element in the middle of a node in the middle.
    prove_a_lie(figures, "digits", &digits(), 2)?;
    prove_a_lie(figures, "dnn_784_20_10", &dense(&[784, 20, 10]), 0)
}

/// A turn of the challenger's as it found it.
type Turn = (Game, Option<Trace>);

fn prove_a_lie(figures: &mut Figures, name: &str, model: &Model, node: u32) -> Result<()> {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, model);
    let case = world.given_sealed(&cast, service, vec![lying(model, 0, usdc(10), node)]);
    let own = execute(model, &case.asked[0].input)?;
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, model, &own);
    let turns = play(&mut world, &cast, &case, &mut duel);
    let tally = duel.tally;
    let watcher = time_the_watcher(model, &case, &turns, &world.now())?;
    let milliseconds = Number::from_f64((watcher.as_secs_f64() * 1e6).round() / 1e3).context("a time is finite")?;
    let mut set = |figure: &str, value: Number| figures.set(format!("dispute.{name}.{figure}"), value);
    set("operator_moves", tally.operator_moves.into());
    set("transactions", tally.transactions.into());
    set("compute_units", tally.compute_units.into());
    set("bytes", tally.bytes.into());
    set("watcher_ms", milliseconds);
    Ok(())
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

/// The median of what the watcher itself computes: from the receipt, by running the model, over the search for the wrong place to the finished witness.
fn time_the_watcher(model: &Model, case: &Case, turns: &[Turn], now: &Now) -> Result<Duration> {
    let input = &case.asked[0].input;
    let receipt = Receipt {
        lane: case.service.customer.lane,
        sequence: 0,
        claim: case.asked[0].claim,
        salt: case.asked[0].salt,
    };
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        let Finding::WrongOutput(own) = recompute(model, input, &receipt)? else {
            bail!("the answer is wrong")
        };
        let mut challenge = Challenge::new(model, &own);
        for (game, trace) in turns {
            challenge.next_move(game, trace.as_ref(), now)?;
        }
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times.get(RUNS / 2).copied().context("the watcher was timed")
}
