//! Nodes one after the other that only move elements or scale all of them.

use super::{Graph, Made};
use crate::onnx::{
    graph::{Node, ValueId},
    operator::{Binary, Op},
};

/// The longest chain that is followed.
const MAX_NODES: usize = 32;

/// From a value back to where something else made it.
pub struct Chain {
    pub source: ValueId,
    /// Indices of the nodes behind the source, in order.
    pub nodes: Vec<usize>,
}

impl Chain {
    pub fn to(graph: &Graph, made: &Made, end: ValueId) -> Self {
        let (mut source, mut nodes) = (end, Vec::new());
        while nodes.len() < MAX_NODES
            && let Some(index) = made.index(source)
            && let Some(operand) = moved(graph, &graph.nodes[index])
        {
            nodes.push(index);
            source = operand;
        }
        nodes.reverse();
        Self { source, nodes }
    }

    /// Where a dimension of the source is behind all nodes, if it stays whole.
    pub fn track(&self, graph: &Graph, axis: usize) -> Option<usize> {
        track(graph, &self.nodes, axis)
    }
}

/// The operand that a node moves or scales.
pub fn moved(graph: &Graph, node: &Node) -> Option<ValueId> {
    match &node.op {
        Op::Reshape | Op::Transpose { .. } | Op::Expand => node.operand(0),
        Op::Quantize(quantisation) | Op::Dequantize(quantisation) if quantisation.per_tensor().is_some() => {
            node.operand(0)
        }
        Op::Binary(function @ (Binary::Mul | Binary::Div)) => {
            let [a, b] = node.pair(*function)?;
            let same_shape = |x: ValueId| graph.shape(x) == graph.shape(node.result);
            match (graph.number(a), graph.number(b)) {
                (None, Some(_)) if same_shape(a) => Some(a),
                (Some(_), None) if *function == Binary::Mul && same_shape(b) => Some(b),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Where a dimension is behind these nodes, if it stays whole.
pub fn track(graph: &Graph, nodes: &[usize], axis: usize) -> Option<usize> {
    nodes.iter().try_fold(axis, |axis, index| {
        let node = &graph.nodes[*index];
        let (from, to) = (graph.shape(moved(graph, node)?), graph.shape(node.result));
        match &node.op {
            Op::Transpose { permutation } => permutation.iter().position(|from| *from == axis),
            Op::Reshape => {
                let before: usize = from[..axis].iter().product();
                place(to, before, from[axis])
            }
            // Expand may put dimensions in front.
            _ => {
                let axis = axis + to.len().checked_sub(from.len())?;
                (to[axis] == from[axis - (to.len() - from.len())]).then_some(axis)
            }
        }
    })
}

/// The dimension of this length that has so many elements in those before it.
pub fn place(shape: &[usize], before: usize, length: usize) -> Option<usize> {
    (0..shape.len()).find(|axis| shape[*axis] == length && shape[..*axis].iter().product::<usize>() == before)
}
