//! Measures the fast executor against other runtimes, on the same ONNX files, in one process.
//!
//! `bench-runtime MODELS LIBONNXRUNTIME RESULTS`: a folder as `models.py` writes it, the shared library of onnxruntime, and the file that takes the figures.
//! `cargo xtask bench runtime` prepares all three; `docs/performance.md` says what the figures mean.

mod cases;
mod commitments;
mod contestants;
mod figures;
mod measure;

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use cases::Case;
use contestants::{Contestant, onnxruntime, ours, rten, tract};
use figures::Figures;
use measure::{Sample, measure};

/// Numbers of threads that everything is measured with, and the figures' prefix.
const THREADS: [(usize, &str); 2] = [(1, ""), (2, "threads2.")];
/// The model of which it is measured what committing costs.
const COMMITTED: &str = "bert6";
/// The least cosine between an answer of a runtime's and onnxruntime's: they must do the same work.
const LEAST_COSINE: f64 = 0.98;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, library, results] = &arguments[..] else {
        anyhow::bail!("usage: bench-runtime MODELS LIBONNXRUNTIME RESULTS");
    };
    let onnxruntime = onnxruntime::Library::open(Path::new(library))?;
    let mut figures = Figures::default();
    for case in cases::all(Path::new(models))? {
        for (threads, prefix) in THREADS {
            runtimes(&mut figures, &onnxruntime, &case, threads, prefix)
                .with_context(|| format!("{}, {threads} threads", case.name))?;
        }
        if case.name == COMMITTED {
            commitments::measure_all(&mut figures, &case)?;
        }
    }
    figures.print();
    figures.write(Path::new(results))
}

/// Every runtime that can run the model, in turns.
fn runtimes(
    figures: &mut Figures,
    library: &onnxruntime::Library,
    case: &Case,
    threads: usize,
    prefix: &str,
) -> Result<()> {
    let mut contestants: Vec<Box<dyn Contestant>> = vec![
        Box::new(ours::Ours::new(case, threads)?),
        Box::new(library.session("onnxruntime", &case.model, case, threads)?),
    ];
    let expected = contestants[1].answer()?;
    for (name, made) in [("rten", rten::new(case, threads)), ("tract", tract::new(case, threads))] {
        match made.and_then(|mut made| agrees(&expected, made.as_mut()).map(|()| made)) {
            Ok(made) => contestants.push(made),
            // What a runtime cannot run has no figure.
            Err(error) => eprintln!("{}: {name} does not run it: {error:#}", case.name),
        }
    }
    agrees(&expected, contestants[0].as_mut()).context("the fast executor")?;
    for (name, model) in &case.references {
        contestants.push(Box::new(library.session(name, model, case, threads)?));
    }
    let names: Vec<String> = contestants.iter().map(|contestant| contestant.name().to_owned()).collect();
    let samples = measure(
        &format!("{}, {threads} threads: {}", case.name, names.join(", ")),
        &mut contestants
            .iter_mut()
            .map(|contestant| || contestant.run())
            .collect::<Vec<_>>(),
    )?;
    let ours = &samples[0];
    let key = |figure: &str| format!("runtime.{}.{prefix}{figure}", case.name);
    figures.set(key("ms"), ours.median_ms());
    for (name, theirs) in names.iter().zip(&samples).skip(1) {
        figures.set(key(&format!("{name}_ms")), theirs.median_ms());
        if !case.references.iter().any(|(reference, _)| reference == name) {
            figures.set(key(&format!("ratio_to_{name}")), Sample::ratio(theirs, ours));
        }
    }
    Ok(())
}

/// Whether a runtime's answer is onnxruntime's, within what roundings make of it.
fn agrees(expected: &[f32], contestant: &mut dyn Contestant) -> Result<()> {
    let found = contestant.answer()?;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let cosine = dot(expected, &found) / (dot(expected, expected) * dot(&found, &found)).sqrt();
    anyhow::ensure!(
        expected.len() == found.len() && cosine >= LEAST_COSINE,
        "its answer is another one: the cosine is {cosine:.4}"
    );
    Ok(())
}
