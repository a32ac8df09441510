//! Operators on quantised tensors, as onnxruntime's QOperator format has them: read as dequantisation, operator, quantisation.

use super::{
    attributes::Attributes,
    error::Reasoned,
    graph::{Reader, ValueId},
    proto,
};

/// Operands of a quantised tensor: its values, scale and zero point.
type Triple = [Option<ValueId>; 3];

pub struct Parts {
    operator: &'static str,
    inputs: Vec<Triple>,
    /// int32, with the product of the scales of the first two operands as its scale.
    bias: Option<ValueId>,
    scale: Option<ValueId>,
    zero_point: Option<ValueId>,
}

/// The operands of an operator on quantised tensors; none for any other.
pub fn parts(standard: bool, operator: &str, operands: &[Option<ValueId>]) -> Reasoned<Option<Parts>> {
    let at = |index: usize| operands.get(index).copied().flatten();
    let triple = |from: usize| [at(from), at(from + 1), at(from + 2)];
    let two = |operator, output, bias: Option<usize>| Parts {
        operator,
        inputs: vec![triple(0), triple(3)],
        bias: bias.and_then(at),
        scale: at(output),
        zero_point: at(output + 1),
    };
    let one = |operator| Parts {
        operator,
        inputs: vec![triple(0)],
        bias: None,
        scale: at(3),
        zero_point: at(4),
    };
    Ok(Some(match (standard, operator) {
        (true, "QLinearConv") => two("Conv", 6, Some(8)),
        (true, "QLinearMatMul") => two("MatMul", 6, None),
        (false, "QGemm") => two("Gemm", 7, Some(6)),
        (false, "QLinearAdd") => two("Add", 6, None),
        (false, "QLinearMul") => two("Mul", 6, None),
        (false, "QLinearAveragePool") => one("AveragePool"),
        (false, "QLinearGlobalAveragePool") => one("GlobalAveragePool"),
        (false, "QLinearReduceMean") => one("ReduceMean"),
        (false, "QLinearSigmoid") => one("Sigmoid"),
        (false, "QLinearLeakyRelu") => one("LeakyRelu"),
        (false, "QLinearSoftmax") => one("Softmax"),
        (false, "QLinearConcat") => {
            let inputs = operands.get(2..).unwrap_or(&[]);
            if !inputs.len().is_multiple_of(3) {
                return Err("its operands are no triples of values, scale and zero point".into());
            }
            Parts {
                operator: "Concat",
                inputs: inputs
                    .chunks(3)
                    .map(|triple| [triple[0], triple[1], triple[2]])
                    .collect(),
                bias: None,
                scale: at(0),
                zero_point: at(1),
            }
        }
        _ => return Ok(None),
    }))
}

/// Appends dequantisations, the operator and the quantisation.
pub fn expand(reader: &mut Reader, node: &proto::Node, parts: &Parts, attributes: &Attributes) -> Reasoned<()> {
    let output = node.output.first().map_or("", String::as_str);
    if attributes.int("channels_last", 0)? != 0 {
        return Err("channels_last is not supported".into());
    }
    // Weights have one scale for each output channel: dimension 0 of a convolution's, the last or, transposed, the first of a matrix.
    let transposed = attributes.int("transB", 0)? != 0;
    let mut operands = Vec::with_capacity(parts.inputs.len() + 1);
    for (i, [values, scale, zero_point]) in parts.inputs.iter().copied().enumerate() {
        let axis = match (parts.operator, i) {
            ("Conv", 1) => 0,
            ("Gemm", 1) if transposed => 0,
            _ => -1,
        };
        let axis = [axis_attribute(axis)];
        let operands_of = vec![values, scale, zero_point];
        operands.push(Some(reader.apply(
            node,
            "DequantizeLinear",
            &Attributes(&axis),
            operands_of,
            "",
        )?));
    }
    if let Some(bias) = parts.bias {
        let scale = |input: &Triple| input[1];
        let scales = vec![scale(&parts.inputs[0]), scale(&parts.inputs[1])];
        let scale = reader.apply(node, "Mul", &Attributes(&[]), scales, "")?;
        let axis = [axis_attribute(0)];
        let operands_of = vec![Some(bias), Some(scale)];
        operands.push(Some(reader.apply(
            node,
            "DequantizeLinear",
            &Attributes(&axis),
            operands_of,
            "",
        )?));
    }
    let result = reader.apply(node, parts.operator, attributes, operands, "")?;
    let operands = vec![Some(result), parts.scale, parts.zero_point];
    reader.apply(node, "QuantizeLinear", &Attributes(&[]), operands, output)?;
    Ok(())
}

fn axis_attribute(axis: i64) -> proto::Attribute {
    proto::Attribute {
        name: "axis".into(),
        i: axis,
        r#type: proto::attribute_type::INT,
        ..Default::default()
    }
}
