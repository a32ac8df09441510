//! The way of every operator that has no other: the reference computes the node.

use opml::{NodeRecord, TensorSpec, model::MAX_OPERANDS};

use super::{Node, Part, Prepared, Work};
use crate::{execute::run_node, fast::kernels::Level, tensor::Tensor};

pub(super) struct ReferenceNode {
    record: NodeRecord,
    specs: Vec<TensorSpec>,
}

impl ReferenceNode {
    pub(super) fn new(record: &NodeRecord, specs: Vec<TensorSpec>) -> Self {
        Self { record: *record, specs }
    }
}

impl Node for ReferenceNode {
    fn is_row_local(&self) -> bool {
        false
    }

    fn row_cost(&self) -> usize {
        self.record.output.row_bytes().div_ceil(64) as usize
    }

    fn prepare(&self, _level: Level, operands: &[Part; MAX_OPERANDS]) -> Prepared {
        let operands: Vec<Tensor> = self
            .specs
            .iter()
            .zip(operands)
            .map(|(spec, part)| Tensor::new(*spec, part.bytes.to_vec()).expect("an operand fits its specification"))
            .collect();
        let output = run_node(&self.record, &self.specs, &operands.iter().collect::<Vec<_>>())
            .expect("a model's nodes were validated, and operators are total on valid nodes");
        Prepared::Output(output.bytes().to_vec())
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        if let Prepared::Output(output) = work.prepared {
            out.copy_from_slice(Part::whole(output).rows(&work.rows, self.record.output.row_bytes() as usize));
        }
    }
}
