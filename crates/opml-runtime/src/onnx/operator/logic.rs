//! Comparisons and choices, and constants that are made of numbers: what masks and positions are computed with.

use super::{Comparison, Known, Op, Operands, Resolved, broadcast, same};
use crate::onnx::{
    array::{self, Array, Kind},
    attributes::Attributes,
    error::Reasoned,
};

pub fn resolve(operator: &str, attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let compare = |comparison| {
        let b = operands.get(1)?;
        let wanted = match comparison {
            Comparison::And | Comparison::Or => Kind::Bool,
            _ => x.kind,
        };
        if x.kind != wanted || b.kind != wanted {
            return Err("its operands have other types".to_string());
        }
        Ok(Resolved {
            op: Op::Compare(comparison),
            operands: 2,
            shape: broadcast(&x.shape, &b.shape)?,
            kind: Kind::Bool,
        })
    };
    match operator {
        "Equal" => compare(Comparison::Equal),
        "Less" => compare(Comparison::Less),
        "LessOrEqual" => compare(Comparison::LessOrEqual),
        "Greater" => compare(Comparison::Greater),
        "GreaterOrEqual" => compare(Comparison::GreaterOrEqual),
        "And" => compare(Comparison::And),
        "Or" => compare(Comparison::Or),
        "Not" => test(Op::Not, Kind::Bool, x),
        "IsNaN" => test(Op::IsNan, Kind::Float, x),
        "Where" => choice(operands),
        "Range" => range(operands),
        "Trilu" => Ok(same(
            Op::Trilu {
                upper: attributes.int("upper", 1)? != 0,
                k: operands.integers(1)?.and_then(|k| k.first().copied()).unwrap_or(0),
            },
            1,
            x,
        )),
        _ => fill(attributes, operands),
    }
}

fn test(op: Op, kind: Kind, x: &Known) -> Reasoned<Resolved> {
    if x.kind != kind {
        return Err("its operand has another type".into());
    }
    Ok(Resolved {
        kind: Kind::Bool,
        ..same(op, 1, x)
    })
}

fn choice(operands: &Operands) -> Reasoned<Resolved> {
    let (condition, a, b) = (operands.get(0)?, operands.get(1)?, operands.get(2)?);
    if condition.kind != Kind::Bool || a.kind != b.kind {
        return Err("its operands have other types".into());
    }
    Ok(Resolved {
        op: Op::Where,
        operands: 3,
        shape: broadcast(&condition.shape, &broadcast(&a.shape, &b.shape)?)?,
        kind: a.kind,
    })
}

/// Integers only, and only of constants: otherwise the shape is not known.
fn range(operands: &Operands) -> Reasoned<Resolved> {
    let one = |index: usize| match operands.integers(index)?.as_deref() {
        Some([value]) => Ok(*value),
        _ => Err(format!("operand {index} must be one number")),
    };
    let (start, end, step) = (one(0)?, one(1)?, one(2)?);
    let span = end.checked_sub(start).ok_or("its bounds are too far apart")?;
    let count = match step {
        0 => return Err("its step is 0".into()),
        1.. => {
            span.max(0)
                .checked_add(step - 1)
                .ok_or("its bounds are too far apart")?
                / step
        }
        _ => return Err("a range downwards is not supported".into()),
    };
    Ok(Resolved {
        op: Op::Range,
        operands: 3,
        shape: array::shape(&[count])?,
        kind: operands.get(0)?.kind,
    })
}

fn fill(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let shape = operands.integers(0)?.ok_or("it has no shape")?;
    let value = attributes.tensor("value")?;
    let kind = value.as_ref().map_or(Kind::Float, Array::kind);
    let value = match value.map(|value| value.to_floats()).as_deref() {
        None => 0.0,
        Some([value]) => *value,
        Some(_) => return Err("its value must be one number".into()),
    };
    Ok(Resolved {
        op: Op::Fill { value },
        operands: 1,
        shape: array::shape(&shape)?,
        kind,
    })
}
