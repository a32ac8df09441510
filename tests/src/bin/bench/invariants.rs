//! `invariants.*`: random histories of all programs against the plain ledger, and what of them nobody can account for.

use std::time::Instant;

use anyhow::Result;
use imo_tests::histories::{self, Beginning};

use crate::figures::Figures;

pub fn measure(figures: &mut Figures) -> Result<()> {
    let began = Instant::now();
    let mut total = histories::Totals::default();
    for beginning in Beginning::ALL {
        let played = histories::run(beginning, histories::HISTORIES)?;
        println!("{beginning:?}: {played:?}");
        total.add(&played);
    }
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
