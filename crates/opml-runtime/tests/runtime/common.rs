//! Models, inputs and liars for the tests.

use opml_runtime::{
    Builder, Dense, ElementType, Execution, Hash, Model, NodeRecord, Operand, Tensor, TensorSpec, execute, synthetic,
};
use proptest::prelude::*;

use crate::nodes::valid_node;

/// One layer of a random model.
#[derive(Debug, Clone)]
pub enum Layer {
    Dense {
        n: u32,
        zero_points: (i8, i8),
        limits: (i8, i8),
    },
    Clip {
        low: i8,
        high: i8,
    },
    Lookup {
        seed: u64,
    },
}

fn layer() -> impl Strategy<Value = Layer> {
    prop_oneof![
        (1u32..300, any::<(i8, i8)>(), any::<(i8, i8)>()).prop_map(|(n, zero_points, (a, b))| Layer::Dense {
            n,
            zero_points,
            limits: (a.min(b), a.max(b))
        }),
        any::<(i8, i8)>().prop_map(|(a, b)| Layer::Clip {
            low: a.min(b),
            high: a.max(b)
        }),
        any::<u64>().prop_map(|seed| Layer::Lookup { seed }),
    ]
}

fn bytes(count: usize, seed: u64) -> Vec<i8> {
    let spec = TensorSpec::new(ElementType::Int8, &[count as u32]).unwrap();
    synthetic::tensor(&spec, seed)
        .values()
        .into_iter()
        .map(|value| value as i8)
        .collect()
}

/// A chain of `layers` on an input of this shape, which may end in an `ArgMax`.
pub fn chain(shape: &[u32], layers: &[Layer], arg_max: bool, seed: u64) -> Model {
    let mut builder = Builder::new(TensorSpec::new(ElementType::Int8, shape).unwrap());
    let mut x = Operand::Input;
    let mut k = *shape.last().unwrap();
    for (i, layer) in (0..).zip(layers) {
        x = match *layer {
            Layer::Dense { n, zero_points, limits } => {
                let wide = |seed| {
                    bytes(n as usize, seed)
                        .into_iter()
                        .map(|value| i32::from(value) << 23)
                        .collect()
                };
                let layer = Dense {
                    weights: bytes((n * k) as usize, seed + i),
                    bias: bytes(n as usize, seed ^ 1)
                        .into_iter()
                        .map(|value| i32::from(value) * 999)
                        .collect(),
                    multiplier: wide(seed ^ 2),
                    // Some below 1 and above 62.
                    shift: bytes(n as usize, seed ^ 3)
                        .into_iter()
                        .map(|value| 40 + value / 4)
                        .collect(),
                    x_zero_point: zero_points.0,
                    y_zero_point: zero_points.1,
                    low: limits.0,
                    high: limits.1,
                };
                k = n;
                builder.fully_connected(x, layer).unwrap()
            }
            Layer::Clip { low, high } => builder.clip(x, low, high).unwrap(),
            Layer::Lookup { seed } => builder
                .lookup(x, bytes(256, seed).as_slice().try_into().unwrap())
                .unwrap(),
        };
    }
    if arg_max {
        builder.arg_max(x).unwrap();
    }
    builder.build().unwrap()
}

/// A small random model and its run on a random input: a chain of layers, or a node of any operator.
pub fn model_and_run() -> impl Strategy<Value = (Model, Execution)> {
    prop_oneof![1 => chain_and_run(), 3 => single_and_run()]
}

fn chain_and_run() -> impl Strategy<Value = (Model, Execution)> {
    let shape = (prop::collection::vec(1u32..4, 0..3), 1u32..600)
        .prop_map(|(outer, cols)| outer.into_iter().chain([cols]).collect::<Vec<_>>());
    (
        shape,
        prop::collection::vec(layer(), 1..5),
        any::<bool>(),
        0u64..1 << 32,
    )
        .prop_map(|(shape, layers, arg_max, seed)| {
            let model = chain(&shape, &layers, arg_max, seed);
            let run = execute(&model, &synthetic::tensor(model.input_spec(), seed ^ 5)).unwrap();
            (model, run)
        })
}

fn single_and_run() -> impl Strategy<Value = (Model, Execution)> {
    (valid_node(), 0u64..1 << 32).prop_map(|((node, specs), seed)| single(&node, &specs, seed))
}

/// A model with this node, whose operands are the input, constants and other nodes, and its run.
pub fn single(node: &NodeRecord, specs: &[TensorSpec], seed: u64) -> (Model, Execution) {
    let mut builder = Builder::new(specs[0]);
    let mut operands = vec![];
    for (i, spec) in (0u64..).zip(specs) {
        let from = match i {
            0 => Operand::Input,
            _ => builder.constant(values(spec, seed + i)),
        };
        let as_node = (seed >> i) & 1 == 1;
        operands.push(if as_node {
            builder.reshape(from, spec.shape()).unwrap()
        } else {
            from
        });
    }
    builder
        .node(node.operator, &operands, node.output, node.attributes)
        .unwrap();
    let model = builder.build().unwrap();
    let run = execute(&model, &values(&specs[0], seed)).unwrap();
    (model, run)
}

/// Elements of all magnitudes, so that indices and positions are now inside, now outside.
fn values(spec: &TensorSpec, seed: u64) -> Tensor {
    let random = synthetic::tensor(spec, seed);
    match spec.element() {
        ElementType::Int8 => random,
        ElementType::Int32 => {
            let values: Vec<i32> = random.values().into_iter().map(|value| value >> (value & 31)).collect();
            Tensor::from_i32(spec.shape(), &values).unwrap()
        }
    }
}

/// `honest` with one element changed, by a non-zero `change`, to another value of its type.
pub fn lie(honest: &Tensor, element: u32, change: u8) -> Tensor {
    let mut data = honest.bytes().to_vec();
    data[(element * honest.spec().element().size()) as usize] ^= change;
    Tensor::new(*honest.spec(), data).unwrap()
}

/// The output roots of an operator that changed one element of `node` and went on from there with made-up outputs.
pub fn lying_roots(honest: &Execution, node: u32, wrong: &Tensor) -> Vec<Hash> {
    let mut roots = honest.roots().to_vec();
    roots[node as usize] = wrong.root();
    for root in &mut roots[node as usize + 1..] {
        root[0] ^= 1;
    }
    roots
}
