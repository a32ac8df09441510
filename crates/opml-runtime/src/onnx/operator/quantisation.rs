//! Quantisation: `real = scale * (q - zero_point)`.

use std::rc::Rc;

use super::{Op, Operands, Quantisation, Resolved};
use crate::onnx::{array::Kind, attributes::Attributes, error::Reasoned};

pub fn resolve(operator: &str, attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let scale = operands.parameter(1)?.ok_or("it has no scale")?;
    if scale.kind() != Kind::Float {
        return Err("its scale is not a float".into());
    }
    if attributes.int("block_size", 0)? != 0 {
        return Err("quantisation in blocks is not supported".into());
    }
    let scales = scale.to_floats();
    if let Some(bad) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        return Err(format!("a scale of {bad} is not possible"));
    }
    let quantize = operator == "QuantizeLinear";
    let given = operands.parameter(2)?;
    let kind = match (quantize, given) {
        (_, Some(zero_points)) => zero_points.kind(),
        (true, None) => match attributes.int("output_dtype", 0)? {
            0 => Kind::Uint8,
            number => Kind::from_onnx(i32::try_from(number).unwrap_or(-1))?,
        },
        (false, None) => x.kind,
    };
    let wanted = if quantize {
        x.kind == Kind::Float
    } else {
        x.kind == kind
    };
    if !wanted || matches!(kind, Kind::Float | Kind::Int64 | Kind::Bool) {
        return Err("its operands do not have the types of a quantisation to int8, uint8 or int32".into());
    }
    let zero_points = match given {
        Some(zero_points) => zero_points.to_integers()?,
        None => vec![0; scales.len()],
    };
    if zero_points.len() != scales.len() {
        return Err(format!(
            "it has {} scales but {} zero points",
            scales.len(),
            zero_points.len()
        ));
    }
    let axis = match scales.len() {
        1 => 0,
        count => {
            let axis = attributes.axis("axis", 1, x.shape.len())?;
            if scale.shape.len() != 1 || x.shape[axis] != count {
                return Err(format!(
                    "it has {count} scales for dimension {axis} of shape {:?}",
                    x.shape
                ));
            }
            axis
        }
    };
    let quantisation = Rc::new(Quantisation {
        kind,
        scale: scales,
        zero_point: zero_points,
        axis,
    });
    let (op, kind) = match quantize {
        true => (Op::Quantize(quantisation), kind),
        false => (Op::Dequantize(quantisation), Kind::Float),
    };
    Ok(Resolved {
        op,
        operands: 1,
        shape: x.shape.clone(),
        kind,
    })
}
