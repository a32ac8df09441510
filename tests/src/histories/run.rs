//! Many random histories, one after the other; the first that goes wrong is made short and kept.

use std::{
    cell::Cell,
    env,
    panic::{set_hook, take_hook},
    sync::Once,
};

use anyhow::{Result, anyhow};
use proptest::{
    collection::vec,
    test_runner::{Config, FileFailurePersistence, TestError, TestRunner},
};

use super::{
    audit,
    stage::{Beginning, Stage},
    step::{Step, step},
};
use crate::programs::workspace;

/// Steps of a history.
pub const STEPS: usize = 60;

/// Histories from each beginning.
pub const HISTORIES: u32 = 500;

/// Histories from each beginning: [`HISTORIES`], unless the variable `IMO_HISTORIES` says how many.
pub fn count() -> u32 {
    env::var("IMO_HISTORIES").map_or(HISTORIES, |count| count.parse().expect("IMO_HISTORIES is a number"))
}

/// How long a failure is made shorter, in milliseconds.
const SHRINK_MILLISECONDS: u32 = 60_000;

/// How much was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub histories: u64,
    pub steps: u64,
    /// Transactions that landed, and that were refused as foreseen.
    pub landed: u64,
    pub refused: u64,
    /// What nobody owns or is owed after all, in lamports and in units of revenue and of the model's token.
    pub unaccounted_lamports: u64,
    pub unaccounted_units: u64,
}

impl Totals {
    pub fn add(&mut self, other: &Self) {
        let Self {
            histories,
            steps,
            landed,
            refused,
            unaccounted_lamports,
            unaccounted_units,
        } = other;
        self.histories += histories;
        self.steps += steps;
        self.landed += landed;
        self.refused += refused;
        self.unaccounted_lamports += unaccounted_lamports;
        self.unaccounted_units += unaccounted_units;
    }
}

/// Plays `histories` histories from a beginning, and before them those that once went wrong. Panics where the chain and the ledger disagree, with the shortest history found
/// that shows it.
pub fn run(beginning: Beginning, histories: u32) -> Result<Totals> {
    let mut root = Stage::launch();
    root.begin(beginning);
    let totals = Cell::new(Totals::default());
    let mut runner = TestRunner::new(Config {
        cases: histories,
        max_shrink_time: SHRINK_MILLISECONDS,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept(beginning)))),
        ..Config::default()
    });
    let result = quietly(|| {
        runner.run(&vec(step(), STEPS), |steps| {
            let mut played = totals.get();
            play(&root, &steps, &mut played);
            totals.set(played);
            Ok(())
        })
    });
    match result {
        Ok(()) => Ok(totals.get()),
        Err(TestError::Fail(reason, steps)) => {
            println!("{beginning:?}: {steps:#?}");
            play(&root, &steps, &mut Totals::default());
            Err(anyhow!("it went wrong once, and the same steps do no more: {reason}"))
        }
        Err(TestError::Abort(reason)) => Err(anyhow!("{reason}")),
    }
}

fn play(root: &Stage, steps: &[Step], totals: &mut Totals) {
    let mut stage = root.fork();
    for step in steps {
        stage.play(step, totals);
    }
    totals.histories += 1;
    totals.unaccounted_lamports += audit::unaccounted_lamports(root, &stage);
    totals.unaccounted_units += audit::unaccounted_units(&stage);
}

/// Where the seeds of histories are kept that once went wrong. They are played first, in every run.
fn kept(beginning: Beginning) -> &'static str {
    let name = format!("{beginning:?}.txt").to_lowercase();
    let file = workspace().join("tests/tests/invariants/regressions").join(name);
    file.to_string_lossy().into_owned().leak()
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs without a word about panics in this thread: while a failure is made shorter, it fails thousands of times.
fn quietly<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = take_hook();
        set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                loud(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = run();
    QUIET.set(false);
    result
}
