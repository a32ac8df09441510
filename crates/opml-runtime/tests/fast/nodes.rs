//! Single nodes of every operator, and chains of them.

use opml::ops::{AddAttributes, LayerNormAttributes};
use opml_runtime::{Builder, Dense, ElementType, Model, NodeRecord, Operand, Tensor, TensorSpec, fast::Plan};
use proptest::prelude::*;

use crate::{
    common::{assert_equal, plans, values},
    random::{LAST_OPERATOR, int8, node, valid_node},
};

/// A model with this node, whose operands are the input, constants and other nodes, as the bits of `seed` choose.
fn single(record: &NodeRecord, specs: &[TensorSpec], seed: u64, extreme: bool) -> Model {
    let mut builder = Builder::new(specs[0]);
    let mut operands = vec![];
    for (i, spec) in (0u64..).zip(specs) {
        let from = match i {
            0 => Operand::Input,
            _ => builder.constant(values(spec, seed + i, extreme)),
        };
        let as_node = (seed >> (i.min(1))) & 1 == 1;
        operands.push(if as_node {
            builder.reshape(from, spec.shape()).unwrap()
        } else {
            from
        });
    }
    builder
        .node(record.operator, &operands, record.output, record.attributes)
        .unwrap();
    builder.build().unwrap()
}

fn check(model: &Model, seed: u64, extreme: bool) {
    assert_equal(model, &plans(model), &values(model.input_spec(), seed, extreme));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn given_a_node_when_run_fast_then_equal_to_the_reference((record, specs) in valid_node(), seed in 0u64..1 << 32, extreme: bool) {
        check(&single(&record, &specs, seed, extreme), seed, extreme);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn given_a_product_of_many_rows_when_run_fast_then_equal_to_the_reference(
        rows in 1u32..90,
        k in 1u32..200,
        n in 1u32..150,
        limits: (i8, i8),
        zero_points: (i8, i8),
        seed in 0u64..1 << 32,
        extreme: bool,
    ) {
        let mut builder = Builder::new(int8(&[rows, k]));
        let dense = dense(k, n, zero_points, (limits.0.min(limits.1), limits.0.max(limits.1)), seed, extreme);
        let x = builder.fully_connected(Operand::Input, dense).unwrap();
        builder.clip(x, -100, 90).unwrap();
        check(&builder.build().unwrap(), seed, extreme);
    }

    #[test]
    fn given_a_graph_of_nodes_when_run_fast_then_equal_to_the_reference(
        draws in prop::collection::vec((0u8..7, any::<u32>()), 1..14),
        rows in 1u32..80,
        k in 1u32..50,
        seed in 0u64..1 << 32,
    ) {
        check(&graph(&draws, rows, k, seed), seed, false);
    }
}

/// Weights and scales of which none is tame.
fn dense(k: u32, n: u32, zero_points: (i8, i8), limits: (i8, i8), seed: u64, extreme: bool) -> Dense {
    let int32 = |seed| values(&TensorSpec::new(ElementType::Int32, &[n]).unwrap(), seed, extreme).values();
    let narrow = |shape: &[u32], seed, extreme| -> Vec<i8> {
        let values = values(&int8(shape), seed, extreme).values();
        values.into_iter().map(|value| value as i8).collect()
    };
    Dense {
        weights: narrow(&[n, k], seed, extreme),
        bias: int32(seed + 1),
        multiplier: int32(seed + 2),
        shift: narrow(&[n], seed + 3, false),
        x_zero_point: zero_points.0,
        y_zero_point: zero_points.1,
        low: limits.0,
        high: limits.1,
    }
}

/// Nodes of [rows, k] that read any two before them, with aliases and transpositions between.
fn graph(draws: &[(u8, u32)], rows: u32, k: u32, seed: u64) -> Model {
    let mut builder = Builder::new(int8(&[rows, k]));
    let mut all = vec![Operand::Input];
    for (i, (kind, draw)) in (0u64..).zip(draws) {
        let of = |draw: u32| all[all.len() - 1 - (draw as usize % all.len().min(3))];
        let (x, other) = (of(*draw), of(draw >> 8));
        let y = match kind {
            0 => {
                let mut layer = dense(k, k, (3, -5), (-128, 127), seed + 16 * i, false);
                // Tame scales, so that the values stay alive.
                layer.multiplier.fill(1 << 28);
                layer.shift.fill(36);
                builder.fully_connected(x, layer)
            }
            1 => builder.clip(x, -77, 99),
            2 => {
                let table: Vec<i8> = (0..256).map(|entry| (entry * 7 % 256 - 128) as i8).collect();
                builder.lookup(x, table.as_slice().try_into().unwrap())
            }
            3 => {
                let attributes = AddAttributes {
                    a_zero_point: 1,
                    b_zero_point: -2,
                    y_zero_point: 3,
                    low: -120,
                    high: 127,
                    shift: 30,
                    a_multiplier: 1 << 29,
                    b_multiplier: -(1 << 29),
                };
                builder.add(x, other, attributes)
            }
            4 => {
                let parameters: Vec<i32> = (0..k as i32).map(|i| (i - 20) << 12).collect();
                let attributes = LayerNormAttributes {
                    y_zero_point: 0,
                    shift: 32,
                    epsilon: 1,
                };
                builder.layer_norm(x, &parameters, &parameters, attributes)
            }
            5 => builder
                .reshape(x, &[k, rows])
                .and_then(|turned| builder.reshape(turned, &[rows, k])),
            _ => builder
                .transpose(x, &[1, 0])
                .and_then(|turned| builder.transpose(turned, &[1, 0])),
        };
        all.push(y.unwrap());
    }
    builder.build().unwrap()
}

#[test]
fn given_every_operator_when_planned_then_each_has_been_tested() {
    for operator in 1..=LAST_OPERATOR {
        for seed in 0..40u64 {
            let draws = (0..32)
                .map(|i| (seed as u32 + 1).wrapping_mul(0x9e37_79b9).rotate_left(i) ^ (i * 77))
                .collect();
            let (record, specs) = node(operator, draws);
            check(&single(&record, &specs, seed, seed % 3 == 0), seed, seed % 3 == 0);
        }
    }
}

#[test]
fn given_the_longest_reduction_of_extremes_when_run_fast_then_the_accumulator_is_exact() {
    for (zero_point, weight) in [(127, i8::MIN), (-128, i8::MIN), (127, i8::MAX), (-128, i8::MAX)] {
        for (rows, k, n) in [(1, 32_768, 2), (1, 32_767, 17), (9, 32_767, 17), (9, 32_765, 1)] {
            let mut layer = dense(k, n, (zero_point, 0), (-128, 127), 7, true);
            layer.weights.fill(weight);
            let mut builder = Builder::new(int8(&[rows, k]));
            builder.fully_connected(Operand::Input, layer).unwrap();
            let model = builder.build().unwrap();
            let plans = plans(&model);
            for x in [i8::MIN, i8::MAX] {
                let input = Tensor::from_i8(&[rows, k], &vec![x; (rows * k) as usize]).unwrap();
                assert_equal(&model, &plans, &input);
            }
        }
    }
}

#[test]
fn given_a_few_long_rows_when_run_on_several_threads_then_equal_to_the_reference() {
    for rows in [1, 3, 8, 13] {
        let mut builder = Builder::new(int8(&[rows, 1000]));
        let layer = dense(1000, 2037, (5, -3), (-128, 127), 11, false);
        builder.fully_connected(Operand::Input, layer).unwrap();
        check(&builder.build().unwrap(), 12, false);
    }
}

#[test]
fn given_an_input_of_another_shape_when_run_then_refused() {
    let mut builder = Builder::new(int8(&[2, 3]));
    builder.clip(Operand::Input, 0, 1).unwrap();
    let model = builder.build().unwrap();
    let wrong = values(&int8(&[3, 2]), 1, false);
    assert!(Plan::new(&model).run(&wrong).is_err());
    assert!(Plan::new(&model).execute(&wrong).is_err());
}
