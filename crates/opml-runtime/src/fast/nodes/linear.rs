//! `FullyConnected` and `GroupedFullyConnected`.
//!
//! Packed weights are a second copy of them: worth it where they meet many rows, or stay in the cache. Others are used where they are, since reading them takes
//! longer than anything that could be done with them. So a large model that makes one token at a time takes no memory but that of its file.

use std::ops::Range;

use opml::{
    NodeRecord, TensorSpec,
    model::MAX_OPERANDS,
    ops::{MAX_SHIFT, MIN_SHIFT},
};
use rayon::prelude::*;

use super::{IN_PLACE_ROWS, Node, Packing, Part, Prepared, Work, int32};
use crate::fast::kernels::{Level, Narrow, PANEL, Packed, Requantisation, dot_product, narrow_product, product};

const WEIGHTS: usize = 1;
const BIAS: usize = 2;
const MULTIPLIER: usize = 3;
const SHIFT: usize = 4;

/// Multiplications, in vectors of 64, that are worth a thread of their own.
const COST_OF_A_THREAD: usize = 16_384;

/// Columns of a group from which on its weights are packed.
const MIN_PACKED_COLUMNS: usize = 8;

/// Bytes of weights that are packed at once when they are packed in every run: they stay in the cache of a core.
const PACKED_AT_ONCE: usize = 256 << 10;

/// Weights with their scales: one matrix a group.
pub(in crate::fast) enum Linear {
    Packed(Vec<(Packed, Requantisation)>),
    Narrow(Vec<Narrow>),
    /// The weights are the operand's.
    InPlace(Vec<Requantisation>),
}

/// What a linear node does with its weights.
enum Form {
    Pack,
    Narrow,
    InPlace,
}

pub(super) struct LinearNode {
    attributes: [i8; 4],
    groups: usize,
    n: usize,
    k: usize,
    /// Rows of the output in each group.
    rows: usize,
    /// When the weights and scales are constants.
    linear: Option<Linear>,
}

impl LinearNode {
    pub(super) fn new<'a>(
        level: Level,
        record: &NodeRecord,
        specs: &[TensorSpec],
        constant: impl Fn(usize) -> Option<&'a [u8]>,
        packing: &mut Packing,
    ) -> Self {
        let [x_zero_point, y_zero_point, low, high, ..] = record.attributes.map(|byte| byte as i8);
        let weights = specs[WEIGHTS].shape();
        let groups = if weights.len() == 3 { weights[0] as usize } else { 1 };
        let mut node = Self {
            attributes: [x_zero_point, y_zero_point, low, high],
            groups,
            n: record.output.cols() as usize,
            k: specs[WEIGHTS].cols() as usize,
            rows: record.output.rows() as usize / groups,
            linear: None,
        };
        let parameters = [WEIGHTS, BIAS, MULTIPLIER, SHIFT].map(constant);
        if let [Some(weights), Some(bias), Some(multiplier), Some(shift)] = parameters {
            let form = node.form(packing.for_few_rows, packing.left >= weights.len());
            if let Form::Pack = form {
                packing.left -= weights.len();
            }
            node.linear = Some(node.linear(form, level, weights, [bias, multiplier, shift]));
        }
        node
    }

    fn form(&self, for_few_rows: bool, fits: bool) -> Form {
        if self.groups > 1 && self.n < MIN_PACKED_COLUMNS {
            Form::Narrow
        } else if fits && (for_few_rows || self.rows > IN_PLACE_ROWS) {
            Form::Pack
        } else {
            Form::InPlace
        }
    }

    fn linear(&self, form: Form, level: Level, weights: &[u8], [bias, multiplier, shift]: [&[u8]; 3]) -> Linear {
        let [x_zero_point, y_zero_point, low, high] = self.attributes;
        let bytes = 4 * self.n;
        let weights = weights.chunks_exact(self.n * self.k);
        let requantisations = bias
            .chunks_exact(bytes)
            .zip(multiplier.chunks_exact(bytes).zip(shift.chunks_exact(self.n)))
            .map(|(bias, (multiplier, shift))| Requantisation {
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
            });
        match form {
            Form::Narrow => {
                let narrow = |(weights, requantisation): (&[u8], _)| Narrow {
                    weights: weights.to_vec(),
                    requantisation,
                };
                Linear::Narrow(weights.zip(requantisations).map(narrow).collect())
            }
            Form::Pack => {
                let pack = |(weights, requantisation)| (Packed::new(level, weights, self.k), requantisation);
                Linear::Packed(weights.zip(requantisations).map(pack).collect())
            }
            Form::InPlace => Linear::InPlace(requantisations.collect()),
        }
    }

    fn weights<'a>(&'a self, work: &Work<'a>) -> &'a Linear {
        match (&self.linear, work.prepared) {
            (Some(linear), _) | (None, Prepared::Linear(linear)) => linear,
            _ => unreachable!("weights that are not constants are prepared"),
        }
    }

    /// Rows of one group times some columns of its weights.
    fn block(&self, work: &Work, group: usize, x: &[u8], columns: Range<usize>, out: &mut [u8]) {
        match self.weights(work) {
            Linear::Packed(groups) => {
                let (weights, requantisation) = &groups[group];
                product(work.level, x, weights, requantisation, columns, out);
            }
            Linear::InPlace(groups) => {
                let matrix = self.n * self.k;
                let weights = &work.whole(WEIGHTS)[group * matrix..][..matrix];
                if self.rows <= IN_PLACE_ROWS {
                    dot_product(work.level, x, weights, self.k, &groups[group], columns, out);
                } else {
                    self.packing_product(work.level, x, weights, &groups[group], columns, out);
                }
            }
            Linear::Narrow(_) => unreachable!("narrow groups are computed all at once"),
        }
    }

    /// Packs some columns, uses them for all rows, and forgets them.
    fn packing_product(
        &self,
        level: Level,
        x: &[u8],
        weights: &[u8],
        requantisation: &Requantisation,
        columns: Range<usize>,
        out: &mut [u8],
    ) {
        let at_once = (PACKED_AT_ONCE / self.k).next_multiple_of(PANEL);
        for first in columns.clone().step_by(at_once) {
            let some = first..(first + at_once).min(columns.end);
            let packed = Packed::new(level, &weights[some.start * self.k..some.end * self.k], self.k);
            let mut block = vec![0; x.len() / self.k * some.len()];
            let requantisation = requantisation.part(some.clone());
            product(level, x, &packed, &requantisation, 0..some.len(), &mut block);
            let place = some.start - columns.start..some.end - columns.start;
            put_columns(out, columns.len(), place, &block);
        }
    }

    /// One matrix for all rows. Few rows are shared among threads by columns.
    fn dense(&self, work: &Work, x: &[u8], out: &mut [u8]) {
        let rows = work.rows.len();
        let panels = self.n.div_ceil(PANEL);
        let parts = (rows * self.row_cost() / COST_OF_A_THREAD)
            .min(work.threads)
            .min(panels);
        if parts <= 1 {
            return self.block(work, 0, x, 0..self.n, out);
        }
        let columns = panels.div_ceil(parts) * PANEL;
        if rows == 1 {
            out.par_chunks_mut(columns).enumerate().for_each(|(part, out)| {
                let first = part * columns;
                self.block(work, 0, x, first..first + out.len(), out);
            });
            return;
        }
        let blocks: Vec<_> = (0..self.n)
            .into_par_iter()
            .step_by(columns)
            .map(|first| {
                let range = first..(first + columns).min(self.n);
                let mut block = vec![0; rows * range.len()];
                self.block(work, 0, x, range.clone(), &mut block);
                (range, block)
            })
            .collect();
        for (range, block) in blocks {
            put_columns(out, self.n, range, &block);
        }
    }
}

impl Node for LinearNode {
    fn runs_alone(&self) -> bool {
        self.rows > IN_PLACE_ROWS && matches!(self.linear, Some(Linear::InPlace(_)))
    }

    fn row_cost(&self) -> usize {
        self.n * self.k.div_ceil(64)
    }

    fn prepare(&self, level: Level, operands: &[Part; MAX_OPERANDS]) -> Prepared {
        if self.linear.is_some() {
            return Prepared::Nothing;
        }
        let weights = operands[WEIGHTS].bytes;
        let scales = [BIAS, MULTIPLIER, SHIFT].map(|operand| operands[operand].bytes);
        Prepared::Linear(self.linear(self.form(false, true), level, weights, scales))
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let x = work.operands[0].rows(&work.rows, self.k);
        if let Linear::Narrow(groups) = self.weights(work) {
            return narrow_product(work.level, groups, work.rows.start % self.groups, self.k, x, out);
        }
        if self.groups == 1 {
            return self.dense(work, x, out);
        }
        // Rows of one group are `groups` apart: gather them, so that the kernel has many rows at once.
        for group in 0..self.groups {
            let first = (group + self.groups - work.rows.start % self.groups) % self.groups;
            let x = gather_rows(x, self.k, first, self.groups);
            let mut block = vec![0; x.len() / self.k * self.n];
            self.block(work, group, &x, 0..self.n, &mut block);
            let rows = out.chunks_exact_mut(self.n).skip(first).step_by(self.groups);
            for (out, block) in rows.zip(block.chunks_exact(self.n)) {
                out.copy_from_slice(block);
            }
        }
    }

    fn has_packed(&self, operand: usize) -> bool {
        match &self.linear {
            None => false,
            Some(Linear::InPlace(_)) => operand > WEIGHTS,
            Some(Linear::Packed(_) | Linear::Narrow(_)) => operand >= WEIGHTS,
        }
    }
}

/// Writes these columns of rows of `width`.
fn put_columns(out: &mut [u8], width: usize, columns: Range<usize>, block: &[u8]) {
    for (out, block) in out.chunks_exact_mut(width).zip(block.chunks_exact(columns.len())) {
        out[columns.clone()].copy_from_slice(block);
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
