//! Normalisation of the last dimension.

use super::{Op, Operands, Resolved, same};
use crate::onnx::{attributes::Attributes, error::Reasoned};

pub fn resolve(operator: &str, attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let axis = attributes.axis("axis", -1, x.shape.len())?;
    if axis + 1 != x.shape.len() {
        return Err("only the last dimension can be normalised".into());
    }
    let epsilon = attributes.float("epsilon", 1e-5)?;
    if !(epsilon.is_finite() && epsilon >= 0.0) {
        return Err(format!("epsilon {epsilon} is not possible"));
    }
    let (op, parameters) = match operator {
        "LayerNormalization" => (Op::LayerNorm { epsilon }, 2),
        _ => (Op::RmsNorm { epsilon }, 1),
    };
    let last = &x.shape[axis..];
    for i in 1..operands.0.len().min(1 + parameters) {
        if operands.optional(i).is_some_and(|known| known.shape != last) {
            return Err(format!("operand {i} must have shape {last:?}"));
        }
    }
    Ok(same(op, operands.0.len().min(1 + parameters), x))
}
