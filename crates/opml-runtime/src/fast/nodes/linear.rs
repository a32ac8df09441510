//! `FullyConnected` and `GroupedFullyConnected`.

use opml::{
    NodeRecord, TensorSpec,
    model::MAX_OPERANDS,
    ops::{MAX_SHIFT, MIN_SHIFT},
};
use rayon::prelude::*;

use super::{Node, Part, Prepared, Work, int32};
use crate::fast::kernels::{Level, Narrow, PANEL, Packed, Requantisation, narrow_product, product};

const WEIGHTS: usize = 1;
const BIAS: usize = 2;
const MULTIPLIER: usize = 3;
const SHIFT: usize = 4;

/// Multiplications, in vectors of 64, that are worth a thread of their own.
const COST_OF_A_THREAD: usize = 16_384;

/// Columns of a group from which on its weights are packed.
const MIN_PACKED_COLUMNS: usize = 8;

/// Weights with their scales: one matrix a group.
pub(in crate::fast) enum Linear {
    Packed(Vec<(Packed, Requantisation)>),
    Narrow(Vec<Narrow>),
}

pub(super) struct LinearNode {
    attributes: [i8; 4],
    groups: usize,
    n: usize,
    k: usize,
    /// When the weights and scales are constants.
    linear: Option<Linear>,
}

impl LinearNode {
    pub(super) fn new<'a>(
        level: Level,
        record: &NodeRecord,
        specs: &[TensorSpec],
        constant: impl Fn(usize) -> Option<&'a [u8]>,
    ) -> Self {
        let [x_zero_point, y_zero_point, low, high, ..] = record.attributes.map(|byte| byte as i8);
        let weights = specs[WEIGHTS].shape();
        let mut node = Self {
            attributes: [x_zero_point, y_zero_point, low, high],
            groups: if weights.len() == 3 { weights[0] as usize } else { 1 },
            n: record.output.cols() as usize,
            k: specs[WEIGHTS].cols() as usize,
            linear: None,
        };
        let parameters = [WEIGHTS, BIAS, MULTIPLIER, SHIFT].map(constant);
        if let [Some(weights), Some(bias), Some(multiplier), Some(shift)] = parameters {
            node.linear = Some(node.pack(level, weights, bias, multiplier, shift));
        }
        node
    }

    fn pack(&self, level: Level, weights: &[u8], bias: &[u8], multiplier: &[u8], shift: &[u8]) -> Linear {
        let [x_zero_point, y_zero_point, low, high] = self.attributes;
        let bytes = 4 * self.n;
        let groups = weights
            .chunks_exact(self.n * self.k)
            .zip(bias.chunks_exact(bytes))
            .zip(multiplier.chunks_exact(bytes).zip(shift.chunks_exact(self.n)))
            .map(|((weights, bias), (multiplier, shift))| {
                let requantisation = Requantisation {
                    x_zero_point: x_zero_point.into(),
                    weights_zero_point: 0,
                    y_zero_point: y_zero_point.into(),
                    low: low.into(),
                    high: high.into(),
                    bias: int32(bias).collect(),
                    multiplier: int32(multiplier).collect(),
                    shift: shift
                        .iter()
                        .map(|byte| i32::from(*byte as i8).clamp(MIN_SHIFT, MAX_SHIFT) as u32)
                        .collect(),
                };
                (weights, requantisation)
            });
        if self.groups > 1 && self.n < MIN_PACKED_COLUMNS {
            let narrow = |(weights, requantisation): (&[u8], _)| Narrow {
                weights: weights.to_vec(),
                requantisation,
            };
            Linear::Narrow(groups.map(narrow).collect())
        } else {
            let pack = |(weights, requantisation)| (Packed::new(level, weights, self.k), requantisation);
            Linear::Packed(groups.map(pack).collect())
        }
    }

    fn linear<'a>(&'a self, work: &Work<'a>) -> &'a Linear {
        match (&self.linear, work.prepared) {
            (Some(linear), _) | (None, Prepared::Linear(linear)) => linear,
            _ => unreachable!("weights that are not constants are prepared"),
        }
    }

    /// One matrix for all rows. Few rows are shared among threads by columns.
    fn dense(&self, work: &Work, (weights, requantisation): &(Packed, Requantisation), x: &[u8], out: &mut [u8]) {
        let rows = work.rows.len();
        let panels = self.n.div_ceil(PANEL);
        let parts = (rows * self.row_cost() / COST_OF_A_THREAD)
            .min(work.threads)
            .min(panels);
        if parts <= 1 {
            return product(work.level, x, weights, requantisation, 0..self.n, out);
        }
        let columns = panels.div_ceil(parts) * PANEL;
        if rows == 1 {
            out.par_chunks_mut(columns).enumerate().for_each(|(part, out)| {
                let first = part * columns;
                product(work.level, x, weights, requantisation, first..first + out.len(), out);
            });
            return;
        }
        let blocks: Vec<_> = (0..self.n)
            .into_par_iter()
            .step_by(columns)
            .map(|first| {
                let range = first..(first + columns).min(self.n);
                let mut block = vec![0; rows * range.len()];
                product(work.level, x, weights, requantisation, range.clone(), &mut block);
                (range, block)
            })
            .collect();
        for (range, block) in blocks {
            for (out, block) in out.chunks_exact_mut(self.n).zip(block.chunks_exact(range.len())) {
                out[range.clone()].copy_from_slice(block);
            }
        }
    }
}

impl Node for LinearNode {
    fn row_cost(&self) -> usize {
        self.n * self.k.div_ceil(64)
    }

    fn prepare(&self, level: Level, operands: &[Part; MAX_OPERANDS]) -> Prepared {
        if self.linear.is_some() {
            return Prepared::Nothing;
        }
        let [weights, bias, multiplier, shift] =
            [WEIGHTS, BIAS, MULTIPLIER, SHIFT].map(|operand| operands[operand].bytes);
        Prepared::Linear(self.pack(level, weights, bias, multiplier, shift))
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let x = work.operands[0].rows(&work.rows, self.k);
        let groups = match self.linear(work) {
            Linear::Packed(groups) => groups,
            Linear::Narrow(groups) => {
                return narrow_product(work.level, groups, work.rows.start % self.groups, self.k, x, out);
            }
        };
        if let [group] = groups.as_slice() {
            return self.dense(work, group, x, out);
        }
        // Rows of one group are `groups` apart: gather them, so that the kernel has many rows at once.
        for (group, (weights, requantisation)) in groups.iter().enumerate() {
            let first = (group + self.groups - work.rows.start % self.groups) % self.groups;
            let x = gather_rows(x, self.k, first, self.groups);
            let mut block = vec![0; x.len() / self.k * self.n];
            product(work.level, &x, weights, requantisation, 0..self.n, &mut block);
            let rows = out.chunks_exact_mut(self.n).skip(first).step_by(self.groups);
            for (out, block) in rows.zip(block.chunks_exact(self.n)) {
                out.copy_from_slice(block);
            }
        }
    }

    fn has_packed(&self, operand: usize) -> bool {
        operand >= WEIGHTS && self.linear.is_some()
    }
}

/// Every `step`-th row of `x` from row `first` on.
fn gather_rows(x: &[u8], k: usize, first: usize, step: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(x.len().div_ceil(step) + k);
    for row in x.chunks_exact(k).skip(first).step_by(step) {
        rows.extend_from_slice(row);
    }
    rows
}
