//! Weights as FullyConnected wants them: int8 around zero, one scale an output channel.

use crate::onnx::{
    array::{Data, Kind},
    graph::Constant,
};

/// The greatest quantised magnitude of weights that are quantised here.
const GREATEST: f32 = 127.0;

#[derive(Debug)]
pub struct Weights {
    /// [n, k] row-major.
    pub values: Vec<i8>,
    /// One an output channel.
    pub scales: Vec<f64>,
    /// The file's integers could not be used as they are.
    pub requantised: bool,
}

impl Weights {
    /// `place(c, i)` is the row-major place of weight `i` of output channel `c`.
    pub fn new(constant: &Constant, n: usize, k: usize, factor: f32, place: impl Fn(usize, usize) -> usize) -> Self {
        if factor == 1.0
            && let Some(weights) = Self::as_they_are(constant, n, k, &place)
        {
            return weights;
        }
        let floats = constant.to_floats();
        let mut values = Vec::with_capacity(n * k);
        let mut scales = Vec::with_capacity(n);
        for c in 0..n {
            let row = || (0..k).map(|i| floats[place(c, i)] * factor);
            let greatest = row().fold(0f32, |greatest, weight| greatest.max(weight.abs()));
            let scale = if greatest > 0.0 { greatest / GREATEST } else { 1.0 };
            values.extend(row().map(|weight| (weight / scale).round_ties_even() as i8));
            scales.push(f64::from(scale));
        }
        Self {
            values,
            scales,
            requantised: true,
        }
    }

    /// The file's integers, when they are symmetric and have one scale an output channel.
    fn as_they_are(constant: &Constant, n: usize, k: usize, place: impl Fn(usize, usize) -> usize) -> Option<Self> {
        let Constant::Quantised { array, quantisation } = constant else {
            return None;
        };
        let (values, symmetric): (Vec<i8>, i64) = match &array.data {
            Data::Int8(values) => (values.clone(), 0),
            Data::Uint8(values) => (values.iter().map(|q| (q ^ 0x80) as i8).collect(), 128),
            _ => return None,
        };
        debug_assert!(matches!(quantisation.kind, Kind::Int8 | Kind::Uint8));
        if quantisation
            .zero_point
            .iter()
            .any(|zero_point| *zero_point != symmetric)
        {
            return None;
        }
        let inner: usize = array.shape.iter().skip(quantisation.axis + 1).product();
        let scale = |place: usize| quantisation.scale[(place / inner) % quantisation.scale.len()];
        let mut ordered = Vec::with_capacity(n * k);
        let mut scales = Vec::with_capacity(n);
        for c in 0..n {
            let first = scale(place(c, 0));
            for i in 0..k {
                let place = place(c, i);
                if scale(place) != first {
                    return None;
                }
                ordered.push(values[place]);
            }
            scales.push(f64::from(first));
        }
        Some(Self {
            values: ordered,
            scales,
            requantised: false,
        })
    }
}
