//! `Softmax`, `LayerNorm`, `RMSNorm`.

use opml::{
    NodeRecord, TensorSpec,
    ops::{LayerNormAttributes, NORMALIZED_FRACTION_BITS, RmsNormAttributes, SOFTMAX_ZERO_POINT, SoftmaxAttributes},
};

use super::{Node, Work, int32};
use crate::fast::kernels::{Normalisation, layer_statistics, normalise, quotients, reduce_max, rms_statistics};

pub(super) struct SoftmaxNode {
    attributes: SoftmaxAttributes,
    x: TensorSpec,
    has_length: bool,
}

impl SoftmaxNode {
    pub(super) fn new(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        Some(Self {
            attributes: SoftmaxAttributes::decode(record).ok()?,
            x: specs[0],
            has_length: specs.len() > 2,
        })
    }
}

impl Node for SoftmaxNode {
    fn row_cost(&self) -> usize {
        20 + 2 * self.x.cols() as usize
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let k = self.x.cols() as usize;
        let length = self.has_length.then(|| int32(work.whole(2)).next()).flatten();
        let mut table = [0i32; 256];
        for (entry, value) in table.iter_mut().zip(int32(work.whole(1))) {
            *entry = value.max(0);
        }
        let mut exponentials = vec![0i32; k];
        let rows = work.operands[0].rows(&work.rows, k).chunks_exact(k);
        for ((row, x), y) in work.rows.clone().zip(rows).zip(out.chunks_exact_mut(k)) {
            let visible = self.attributes.visible(&self.x, row as u32, length) as usize;
            let (y, masked) = y.split_at_mut(visible);
            masked.fill(SOFTMAX_ZERO_POINT as u8);
            let x = &x[..visible];
            let maximum = reduce_max(work.level, x) as u8;
            let mut sum = 0i64;
            for (e, x) in exponentials.iter_mut().zip(x) {
                // The difference of two int8, the smaller one taken away, as a byte.
                *e = table[usize::from(maximum.wrapping_sub(*x))];
                sum += i64::from(*e);
            }
            if sum == 0 {
                y.fill(SOFTMAX_ZERO_POINT as u8);
            } else {
                quotients(work.level, &exponentials[..visible], sum, y);
            }
        }
    }
}

enum Norm {
    Layer,
    RootMeanSquare { x_zero_point: i8 },
}

pub(super) struct NormNode {
    norm: Norm,
    k: usize,
    shift: u32,
    y_zero_point: i8,
    epsilon: u32,
}

/// Fraction bits of `epsilon` and of the spread.
const SPREAD_FRACTION_BITS: u32 = 16;

impl NormNode {
    pub(super) fn layer(record: &NodeRecord) -> Option<Self> {
        let attributes = LayerNormAttributes::decode(record).ok()?;
        Some(Self {
            norm: Norm::Layer,
            k: record.output.cols() as usize,
            shift: attributes.shift as u32,
            y_zero_point: attributes.y_zero_point,
            epsilon: attributes.epsilon,
        })
    }

    pub(super) fn root_mean_square(record: &NodeRecord) -> Option<Self> {
        let attributes = RmsNormAttributes::decode(record).ok()?;
        Some(Self {
            norm: Norm::RootMeanSquare {
                x_zero_point: attributes.x_zero_point,
            },
            k: record.output.cols() as usize,
            shift: attributes.shift as u32,
            y_zero_point: attributes.y_zero_point,
            epsilon: attributes.epsilon,
        })
    }

    /// The integers that `docs/operators.md` (12 and 13) names, for one row.
    fn statistics(&self, work: &Work, x: &[u8]) -> Normalisation {
        let k = self.k as i64;
        let (center, spread) = match self.norm {
            Norm::Layer => {
                let (sum, squares) = layer_statistics(work.level, x);
                let sum = i64::from(sum);
                (sum, k * i64::from(squares) - sum * sum)
            }
            Norm::RootMeanSquare { x_zero_point } => {
                let squares = rms_statistics(work.level, x, x_zero_point.into());
                (k * i64::from(x_zero_point), k * i64::from(squares))
            }
        };
        let k = self.k as u64;
        let w = ((spread as u64) << SPREAD_FRACTION_BITS) + k * k * u64::from(self.epsilon);
        let t = w.leading_zeros() / 2;
        let root = if w == 0 { 0 } else { (w << (2 * t)).isqrt() };
        Normalisation {
            center,
            root: root as i64,
            bits: SPREAD_FRACTION_BITS / 2 + NORMALIZED_FRACTION_BITS + t,
            shift: self.shift,
            zero_point: self.y_zero_point,
        }
    }
}

impl Node for NormNode {
    fn row_cost(&self) -> usize {
        100 + 3 * self.k
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let gamma: Vec<i32> = int32(work.whole(1)).collect();
        let rounding = 1i64 << (self.shift - 1);
        let rest: Vec<i64> = match self.norm {
            Norm::Layer => int32(work.whole(2))
                .map(|beta| (i64::from(beta) << NORMALIZED_FRACTION_BITS) + rounding)
                .collect(),
            Norm::RootMeanSquare { .. } => vec![rounding; self.k],
        };
        let rows = work.operands[0].rows(&work.rows, self.k).chunks_exact(self.k);
        for (x, y) in rows.zip(out.chunks_exact_mut(self.k)) {
            normalise(work.level, &self.statistics(work, x), x, &gamma, &rest, y);
        }
    }
}
