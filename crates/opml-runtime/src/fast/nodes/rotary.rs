//! `RotaryEmbedding`.

use opml::{NodeRecord, TensorSpec, ops::RotaryEmbeddingAttributes};

use super::{Node, Work, int32};
use crate::fast::kernels::rotate;

pub(super) struct RotaryNode {
    attributes: RotaryEmbeddingAttributes,
    positions: usize,
    d: usize,
    table_rows: usize,
}

impl RotaryNode {
    pub(super) fn new(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let [x, positions, cos, _] = specs else { return None };
        Some(Self {
            attributes: RotaryEmbeddingAttributes::decode(record).ok()?,
            positions: positions.cols() as usize,
            d: x.cols() as usize,
            table_rows: cos.rows() as usize,
        })
    }
}

impl Node for RotaryNode {
    fn row_cost(&self) -> usize {
        20 + 2 * self.d
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let half = self.d / 2;
        let positions: Vec<i32> = int32(work.whole(1)).collect();
        let (mut cos, mut sin) = (Vec::with_capacity(half), Vec::with_capacity(half));
        // Pairs apart, results of pairs apart: one loop for both orders.
        let [mut u, mut v, mut turned_u, mut turned_v] = [(); 4].map(|()| vec![0; half]);
        let rows = work.operands[0].rows(&work.rows, self.d).chunks_exact(self.d);
        for ((row, x), y) in work.rows.clone().zip(rows).zip(out.chunks_exact_mut(self.d)) {
            let position = (positions[row % self.positions].max(0) as usize).min(self.table_rows - 1);
            for (values, operand) in [(&mut cos, 2), (&mut sin, 3)] {
                values.clear();
                values.extend(int32(&work.whole(operand)[position * half * 4..][..half * 4]));
            }
            if self.attributes.interleaved {
                for ((u, v), [first, second]) in u.iter_mut().zip(&mut v).zip(x.as_chunks::<2>().0) {
                    (*u, *v) = (*first, *second);
                }
            } else {
                u.copy_from_slice(&x[..half]);
                v.copy_from_slice(&x[half..]);
            }
            rotate(
                work.level,
                self.attributes.x_zero_point,
                self.attributes.y_zero_point,
                self.attributes.shift as u32,
                &u,
                &v,
                &cos,
                &sin,
                &mut turned_u,
                &mut turned_v,
            );
            if self.attributes.interleaved {
                for ((u, v), y) in turned_u.iter().zip(&turned_v).zip(y.as_chunks_mut::<2>().0) {
                    *y = [*u, *v];
                }
            } else {
                y[..half].copy_from_slice(&turned_u);
                y[half..].copy_from_slice(&turned_v);
            }
        }
    }
}
