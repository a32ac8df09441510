//! Attention: masks, shared key heads, caches.

use super::{SCALE, Sketch, int, ints, operators};
use crate::{
    onnx::{Array, Imported, Kind},
    tensor::Tensor,
};

const KEYS: i64 = 5;

/// Scores [1, 2, queries, 5] as `scaled`, and the number `used`, of the input.
fn scores(queries: i64) -> Sketch {
    let mut sketch = Sketch::new(&[1, 2, queries, KEYS]);
    sketch
        .integers("used", &[1])
        .floats("half", &[], &[0.5])
        .node("Mul", &["dx", "half"], &["scaled"], &[]);
    sketch
        .floats("zero real", &[], &[0.0])
        .floats("minus infinity", &[], &[f32::NEG_INFINITY])
        .floats("least", &[], &[f32::MIN])
        .longs("keys", &[0, 1, 2, 3, 4]);
    sketch
}

/// Softmax of `masked`, quantised as `y`.
fn softmax(sketch: &mut Sketch) {
    sketch
        .floats("fine", &[], &[1.0 / 256.0])
        .bytes("bottom", &[], &[-128])
        .node("Softmax", &["masked"], &["weights"], &[int("axis", -1)])
        .node("QuantizeLinear", &["weights", "fine", "bottom"], &["weights_q"], &[])
        .node("DequantizeLinear", &["weights_q", "fine", "bottom"], &["y"], &[]);
}

/// `visible` as an Add of 0 and the least float.
fn added(sketch: &mut Sketch) {
    sketch
        .node("Where", &["visible", "zero real", "least"], &["mask"], &[])
        .node("Add", &["scaled", "mask"], &["masked"], &[]);
}

/// What each query sees, for numbers 1 to 5 of the input, by the model and by the interpreter; hidden keys have exactly 0.
fn check(sketch: &Sketch) -> Imported {
    let imported = sketch.import("y").unwrap();
    let queries = imported.report.outputs[0].shape[2];
    for used in 1..=KEYS {
        let mut inputs = imported.random_samples(1).inputs.remove(0);
        inputs[1] = Array::from_integers(Kind::Int64, vec![1], [used].into_iter());
        let execution = crate::execute(&imported.model, &imported.quantise(&inputs).unwrap()).unwrap();
        let found = imported.dequantise(execution.output()).remove(0);
        let expected = imported.run_original(&inputs).unwrap().remove(0);
        assert_eq!(found.len(), 2 * queries * KEYS as usize);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(*found == 0.0, *expected == 0.0, "{used}: {found} instead of {expected}");
            assert!(
                (found - expected).abs() <= 1.01 / 256.0,
                "{used}: {found} instead of {expected}"
            );
        }
    }
    imported
}

fn softmaxes(imported: &Imported) -> usize {
    operators(imported).iter().filter(|name| **name == "Softmax").count()
}

#[test]
fn given_causal_masks_when_imported_then_a_causal_softmax() {
    let triangle: Vec<f32> = (0..25).map(|i| if i % 5 > i / 5 { -1e9 } else { 0.0 }).collect();
    let mut constant = scores(KEYS);
    constant
        .floats("mask", &[1, 1, 5, 5], &triangle)
        .node("Add", &["mask", "scaled"], &["masked"], &[]);
    let mut compared = scores(KEYS);
    compared
        .longs("down", &[5, 1])
        .node("Reshape", &["keys", "down"], &["queries"], &[])
        .node("GreaterOrEqual", &["queries", "keys"], &["visible"], &[])
        .node("Where", &["visible", "scaled", "minus infinity"], &["masked"], &[]);
    let mut upper = scores(KEYS);
    upper
        .longs("square", &[5, 5])
        .node("ConstantOfShape", &["square"], &["zeros"], &[])
        .node("Add", &["zeros", "least"], &["all"], &[])
        .longs("above", &[1])
        .node("Trilu", &["all", "above"], &["mask"], &[int("upper", 1)])
        .node("Add", &["scaled", "mask"], &["masked"], &[]);
    for mut sketch in [constant, compared, upper] {
        softmax(&mut sketch);
        let imported = check(&sketch);
        assert_eq!(softmaxes(&imported), 1);
        assert!(!operators(&imported).contains(&"Add"));
    }
}

#[test]
fn given_masks_that_follow_from_a_number_when_imported_then_a_softmax_with_a_length() {
    let mut used = scores(1);
    used.node("Less", &["keys", "used"], &["visible"], &[]);
    added(&mut used);
    let mut position = scores(1);
    position
        .longs("one", &[1])
        .node("Sub", &["used", "one"], &["position"], &[])
        .node("Greater", &["keys", "position"], &["hidden"], &[])
        .node("Not", &["hidden"], &["visible"], &[]);
    added(&mut position);
    let mut filled = scores(1);
    filled.node("LessOrEqual", &["used", "keys"], &["hidden"], &[]).node(
        "Where",
        &["hidden", "minus infinity", "scaled"],
        &["masked"],
        &[],
    );
    let mut multiplied = scores(1);
    multiplied
        .node("Less", &["keys", "used"], &["visible"], &[])
        .node("Cast", &["visible"], &["ones"], &[int("to", 1)])
        .floats("one real", &[], &[1.0])
        .floats("penalty", &[], &[-1e4])
        .node("Sub", &["one real", "ones"], &["hidden"], &[])
        .node("Mul", &["hidden", "penalty"], &["mask"], &[])
        .node("Add", &["scaled", "mask"], &["masked"], &[]);
    let mut both = scores(KEYS);
    both.longs("down", &[5, 1])
        .node("Reshape", &["keys", "down"], &["queries"], &[])
        .node("LessOrEqual", &["keys", "queries"], &["causal"], &[])
        .node("Less", &["keys", "used"], &["in use"], &[])
        .node("And", &["causal", "in use"], &["visible"], &[]);
    added(&mut both);
    let mut stacked = both.clone();
    stacked.0.node.pop();
    stacked
        .node("Where", &["causal", "scaled", "minus infinity"], &["below"], &[])
        .node("Where", &["in use", "below", "minus infinity"], &["masked"], &[]);
    for mut sketch in [used, position, filled, multiplied, both, stacked] {
        softmax(&mut sketch);
        assert_eq!(softmaxes(&check(&sketch)), 1);
    }
}

#[test]
fn given_a_mask_that_the_softmax_cannot_have_when_imported_then_told_why() {
    let refusal = |sketch: &mut Sketch| {
        softmax(sketch);
        let refusal = sketch.refusal("y");
        refusal
            .strip_prefix("Node \"Softmax_weights\" (Softmax): its mask cannot be imported: ")
            .unwrap_or(&refusal)
            .to_owned()
    };
    // One number for each key.
    let mut sketch = scores(1);
    sketch.integers("attention_mask", &[1, KEYS]).longs("one", &[1]).node(
        "Equal",
        &["attention_mask", "one"],
        &["visible"],
        &[],
    );
    added(&mut sketch);
    assert_eq!(
        refusal(&mut sketch),
        "it follows from the 5 numbers of \"attention_mask\", which can leave any keys; let it follow from one number, how many of the keys are in use."
    );
    // A bias that grows with the distance.
    let mut sketch = scores(1);
    sketch
        .floats("bias", &[5], &[-4.0, -3.0, -2.0, -1.0, 0.0])
        .node("Add", &["scaled", "bias"], &["masked"], &[]);
    assert_eq!(
        refusal(&mut sketch),
        "it adds -4; only 0, and -10000 or less, can be added."
    );
    // The last keys instead of the first.
    let mut sketch = scores(1);
    sketch.node("Greater", &["keys", "used"], &["visible"], &[]);
    added(&mut sketch);
    assert!(refusal(&mut sketch).starts_with("the keys that it leaves are not the first ones of each row"));
    // Two numbers.
    let mut sketch = scores(1);
    sketch
        .integers("other", &[1])
        .node("Less", &["keys", "used"], &["a"], &[])
        .node("Less", &["keys", "other"], &["b"], &[])
        .node("Or", &["a", "b"], &["visible"], &[]);
    added(&mut sketch);
    assert_eq!(refusal(&mut sketch), "it depends on several inputs.");
    // The first keys and the last one, without a cache in front of that.
    let mut sketch = scores(1);
    sketch
        .longs("four", &[4])
        .node("Less", &["keys", "used"], &["a"], &[])
        .node("Equal", &["keys", "four"], &["b"], &[])
        .node("Or", &["a", "b"], &["visible"], &[]);
    added(&mut sketch);
    softmax(&mut sketch);
    assert!(
        sketch
            .refusal("y")
            .ends_with("but its keys and values are not made by a Concat of a cache and one new row.")
    );
}

#[test]
fn given_key_heads_that_are_repeated_when_imported_then_they_are_shared() {
    // Queries [1, 6, 3, 4] out of x; keys [1, 2, 3, 4] or [1, 1, 3, 4], repeated.
    for (heads, unsqueezed) in [(2, true), (1, true), (1, false)] {
        let mut sketch = Sketch::new(&[1, 6, 3, 4]);
        sketch
            .longs("0", &[0])
            .longs("heads", &[heads])
            .longs("1", &[1])
            .longs("2", &[2])
            .node("Slice", &["dx", "0", "heads", "1"], &["keys"], &[]);
        let repeated = match unsqueezed {
            true => {
                sketch
                    .longs("apart", &[1, heads, 6 / heads, 3, 4])
                    .longs("together", &[1, 6, 3, 4])
                    .node("Unsqueeze", &["keys", "2"], &["keys_5"], &[])
                    .node("Expand", &["keys_5", "apart"], &["keys_r"], &[])
                    .node("Reshape", &["keys_r", "together"], &["repeated"], &[]);
                "repeated"
            }
            false => {
                sketch
                    .longs("six", &[1, 6, 1, 1])
                    .node("Expand", &["keys", "six"], &["repeated"], &[]);
                "repeated"
            }
        };
        sketch
            .node("Transpose", &[repeated], &["turned"], &[ints("perm", &[0, 1, 3, 2])])
            .requantise("turned", "factor")
            .floats("wide", &[], &[2.0])
            .node("MatMul", &["dx", "factor"], &["product"], &[])
            .node("QuantizeLinear", &["product", "wide", "zero"], &["product_q"], &[])
            .node("DequantizeLinear", &["product_q", "wide", "zero"], &["y"], &[]);
        let imported = sketch.import("y").unwrap();
        assert_eq!(operators(&imported), ["Slice", "MatMul"], "{heads} {unsqueezed}");
        let agreement = imported.compare(&imported.random_samples(4)).unwrap();
        assert!(agreement.outputs[0].least_cosine > 0.999, "{agreement:?}");
    }
    // Where it is not a factor, a repetition is refused.
    let mut sketch = Sketch::new(&[1, 1, 4]);
    sketch
        .longs("twice", &[1, 2, 4])
        .node("Expand", &["dx", "twice"], &["y"], &[]);
    assert!(
        sketch
            .refusal("y")
            .contains("it repeats elements; only key heads that query heads share")
    );
}

#[test]
fn given_several_inputs_and_outputs_when_imported_then_parts_of_one_row() {
    // x is float [1, 4]; indices name rows of it and go out again, less one.
    let mut sketch = Sketch::new(&[3, 4]);
    sketch
        .integers("index", &[2])
        .longs("one", &[1])
        .node("Sub", &["index", "one"], &["before"], &[])
        .node("Gather", &["dx", "before"], &["rows"], &[])
        .node("ArgMax", &["dx"], &["best"], &[int("axis", 1), int("keepdims", 0)])
        .output("rows")
        .output("best");
    let imported = sketch.import("dx").unwrap();
    let bytes = |ports: &[crate::onnx::Port]| -> Vec<_> { ports.iter().map(|port| port.bytes.clone()).collect() };
    assert_eq!(bytes(&imported.report.inputs), [0..12, 12..20]);
    assert_eq!(bytes(&imported.report.outputs), [0..8, 8..20, 20..32]);
    let x: Vec<f32> = (0..12).map(|i| (i * 5 % 12) as f32 * SCALE).collect();
    let inputs = [
        Array::floats(vec![3, 4], x.clone()),
        Array::from_integers(Kind::Int64, vec![2], [3, 1].into_iter()),
    ];
    let input = imported.quantise(&inputs).unwrap();
    let outputs = imported.dequantise(crate::execute(&imported.model, &input).unwrap().output());
    assert_eq!(outputs, imported.run_original(&inputs).unwrap());
    assert_eq!(outputs[0], [&x[8..12], &x[0..4]].concat());
    // Another number of bytes is no input.
    assert!(Tensor::new(*imported.model.input_spec(), vec![0; 19]).is_err());
    assert!(imported.quantise(&inputs[..1]).is_err());
}
