//! Random models over all operators, with operands and attributes of every magnitude.

use opml::{ElementType, NodeRecord, Operand, TensorSpec};
use opml_runtime::{Builder, Execution, Model, Tensor, execute, synthetic};
use rand::Rng;

use super::nodes;

/// A model with a node of `operator`, others of any operator that may use what was computed before, and its run.
pub fn random(random: &mut impl Rng, operator: u8) -> (Model, Execution) {
    let mut operators = vec![operator];
    for _ in 0..random.random_range(0..3) {
        operators.push(random.random_range(1..=nodes::LAST_OPERATOR));
    }
    let at = random.random_range(0..operators.len());
    operators.swap(0, at);
    let planned: Vec<_> = operators.into_iter().map(|operator| node(random, operator)).collect();

    let input = planned[0].1[random.random_range(0..planned[0].1.len())];
    let mut builder = Builder::new(input);
    let mut known = vec![(Operand::Input, input)];
    // Deep trees of nodes and constants.
    if random.random_ratio(1, 8) {
        for _ in 0..random.random_range(1..40) {
            builder.constant(tensor(random, &TensorSpec::new(ElementType::Int8, &[1]).unwrap()));
            let same = builder.reshape(Operand::Input, input.shape()).unwrap();
            known.push((same, input));
        }
    }
    for (record, specs) in planned {
        let mut operands = Vec::new();
        for spec in &specs {
            operands.push(operand(random, &mut builder, &known, spec));
        }
        let output = builder
            .node(record.operator, &operands, record.output, record.attributes)
            .unwrap();
        known.push((output, record.output));
    }
    run(random, builder.build().unwrap())
}

/// A model with this node alone, whose first operand is the input.
pub fn single(random: &mut impl Rng, record: &NodeRecord, specs: &[TensorSpec]) -> (Model, Execution) {
    let mut builder = Builder::new(specs[0]);
    let mut operands = vec![Operand::Input];
    for spec in &specs[1..] {
        operands.push(builder.constant(tensor(random, spec)));
    }
    builder
        .node(record.operator, &operands, record.output, record.attributes)
        .unwrap();
    run(random, builder.build().unwrap())
}

fn run(random: &mut impl Rng, model: Model) -> (Model, Execution) {
    let input = tensor(random, model.input_spec());
    let run = execute(&model, &input).unwrap();
    (model, run)
}

fn node(random: &mut impl Rng, operator: u8) -> (NodeRecord, Vec<TensorSpec>) {
    let draws = (0..32).map(|_| match random.random_range(0..16) {
        0 => 0,
        1 => u32::MAX,
        2 => 1 << 31,
        3 => i32::MAX as u32,
        _ => random.random(),
    });
    nodes::node(operator, draws.collect())
}

/// An operand of this specification: something known when it fits, else a constant; sometimes by way of a node.
fn operand(
    random: &mut impl Rng,
    builder: &mut Builder,
    known: &[(Operand, TensorSpec)],
    spec: &TensorSpec,
) -> Operand {
    let fitting: Vec<_> = known
        .iter()
        .filter(|(_, other)| other.element() == spec.element() && other.elements() == spec.elements())
        .collect();
    let (from, other) = if !fitting.is_empty() && random.random_ratio(2, 3) {
        *fitting[random.random_range(0..fitting.len())]
    } else {
        (builder.constant(tensor(random, spec)), *spec)
    };
    if other != *spec || random.random_ratio(1, 4) {
        builder.reshape(from, spec.shape()).unwrap()
    } else {
        from
    }
}

/// Elements of all magnitudes, or the extreme ones only.
pub fn tensor(random: &mut impl Rng, spec: &TensorSpec) -> Tensor {
    let noise = synthetic::tensor(spec, random.random());
    let style = random.random_range(0..8);
    let value = |noise: i32, min: i32, max: i32| match style {
        0 => min,
        1 => max,
        2 => [min, max][noise as usize & 1],
        3 => noise & 3,
        _ => noise,
    };
    match spec.element() {
        _ if style >= 4 && spec.element() == ElementType::Int8 => noise,
        ElementType::Int8 => {
            let (min, max) = (i8::MIN.into(), i8::MAX.into());
            let values: Vec<i8> = noise
                .values()
                .into_iter()
                .map(|noise| value(noise, min, max) as i8)
                .collect();
            Tensor::from_i8(spec.shape(), &values).unwrap()
        }
        ElementType::Int32 => {
            let magnitude = |noise: i32| noise >> (noise & 31);
            let values: Vec<i32> = noise
                .values()
                .into_iter()
                .map(|noise| value(magnitude(noise), i32::MIN, i32::MAX))
                .collect();
            Tensor::from_i32(spec.shape(), &values).unwrap()
        }
    }
}
