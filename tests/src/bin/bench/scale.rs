//! `dispute.decoder_*`: the same dispute about decoders of up to a billion parameters, and what the model itself takes.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use imo_tests::{World, models::lying_about, programs::target_dir, world::usdc};
use opml::ops::FullyConnected;
use opml_runtime::{Model, fast::Plan, synthetic::DecoderSizes};

use crate::{
    dispute::{Subject, prove_a_lie},
    figures::Figures,
    memory::Memory,
    timing::shortest,
};

const DECODERS: [(&str, DecoderSizes); 3] = [
    ("decoder_10m", DecoderSizes::TEN_MILLION),
    ("decoder_100m", DecoderSizes::HUNDRED_MILLION),
    ("decoder_1b", DecoderSizes::ONE_BILLION),
];

/// How often a run, a trace and the watcher's computation are timed.
const RUNS: usize = 9;
/// How often opening the model is.
const OPENINGS: usize = 3;

pub fn measure(figures: &mut Figures) -> Result<()> {
    for (name, sizes) in DECODERS {
        measure_decoder(figures, name, &sizes)?;
    }
    Ok(())
}

fn measure_decoder(figures: &mut Figures, name: &str, sizes: &DecoderSizes) -> Result<()> {
    let file = target_dir().join("bench").join(format!("{name}.imo"));
    fs::create_dir_all(file.with_file_name("")).context("creating the folder of the bench")?;
    let file_bytes = sizes.save_step(1, &file)?;

    // What the process has by now is the bank's and the programs'.
    let (world, cast) = World::with_protocol();
    let memory = Memory::from_here()?;
    let commit = shortest(OPENINGS, || Ok(Model::open(&file)?))?;
    let model = Model::open(&file)?;
    let prepare = shortest(1, || Ok(Plan::new(&model)))?;
    let plan = Plan::new(&model);
    let input = sizes.input(2)?;
    let run = shortest(RUNS, || Ok(plan.run(&input)?))?;
    let trace = shortest(RUNS, || Ok(plan.execute(&input)?.trace_root()))?;
    let asked = lying_about(&plan, &input, usdc(10), middle_node(&model)?).context("the lie shows in no output")?;
    let subject = Subject {
        name,
        model: &model,
        plan: &plan,
        runs: RUNS,
    };
    let proof = prove_a_lie(world, &cast, &subject, asked)?;
    subject.report(figures, &proof)?;
    model.ensure_unchanged()?;
    let peak = memory.peak()?;

    let mut set = |figure: &str, value: f64| figures.set_rounded(format!("dispute.{name}.{figure}"), value);
    set("commit_ms", milliseconds(commit))?;
    set("commit_gb_per_second", file_bytes as f64 / commit.as_secs_f64() / 1e9)?;
    set("plan_ms", milliseconds(prepare))?;
    set("token_ms", milliseconds(run))?;
    set("trace_ms", milliseconds(trace))?;
    figures.set(format!("dispute.{name}.file_bytes"), file_bytes);
    figures.set(format!("dispute.{name}.peak_bytes"), peak);
    Ok(())
}

/// The middle one of the nodes with the longest reduction, whose proof is the largest.
fn middle_node(model: &Model) -> Result<u32> {
    let lengths = (0..)
        .zip(model.nodes())
        .filter(|(_, node)| node.operator == FullyConnected::NUMBER);
    let lengths: Vec<(u32, u32)> = lengths
        .map(|(index, node)| (index, model.operand_specs(node)[0].cols()))
        .collect();
    let longest = lengths.iter().map(|(_, k)| *k).max().context("a decoder has layers")?;
    let nodes: Vec<u32> = lengths
        .iter()
        .filter(|(_, k)| *k == longest)
        .map(|(index, _)| *index)
        .collect();
    nodes.get(nodes.len() / 2).copied().context("a decoder has layers")
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
