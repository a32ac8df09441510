//! Products of matrices.

use super::broadcast_places;
use crate::onnx::array::Array;

/// The products of the last two dimensions, for each index of the others. `sharing` neighbours among the matrices of a meet the same one of b.
pub fn matrix_product(a: &Array, b: &Array, transposed: bool, sharing: usize, shape: &[usize]) -> Vec<f32> {
    let (a_values, b_values) = (a.to_floats(), b.to_floats());
    let (batch, [m, n]) = shape.split_at(shape.len() - 2) else {
        return Vec::new();
    };
    let k = a.shape[a.shape.len() - 1];
    let a_places = broadcast_places(&a.shape[..a.shape.len() - 2], batch);
    let b_batch = &b.shape[..b.shape.len() - 2];
    let b_places = match sharing {
        1 => broadcast_places(b_batch, batch),
        _ => (0..a_places.len()).map(|matrix| matrix / sharing).collect(),
    };
    let mut result = Vec::with_capacity(shape.iter().product());
    for (a_matrix, b_matrix) in a_places.into_iter().zip(b_places) {
        let a_rows = &a_values[a_matrix * m * k..][..m * k];
        let b_matrix = &b_values[b_matrix * k * n..][..k * n];
        for row in a_rows.chunks(k) {
            for j in 0..*n {
                let at = |l: usize| {
                    if transposed {
                        b_matrix[j * k + l]
                    } else {
                        b_matrix[l * n + j]
                    }
                };
                let sum: f64 = row
                    .iter()
                    .enumerate()
                    .map(|(l, a)| f64::from(*a) * f64::from(at(l)))
                    .sum();
                result.push(sum as f32);
            }
        }
    }
    result
}

/// `alpha * a * b + beta * c`
pub fn gemm(
    [a, b]: [&Array; 2],
    c: Option<&Array>,
    [alpha, beta]: [f32; 2],
    transposed: bool,
    shape: &[usize],
) -> Vec<f32> {
    let mut result = matrix_product(a, b, transposed, 1, shape);
    for value in &mut result {
        *value *= alpha;
    }
    if let Some(c) = c {
        let values = c.to_floats();
        for (value, place) in result.iter_mut().zip(broadcast_places(&c.shape, shape)) {
            *value += beta * values[place];
        }
    }
    result
}
