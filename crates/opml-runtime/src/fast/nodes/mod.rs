//! Nodes made ready to run: each operator's way to compute some rows of its output.

mod elementwise;
mod linear;
mod mat_mul;
mod moves;
mod reductions;
mod reference;
mod rotary;
mod row_wise;

use std::ops::Range;

use opml::{
    NodeRecord, Operand, TensorSpec,
    model::MAX_OPERANDS,
    ops::{
        Add, ArgMax, Bitcast, Clip, Concat, FullyConnected, Gather, GroupedFullyConnected, LayerNorm, Lookup, MatMul,
        Mul, Pad, Patches, ReduceMax, ReduceMean, Reshape, RmsNorm, RotaryEmbedding, Slice, Softmax, Transpose,
    },
};

use super::kernels::Level;
use crate::model::Model;

/// Rows up to which a matrix that does not stay in the cache is multiplied as it is: reading it takes longer than the rest.
const IN_PLACE_ROWS: usize = 8;

/// What of the weights is packed.
pub(super) struct Packing {
    /// Bytes that may still be.
    pub left: usize,
    /// Also weights that meet [`IN_PLACE_ROWS`] or less.
    pub for_few_rows: bool,
}

/// Rows of an operand: all of them, or those from `first_row` on.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub bytes: &'a [u8],
    pub first_row: usize,
}

impl<'a> Part<'a> {
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, first_row: 0 }
    }

    /// The bytes of some rows, of which each has `row_bytes`.
    pub(super) fn rows(&self, rows: &Range<usize>, row_bytes: usize) -> &'a [u8] {
        &self.bytes[(rows.start - self.first_row) * row_bytes..(rows.end - self.first_row) * row_bytes]
    }
}

/// What to compute.
pub(super) struct Work<'a> {
    pub level: Level,
    /// Threads that this work alone may use.
    pub threads: usize,
    /// Rows of the output.
    pub rows: Range<usize>,
    /// The operands in order. The first may be only those of its rows that have the numbers of `rows`, when the node is [`Node::is_row_local`]; the others
    /// are whole.
    pub operands: [Part<'a>; MAX_OPERANDS],
    pub prepared: &'a Prepared,
}

impl<'a> Work<'a> {
    /// All bytes of an operand that is whole.
    pub(super) fn whole(&self, operand: usize) -> &'a [u8] {
        self.operands[operand].bytes
    }
}

/// What a node derives from operands before any of its rows can be computed.
#[derive(Default)]
pub(super) enum Prepared {
    #[default]
    Nothing,
    /// Weights that are not constants.
    Linear(linear::Linear),
    /// The second factor of a `MatMul`.
    Factor(mat_mul::Factor),
    /// The node's output, made by the reference.
    Output(Vec<u8>),
}

/// A node made ready to run.
pub(super) trait Node: Send + Sync {
    /// Whether a row of the output needs of the first operand only the row of the same number.
    fn is_row_local(&self) -> bool {
        true
    }

    /// Whether it wants all rows and all threads at once, so that nothing runs together with it.
    fn runs_alone(&self) -> bool {
        false
    }

    /// About how many vector instructions a row of the output takes.
    fn row_cost(&self) -> usize;

    /// Looks at operands other than the first (at all of them, if the node is not row-local).
    fn prepare(&self, _level: Level, _operands: &[Part; MAX_OPERANDS]) -> Prepared {
        Prepared::Nothing
    }

    /// Computes `work.rows` of the output.
    fn rows(&self, work: &Work, out: &mut [u8]);

    /// Whether the node holds this operand, a constant, in a form of its own.
    fn has_packed(&self, _operand: usize) -> bool {
        false
    }
}

/// What a node is to the executor.
pub(super) enum Ready {
    Compute(Box<dyn Node>),
    /// The bytes of the output are those of the first operand.
    Alias,
}

/// A node of a model, whose rules have been checked.
pub(super) fn ready(level: Level, model: &Model, record: &NodeRecord, packing: &mut Packing) -> Ready {
    let specs = model.operand_specs(record);
    let constant = |operand: usize| match record.operands[operand] {
        Operand::Constant(index) => Some(model.constants()[index as usize].bytes()),
        _ => None,
    };
    let fast: Option<Box<dyn Node>> = match record.operator {
        Reshape::NUMBER | Bitcast::NUMBER => return Ready::Alias,
        FullyConnected::NUMBER | GroupedFullyConnected::NUMBER => Some(Box::new(linear::LinearNode::new(
            level, record, &specs, constant, packing,
        ))),
        MatMul::NUMBER => boxed(mat_mul::MatMulNode::new(record, &specs)),
        Clip::NUMBER => boxed(elementwise::ClipNode::new(record)),
        Lookup::NUMBER => boxed(Some(elementwise::LookupNode::new(record))),
        Add::NUMBER => boxed(elementwise::BroadcastNode::add(record, &specs)),
        Mul::NUMBER => boxed(elementwise::BroadcastNode::multiply(record, &specs)),
        ArgMax::NUMBER => boxed(Some(reductions::ReduceNode::arg_max(&specs))),
        ReduceMax::NUMBER => boxed(Some(reductions::ReduceNode::maximum(&specs))),
        ReduceMean::NUMBER => boxed(reductions::ReduceNode::mean(record, &specs)),
        Softmax::NUMBER => boxed(row_wise::SoftmaxNode::new(record, &specs)),
        LayerNorm::NUMBER => boxed(row_wise::NormNode::layer(record)),
        RmsNorm::NUMBER => boxed(row_wise::NormNode::root_mean_square(record)),
        RotaryEmbedding::NUMBER => boxed(rotary::RotaryNode::new(record, &specs)),
        Gather::NUMBER => boxed(Some(moves::GatherNode::new(&specs))),
        Transpose::NUMBER => boxed(moves::StridedNode::transpose(record, &specs)),
        Slice::NUMBER => boxed(moves::StridedNode::slice(record, &specs)),
        Pad::NUMBER => boxed(moves::BoxesNode::pad(record, &specs)),
        Concat::NUMBER => boxed(moves::BoxesNode::concat(record, &specs)),
        Patches::NUMBER => boxed(moves::PatchesNode::new(record, &specs)),
        _ => None,
    };
    Ready::Compute(fast.unwrap_or_else(|| Box::new(reference::ReferenceNode::new(record, specs))))
}

fn boxed<N: Node + 'static>(node: Option<N>) -> Option<Box<dyn Node>> {
    node.map(|node| Box::new(node) as Box<dyn Node>)
}

/// The elements of an int32 operand.
fn int32(bytes: &[u8]) -> impl Iterator<Item = i32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes))
}

/// The dimensions of a specification, outermost first.
fn shape(spec: &TensorSpec) -> Vec<usize> {
    spec.shape().iter().map(|dimension| *dimension as usize).collect()
}
