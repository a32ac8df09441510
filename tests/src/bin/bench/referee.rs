//! `referee.*`: what judging one element costs on chain by the length of its reduction, and whether the compiled program judges as the reference does.

use anyhow::{Context, Result};
use imo_tests::referee::{Comparison, dearest};

use crate::figures::Figures;

/// Elements that one is reduced from: the shortest and the longest that figures are promised for, and some between.
const LENGTHS: [u32; 7] = [384, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768];

pub fn measure(figures: &mut Figures) -> Result<()> {
    for length in LENGTHS {
        let costs = dearest(length).into_iter().map(|(_, cost)| cost);
        let (units, bytes): (Vec<_>, Vec<_>) = costs.map(|cost| (cost.compute_units, cost.witness_bytes)).unzip();
        let none = "no operator reduces";
        figures.set(
            format!("referee.cu_at_{length}"),
            units.into_iter().max().context(none)?,
        );
        figures.set(
            format!("referee.witness_bytes_at_{length}"),
            bytes.into_iter().max().context(none)?,
        );
    }
    let comparison = Comparison::from_environment();
    println!(
        "referee: IMO_REFEREE_SEED={} IMO_REFEREE_CASES={}",
        comparison.seed, comparison.cases
    );
    let tally = comparison.run();
    for mismatch in &tally.mismatches {
        eprintln!("{mismatch}");
    }
    figures.set("referee.differential_cases", tally.cases);
    figures.set("referee.differential_mismatches", tally.mismatches.len());
    Ok(())
}
