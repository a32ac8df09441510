//! `Clip`, `Lookup`, `Add`, `Mul`.

use opml::{
    NodeRecord, TensorSpec,
    ops::{AddAttributes, MulAttributes, TABLE_ENTRIES},
};

use super::{Node, Work};
use crate::fast::kernels::{add, clip, lookup, multiply};

const BYTE_VALUES: usize = TABLE_ENTRIES as usize;
const B: usize = 1;

pub(super) struct ClipNode {
    low: i8,
    high: i8,
    row: usize,
}

impl ClipNode {
    pub(super) fn new(record: &NodeRecord) -> Option<Self> {
        let [low, high, ..] = record.attributes.map(|byte| byte as i8);
        let row = record.output.cols() as usize;
        Some(Self { low, high, row })
    }
}

impl Node for ClipNode {
    fn row_cost(&self) -> usize {
        self.row.div_ceil(64)
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        clip(
            work.level,
            self.low,
            self.high,
            work.operands[0].rows(&work.rows, self.row),
            out,
        );
    }
}

pub(super) struct LookupNode {
    row: usize,
}

impl LookupNode {
    pub(super) fn new(record: &NodeRecord) -> Self {
        let row = record.output.cols() as usize;
        Self { row }
    }
}

impl Node for LookupNode {
    fn row_cost(&self) -> usize {
        self.row.div_ceil(16)
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let mut table = [0; BYTE_VALUES];
        // Entry 0 of the operand is that of -128, whose byte is 128.
        let (negative, positive) = work.whole(1).split_at(BYTE_VALUES / 2);
        table[..BYTE_VALUES / 2].copy_from_slice(positive);
        table[BYTE_VALUES / 2..].copy_from_slice(negative);
        lookup(work.level, &table, work.operands[0].rows(&work.rows, self.row), out);
    }
}

enum Operation {
    Add(AddAttributes),
    Multiply(MulAttributes),
}

/// An operator of two operands, of which the second is repeated.
pub(super) struct BroadcastNode {
    operation: Operation,
    row: usize,
}

impl BroadcastNode {
    pub(super) fn add(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        Some(Self::new(Operation::Add(AddAttributes::decode(record).ok()?), specs))
    }

    pub(super) fn multiply(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        Some(Self::new(
            Operation::Multiply(MulAttributes::decode(record).ok()?),
            specs,
        ))
    }

    fn new(operation: Operation, specs: &[TensorSpec]) -> Self {
        let row = specs[0].cols() as usize;
        Self { operation, row }
    }

    fn apply(&self, work: &Work, a: &[u8], b: &[u8], out: &mut [u8]) {
        match &self.operation {
            Operation::Add(attributes) => add(work.level, attributes, a, b, out),
            Operation::Multiply(attributes) => multiply(work.level, attributes, a, b, out),
        }
    }
}

impl Node for BroadcastNode {
    fn row_cost(&self) -> usize {
        self.row.div_ceil(4)
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let a = work.operands[0].rows(&work.rows, self.row);
        let b = work.whole(B);
        if let [b] = *b {
            // With one value of b the result depends on a alone.
            let values: [u8; BYTE_VALUES] = std::array::from_fn(|byte| byte as u8);
            let mut table = [0; BYTE_VALUES];
            self.apply(work, &values, &[b; BYTE_VALUES], &mut table);
            return lookup(work.level, &table, a, out);
        }
        let mut at = work.rows.start * self.row % b.len();
        let (mut a, mut out) = (a, out);
        while !a.is_empty() {
            let len = a.len().min(b.len() - at);
            let (a_piece, a_rest) = a.split_at(len);
            let (out_piece, out_rest) = out.split_at_mut(len);
            self.apply(work, a_piece, &b[at..at + len], out_piece);
            (a, out, at) = (a_rest, out_rest, 0);
        }
    }
}
