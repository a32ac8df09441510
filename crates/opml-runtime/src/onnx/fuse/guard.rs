//! Guards against rows of which nothing is seen: `Where(IsNaN(p), 0, p)`. The integer softmax gives zeros there by itself.

use super::Made;
use crate::onnx::{
    graph::{Graph, ValueId},
    operator::Op,
};

pub fn drop(graph: &mut Graph) {
    let made = Made::of(graph);
    let mut guarded: Vec<Option<ValueId>> = vec![None; graph.values.len()];
    for node in &graph.nodes {
        let (Op::Where, [Some(condition), Some(instead), Some(p)]) = (&node.op, &node.operands[..]) else {
            continue;
        };
        let tested = made.node(graph, *condition);
        let is_guard = tested.is_some_and(|test| test.op == Op::IsNan && test.operand(0) == Some(*p))
            && made
                .node(graph, *p)
                .is_some_and(|node| matches!(node.op, Op::Softmax { .. }))
            && graph.number(*instead) == Some(0.0)
            && graph.shape(node.result) == graph.shape(*p);
        if is_guard {
            guarded[node.result] = Some(*p);
        }
    }
    for operand in graph
        .nodes
        .iter_mut()
        .flat_map(|node| node.operands.iter_mut().flatten())
    {
        *operand = guarded[*operand].unwrap_or(*operand);
    }
    for output in &mut graph.outputs {
        output.value = guarded[output.value].unwrap_or(output.value);
    }
}
