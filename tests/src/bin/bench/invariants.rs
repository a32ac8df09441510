//! `invariants.*`: random histories of all programs against the plain ledger, and what of them nobody can account for.

use std::{thread, time::Instant};

use anyhow::{Result, anyhow};
use imo_tests::histories::{self, Beginning, Totals};

use crate::figures::Figures;

pub fn measure(figures: &mut Figures) -> Result<()> {
    let began = Instant::now();
    let mut total = Totals::default();
    for (beginning, played) in Beginning::ALL.into_iter().zip(play()?) {
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

/// The histories from each beginning, side by side.
fn play() -> Result<Vec<Totals>> {
    thread::scope(|scope| {
        let threads =
            Beginning::ALL.map(|beginning| scope.spawn(move || histories::run(beginning, histories::count())));
        let played = threads.into_iter().map(|thread| {
            let joined = thread.join();
            joined.map_err(|_| anyhow!("the chain and the ledger disagree: see above"))?
        });
        played.collect()
    })
}
