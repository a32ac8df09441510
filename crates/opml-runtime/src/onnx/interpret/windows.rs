//! Windows that move over images.

use crate::onnx::{
    array::{Array, Kind},
    error::Reasoned,
    operator::Window,
};

/// For each element of the result, the places in x that its window covers; none in the border.
fn window_places<'a>(
    x: &'a [usize],
    window: &'a Window,
    shape: &'a [usize],
) -> impl Iterator<Item = Vec<Option<usize>>> + 'a {
    let (h, w, oh, ow) = (x[2], x[3], shape[2], shape[3]);
    (0..shape.iter().product::<usize>()).map(move |element| {
        let (plane, py, px) = (element / (oh * ow), element / ow % oh, element % ow);
        let inside = |position: usize, k: usize, i: usize, length: usize| {
            (position * window.stride[i] + k * window.dilation[i])
                .checked_sub(window.padding[i])
                .filter(|place| *place < length)
        };
        let mut places = Vec::with_capacity(window.kernel[0] * window.kernel[1]);
        for ky in 0..window.kernel[0] {
            let y = inside(py, ky, 0, h);
            for kx in 0..window.kernel[1] {
                let x = inside(px, kx, 1, w);
                places.push(y.zip(x).map(|(y, x)| (plane * h + y) * w + x));
            }
        }
        places
    })
}

pub fn conv(
    x: &Array,
    weights: &Array,
    bias: Option<&Array>,
    window: &Window,
    groups: usize,
    shape: &[usize],
) -> Vec<f32> {
    let (values, weights) = (x.to_floats(), weights.to_floats());
    let bias = bias.map(Array::to_floats);
    let (n, channels) = (shape[1], x.shape[1]);
    let (per_group, plane) = (channels / groups, x.shape[2] * x.shape[3]);
    let kernel = window.kernel[0] * window.kernel[1];
    let mut result = Vec::with_capacity(shape.iter().product());
    for batch in 0..shape[0] {
        for c in 0..n {
            let first = batch * channels + c / (n / groups) * per_group;
            let one_plane = [1, 1, shape[2], shape[3]];
            for covered in window_places(&[1, 1, x.shape[2], x.shape[3]], window, &one_plane) {
                let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[c]));
                for i in 0..per_group {
                    let row = &weights[(c * per_group + i) * kernel..][..kernel];
                    for (weight, place) in row.iter().zip(&covered) {
                        if let Some(place) = place {
                            sum += f64::from(*weight) * f64::from(values[(first + i) * plane + place]);
                        }
                    }
                }
                result.push(sum as f32);
            }
        }
    }
    result
}

pub fn max_pool(x: &Array, window: &Window, shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let places = window_places(&x.shape, window, shape).map(|places| places.into_iter().flatten());
    if kind == Kind::Float {
        let values = x.to_floats();
        let max = places.map(|inside| inside.map(|i| values[i]).fold(f32::NEG_INFINITY, f32::max));
        return Ok(Array::floats(shape.to_vec(), max.collect()));
    }
    let values = x.to_integers()?;
    let max = places.map(|inside| inside.map(|i| values[i]).max().unwrap_or(i64::MIN));
    Ok(Array::from_integers(kind, shape.to_vec(), max))
}

pub fn average_pool(x: &Array, window: &Window, padding_counts: bool, shape: &[usize]) -> Vec<f32> {
    let values = x.to_floats();
    let mean = |places: Vec<Option<usize>>| {
        let inside = places.iter().flatten().count();
        let count = if padding_counts { places.len() } else { inside };
        (places.iter().flatten().map(|i| f64::from(values[*i])).sum::<f64>() / count as f64) as f32
    };
    window_places(&x.shape, window, shape).map(mean).collect()
}
