//! Values that are others under another name.

use super::Made;
use crate::onnx::{
    graph::{Graph, Node, ValueId},
    operator::Op,
};

/// Lets everything read what a value was made from, where that is the same.
pub fn take(graph: &mut Graph) {
    let made = Made::of(graph);
    let mut same: Vec<ValueId> = (0..graph.values.len()).collect();
    for node in &graph.nodes {
        if let Some(source) = guarded(graph, &made, node).or_else(|| joined(graph, &made, node)) {
            same[node.result] = same[source];
        }
    }
    for operand in graph
        .nodes
        .iter_mut()
        .flat_map(|node| node.operands.iter_mut().flatten())
    {
        *operand = same[*operand];
    }
    for output in &mut graph.outputs {
        output.value = same[output.value];
    }
}

/// Below a guard against rows of which nothing is seen, `Where(IsNaN(p), 0, p)`: the integer softmax gives zeros there by itself.
fn guarded(graph: &Graph, made: &Made, node: &Node) -> Option<ValueId> {
    let (Op::Where, [Some(condition), Some(instead), Some(p)]) = (&node.op, &node.operands[..]) else {
        return None;
    };
    let test = made.node(graph, *condition)?;
    let is_guard = test.op == Op::IsNan
        && test.operand(0) == Some(*p)
        && matches!(made.node(graph, *p)?.op, Op::Softmax { .. })
        && graph.number(*instead) == Some(0.0)
        && graph.shape(node.result) == graph.shape(*p);
    is_guard.then_some(*p)
}

/// The part that a Slice takes out of what a Concat joined.
fn joined(graph: &Graph, made: &Made, node: &Node) -> Option<ValueId> {
    let Op::Slice { starts, steps } = &node.op else {
        return None;
    };
    let concat = made.node(graph, node.operand(0)?)?;
    let Op::Concat { axis } = concat.op else {
        return None;
    };
    let others = (0..starts.len()).filter(|dimension| *dimension != axis);
    if steps.iter().any(|step| *step != 1) || others.into_iter().any(|dimension| starts[dimension] != 0) {
        return None;
    }
    let mut before = 0;
    concat.operands.iter().flatten().copied().find(|part| {
        let found = before == starts[axis] && graph.shape(*part) == graph.shape(node.result);
        before += graph.shape(*part)[axis];
        found
    })
}
