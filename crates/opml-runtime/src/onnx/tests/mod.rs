//! Small graphs: what is refused, in which words, and single operators against the interpreter.

use proptest::prelude::*;
use prost::Message;

mod attention;
mod fusion;

use super::{
    ImportError, Imported, import,
    proto::{self, attribute_type, data_type},
};

/// A graph under construction. Every activation is `scale * (q - zero_point)` with [`SCALE`] and [`ZERO_POINT`].
#[derive(Default, Clone)]
struct Sketch(proto::Graph);

const SCALE: f32 = 0.05;
const ZERO_POINT: i8 = 3;

fn int(name: &str, i: i64) -> proto::Attribute {
    proto::Attribute {
        name: name.into(),
        i,
        r#type: attribute_type::INT,
        ..Default::default()
    }
}

fn ints(name: &str, ints: &[i64]) -> proto::Attribute {
    proto::Attribute {
        name: name.into(),
        ints: ints.into(),
        r#type: attribute_type::INTS,
        ..Default::default()
    }
}

fn value(name: &str, dims: &[i64], elem_type: i32) -> proto::ValueInfo {
    let dim = dims
        .iter()
        .map(|length| proto::Dimension {
            dim_value: (*length > 0).then_some(*length),
            dim_param: None,
        })
        .collect();
    let tensor_type = Some(proto::TensorType {
        elem_type,
        shape: Some(proto::Shape { dim }),
    });
    proto::ValueInfo {
        name: name.into(),
        r#type: Some(proto::Type { tensor_type }),
    }
}

impl Sketch {
    /// Float input `x`, quantised and dequantised as `dx`.
    fn new(dims: &[i64]) -> Self {
        let mut sketch = Self::default();
        sketch.0.input.push(value("x", dims, data_type::FLOAT));
        sketch
            .floats("scale", &[], &[SCALE])
            .bytes("zero", &[], &[ZERO_POINT])
            .requantise("x", "dx");
        sketch
    }

    fn node(&mut self, op_type: &str, input: &[&str], output: &[&str], attribute: &[proto::Attribute]) -> &mut Self {
        self.0.node.push(proto::Node {
            input: input.iter().map(|name| name.to_string()).collect(),
            output: output.iter().map(|name| name.to_string()).collect(),
            name: format!("{op_type}_{}", output.first().unwrap_or(&"")),
            op_type: op_type.into(),
            attribute: attribute.into(),
            domain: String::new(),
        });
        self
    }

    fn requantise(&mut self, from: &str, to: &str) -> &mut Self {
        let quantised = format!("{from}_q");
        self.node("QuantizeLinear", &[from, "scale", "zero"], &[&quantised], &[]);
        self.node("DequantizeLinear", &[&quantised, "scale", "zero"], &[to], &[])
    }

    fn tensor(&mut self, name: &str, dims: &[i64], data_type: i32, raw_data: Vec<u8>) -> &mut Self {
        self.0.initializer.push(proto::Tensor {
            name: name.into(),
            dims: dims.into(),
            data_type,
            raw_data: Some(raw_data),
            ..Default::default()
        });
        self
    }

    fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> &mut Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, dims, data_type::FLOAT, raw)
    }

    fn bytes(&mut self, name: &str, dims: &[i64], values: &[i8]) -> &mut Self {
        self.tensor(
            name,
            dims,
            data_type::INT8,
            values.iter().map(|value| *value as u8).collect(),
        )
    }

    fn longs(&mut self, name: &str, values: &[i64]) -> &mut Self {
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, &[values.len() as i64], data_type::INT64, raw)
    }

    /// An input of int64.
    fn integers(&mut self, name: &str, dims: &[i64]) -> &mut Self {
        self.0.input.push(value(name, dims, data_type::INT64));
        self
    }

    /// An output before the last one.
    fn output(&mut self, name: &str) -> &mut Self {
        self.0.output.push(value(name, &[], data_type::FLOAT));
        self
    }

    fn import(&self, output: &str) -> Result<Imported, ImportError> {
        let mut graph = self.0.clone();
        graph.output.push(value(output, &[], data_type::FLOAT));
        let opset_import = vec![proto::OperatorSet {
            domain: String::new(),
            version: 17,
        }];
        import(
            &proto::Model {
                graph: Some(graph),
                opset_import,
                functions: Vec::new(),
            }
            .encode_to_vec(),
        )
    }

    fn refusal(&self, output: &str) -> String {
        self.import(output).map(|_| ()).unwrap_err().to_string()
    }

    /// The integer model against the interpreter: no output further off than two steps.
    fn check(&self, output: &str) -> Imported {
        let imported = self.import(output).unwrap();
        let samples = imported.random_samples(6);
        for input in &samples.inputs {
            let execution = crate::execute(&imported.model, &imported.quantise(input).unwrap()).unwrap();
            let found = imported.dequantise(execution.output()).concat();
            let expected = imported.run_original(input).unwrap().concat();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() <= 2.01 * SCALE,
                    "{found} instead of {expected}\n{}",
                    imported.report
                );
            }
        }
        imported
    }
}

fn operators(imported: &Imported) -> Vec<&'static str> {
    let nodes = imported.model.nodes().iter();
    nodes
        .map(|node| opml::ops::operator(node.operator).unwrap().name())
        .collect()
}

#[test]
fn given_an_operator_that_is_not_supported_when_imported_then_named() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch.node("Det", &["dx"], &["y"], &[]);
    assert_eq!(
        sketch.refusal("y"),
        "Node \"Det_y\" (Det): this operator is not supported; docs/models.md lists those that are."
    );
}

#[test]
fn given_a_cycle_when_imported_then_refused() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .node("Add", &["dx", "b"], &["a"], &[])
        .node("Relu", &["a"], &["b"], &[]);
    assert_eq!(
        sketch.refusal("a"),
        "Node \"Add_a\" (Add): it reads \"b\" before a node makes it: the graph has a cycle, or its nodes are not in order."
    );
}

#[test]
fn given_an_operand_that_nothing_makes_when_imported_then_refused() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch.node("Relu", &["nowhere"], &["y"], &[]);
    assert_eq!(
        sketch.refusal("y"),
        "Node \"Relu_y\" (Relu): it reads \"nowhere\", which nothing makes."
    );
    assert_eq!(
        sketch.clone().refusal("z").split(':').next(),
        Some("Node \"Relu_y\" (Relu)")
    );
    assert_eq!(
        Sketch::new(&[1]).refusal("z"),
        "The ONNX model has an output \"z\" that no node makes."
    );
}

#[test]
fn given_a_value_made_twice_when_imported_then_refused() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .node("Relu", &["dx"], &["y"], &[])
        .node("Tanh", &["dx"], &["y"], &[]);
    assert_eq!(
        sketch.refusal("y"),
        "Node \"Tanh_y\" (Tanh): two nodes make the value \"y\"."
    );
}

#[test]
fn given_absurd_shapes_when_imported_then_refused_without_memory() {
    for dims in [vec![1 << 40, 1 << 40], vec![1 << 30], vec![1; 9], vec![i64::MAX; 3]] {
        let refusal = Sketch::new(&dims).refusal("dx");
        assert!(
            refusal.starts_with("The ONNX model has an input \"x\" that cannot be used: "),
            "{refusal}"
        );
    }
    // A constant whose shape promises what the file does not hold.
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .bytes("huge", &[1 << 14, 1 << 14], &[0; 4])
        .node("Add", &["dx", "huge"], &["y"], &[]);
    assert!(
        sketch
            .refusal("y")
            .contains("constant \"huge\" has shape [16384, 16384] but 4 elements")
    );
    // Small constants whose sum is large, again and again.
    let mut sketch = Sketch::new(&[1, 4]);
    let long = vec![0.5; 1 << 13];
    sketch
        .floats("row", &[1, 1 << 13], &long)
        .floats("column", &[1 << 13, 1], &long);
    sketch.node("Add", &["row", "column"], &["wide"], &[]);
    assert!(
        sketch.refusal("wide").contains("takes more than"),
        "{}",
        sketch.refusal("wide")
    );
}

#[test]
fn given_a_result_that_is_not_quantised_when_used_then_told_where() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .floats("w", &[4, 4], &[0.25; 16])
        .node("MatMul", &["dx", "w"], &["y"], &[]);
    sketch.node("Sigmoid", &["y"], &["z"], &[]);
    assert_eq!(
        sketch.refusal("z"),
        "Node \"Sigmoid_z\" (Sigmoid): the result of node \"MatMul_y\" (MatMul) reaches it without a QuantizeLinear and DequantizeLinear between."
    );
    let mut sketch = Sketch::new(&[1, 4]);
    sketch.node("Relu", &["x"], &["y"], &[]);
    assert!(
        sketch
            .refusal("y")
            .contains("the model's input reaches it without a QuantizeLinear")
    );
}

#[test]
fn given_no_inputs_when_imported_then_refused() {
    let mut sketch = Sketch::default();
    sketch.floats("c", &[2], &[1.0, 2.0]);
    assert_eq!(sketch.refusal("c"), "The ONNX model has no input.");
}

#[test]
fn given_weights_in_another_file_when_imported_then_refused() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .floats("w", &[4, 4], &[])
        .node("MatMul", &["dx", "w"], &["y"], &[]);
    sketch.0.initializer.last_mut().unwrap().data_location = proto::EXTERNAL;
    assert!(
        sketch
            .refusal("y")
            .ends_with("constant \"w\" is kept in another file; save the model as one file.")
    );
}

#[test]
fn given_a_scale_that_is_no_scale_when_imported_then_refused() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let mut sketch = Sketch::new(&[1, 4]);
        sketch
            .floats("bad", &[], &[scale])
            .node("QuantizeLinear", &["dx", "bad", "zero"], &["y"], &[]);
        assert!(sketch.refusal("y").contains("is not possible"), "{scale}");
    }
}

#[test]
fn given_a_reduction_that_is_too_long_when_imported_then_refused() {
    let mut sketch = Sketch::new(&[1, 40_000]);
    sketch
        .floats("w", &[40_000, 1], &[0.25; 40_000])
        .node("MatMul", &["dx", "w"], &["y"], &[]);
    assert!(
        sketch
            .refusal("y")
            .contains("each of its results is made of 40000 elements; at most 32768 are possible")
    );
}

#[test]
fn given_a_hostile_name_when_refused_then_one_short_line() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch.node(&"A\nB".repeat(1000), &["dx"], &["y"], &[]);
    let refusal = sketch.refusal("y");
    assert!(!refusal.contains('\n') && refusal.len() < 400, "{refusal}");
}

#[test]
fn given_a_very_long_list_when_refused_then_one_short_line() {
    let mut sketch = Sketch::new(&[1, 4]);
    sketch
        .longs("shape", &[-7; 500])
        .node("Reshape", &["dx", "shape"], &["y"], &[]);
    assert_eq!(
        sketch.refusal("y"),
        "Node \"Reshape_y\" (Reshape): shape [-7, -7, -7, -7, -7, -7, -7, -7] and 492 more is not possible."
    );
}

#[test]
fn given_a_very_long_chain_when_imported_then_no_recursion() {
    let mut sketch = Sketch::new(&[1, 4]);
    let mut last = "dx".to_string();
    for i in 0..20_000 {
        let next = format!("v{i}");
        sketch.node("Identity", &[&last], &[&next], &[]);
        last = next;
    }
    assert!(sketch.import(&last).is_ok());
    // As functions they would need a table of all of them.
    let mut sketch = Sketch::new(&[1, 4]);
    let mut last = "dx".to_string();
    for i in 0..100 {
        let next = format!("v{i}");
        sketch.node("Tanh", &[&last], &[&next], &[]);
        last = next;
    }
    assert!(sketch.refusal(&last).contains("functions follow each other"));
}

#[test]
fn given_functions_between_quantisations_when_imported_then_one_table() {
    // GELU in pieces, and SiLU.
    let mut sketch = Sketch::new(&[2, 5]);
    sketch
        .floats("root", &[], &[2f32.sqrt()])
        .floats("one", &[], &[1.0])
        .floats("half", &[1], &[0.5]);
    sketch
        .node("Div", &["dx", "root"], &["a"], &[])
        .node("Erf", &["a"], &["b"], &[]);
    sketch
        .node("Add", &["b", "one"], &["c"], &[])
        .node("Mul", &["dx", "c"], &["d"], &[]);
    sketch.node("Mul", &["half", "d"], &["e"], &[]).requantise("e", "gelu");
    sketch
        .node("Sigmoid", &["gelu"], &["f"], &[])
        .node("Mul", &["gelu", "f"], &["g"], &[])
        .requantise("g", "y");
    assert_eq!(operators(&sketch.check("y")), ["Lookup", "Lookup"]);
}

#[test]
fn given_functions_when_imported_then_close_to_the_interpreter() {
    for function in [
        "Abs",
        "Elu",
        "Erf",
        "Gelu",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Neg",
        "Relu",
        "Sigmoid",
        "Softplus",
        "Tanh",
    ] {
        let mut sketch = Sketch::new(&[1, 64]);
        sketch.node(function, &["dx"], &["a"], &[]).requantise("a", "y");
        let expected = if function == "Relu" { "Clip" } else { "Lookup" };
        assert_eq!(operators(&sketch.check("y")), [expected], "{function}");
        // An output that is not quantised gets a scale of its own.
        let mut sketch = Sketch::new(&[1, 64]);
        sketch.node(function, &["dx"], &["y"], &[]);
        sketch.check("y");
    }
}

#[test]
fn given_sums_and_products_when_imported_then_close_to_the_interpreter() {
    for (operator, shape) in [
        ("Add", vec![1, 3, 4, 2]),
        ("Sub", vec![3, 1, 1]),
        ("Mul", vec![4, 2]),
        ("Add", vec![1, 3, 1, 2]),
    ] {
        let count = shape.iter().product::<i64>();
        let constant: Vec<f32> = (0..count).map(|i| i as f32 / 7.0 - 1.0).collect();
        let mut sketch = Sketch::new(&[1, 3, 4, 2]);
        sketch
            .floats("c", &shape, &constant)
            .node(operator, &["dx", "c"], &["a"], &[])
            .requantise("a", "b");
        sketch
            .node(operator, &["c", "b"], &["d"], &[])
            .node("Relu", &["d"], &["e"], &[])
            .requantise("e", "f");
        sketch.node("Tanh", &["dx"], &["t"], &[]).requantise("t", "u");
        sketch.node(operator, &["f", "u"], &["g"], &[]).requantise("g", "y");
        sketch.check("y");
    }
}

#[test]
fn given_one_operand_that_is_repeated_when_imported_then_close_to_the_interpreter() {
    let mut sketch = Sketch::new(&[1, 3, 4, 2]);
    sketch.longs("axes", &[2, 3]).node(
        "ReduceMean",
        &["dx"],
        &["m"],
        &[ints("axes", &[1, 2]), int("keepdims", 1)],
    );
    sketch
        .requantise("m", "n")
        .node("Add", &["n", "dx"], &["a"], &[])
        .requantise("a", "y");
    sketch.check("y");
}

#[test]
fn given_convolutions_when_imported_then_close_to_the_interpreter() {
    for (groups, kernel, stride, dilation, pads) in [
        (1, [3, 3], [1, 1], [1, 1], [1, 1, 1, 1]),
        (1, [1, 1], [1, 1], [1, 1], [0, 0, 0, 0]),
        (2, [2, 3], [2, 1], [1, 2], [0, 2, 1, 0]),
        (4, [3, 3], [2, 2], [1, 1], [1, 0, 0, 2]),
    ] {
        let (n, per_group) = (8i64, 4 / groups);
        let count = n * per_group * kernel[0] * kernel[1];
        let weights: Vec<i8> = (0..count).map(|i| (i * 37 % 251 - 125) as i8).collect();
        let scales: Vec<f32> = (0..n).map(|i| 0.001 + i as f32 * 0.0003).collect();
        let bias: Vec<f32> = (0..n).map(|i| i as f32 * 0.1 - 0.4).collect();
        let mut sketch = Sketch::new(&[2, 4, 6, 7]);
        sketch
            .bytes("w_q", &[n, per_group, kernel[0], kernel[1]], &weights)
            .floats("w_scale", &[n], &scales);
        sketch
            .bytes("w_zero", &[n], &vec![0; n as usize])
            .floats("bias", &[n], &bias);
        sketch.node(
            "DequantizeLinear",
            &["w_q", "w_scale", "w_zero"],
            &["w"],
            &[int("axis", 0)],
        );
        let attributes = [
            int("group", groups),
            ints("strides", &stride),
            ints("dilations", &dilation),
            ints("pads", &pads),
        ];
        sketch
            .node("Conv", &["dx", "w", "bias"], &["a"], &attributes)
            .node("Relu", &["a"], &["b"], &[]);
        sketch
            .requantise("b", "c")
            .node("Transpose", &["c"], &["y"], &[ints("perm", &[0, 2, 3, 1])]);
        let imported = sketch.check("y");
        // What comes out with its channels last needs no Transpose behind the convolution.
        assert_eq!(
            operators(&imported).iter().filter(|name| **name == "Transpose").count(),
            1
        );
        assert!(imported.report.lines.iter().all(|line| line.note.is_none()));
    }
}

#[test]
fn given_poolings_when_imported_then_close_to_the_interpreter() {
    let pads = ints("pads", &[1, 0, 1, 1]);
    let window = [ints("kernel_shape", &[3, 2]), ints("strides", &[2, 1])];
    for (operator, attributes) in [
        ("MaxPool", [&window[..], std::slice::from_ref(&pads)].concat()),
        (
            "AveragePool",
            [&window[..], &[pads.clone(), int("count_include_pad", 1)]].concat(),
        ),
        ("AveragePool", window.to_vec()),
        (
            "AveragePool",
            [&window[..], std::slice::from_ref(&pads), &[ints("dilations", &[1, 2])]].concat(),
        ),
        ("GlobalAveragePool", vec![]),
        ("GlobalMaxPool", vec![]),
    ] {
        let mut sketch = Sketch::new(&[1, 3, 6, 5]);
        sketch.node(operator, &["dx"], &["a"], &attributes).requantise("a", "b");
        sketch.node("Flatten", &["b"], &["y"], &[]);
        sketch.check("y");
    }
}

#[test]
fn given_movements_when_imported_then_exact() {
    let mut sketch = Sketch::new(&[2, 3, 4]);
    sketch
        .longs("starts", &[1, -3])
        .longs("ends", &[2, i64::MAX])
        .longs("axes", &[0, 2]);
    sketch.node("Transpose", &["dx"], &["a"], &[ints("perm", &[1, 2, 0])]);
    sketch.node("Transpose", &["a"], &["b"], &[ints("perm", &[2, 0, 1])]);
    sketch.node("Slice", &["b", "starts", "ends", "axes"], &["c"], &[]);
    sketch
        .longs("pads", &[0, 1, 0, 0, 0, 2])
        .node("Pad", &["c", "pads"], &["d"], &[]);
    sketch
        .node("Concat", &["d", "d"], &["e"], &[int("axis", 2)])
        .requantise("e", "f");
    sketch
        .longs("shape", &[0, -1])
        .node("Reshape", &["f", "shape"], &["g"], &[]);
    sketch
        .node("Split", &["g"], &["h", "i"], &[int("axis", 1)])
        .longs("first", &[0]);
    sketch
        .node("Squeeze", &["i", "first"], &["j"], &[])
        .node("Unsqueeze", &["j", "first"], &["y"], &[]);
    let imported = sketch.check("y");
    assert_eq!(
        imported.compare(&imported.random_samples(3)).unwrap().outputs[0].least_cosine,
        1.0
    );
}

#[test]
fn given_slices_in_steps_when_imported_then_exact() {
    for (start, end, step) in [
        (0, 7, 2),
        (1, 7, 2),
        (2, 7, 3),
        (0, 7, 4),
        (3, 6, 2),
        (6, 7, 5),
        (0, 7, 1),
    ] {
        let mut sketch = Sketch::new(&[2, 7, 3]);
        sketch
            .longs("starts", &[start, 0])
            .longs("ends", &[end, 3])
            .longs("axes", &[1, 2])
            .longs("steps", &[step, 2]);
        sketch.node("Slice", &["dx", "starts", "ends", "axes", "steps"], &["y"], &[]);
        let imported = sketch.check("y");
        let agreement = imported.compare(&imported.random_samples(3)).unwrap();
        assert_eq!(agreement.outputs[0].least_cosine, 1.0, "{start}..{end} by {step}");
    }
    let mut sketch = Sketch::new(&[2, 7]);
    sketch.longs("first", &[6]).longs("last", &[0]).longs("back", &[-1]);
    sketch.node("Slice", &["dx", "first", "last", "last", "back"], &["y"], &[]);
    assert!(sketch.refusal("y").ends_with("a slice backwards is not supported."));
}

#[test]
fn given_products_of_activations_when_imported_then_close_to_the_interpreter() {
    let mut sketch = Sketch::new(&[1, 2, 3, 4]);
    sketch.node("Transpose", &["dx"], &["t"], &[ints("perm", &[0, 1, 3, 2])]);
    sketch
        .node("MatMul", &["dx", "t"], &["a"], &[])
        .floats("s", &[], &[16.0]);
    sketch
        .floats("wide", &[], &[2.0])
        .node("QuantizeLinear", &["a", "wide", "zero"], &["b"], &[]);
    sketch
        .node("DequantizeLinear", &["b", "wide", "zero"], &["c"], &[])
        .node("Div", &["c", "s"], &["d"], &[]);
    sketch
        .floats("fine", &[], &[1.0 / 256.0])
        .bytes("least", &[], &[-128])
        .requantise("d", "e")
        .node("Softmax", &["e"], &["f"], &[int("axis", -1)])
        .node("QuantizeLinear", &["f", "fine", "least"], &["g"], &[])
        .node("DequantizeLinear", &["g", "fine", "least"], &["h"], &[])
        .node("MatMul", &["h", "dx"], &["i"], &[])
        .requantise("i", "y");
    let names = operators(&sketch.check("y"));
    // The transposition before the first product is what the operator wants anyway.
    assert_eq!(names[0], "MatMul", "{names:?}");
}

#[test]
fn given_a_layer_normalisation_when_imported_then_close_to_the_interpreter() {
    let mut sketch = Sketch::new(&[3, 16]);
    let gamma: Vec<f32> = (0..16).map(|i| 0.5 + i as f32 * 0.1).collect();
    sketch.floats("gamma", &[16], &gamma).floats("beta", &[16], &gamma);
    sketch
        .node("LayerNormalization", &["dx", "gamma", "beta"], &["a"], &[])
        .requantise("a", "y");
    sketch.check("y");
}

#[test]
fn given_a_maximum_when_imported_then_its_index() {
    for (axis, keepdims) in [(1, 1), (1, 0), (2, 0), (0, 1)] {
        let mut sketch = Sketch::new(&[2, 3, 4]);
        sketch.node(
            "ArgMax",
            &["dx"],
            &["y"],
            &[int("axis", axis), int("keepdims", keepdims)],
        );
        let imported = sketch.check("y");
        let agreement = imported.compare(&imported.random_samples(5)).unwrap();
        assert_eq!(agreement.outputs[0].equal_rows, agreement.outputs[0].rows);
    }
}

/// A change of a decoded model, which bytes changed at random seldom make.
#[derive(Debug, Clone)]
enum Change {
    Operator(&'static str),
    Operand {
        operand: prop::sample::Index,
        from: prop::sample::Index,
    },
    Attribute {
        name: &'static str,
        value: i64,
        count: usize,
    },
    Dims {
        constant: prop::sample::Index,
        dims: Vec<i64>,
    },
    Leave,
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        -3..5i64,
        Just(i64::MIN),
        Just(i64::MAX),
        Just(65_535),
        Just(1 << 20),
        Just(1 << 32)
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let operators = [
        "Add",
        "And",
        "ArgMax",
        "AveragePool",
        "Cast",
        "Concat",
        "Conv",
        "DequantizeLinear",
        "Cos",
        "Div",
        "Equal",
        "Expand",
        "Flatten",
        "Gather",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "IsNaN",
        "LayerNormalization",
        "Less",
        "MatMul",
        "MaxPool",
        "Mul",
        "Neg",
        "Not",
        "Pad",
        "Pow",
        "QLinearConv",
        "QuantizeLinear",
        "RMSNormalization",
        "Range",
        "Reciprocal",
        "ReduceMean",
        "Relu",
        "Reshape",
        "RotaryEmbedding",
        "Shape",
        "Slice",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "Tanh",
        "Tile",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "Where",
    ];
    let names = [
        "axis",
        "axes",
        "perm",
        "pads",
        "strides",
        "dilations",
        "kernel_shape",
        "group",
        "keepdims",
        "transB",
        "ceil_mode",
        "count_include_pad",
        "to",
        "split",
        "starts",
        "ends",
    ];
    prop_oneof![
        prop::sample::select(operators.to_vec()).prop_map(Change::Operator),
        any::<[prop::sample::Index; 2]>().prop_map(|[operand, from]| Change::Operand { operand, from }),
        (prop::sample::select(names.to_vec()), number(), 0usize..5)
            .prop_map(|(name, value, count)| Change::Attribute { name, value, count }),
        (any::<prop::sample::Index>(), prop::collection::vec(number(), 0..5))
            .prop_map(|(constant, dims)| Change::Dims { constant, dims }),
        Just(Change::Leave),
    ]
}

fn apply(graph: &mut proto::Graph, place: prop::sample::Index, change: Change) {
    let names: Vec<String> = graph.node.iter().flat_map(|node| node.input.clone()).collect();
    if graph.node.is_empty() {
        return;
    }
    let index = place.index(graph.node.len());
    let node = &mut graph.node[index];
    match change {
        Change::Operator(operator) => node.op_type = operator.into(),
        Change::Operand { operand, from } if !node.input.is_empty() && !names.is_empty() => {
            let operand = operand.index(node.input.len());
            node.input[operand] = from.get(&names).clone();
        }
        Change::Attribute { name, value, count } => {
            node.attribute.retain(|attribute| attribute.name != name);
            node.attribute.push(if count == 0 {
                int(name, value)
            } else {
                ints(name, &vec![value; count])
            });
        }
        Change::Dims { constant, dims } if !graph.initializer.is_empty() => {
            let constant = constant.index(graph.initializer.len());
            graph.initializer[constant].dims = dims;
        }
        Change::Leave => {
            graph.node.remove(index);
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn given_a_changed_graph_when_imported_then_no_panic(
        file in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let files = [
            "digits_cnn/digits_cnn.qdq.int8",
            "digits_cnn/digits_cnn.qoperator.uint8",
            "encoder/encoder.qdq.int8",
            "decoder/prefill.qdq.int8",
            "decoder/step.qdq.int8",
            "decoder/exported/step.qdq.int8",
        ];
        let path = format!("{}/../../models/{}.onnx", env!("CARGO_MANIFEST_DIR"), files[file]);
        let mut model = proto::Model::decode(std::fs::read(path).unwrap().as_slice()).unwrap();
        let graph = model.graph.as_mut().unwrap();
        for (place, change) in changes {
            apply(graph, place, change);
        }
        if let Err(error) = import(&model.encode_to_vec()) {
            let text = error.to_string();
            prop_assert!(text.ends_with('.') && !text.contains('\n') && text.len() < 600, "{}", text);
        }
    }
}
