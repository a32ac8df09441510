//! Random tensors and the comparison.

use opml_runtime::{
    ElementType, Execution, Hash, Model, Tensor, TensorSpec, commit, execute,
    fast::{Level, Plan, PlanOptions},
    synthetic,
};

/// Elements of all magnitudes; with `extreme` most of them the least and the greatest.
pub fn values(spec: &TensorSpec, seed: u64, extreme: bool) -> Tensor {
    let random = synthetic::tensor(spec, seed);
    match spec.element() {
        ElementType::Int8 if extreme => {
            let values: Vec<i8> = random
                .values()
                .into_iter()
                .map(|value| match value & 7 {
                    0..4 => i8::MIN,
                    4..7 => i8::MAX,
                    _ => value as i8,
                })
                .collect();
            Tensor::from_i8(spec.shape(), &values).unwrap()
        }
        ElementType::Int8 => random,
        ElementType::Int32 => {
            let values: Vec<i32> = random
                .values()
                .into_iter()
                .map(|value| match value & 7 {
                    0..3 if extreme => i32::MIN,
                    3..6 if extreme => i32::MAX,
                    _ => value >> (value & 31),
                })
                .collect();
            Tensor::from_i32(spec.shape(), &values).unwrap()
        }
    }
}

/// Plans of a model for all instructions, for one and several threads however small it is, and with nothing packed.
pub fn plans(model: &Model) -> Vec<Plan> {
    let with = |level, threads, packed_bytes| {
        let options = PlanOptions {
            threads: Some(threads),
            worth_sharing: Some(0),
            level: Some(level),
            packed_bytes,
        };
        Plan::with_options(model, options)
    };
    let levels = Level::available();
    let mut plans: Vec<Plan> = levels.iter().map(|level| with(*level, 1, None)).collect();
    plans.push(with(Level::best(), 3, None));
    plans.push(with(Level::best(), 1, Some(0)));
    plans.push(with(Level::best(), 3, Some(0)));
    plans
}

/// Fails where outputs or commitments differ.
fn assert_execution(model: &Model, plan: &Plan, found: &Execution, expected: &Execution) {
    assert_eq!(found.outputs().len(), expected.outputs().len());
    for (node, (found, expected)) in found.outputs().iter().zip(expected.outputs()).enumerate() {
        assert!(found == expected, "node {node} ({:?}), {plan:?}", model.nodes()[node]);
    }
    let roots: Vec<Hash> = expected.outputs().iter().map(commit::tensor_root).collect();
    assert_eq!(found.roots(), roots, "{plan:?}");
    assert_eq!(found.claim(), expected.claim());
    assert_eq!(found.trace_root(), expected.trace_root());
}

/// Fails where the fast executor differs from the reference on this input.
pub fn assert_equal(model: &Model, plans: &[Plan], input: &Tensor) {
    let expected = execute(model, input).unwrap();
    for plan in plans {
        // Twice, because the second run finds the buffers of the first.
        for _ in 0..2 {
            assert_eq!(&plan.run(input).unwrap(), expected.output(), "{plan:?}");
        }
        // Three times: the second execution must leave the first alone, the third finds its memory.
        let first = plan.execute(input).unwrap();
        let second = plan.execute(input).unwrap();
        assert_execution(model, plan, &second, &expected);
        drop(second);
        assert_execution(model, plan, &plan.execute(input).unwrap(), &expected);
        assert_execution(model, plan, &first, &expected);
    }
}
