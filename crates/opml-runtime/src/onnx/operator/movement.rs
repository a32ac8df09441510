//! Operators that only move elements.

use super::{Known, Op, Operands, Resolved, broadcast, normal_axis, reshaped};
use crate::onnx::{
    array::elements,
    attributes::Attributes,
    error::{Reasoned, listed},
};

pub fn reshape(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let wanted = operands.integers(1)?.ok_or("it has no shape")?;
    let zero_is_copy = attributes.int("allowzero", 0)? == 0;
    if wanted.len() > 8 || wanted.iter().filter(|length| **length == -1).count() > 1 {
        return Err(format!("shape {} is not possible", listed(&wanted)));
    }
    let all: usize = x.shape.iter().product();
    let mut shape = Vec::with_capacity(wanted.len());
    for (i, length) in wanted.iter().enumerate() {
        shape.push(match *length {
            -1 => 1,
            0 if zero_is_copy => *x
                .shape
                .get(i)
                .ok_or("it copies a dimension that its operand does not have")?,
            length => usize::try_from(length).map_err(|_| format!("shape {} is not possible", listed(&wanted)))?,
        });
    }
    let known = elements(&shape)?;
    if let Some(i) = wanted.iter().position(|length| *length == -1) {
        shape[i] = all / known;
    }
    if elements(&shape)? != all {
        return Err(format!("shape {:?} cannot become {}", x.shape, listed(&wanted)));
    }
    reshaped(x, shape)
}

pub fn transpose(attributes: &Attributes, x: &Known) -> Reasoned<Resolved> {
    let rank = x.shape.len();
    let permutation = match attributes.ints("perm")? {
        None => (0..rank).rev().collect(),
        Some(axes) => axes
            .into_iter()
            .map(|axis| normal_axis(axis, rank))
            .collect::<Reasoned<Vec<_>>>()?,
    };
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("its perm is not an order of {rank} dimensions"));
    }
    let shape = permutation.iter().map(|axis| x.shape[*axis]).collect();
    Ok(Resolved {
        op: Op::Transpose { permutation },
        operands: 1,
        shape,
        kind: x.kind,
    })
}

pub fn concat(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let axis = normal_axis(attributes.required_int("axis")?, x.shape.len())?;
    let mut shape = x.shape.clone();
    for i in 1..operands.0.len() {
        let other = operands.get(i)?;
        let fits = other.shape.len() == shape.len()
            && (0..shape.len()).all(|d| d == axis || other.shape[d] == shape[d])
            && other.kind == x.kind;
        if !fits {
            return Err(format!(
                "operand {i} of shape {:?} does not fit {:?}",
                other.shape, x.shape
            ));
        }
        shape[axis] = shape[axis].saturating_add(other.shape[axis]);
    }
    Ok(Resolved {
        op: Op::Concat { axis },
        operands: operands.0.len(),
        shape,
        kind: x.kind,
    })
}

pub fn slice(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let rank = x.shape.len();
    let given = |index: usize, name: &str| match operands.integers(index)? {
        Some(values) => Ok(Some(values)),
        None => attributes.ints(name),
    };
    let starts = given(1, "starts")?.ok_or("it has no starts")?;
    let ends = given(2, "ends")?.ok_or("it has no ends")?;
    let axes = given(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = given(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("its starts, ends, axes and steps are not equally many".into());
    }
    let (mut from, mut by, mut shape) = (vec![0; rank], vec![1; rank], x.shape.clone());
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let step = usize::try_from(step).map_err(|_| "a slice backwards is not supported")?;
        let axis = normal_axis(axis, rank)?;
        let length = x.shape[axis] as i64;
        let place = |at: i64| if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length);
        let (start, end) = (place(start), place(end));
        if start >= end {
            return Err(format!("its slice of dimension {axis} is empty"));
        }
        from[axis] = start as usize;
        by[axis] = step;
        shape[axis] = ((end - start) as usize).div_ceil(step.max(1));
    }
    if by.contains(&0) {
        return Err("a slice in steps of 0 is not possible".into());
    }
    let op = Op::Slice {
        starts: from,
        steps: by,
    };
    Ok(Resolved {
        op,
        operands: 1,
        shape,
        kind: x.kind,
    })
}

pub fn pad(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let rank = x.shape.len();
    if attributes.string("mode", "constant")? != "constant" {
        return Err("only padding with a constant is supported".into());
    }
    let pads = match operands.integers(1)? {
        Some(pads) => pads,
        None => attributes.ints("pads")?.ok_or("it has no pads")?,
    };
    let axes: Vec<usize> = match operands.integers(3)? {
        None => (0..rank).collect(),
        Some(axes) => axes
            .into_iter()
            .map(|axis| normal_axis(axis, rank))
            .collect::<Reasoned<_>>()?,
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("it has {} pads for {} dimensions", pads.len(), axes.len()));
    }
    let value = operands.scalar(2)?.unwrap_or(0.0);
    let (mut before, mut shape) = (vec![0; rank], x.shape.clone());
    for (i, axis) in axes.iter().enumerate() {
        let length = |pad: i64| usize::try_from(pad).map_err(|_| "a negative pad is not supported".to_string());
        before[*axis] = length(pads[i])?;
        shape[*axis] = shape[*axis]
            .saturating_add(before[*axis])
            .saturating_add(length(pads[i + axes.len()])?);
    }
    Ok(Resolved {
        op: Op::Pad { before, value },
        operands: 1,
        shape,
        kind: x.kind,
    })
}

/// Repetition along dimensions of 1, as `Expand` has it: the shape is that of both together.
pub fn expand(operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let wanted = operands.integers(1)?.ok_or("it has no shape")?;
    let wanted = crate::onnx::array::shape(&wanted)?;
    repeated(x, broadcast(&x.shape, &wanted)?)
}

/// `Tile`, where it repeats dimensions of 1 only.
pub fn tile(operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let repeats = operands.integers(1)?.ok_or("it has no repeats")?;
    let repeats = crate::onnx::array::shape(&repeats)?;
    let along_one = |(length, repeats): (&usize, &usize)| *length == 1 || *repeats == 1;
    if repeats.len() != x.shape.len() || !x.shape.iter().zip(&repeats).all(along_one) {
        return Err(format!(
            "repeating shape {:?} {repeats:?} times is not supported; only dimensions of 1 can be repeated",
            x.shape
        ));
    }
    repeated(
        x,
        x.shape
            .iter()
            .zip(&repeats)
            .map(|(length, repeats)| length * repeats)
            .collect(),
    )
}

fn repeated(x: &Known, shape: Vec<usize>) -> Reasoned<Resolved> {
    if elements(&shape)? == elements(&x.shape)? {
        return reshaped(x, shape);
    }
    Ok(Resolved {
        op: Op::Expand,
        operands: 1,
        shape,
        kind: x.kind,
    })
}
