//! Groups of operators that become one, against the interpreter that runs all of them.

use super::{Sketch, int, ints, operators, proto};
use crate::onnx::{fuse, graph::Graph, interpret::Interpreter, samples};
use prost::Message;

/// `x / sqrt(mean(x^2) + epsilon)` as `inverse` says it.
fn root_mean_square(sketch: &mut Sketch, inverse: &str) {
    sketch
        .floats("epsilon", &[], &[1e-5])
        .floats("one", &[], &[1.0])
        .floats("two", &[], &[2.0])
        .floats("minus_half", &[], &[-0.5]);
    let square = match inverse {
        "quotient" => ["dx", "dx"],
        _ => ["dx", "two"],
    };
    let operator = if inverse == "quotient" { "Mul" } else { "Pow" };
    sketch
        .node(operator, &square, &["square"], &[])
        .node("ReduceMean", &["square"], &["mean"], &[ints("axes", &[-1])])
        .node("Add", &["epsilon", "mean"], &["above"], &[])
        .node("Sqrt", &["above"], &["root"], &[]);
    match inverse {
        "quotient" => sketch.node("Div", &["dx", "root"], &["normed"], &[]),
        "reciprocal" => {
            sketch
                .node("Reciprocal", &["root"], &["inverse"], &[])
                .node("Mul", &["inverse", "dx"], &["normed"], &[])
        }
        "power" => sketch.node("Pow", &["above", "minus_half"], &["inverse"], &[]).node(
            "Mul",
            &["dx", "inverse"],
            &["normed"],
            &[],
        ),
        _ => sketch
            .node("Div", &["one", "root"], &["inverse"], &[])
            .node("Mul", &["dx", "inverse"], &["normed"], &[]),
    };
}

#[test]
fn given_a_root_mean_square_in_pieces_when_imported_then_one_node() {
    let gamma: Vec<f32> = (0..16).map(|i| 0.5 + i as f32 * 0.1).collect();
    for inverse in ["quotient", "reciprocal", "power", "division"] {
        for scaled in [false, true] {
            let mut sketch = Sketch::new(&[1, 3, 16]);
            root_mean_square(&mut sketch, inverse);
            sketch.floats("gamma", &[16], &gamma);
            let last = match scaled {
                true => {
                    sketch.node("Mul", &["gamma", "normed"], &["scaled"], &[]);
                    "scaled"
                }
                false => "normed",
            };
            sketch.requantise(last, "y");
            assert_eq!(operators(&sketch.check("y")), ["RMSNorm"], "{inverse}, {scaled}");
        }
    }
}

#[test]
fn given_a_mean_over_another_dimension_when_imported_then_it_is_no_norm() {
    let mut sketch = Sketch::new(&[1, 3, 16]);
    root_mean_square(&mut sketch, "division");
    sketch.0.node[3].attribute = vec![ints("axes", &[1])];
    sketch.requantise("normed", "y");
    assert!(sketch.refusal("y").contains("(ReduceMean) reaches it"));
}

#[test]
fn given_norms_as_operators_when_imported_then_one_node() {
    let gamma: Vec<f32> = (0..16).map(|i| 1.5 - i as f32 * 0.1).collect();
    for (operator, domain) in [
        ("RMSNormalization", ""),
        ("SimplifiedLayerNormalization", ""),
        ("SimplifiedLayerNormalization", "com.microsoft"),
    ] {
        let mut sketch = Sketch::new(&[3, 16]);
        sketch
            .floats("gamma", &[16], &gamma)
            .node(operator, &["dx", "gamma"], &["a"], &[int("axis", -1)]);
        sketch.0.node.last_mut().unwrap().domain = domain.into();
        sketch.requantise("a", "y");
        assert_eq!(operators(&sketch.check("y")), ["RMSNorm"]);
    }
}

/// Angles [positions, pairs] of 4 channels, and their cosines and sines.
fn angles(positions: usize) -> [Vec<f32>; 2] {
    let angles: Vec<f32> = (0..positions)
        .flat_map(|position| [position as f32 * 0.9, position as f32 * 0.2])
        .collect();
    [
        angles.iter().map(|angle| angle.cos()).collect(),
        angles.iter().map(|angle| angle.sin()).collect(),
    ]
}

/// Each column twice: as halves, or as neighbours.
fn doubled(table: &[f32], interleaved: bool) -> Vec<f32> {
    let rows = table.chunks(2);
    rows.flat_map(|row| match interleaved {
        false => [row[0], row[1], row[0], row[1]],
        true => [row[0], row[0], row[1], row[1]],
    })
    .collect()
}

/// `x * cos + rotated(x) * sin` of `dx` [.., 4], with `cos` and `sin` there.
fn rotation(sketch: &mut Sketch, rank: i64, interleaved: bool) {
    sketch
        .longs("0", &[0])
        .longs("1", &[1])
        .longs("2", &[2])
        .longs("4", &[4])
        .longs("last", &[rank - 1])
        .longs("behind", &[rank]);
    if interleaved {
        sketch
            .node("Slice", &["dx", "0", "4", "last", "2"], &["even"], &[])
            .node("Slice", &["dx", "1", "4", "last", "2"], &["odd"], &[])
            .node("Neg", &["odd"], &["negative"], &[])
            .node("Unsqueeze", &["negative", "behind"], &["first"], &[])
            .node("Unsqueeze", &["even", "behind"], &["second"], &[])
            .node("Concat", &["first", "second"], &["pairs"], &[int("axis", -1)])
            .longs(
                "flat",
                &vec![0; rank as usize - 1].into_iter().chain([4]).collect::<Vec<_>>(),
            )
            .node("Reshape", &["pairs", "flat"], &["rotated"], &[]);
    } else {
        sketch
            .node("Slice", &["dx", "0", "2", "last", "1"], &["first"], &[])
            .node("Slice", &["dx", "2", "4", "last", "1"], &["second"], &[])
            .node("Neg", &["second"], &["negative"], &[])
            .node("Concat", &["negative", "first"], &["rotated"], &[int("axis", -1)]);
    }
    sketch
        .node("Mul", &["dx", "cos"], &["along"], &[])
        .node("Mul", &["sin", "rotated"], &["across"], &[])
        .node("Add", &["across", "along"], &["turned"], &[])
        .requantise("turned", "y");
}

#[test]
fn given_a_rotation_in_pieces_when_imported_then_one_node() {
    for interleaved in [false, true] {
        // Positions second last, and before the heads.
        for (dims, table) in [([1, 3, 5, 4], [5, 4].as_slice()), ([1, 5, 3, 4], &[1, 5, 1, 4])] {
            let [cos, sin] = angles(5).map(|table| doubled(&table, interleaved));
            let mut sketch = Sketch::new(&dims);
            sketch.floats("cos", table, &cos).floats("sin", table, &sin);
            rotation(&mut sketch, 4, interleaved);
            let names = operators(&sketch.check("y"));
            let turned: Vec<_> = names.iter().filter(|name| **name != "Transpose").collect();
            assert_eq!(turned, [&"RotaryEmbedding"], "{dims:?} {interleaved}: {names:?}");
        }
    }
}

#[test]
fn given_positions_of_the_input_when_a_rotation_is_imported_then_it_looks_them_up() {
    // Gathered from a table, and computed.
    for gathered in [true, false] {
        let mut sketch = Sketch::new(&[1, 2, 3, 4]);
        sketch.integers("positions", &[1, 3]);
        if gathered {
            let [cos, sin] = angles(9).map(|table| doubled(&table, false));
            sketch
                .floats("cos_table", &[9, 4], &cos)
                .floats("sin_table", &[9, 4], &sin);
            for part in ["cos", "sin"] {
                sketch.node("Gather", &[&format!("{part}_table"), "positions"], &[part], &[]);
            }
        } else {
            sketch
                .longs("last axis", &[2])
                .floats("frequencies", &[1, 1, 4], &[0.9, 0.2, 0.9, 0.2])
                .node("Unsqueeze", &["positions", "last axis"], &["apart"], &[])
                .node("Cast", &["apart"], &["reals"], &[int("to", 1)])
                .node("Mul", &["reals", "frequencies"], &["angles"], &[])
                .node("Cos", &["angles"], &["cos"], &[])
                .node("Sin", &["angles"], &["sin"], &[]);
        }
        rotation(&mut sketch, 4, false);
        let imported = sketch.check("y");
        assert!(operators(&imported).contains(&"RotaryEmbedding"));
        let positions = imported.numbers[1].clone();
        assert_eq!(positions, if gathered { 0..9 } else { 0..3 });
    }
}

#[test]
fn given_a_rotation_that_is_none_when_imported_then_told_why() {
    let [cos, sin] = angles(5).map(|table| doubled(&table, true));
    let mut sketch = Sketch::new(&[1, 3, 5, 4]);
    sketch.floats("cos", &[5, 4], &cos).floats("sin", &[5, 4], &sin);
    rotation(&mut sketch, 4, false);
    assert_eq!(
        sketch.refusal("y"),
        "Node \"Add_turned\" (Add): it turns pairs of channels, but the two channels of a pair have different angles."
    );
    let mut sketch = Sketch::new(&[1, 3, 1, 4]);
    sketch.integers("a", &[1, 1]).integers("b", &[1, 1]);
    sketch
        .floats("cos_table", &[5, 4], &cos)
        .floats("sin_table", &[5, 4], &sin);
    sketch
        .node("Gather", &["cos_table", "a"], &["cos"], &[])
        .node("Gather", &["sin_table", "b"], &["sin"], &[]);
    rotation(&mut sketch, 4, false);
    assert!(
        sketch
            .refusal("y")
            .ends_with("it turns pairs of channels, but cosines and sines follow from different inputs.")
    );
}

#[test]
fn given_rotations_as_operators_when_imported_then_close_to_the_interpreter() {
    let [cos, sin] = angles(6);
    for (domain, dims, attributes) in [
        ("", [1, 2, 3, 4].as_slice(), vec![]),
        ("", &[1, 3, 8], vec![int("num_heads", 2), int("interleaved", 1)]),
        ("com.microsoft", &[1, 2, 3, 4], vec![int("interleaved", 1)]),
        ("com.microsoft", &[1, 3, 8], vec![]),
    ] {
        let mut sketch = Sketch::new(dims);
        sketch
            .integers("positions", &[1, 3])
            .floats("cos", &[6, 2], &cos)
            .floats("sin", &[6, 2], &sin);
        let operands = match domain {
            "" => ["dx", "cos", "sin", "positions"],
            _ => ["dx", "positions", "cos", "sin"],
        };
        sketch.node("RotaryEmbedding", &operands, &["a"], &attributes);
        sketch.0.node.last_mut().unwrap().domain = domain.into();
        sketch.requantise("a", "y");
        assert!(operators(&sketch.check("y")).contains(&"RotaryEmbedding"));
    }
}

#[test]
fn given_whole_decoders_when_fused_then_the_interpreter_gives_the_same() {
    for file in ["prefill", "step", "exported/prefill", "exported/step"] {
        let path = format!(
            "{}/../../models/decoder/{file}.qdq.int8.onnx",
            env!("CARGO_MANIFEST_DIR")
        );
        let bytes = std::fs::read(path).unwrap();
        let graph = Graph::read(&proto::Model::decode(bytes.as_slice()).unwrap()).unwrap();
        let fused = fuse::fuse(&graph).unwrap();
        assert!(fused.nodes.len() < graph.nodes.len());
        let imported = crate::onnx::import(&bytes).unwrap();
        let samples = samples::Samples::random(4, &imported.report.inputs, &samples::numbers(&fused));
        let [before, behind] = [&graph, &fused].map(|graph| Interpreter::new(graph).unwrap());
        for inputs in &samples.inputs {
            for (a, b) in before.run(inputs).unwrap().iter().zip(&behind.run(inputs).unwrap()) {
                let (a, b) = (a.to_floats(), b.to_floats());
                let greatest = a.iter().fold(0f32, |greatest, x| greatest.max(x.abs()));
                // A rounding that goes the other way may move a logit by some steps.
                let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
                assert!(off <= 0.03 * greatest, "{file}: {off} of {greatest}");
            }
        }
    }
}

/// A product of 8 channels that is quantised, and what is added to it, quantised too.
fn product_and_sum(bias: &[f32]) -> Sketch {
    let weights: Vec<i8> = (0..8 * 8).map(|i| (i * 37 % 200 - 100) as i8).collect();
    let mut sketch = Sketch::new(&[3, 8]);
    sketch
        .bytes("w_q", &[8, 8], &weights)
        .floats("w_scale", &[], &[0.004])
        .bytes("w_zero", &[], &[0])
        .node("DequantizeLinear", &["w_q", "w_scale", "w_zero"], &["w"], &[])
        .node("MatMul", &["dx", "w"], &["product"], &[])
        .requantise("product", "dp")
        .floats("bias", &[bias.len() as i64], bias)
        .node("Add", &["bias", "dp"], &["sum"], &[])
        .requantise("sum", "y");
    sketch
}

const BIAS: [f32; 8] = [-1.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.5];

#[test]
fn given_a_quantised_product_and_a_bias_when_imported_then_one_node() {
    assert_eq!(operators(&product_and_sum(&BIAS).check("y")), ["FullyConnected"]);
}

#[test]
fn given_a_quantised_product_and_one_number_when_imported_then_a_table_adds_it() {
    assert_eq!(
        operators(&product_and_sum(&[0.7]).check("y")),
        ["FullyConnected", "Lookup"]
    );
}

#[test]
fn given_a_quantised_product_that_somebody_else_reads_when_imported_then_it_is_there() {
    let mut sketch = product_and_sum(&BIAS);
    sketch.node("Mul", &["y", "dp"], &["both"], &[]).requantise("both", "z");
    assert_eq!(operators(&sketch.check("z")).first(), Some(&"FullyConnected"));
    assert_eq!(operators(&sketch.check("z")).len(), 3);
}
