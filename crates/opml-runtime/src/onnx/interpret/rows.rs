//! Functions of whole rows.

use super::broadcast_places;
use crate::onnx::{
    array::{Array, strides},
    error::Reasoned,
    operator::Mask,
};

/// A function of the rows along a dimension, each of which becomes as many elements as the function gives.
fn along(x: &Array, axis: usize, mut function: impl FnMut(&[f32]) -> Vec<f32>) -> Vec<f32> {
    let values = x.to_floats();
    let length = x.shape.get(axis).copied().unwrap_or(1);
    let inner: usize = x.shape.iter().skip(axis + 1).product();
    let outer = values.len() / (length * inner);
    let mut result = Vec::new();
    for i in 0..outer {
        let rows: Vec<_> = (0..inner)
            .map(|j| {
                let row: Vec<_> = (0..length).map(|l| values[(i * length + l) * inner + j]).collect();
                function(&row)
            })
            .collect();
        let count = rows.first().map_or(0, Vec::len);
        result.extend((0..count).flat_map(|l| rows.iter().map(move |row| row[l])));
    }
    result
}

/// `e^x / sum(e^x)` of what the mask leaves; the rest is 0.
pub fn softmax(x: &Array, axis: usize, mask: Mask, length: Option<&Array>) -> Reasoned<Vec<f32>> {
    let length = match length {
        None => i64::MAX,
        Some(length) => *length.to_integers()?.first().ok_or("its length is missing")?,
    };
    let queries = x.shape.iter().rev().nth(1).copied().unwrap_or(1);
    let mut index = 0;
    Ok(along(x, axis, |row| {
        let causal = mask
            .causal
            .map_or(i64::MAX, |offset| (index % queries) as i64 + i64::from(offset) + 1);
        index += 1;
        let visible = causal.min(length).clamp(0, row.len() as i64) as usize;
        let (seen, hidden) = row.split_at(visible);
        let max = seen.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials: Vec<f64> = seen.iter().map(|x| libm::exp(f64::from(x - max))).collect();
        let sum: f64 = exponentials.iter().sum();
        let seen = exponentials.into_iter().map(|e| (e / sum) as f32);
        seen.chain(hidden.iter().map(|_| 0.0)).collect()
    }))
}

pub fn layer_norm(x: &Array, gamma: &Array, beta: Option<&Array>, epsilon: f32) -> Vec<f32> {
    let (gamma, beta) = (gamma.to_floats(), beta.map(Array::to_floats));
    along(x, last(x), |row| {
        let count = row.len() as f64;
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
        let inverse = 1.0 / (variance + f64::from(epsilon)).sqrt();
        let one = |(i, x): (usize, &f32)| {
            let beta = beta.as_ref().map_or(0.0, |beta| f64::from(beta[i]));
            ((f64::from(*x) - mean) * inverse * f64::from(gamma[i]) + beta) as f32
        };
        row.iter().enumerate().map(one).collect()
    })
}

pub fn rms_norm(x: &Array, gamma: Option<&Array>, epsilon: f32) -> Vec<f32> {
    let gamma = gamma.map(Array::to_floats);
    along(x, last(x), |row| {
        let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / row.len() as f64;
        let inverse = 1.0 / (mean + f64::from(epsilon)).sqrt();
        let one = |(i, x): (usize, &f32)| {
            let gamma = gamma.as_ref().map_or(1.0, |gamma| f64::from(gamma[i]));
            (f64::from(*x) * inverse * gamma) as f32
        };
        row.iter().enumerate().map(one).collect()
    })
}

/// Turns the pairs of each row by the angles of its position, its index along `axis`.
pub fn rotate(
    x: &Array,
    positions: &Array,
    [cos, sin]: [&Array; 2],
    axis: usize,
    interleaved: bool,
) -> Reasoned<Vec<f32>> {
    let (d, half) = (x.shape[last(x)], x.shape[last(x)] / 2);
    let rows = (cos.count() / half.max(1)) as i64;
    let positions = positions.to_integers()?;
    let (cos, sin) = (cos.to_floats(), sin.to_floats());
    let steps = strides(&x.shape[..last(x)]);
    let mut result = x.to_floats();
    for (row, values) in result.chunks_mut(d).enumerate() {
        let position = positions[row / steps[axis] % x.shape[axis]].clamp(0, rows - 1) as usize;
        for j in 0..half {
            let (c, s) = (cos[position * half + j], sin[position * half + j]);
            let (u, v) = if interleaved { (2 * j, 2 * j + 1) } else { (j, j + half) };
            (values[u], values[v]) = (values[u] * c - values[v] * s, values[v] * c + values[u] * s);
        }
    }
    Ok(result)
}

pub fn reduce_mean(x: &Array, axes: &[usize], shape: &[usize]) -> Vec<f32> {
    let values = x.to_floats();
    let mut sums = vec![0f64; shape.iter().product()];
    let mut kept = x.shape.clone();
    axes.iter().for_each(|axis| kept[*axis] = 1);
    for (value, place) in values.iter().zip(broadcast_places(&kept, &x.shape)) {
        sums[place] += f64::from(*value);
    }
    let count = (values.len() / sums.len().max(1)) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// The first place of the maximum of each row.
pub fn arg_max(x: &Array, axis: usize) -> impl Iterator<Item = i64> {
    let places = along(x, axis, |row| {
        let best = row.iter().enumerate();
        let best = best.fold(0, |best, (i, x)| if *x > row[best] { i } else { best });
        vec![best as f32]
    });
    places.into_iter().map(|i| i as i64)
}

fn last(x: &Array) -> usize {
    x.shape.len().saturating_sub(1)
}
