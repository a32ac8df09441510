//! `ArgMax`, `ReduceMax`, `ReduceMean`: one value a row.

use opml::{
    NodeRecord, TensorSpec,
    ops::{ReduceMeanAttributes, multiply_by_quantized_multiplier},
};

use super::{Node, Work};
use crate::fast::kernels::{arg_max, reduce_max, reduce_sum};

enum Reduction {
    ArgMax,
    Maximum,
    Mean(ReduceMeanAttributes),
}

pub(super) struct ReduceNode {
    reduction: Reduction,
    k: usize,
}

impl ReduceNode {
    pub(super) fn arg_max(specs: &[TensorSpec]) -> Self {
        Self::new(Reduction::ArgMax, specs)
    }

    pub(super) fn maximum(specs: &[TensorSpec]) -> Self {
        Self::new(Reduction::Maximum, specs)
    }

    pub(super) fn mean(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let attributes = ReduceMeanAttributes::decode(record).ok()?;
        Some(Self::new(Reduction::Mean(attributes), specs))
    }

    fn new(reduction: Reduction, specs: &[TensorSpec]) -> Self {
        let k = specs[0].cols() as usize;
        Self { reduction, k }
    }
}

impl Node for ReduceNode {
    fn row_cost(&self) -> usize {
        10 + self.k.div_ceil(32)
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let rows = work.operands[0].rows(&work.rows, self.k).chunks_exact(self.k);
        match &self.reduction {
            Reduction::ArgMax => {
                for (y, row) in out.as_chunks_mut::<4>().0.iter_mut().zip(rows) {
                    *y = (arg_max(work.level, row) as u32).to_le_bytes();
                }
            }
            Reduction::Maximum => {
                for (y, row) in out.iter_mut().zip(rows) {
                    *y = reduce_max(work.level, row) as u8;
                }
            }
            Reduction::Mean(attributes) => {
                let zero = self.k as i32 * i32::from(attributes.x_zero_point);
                for (y, row) in out.iter_mut().zip(rows) {
                    let sum = reduce_sum(work.level, row) - zero;
                    let scaled = multiply_by_quantized_multiplier(sum, attributes.multiplier, attributes.shift.into());
                    let shifted = scaled + i64::from(attributes.y_zero_point);
                    *y = shifted.clamp(i8::MIN.into(), i8::MAX.into()) as u8;
                }
            }
        }
    }
}
