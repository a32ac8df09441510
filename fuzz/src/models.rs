//! Model files, and what may run them.

use opml_runtime::{
    Model, execute,
    fast::{Level, Plan, PlanOptions},
    synthetic,
};

/// Bytes of all values of a model that is run here.
const MAX_VALUE_BYTES: u64 = 1 << 18;
/// Elements read for all results of a model that is run here, about.
const MAX_READS: u64 = 1 << 21;

/// A file is refused with a sentence, or it is a model whose only file it is.
pub fn check_file(bytes: &[u8]) {
    match Model::from_bytes(bytes) {
        Err(error) => super::assert_sentence(&error),
        Ok(model) => {
            assert_eq!(model.to_bytes(), bytes, "a model has one sequence of bytes");
            check_execution(&model);
        }
    }
}

/// The fast executor computes what the reference does, with all kinds of instructions. Models that take long are not run.
pub fn check_execution(model: &Model) {
    if !is_small(model) {
        return;
    }
    let plans: Vec<Plan> = Level::available()
        .into_iter()
        .map(|level| {
            let options = PlanOptions {
                threads: Some(1),
                level: Some(level),
                ..PlanOptions::default()
            };
            Plan::with_options(model, options)
        })
        .collect();
    for input in [
        synthetic::tensor(model.input_spec(), 1),
        synthetic::words(model.input_spec(), 5, 2),
    ] {
        let expected = execute(model, &input).expect("the input fits");
        for plan in &plans {
            let output = plan.run(&input).expect("the input fits");
            assert_eq!(output, *expected.output(), "{plan:?}");
            let all = plan.execute(&input).expect("the input fits");
            assert_eq!(all.outputs(), expected.outputs(), "{plan:?}");
        }
    }
}

fn is_small(model: &Model) -> bool {
    let mut value_bytes = model.input_spec().byte_len();
    let mut reads = 0u64;
    for node in model.nodes() {
        value_bytes = value_bytes.saturating_add(node.output.byte_len());
        // An element reads one row, or less, of each operand.
        let rows = model
            .operand_specs(node)
            .iter()
            .map(|spec| u64::from(spec.cols()))
            .sum::<u64>();
        reads = reads.saturating_add(u64::from(node.output.elements()).saturating_mul(rows));
    }
    value_bytes <= MAX_VALUE_BYTES && reads <= MAX_READS
}
