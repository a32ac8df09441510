//! Timing in turns, so that a busy machine slows all alike.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

const ROUNDS: usize = 41;
/// Rounds after which people are shown that it goes on.
const ROUNDS_OF_A_DOT: usize = 10;
/// A measurement repeats the run until it takes about this long: single runs of small models are below what a clock resolves.
const LENGTH: Duration = Duration::from_millis(4);
/// Between measurements, so that threads of the one before have gone to sleep.
const PAUSE: Duration = Duration::from_millis(5);
/// How long each runs before it is timed: a system wakes two threads on one core at first, and needs some milliseconds to part them.
const WARM_UP: Duration = Duration::from_millis(40);

/// What one contestant's runs took, by round, in seconds.
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn median_ms(&self) -> f64 {
        median(self.0.clone()) * 1000.0
    }

    /// The median over the rounds of what `a` took over what `b` took in the same round.
    pub fn ratio(a: &Self, b: &Self) -> f64 {
        median(a.0.iter().zip(&b.0).map(|(a, b)| a / b).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs all in turns, each after a pause and some runs that are not timed. Says what it does and how long that took.
pub fn measure<F: FnMut() -> Result<()>>(what: &str, contestants: &mut [F]) -> Result<Vec<Sample>> {
    let begin = Instant::now();
    eprint!("{what} ");
    let mut repetitions = Vec::with_capacity(contestants.len());
    for run in contestants.iter_mut() {
        run()?;
        let start = Instant::now();
        run()?;
        let fits = LENGTH.as_secs_f64() / start.elapsed().as_secs_f64().max(1e-9);
        repetitions.push((fits as u32).max(1));
    }
    let mut samples = vec![Vec::with_capacity(ROUNDS); contestants.len()];
    for round in 0..ROUNDS {
        if round % ROUNDS_OF_A_DOT == 0 {
            eprint!(".");
        }
        for turn in 0..contestants.len() {
            let i = (turn + round) % contestants.len();
            thread::sleep(PAUSE);
            let start = Instant::now();
            while start.elapsed() < WARM_UP {
                contestants[i]()?;
            }
            let start = Instant::now();
            for _ in 0..repetitions[i] {
                contestants[i]()?;
            }
            samples[i].push(start.elapsed().as_secs_f64() / f64::from(repetitions[i]));
        }
    }
    eprintln!(" {:.1} s", begin.elapsed().as_secs_f32());
    Ok(samples.into_iter().map(Sample).collect())
}
