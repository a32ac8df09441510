//! Elements in other places.

use super::broadcast_places;
use crate::onnx::{
    array::{Array, Kind, places, strides},
    error::Reasoned,
    operator::normal_axis,
};

pub fn concat(axis: usize, operands: &[Option<&Array>], shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let steps = strides(shape);
    let count = shape.iter().product();
    let mut offset = 0;
    let mut floats = vec![0f32; if kind == Kind::Float { count } else { 0 }];
    let mut integers = vec![0i64; if kind == Kind::Float { 0 } else { count }];
    for part in operands.iter().flatten() {
        let to = places(&part.shape, offset, &steps);
        match kind {
            Kind::Float => to.zip(part.to_floats()).for_each(|(place, x)| floats[place] = x),
            _ => to.zip(part.to_integers()?).for_each(|(place, x)| integers[place] = x),
        }
        offset += part.shape[axis] * steps[axis];
    }
    Ok(match kind {
        Kind::Float => Array::floats(shape.to_vec(), floats),
        _ => Array::from_integers(kind, shape.to_vec(), integers.into_iter()),
    })
}

pub fn gather(x: &Array, indices: &Array, axis: usize, shape: &[usize]) -> Reasoned<Array> {
    let length = x.shape[axis];
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let indices = indices
        .to_integers()?
        .into_iter()
        .map(|index| normal_axis(index, length).map_err(|_| format!("index {index} is outside of {length}")))
        .collect::<Reasoned<Vec<_>>>()?;
    let places = (0..outer).flat_map(|o| {
        indices
            .iter()
            .flat_map(move |index| (0..inner).map(move |i| (o * length + index) * inner + i))
    });
    Ok(x.pick(shape.to_vec(), places))
}

pub fn transpose(x: &Array, permutation: &[usize], shape: &[usize]) -> Array {
    let strides = strides(&x.shape);
    let strides: Vec<_> = permutation.iter().map(|axis| strides[*axis]).collect();
    x.pick(shape.to_vec(), places(shape, 0, &strides))
}

pub fn slice(x: &Array, starts: &[usize], steps: &[usize], shape: &[usize]) -> Array {
    let strides = strides(&x.shape);
    let offset = starts.iter().zip(&strides).map(|(start, stride)| start * stride).sum();
    let strides: Vec<_> = steps.iter().zip(&strides).map(|(step, stride)| step * stride).collect();
    x.pick(shape.to_vec(), places(shape, offset, &strides))
}

pub fn pad(x: &Array, before: &[usize], value: f32, shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let strides = strides(shape);
    let offset = before
        .iter()
        .zip(&strides)
        .map(|(before, stride)| before * stride)
        .sum();
    let inside = places(&x.shape, offset, &strides);
    let count = shape.iter().product();
    if kind == Kind::Float {
        let mut result = vec![value; count];
        inside.zip(x.to_floats()).for_each(|(place, x)| result[place] = x);
        return Ok(Array::floats(shape.to_vec(), result));
    }
    let mut result = vec![value as i64; count];
    inside.zip(x.to_integers()?).for_each(|(place, x)| result[place] = x);
    Ok(Array::from_integers(kind, shape.to_vec(), result.into_iter()))
}

pub fn expand(x: &Array, shape: &[usize]) -> Array {
    x.pick(shape.to_vec(), broadcast_places(&x.shape, shape).into_iter())
}

/// What is on and below (or above) diagonal `k` of the last two dimensions; the rest becomes 0.
pub fn triangle(x: &Array, upper: bool, k: i64, kind: Kind) -> Reasoned<Array> {
    let [.., rows, columns] = x.shape[..] else {
        return Err("its operand is no matrix".into());
    };
    let kept = |place: usize| {
        let (row, column) = ((place / columns % rows) as i64, (place % columns) as i64);
        let above = column.saturating_sub(row);
        if upper { above >= k } else { above <= k }
    };
    if kind == Kind::Float {
        let values = x.to_floats().into_iter().enumerate();
        let values = values.map(|(place, x)| if kept(place) { x } else { 0.0 });
        return Ok(Array::floats(x.shape.clone(), values.collect()));
    }
    let values = x.to_integers()?.into_iter().enumerate();
    let values = values.map(|(place, x)| if kept(place) { x } else { 0 });
    Ok(Array::from_integers(kind, x.shape.clone(), values))
}
