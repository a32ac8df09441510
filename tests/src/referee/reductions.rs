//! What judging one element costs that is reduced from many.

use opml::{
    NodeRecord, TensorSpec,
    ops::{
        self, ArgMax, FullyConnected, GroupedFullyConnected, LayerNorm, LayerNormAttributes, MatMul, MatMulAttributes,
        ReduceMax, ReduceMean, ReduceMeanAttributes, RmsNorm, RmsNormAttributes, Softmax, SoftmaxAttributes,
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    cases,
    chain::Chain,
    models,
    nodes::{int8, int32, record},
};

/// Operands of several kinds for each node: random ones, extreme ones.
const ROUNDS: u64 = 6;
/// Rows of weights, so that their tree has some depth.
const COLUMNS: u32 = 60;

/// What one judgement takes at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Of the whole transaction.
    pub compute_units: u64,
    pub witness_bytes: usize,
}

/// The most that judging an element takes which is reduced from `k` others, by the name of the operator: each one that reduces.
///
/// # Panics
/// When the program's answer is another one than it must be.
pub fn dearest(k: u32) -> Vec<(&'static str, Cost)> {
    let mut chain = Chain::load();
    let cost = |(node, specs): (NodeRecord, Vec<TensorSpec>)| {
        let operator = ops::operator(node.operator).expect("it is one of the operators");
        (operator.name(), cost(&mut chain, &node, &specs))
    };
    reductions(k).into_iter().map(cost).collect()
}

fn cost(chain: &mut Chain, node: &NodeRecord, specs: &[TensorSpec]) -> Cost {
    let mut most = Cost::default();
    for round in 0..ROUNDS {
        let mut random = ChaCha8Rng::seed_from_u64(round);
        let (model, run) = models::single(&mut random, node, specs);
        cases::at(&mut random, &model, &run, 0, |case| {
            let (outcome, units) = chain.prove(&case.question);
            assert_eq!(outcome, case.question.natively(), "{}", case.what);
            assert!(case.expected.allows(&outcome), "{}: {outcome:?}", case.what);
            most.compute_units = units.max(most.compute_units);
            most.witness_bytes = case.question.witness.len().max(most.witness_bytes);
        });
    }
    most
}

/// Every operator that reduces, with `k` elements to reduce.
fn reductions(k: u32) -> Vec<(NodeRecord, Vec<TensorSpec>)> {
    let (row, one, columns) = (int8(&[1, k]), int8(&[1, 1]), int8(&[1, COLUMNS]));
    let parameter = int32(&[k]);
    let shift = 40;
    let layer_norm = LayerNormAttributes {
        y_zero_point: 3,
        shift,
        epsilon: 1,
    };
    let rms_norm = RmsNormAttributes {
        x_zero_point: -128,
        y_zero_point: 3,
        shift,
        epsilon: 1,
    };
    let mat_mul = MatMulAttributes {
        a_zero_point: -128,
        b_zero_point: 127,
        y_zero_point: 3,
        shift,
        multiplier: i32::MAX,
    };
    let mean = ReduceMeanAttributes {
        x_zero_point: -128,
        y_zero_point: 3,
        shift,
        multiplier: i32::MAX,
    };
    let softmax = SoftmaxAttributes {
        causal: true,
        offset: k as i32,
    };
    let none = [0; opml::model::ATTRIBUTE_BYTES];
    let node =
        |number, output, attributes, specs: Vec<TensorSpec>| (record(number, specs.len(), output, attributes), specs);
    let [per_column, shifts] = [int32(&[COLUMNS]), int8(&[COLUMNS])];
    let [per_group, group_shifts] = [int32(&[1, COLUMNS]), int8(&[1, COLUMNS])];
    vec![
        node(
            FullyConnected::NUMBER,
            columns,
            FullyConnected::attributes(-128, 3, -128, 127),
            vec![row, int8(&[COLUMNS, k]), per_column, per_column, shifts],
        ),
        node(
            GroupedFullyConnected::NUMBER,
            columns,
            GroupedFullyConnected::attributes(-128, 3, -128, 127),
            vec![row, int8(&[1, COLUMNS, k]), per_group, per_group, group_shifts],
        ),
        node(
            MatMul::NUMBER,
            columns,
            mat_mul.encode(),
            vec![row, int8(&[COLUMNS, k])],
        ),
        node(
            Softmax::NUMBER,
            row,
            softmax.encode(),
            vec![row, int32(&[256]), int32(&[1])],
        ),
        node(
            LayerNorm::NUMBER,
            row,
            layer_norm.encode(),
            vec![row, parameter, parameter],
        ),
        node(RmsNorm::NUMBER, row, rms_norm.encode(), vec![row, parameter]),
        node(ReduceMean::NUMBER, one, mean.encode(), vec![row]),
        node(ReduceMax::NUMBER, one, none, vec![row]),
        node(ArgMax::NUMBER, int32(&[1, 1]), none, vec![row]),
    ]
}
