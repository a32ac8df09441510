//! What it costs to commit: to an answer, and to a whole trace.

use std::hint::black_box;

use anyhow::Result;
use opml_runtime::fast::tensor_root;

use crate::{
    THREADS,
    cases::Case,
    contestants::ours::Ours,
    figures::Figures,
    measure::{Sample, measure},
};

pub fn measure_all(figures: &mut Figures, case: &Case) -> Result<()> {
    for (threads, prefix) in THREADS {
        // Commitments use the threads that they are called on.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let ours = Ours::new(case, threads)?;
        let (plan, input) = (ours.plan(), ours.input()?);
        let mut work: [Box<dyn FnMut() -> Result<()> + Send>; 3] = [
            Box::new(|| {
                black_box(plan.run(&input)?);
                Ok(())
            }),
            Box::new(|| {
                let output = plan.run(&input)?;
                black_box((tensor_root(&input), tensor_root(&output)));
                Ok(())
            }),
            Box::new(|| {
                black_box(plan.execute(&input)?.trace_root());
                Ok(())
            }),
        ];
        let what = format!("{}, {threads} threads: plain, committed, traced", case.name);
        let samples = pool.install(|| measure(&what, &mut work))?;
        let [plain, committed, trace] = &samples[..] else {
            unreachable!("three were measured")
        };
        let key = |figure: &str| format!("runtime.{}.{prefix}{figure}", case.name);
        figures.set(key("commitment_overhead"), Sample::ratio(committed, plain) - 1.0);
        figures.set(key("trace_ratio"), Sample::ratio(trace, plain));
    }
    Ok(())
}
