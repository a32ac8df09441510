//! Convolutions, matrix products, and fully connected layers.

use opml::{
    Operand,
    ops::{MAX_REDUCTION, MatMulAttributes, PatchesAttributes},
};

use super::{Lowering, Real, Scale, Stored, fixed_point::fixed_point, weights::Weights};
use crate::{
    builder::Dense,
    onnx::{
        error::Reasoned,
        graph::{Constant, Node},
        operator::Window,
    },
};

/// A linear map of the last dimension of `x`, up to the scale of its result.
#[derive(Debug)]
pub struct Linear {
    x: Operand,
    x_scale: Scale,
    weights: Weights,
    bias: Vec<f64>,
    /// The second last dimension of x has weights of its own.
    grouped: bool,
    /// The result, when its rows are put together again.
    shape: Vec<usize>,
    order: Vec<usize>,
}

impl Linear {
    /// With a constant of this shape added, when it is a bias.
    pub fn with_bias(&self, constant: &Constant, shape: &[usize]) -> Option<Self> {
        let channels = self.bias.len();
        let last = shape.last().copied().unwrap_or(1);
        let is_bias = self
            .order
            .last()
            .is_some_and(|dimension| dimension + 1 == self.shape.len())
            && shape.iter().product::<usize>() == last
            && (last == channels || last == 1);
        let added = constant.to_floats();
        is_bias.then(|| Self {
            bias: self
                .bias
                .iter()
                .enumerate()
                .map(|(c, bias)| bias + f64::from(added[c % added.len()]))
                .collect(),
            weights: Weights {
                values: self.weights.values.clone(),
                scales: self.weights.scales.clone(),
                requantised: self.weights.requantised,
            },
            shape: self.shape.clone(),
            order: self.order.clone(),
            ..*self
        })
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
}

/// The dimensions of an image with its channels last.
pub const CHANNELS_LAST: [usize; 4] = [0, 2, 3, 1];

impl Lowering<'_> {
    pub fn conv(&mut self, node: &Node, window: &Window, groups: usize) -> Reasoned<Linear> {
        let x = self.real(node, 0)?;
        let weights = self.operand(node, 1)?;
        let constant = self.graph.constant(weights).ok_or("its weights are not constant")?;
        let shape = self.graph.values[node.result].shape.clone();
        let [n, per_group, kh, kw] = self.graph.values[weights].shape[..] else {
            return Err("its weights are not of a convolution in two dimensions".into());
        };
        let k = kh * kw * per_group;
        check_reduction(k)?;
        // From [n, per_group, kh, kw] to rows of [kh, kw, per_group], as Patches puts them.
        let weights = Weights::new(constant, n, k, 1.0, |c, i| {
            let (position, channel) = (i / per_group, i % per_group);
            (c * per_group + channel) * kh * kw + position
        });
        self.note_requantised(&weights);
        let bias = self.bias(node, n, 1.0)?;
        let x_scale = x.scale;
        let pointwise = groups == 1
            && *window
                == Window {
                    kernel: [1, 1],
                    stride: [1, 1],
                    dilation: [1, 1],
                    padding: [0; 4],
                };
        let stored = self.ordered(&x.stored, &CHANNELS_LAST)?;
        let x = match pointwise {
            true => stored.operand,
            false => self.patches(&stored, window, groups, x_scale.zero_point)?,
        };
        Ok(Linear {
            x,
            x_scale,
            weights,
            bias,
            grouped: groups > 1,
            shape,
            order: CHANNELS_LAST.to_vec(),
        })
    }

    /// The mean of what of each window is inside the image. Every position is a group with weights of its own: 1 where the window is inside, and how many these are is in the scale.
    pub fn average_inside(&mut self, node: &Node, window: &Window) -> Reasoned<Linear> {
        let x = self.real(node, 0)?;
        let shape = self.graph.values[node.result].shape.clone();
        let ([_, channels, h, w], [_, _, oh, ow]) = (&x.stored.shape[..], &shape[..]) else {
            return Err("its operand is no image".into());
        };
        let (channels, h, w, oh, ow) = (*channels, *h, *w, *oh, *ow);
        check_reduction(window.kernel[0] * window.kernel[1])?;
        let inside = |i: usize, position: usize, k: usize, length: usize| {
            let place = (position * window.stride[i] + k * window.dilation[i]).checked_sub(window.padding[i]);
            place.is_some_and(|place| place < length)
        };
        let (mut values, mut scales) = (Vec::new(), Vec::with_capacity(oh * ow));
        for position in 0..oh * ow {
            let before = values.len();
            for ky in 0..window.kernel[0] {
                let row = inside(0, position / ow, ky, h);
                values.extend((0..window.kernel[1]).map(|kx| i8::from(row && inside(1, position % ow, kx, w))));
            }
            let count = values[before..].iter().filter(|weight| **weight != 0).count();
            if count == 0 {
                return Err("a window lies outside of the image".into());
            }
            scales.push(1.0 / count as f64);
        }
        let image = self.ordered(&x.stored, &CHANNELS_LAST)?;
        let windows = self.patches(&image, window, channels, x.scale.zero_point)?;
        // From [batch, positions, channels, window]: the groups come second last.
        let by_channel = self.emitter.emit(|builder| builder.transpose(windows, &[0, 2, 1, 3]))?;
        Ok(Linear {
            x: by_channel,
            x_scale: x.scale,
            bias: vec![0.0; scales.len()],
            weights: Weights {
                values,
                scales,
                requantised: false,
            },
            grouped: true,
            shape,
            order: vec![0, 1, 2, 3],
        })
    }

    /// The windows of an image with its channels last: [batch, positions, groups, window].
    pub fn patches(&mut self, image: &Stored, window: &Window, groups: usize, pad_value: i8) -> Reasoned<Operand> {
        let short = |length: usize| {
            u16::try_from(length)
                .map_err(|_| format!("a window or border of {length} is too large; at most 65,535 is possible"))
        };
        let pair = |pair: [usize; 2]| Ok::<_, String>([short(pair[0])?, short(pair[1])?]);
        let [top, left, bottom, right] = window.padding;
        let attributes = PatchesAttributes {
            kernel: pair(window.kernel)?,
            stride: pair(window.stride)?,
            dilation: pair(window.dilation)?,
            padding: [short(top)?, short(left)?, short(bottom)?, short(right)?],
            groups: u32::try_from(groups).map_err(|_| format!("{groups} groups are too many"))?,
            pad_value,
        };
        self.emitter.emit(|builder| builder.patches(image.operand, attributes))
    }

    pub fn gemm(&mut self, node: &Node, alpha: f32, beta: f32, transposed: bool) -> Reasoned<Linear> {
        let x = self.real(node, 0)?;
        let b = self.operand(node, 1)?;
        let constant = self
            .graph
            .constant(b)
            .ok_or("its second operand is not constant; use MatMul")?;
        let shape = self.graph.values[node.result].shape.clone();
        let ([_, k], [_, n]) = (&x.stored.shape[..], &shape[..]) else {
            return Err("its operands are not matrices".into());
        };
        let (k, n) = (*k, *n);
        check_reduction(k)?;
        let weights = Weights::new(
            constant,
            n,
            k,
            alpha,
            |c, i| if transposed { c * k + i } else { i * n + c },
        );
        self.note_requantised(&weights);
        let bias = self.bias(node, n, beta)?;
        let x_scale = x.scale;
        let x = self.in_graph_order(&x.stored)?.operand;
        Ok(Linear {
            x,
            x_scale,
            weights,
            bias,
            grouped: false,
            shape,
            order: vec![0, 1],
        })
    }

    pub fn matmul_constant(&mut self, node: &Node) -> Reasoned<Linear> {
        let x = self.real(node, 0)?;
        let b = self.operand(node, 1)?;
        let constant = self.graph.constant(b).ok_or("its second operand is not constant")?;
        let [leading @ .., k, n] = &self.graph.values[b].shape[..] else {
            return Err("its second operand is no matrix".into());
        };
        let (k, n) = (*k, *n);
        if leading.iter().any(|length| *length != 1) || leading.len() + 2 > x.stored.shape.len() {
            return Err("a constant operand must be one matrix".into());
        }
        check_reduction(k)?;
        let weights = Weights::new(constant, n, k, 1.0, |c, i| i * n + c);
        self.note_requantised(&weights);
        let shape = self.graph.values[node.result].shape.clone();
        let order = (0..shape.len()).collect();
        let x_scale = x.scale;
        let x = self.in_graph_order(&x.stored)?.operand;
        Ok(Linear {
            x,
            x_scale,
            weights,
            bias: vec![0.0; n],
            grouped: false,
            shape,
            order,
        })
    }

    fn note_requantised(&mut self, weights: &Weights) {
        if weights.requantised
            && let Some(note) = self.emitter.current.and_then(|node| self.notes.get_mut(node))
        {
            *note = Some("weights quantised anew: symmetric int8, one scale a channel".into());
        }
    }

    fn bias(&self, node: &Node, n: usize, factor: f32) -> Reasoned<Vec<f64>> {
        let Some(id) = node.operands.get(2).copied().flatten() else {
            return Ok(vec![0.0; n]);
        };
        let constant = self.graph.constant(id).ok_or("its bias is not constant")?;
        let values = constant.to_floats();
        if values.len() != n && values.len() != 1 {
            return Err(format!("its bias has {} values for {n} channels", values.len()));
        }
        Ok((0..n)
            .map(|c| f64::from(values[c % values.len()]) * f64::from(factor))
            .collect())
    }

    pub fn linear(&mut self, linear: &Linear, y: Scale, low: i8, high: i8) -> Reasoned<Stored> {
        let x_scale = f64::from(linear.x_scale.scale);
        let mut layer = Dense {
            weights: linear.weights.values.clone(),
            bias: Vec::with_capacity(linear.bias.len()),
            multiplier: Vec::with_capacity(linear.bias.len()),
            shift: Vec::with_capacity(linear.bias.len()),
            x_zero_point: linear.x_scale.zero_point,
            y_zero_point: y.zero_point,
            low,
            high,
        };
        for (scale, bias) in linear.weights.scales.iter().zip(&linear.bias) {
            let accumulator = x_scale * scale;
            let (multiplier, shift) = fixed_point(accumulator / f64::from(y.scale)).ok_or("a scale is too large")?;
            // A float to integer conversion saturates.
            layer.bias.push(libm::rint(bias / accumulator) as i32);
            layer.multiplier.push(multiplier);
            layer.shift.push(shift);
        }
        let operand = self.emitter.emit(|builder| match linear.grouped {
            true => builder.grouped_fully_connected(linear.x, layer),
            false => builder.fully_connected(linear.x, layer),
        })?;
        let stored = Stored {
            operand,
            shape: linear.shape.clone(),
            order: linear.order.clone(),
        };
        self.shaped(stored)
    }

    /// `sharing` neighbours among the matrices of a meet the same one of b.
    pub fn matmul(&mut self, a: &Real, b: &Real, shape: &[usize], sharing: usize, y: Scale) -> Reasoned<Stored> {
        let rank = shape.len();
        let (a_scale, b_scale) = (a.scale, b.scale);
        let a = self.with_rank(&a.stored, rank)?;
        let b = self.with_rank(&b.stored, rank)?;
        // One matrix for all is shared, too.
        let sharing = match (rank.checked_sub(3), sharing) {
            (Some(heads), 1) if b.shape[heads] == 1 => a.shape[heads],
            _ => sharing,
        };
        let mut shared = b.shape[..rank - 2].to_vec();
        if let Some(heads) = shared.last_mut() {
            *heads *= sharing;
        }
        if a.shape[..rank - 2] != shared {
            return Err(format!(
                "matrices of shapes {:?} and {:?} are not equally many",
                a.shape, b.shape
            ));
        }
        check_reduction(a.shape[rank - 1])?;
        let a = self.in_graph_order(&a)?;
        let mut transposed: Vec<usize> = (0..rank).collect();
        transposed.swap(rank - 2, rank - 1);
        let b = self.ordered(&b, &transposed)?;
        let real = f64::from(a_scale.scale) * f64::from(b_scale.scale) / f64::from(y.scale);
        let (multiplier, shift) = fixed_point(real).ok_or("a scale is too large")?;
        let attributes = MatMulAttributes {
            a_zero_point: a_scale.zero_point,
            b_zero_point: b_scale.zero_point,
            y_zero_point: y.zero_point,
            shift,
            multiplier,
        };
        let operand = self
            .emitter
            .emit(|builder| builder.mat_mul(a.operand, b.operand, attributes))?;
        Ok(Stored::new(operand, shape))
    }
}

pub fn check_reduction(k: usize) -> Reasoned<()> {
    match k <= MAX_REDUCTION as usize {
        true => Ok(()),
        false => Err(format!(
            "each of its results is made of {k} elements; at most {MAX_REDUCTION} are possible"
        )),
    }
}
