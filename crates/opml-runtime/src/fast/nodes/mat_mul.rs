//! `MatMul`: matrix by matrix, the second factor is packed when it is known; when it meets few rows, as in a step of a decoder, it is used as it is.

use opml::{NodeRecord, TensorSpec, model::MAX_OPERANDS, ops::MatMulAttributes};
use rayon::prelude::*;

use super::{IN_PLACE_ROWS, Node, Part, Prepared, Work};
use crate::fast::kernels::{Level, Packed, Requantisation, dot_product, product};

const B: usize = 1;

/// Bytes of the second factor that are worth sharing among threads.
const MIN_PARALLEL_BYTES: usize = 1 << 14;

/// The matrices of the second factor.
pub(in crate::fast) struct Factor(Vec<Packed>);

pub(super) struct MatMulNode {
    /// Rows of the first factor that meet the same matrix of the second.
    m: usize,
    n: usize,
    k: usize,
    requantisation: Requantisation,
}

impl MatMulNode {
    pub(super) fn new(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let attributes = MatMulAttributes::decode(record).ok()?;
        let ([.., m, k], [.., n, _]) = (specs[0].shape(), specs[B].shape()) else {
            return None;
        };
        let [m, n, k] = [*m, *n, *k].map(|dimension| dimension as usize);
        let matrices = |spec: &TensorSpec, rows: usize| spec.rows() as usize / rows;
        Some(Self {
            // Matrices of the first factor that share one of the second are neighbours.
            m: m * (matrices(&specs[0], m) / matrices(&specs[B], n)),
            n,
            k,
            requantisation: Requantisation {
                x_zero_point: attributes.a_zero_point.into(),
                weights_zero_point: attributes.b_zero_point.into(),
                y_zero_point: attributes.y_zero_point.into(),
                low: i8::MIN.into(),
                high: i8::MAX.into(),
                bias: vec![0; n],
                multiplier: vec![attributes.multiplier; n],
                shift: vec![attributes.shift as u32; n],
            },
        })
    }
}

impl Node for MatMulNode {
    fn row_cost(&self) -> usize {
        self.n * self.k.div_ceil(64)
    }

    fn prepare(&self, level: Level, operands: &[Part; MAX_OPERANDS]) -> Prepared {
        if self.m <= IN_PLACE_ROWS {
            return Prepared::Nothing;
        }
        let b = operands[B].bytes;
        let matrix = self.n * self.k;
        let pack = |matrix: &[u8]| Packed::new(level, matrix, self.k);
        Prepared::Factor(Factor(
            if b.len() >= MIN_PARALLEL_BYTES && rayon::current_thread_index().is_some() {
                b.par_chunks(matrix).map(pack).collect()
            } else {
                b.chunks(matrix).map(pack).collect()
            },
        ))
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let mut rest = out;
        let mut row = work.rows.start;
        while row < work.rows.end {
            let matrix = row / self.m;
            let end = ((matrix + 1) * self.m).min(work.rows.end);
            let a = work.operands[0].rows(&(row..end), self.k);
            let (out, after) = rest.split_at_mut((end - row) * self.n);
            match work.prepared {
                Prepared::Factor(Factor(factor)) => {
                    product(work.level, a, &factor[matrix], &self.requantisation, 0..self.n, out);
                }
                _ => {
                    let b = &work.whole(B)[matrix * self.n * self.k..][..self.n * self.k];
                    dot_product(work.level, a, b, self.k, &self.requantisation, 0..self.n, out);
                }
            }
            (rest, row) = (after, end);
        }
    }
}
