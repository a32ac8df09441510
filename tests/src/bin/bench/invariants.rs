//! `invariants.*`: random histories of all programs against the plain ledger, how often each instruction was tried, and what nobody can account for.

use std::time::Instant;

use anyhow::Result;
use imo_tests::histories::{self, Totals};

use crate::figures::Figures;

pub fn measure(figures: &mut Figures) -> Result<()> {
    let began = Instant::now();
    let mut total = Totals::default();
    for (beginning, played) in histories::run_all(histories::count())? {
        println!(
            "{beginning:?}: {} histories, {} landed, {} refused, unaccounted: {} lamports, {} units",
            played.histories, played.landed, played.refused, played.unaccounted_lamports, played.unaccounted_units
        );
        total.add(&played);
    }
    for (program, instruction, tries) in total.tally.iter() {
        println!(
            "{program}::{instruction}: {} landed, {} refused",
            tries.landed, tries.refused
        );
    }
    total.tally.require_all_landed()?;
    let least = total
        .tally
        .iter()
        .map(|(.., tries)| tries.landed)
        .filter(|landed| *landed > 0)
        .min();
    figures.set("invariants.instructions", total.tally.landed() as u64);
    figures.set("invariants.least_landed", least.unwrap_or(0));
    figures.set("invariants.sequences", total.histories);
    figures.set("invariants.steps", total.steps);
    figures.set("invariants.landed", total.landed);
    figures.set("invariants.refused", total.refused);
    figures.set(
        "invariants.unaccounted",
        total.unaccounted_lamports + total.unaccounted_units,
    );
    figures.set_rounded("invariants.seconds", began.elapsed().as_secs_f64())
}
