//! Measures what the project promises figures for: `cargo run -p imo-tests --bin bench -- [adversaries|cu|dispute|invariants|offering|referee|scale|size|yield] [--write-docs]`.
//!
//! Results are merged into `target/bench/results.json`; `docs/performance.md` says what each figure means.

mod adversaries;
mod compute_units;
mod dispute;
mod figures;
mod holders;
mod invariants;
mod memory;
mod offering;
mod referee;
mod scale;
mod size;
mod timing;

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::{Result, bail};
use figures::Figures;
use imo_tests::programs::{PROGRAMS, elf};

/// A name on the command line, and what it measures.
type Suite = (&'static str, fn(&mut Figures) -> Result<()>);

const SUITES: [Suite; 9] = [
    ("adversaries", adversaries::measure),
    ("cu", compute_units::measure),
    ("dispute", dispute::measure),
    ("invariants", invariants::measure),
    ("offering", offering::measure),
    ("referee", referee::measure),
    ("scale", scale::measure),
    ("size", size::measure),
    ("yield", holders::measure),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut write_docs = false;
    let mut wanted = BTreeSet::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--write-docs" => write_docs = true,
            suite if SUITES.iter().any(|(name, _)| *name == suite) => {
                wanted.insert(argument);
            }
            other => bail!(
                "{other} is no suite; the suites are {}",
                SUITES.map(|(name, _)| name).join(", ")
            ),
        }
    }
    for program in &PROGRAMS {
        elf(program)?;
    }
    let mut figures = Figures::read()?;
    for (_, measure) in SUITES
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.contains(*name))
    {
        let mut measured = Figures::default();
        measure(&mut measured)?;
        measured.print();
        figures.replace(measured);
    }
    figures.write()?;
    if write_docs {
        compute_units::write_docs(&figures)?;
    }
    Ok(())
}
