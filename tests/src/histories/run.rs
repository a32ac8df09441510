//! Many random histories, one after the other; the first that goes wrong is made short and kept.

use std::{
    cell::{Cell, RefCell},
    env,
    panic::{set_hook, take_hook},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Result, anyhow};
use proptest::{
    collection::vec,
    test_runner::{Config, FileFailurePersistence, TestError, TestRunner},
};

use super::{
    agreement,
    beginning::{Beginning, root},
    stage::Stage,
    step::{Step, step},
    tally::Tally,
};
use crate::programs::workspace;

/// Steps of a history.
pub const STEPS: usize = 60;

/// Histories from each beginning.
pub const HISTORIES: u32 = 200;

/// Histories from each beginning: [`HISTORIES`], unless the variable `IMO_HISTORIES` says how many.
pub fn count() -> u32 {
    env::var("IMO_HISTORIES").map_or(HISTORIES, |count| count.parse().expect("IMO_HISTORIES is a number"))
}

/// How long a failure is made shorter, in milliseconds.
const SHRINK_MILLISECONDS: u32 = 60_000;

/// How much was played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub histories: u64,
    pub steps: u64,
    /// Transactions that landed, and that were refused as foreseen.
    pub landed: u64,
    pub refused: u64,
    /// What nobody owns or is owed after all, in lamports and in units of revenue and of the model's token.
    pub unaccounted_lamports: u64,
    pub unaccounted_units: u64,
    /// The same transactions by instruction.
    pub tally: Tally,
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
            tally,
        } = other;
        self.histories += histories;
        self.steps += steps;
        self.landed += landed;
        self.refused += refused;
        self.unaccounted_lamports += unaccounted_lamports;
        self.unaccounted_units += unaccounted_units;
        self.tally.add(tally);
    }
}

/// Plays `histories` histories from a beginning, and before them those that once went wrong. Panics where the chain and the ledger disagree, with the shortest history found
/// that shows it.
pub fn run(beginning: Beginning, histories: u32) -> Result<Totals> {
    let (root, opening) = root(beginning);
    let totals = RefCell::new(opening);
    let mut runner = TestRunner::new(Config {
        cases: histories,
        max_shrink_time: SHRINK_MILLISECONDS,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(kept(beginning)))),
        ..Config::default()
    });
    let result = quietly(|| {
        runner.run(&vec(step(beginning), STEPS), |steps| {
            play(&root, &steps, &mut totals.borrow_mut());
            Ok(())
        })
    });
    match result {
        Ok(()) => Ok(totals.into_inner()),
        Err(TestError::Fail(reason, steps)) => {
            println!("{beginning:?}: {steps:#?}");
            play(&root, &steps, &mut Totals::default());
            Err(anyhow!("it went wrong once, and the same steps do no more: {reason}"))
        }
        Err(TestError::Abort(reason)) => Err(anyhow!("{reason}")),
    }
}

/// The histories from all beginnings, as many side by side as the machine has cores.
pub fn run_all(histories: u32) -> Result<Vec<(Beginning, Totals)>> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = || {
            let mut played = Vec::new();
            while let Some(beginning) = Beginning::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                played.push((*beginning, run(*beginning, histories)?));
            }
            Ok(played)
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let played = threads.into_iter().map(|thread| {
            let joined = thread.join();
            joined.map_err(|_| anyhow!("the chain and the ledger disagree: see above"))?
        });
        Ok(played.collect::<Result<Vec<_>>>()?.concat())
    })
}

fn play(root: &Stage, steps: &[Step], totals: &mut Totals) {
    let mut stage = root.fork();
    for step in steps {
        stage.play(step, totals);
    }
    totals.histories += 1;
    totals.unaccounted_lamports += agreement::unaccounted_lamports(root, &stage);
    totals.unaccounted_units += agreement::unaccounted_units(&stage);
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
