//! Values that are others under another name.

use super::Made;
use crate::onnx::{
    graph::{Graph, Node, ValueId},
    operator::{Binary, Op},
};

/// Lets everything read what a value was made from, where that is the same.
pub fn take(graph: &mut Graph) {
    let made = Made::of(graph);
    let mut same: Vec<ValueId> = (0..graph.values.len()).collect();
    let readers = readers(graph);
    for node in &graph.nodes {
        let source = guarded(graph, &made, node)
            .or_else(|| joined(graph, &made, node))
            .or_else(|| unrounded(graph, &made, &readers, node));
        if let Some(source) = source {
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

/// For each value the index of the node that reads it, when that is the only one.
fn readers(graph: &Graph) -> Vec<Option<usize>> {
    let mut readers = vec![None; graph.values.len()];
    let mut count = vec![0; graph.values.len()];
    graph.outputs.iter().for_each(|output| count[output.value] += 2);
    for (index, node) in graph.nodes.iter().enumerate() {
        for operand in node.operands.iter().flatten() {
            count[*operand] += 1;
            readers[*operand] = Some(index);
        }
    }
    let only = readers.into_iter().zip(count);
    only.map(|(reader, count)| reader.filter(|_| count == 1)).collect()
}

/// A product with weights before it was quantised, when all that is done with it then is to add a bias and to quantise the sum: the bias goes into the accumulator, with one
/// rounding and not two.
fn unrounded(graph: &Graph, made: &Made, readers: &[Option<usize>], node: &Node) -> Option<ValueId> {
    let (Op::Dequantize(_), Some(stored)) = (&node.op, node.operand(0)) else {
        return None;
    };
    let quantize = made.node(graph, stored)?;
    let (Op::Quantize(_), Some(product)) = (&quantize.op, quantize.operand(0)) else {
        return None;
    };
    let made_by = made.node(graph, product)?;
    let only_reader = |id: ValueId| readers[id].map(|index| &graph.nodes[index]);
    let sum = only_reader(node.result)?;
    let [a, b] = sum.pair(Binary::Add)?;
    let bias = if a == node.result { b } else { a };
    let weights = made_by.operand(1)?;
    let is_bias = matches!(made_by.op, Op::MatMul { .. })
        && graph.is_constant(weights)
        && graph.is_constant(bias)
        && matches!((graph.shape(weights), graph.shape(bias)), ([_, n], [channels]) if n == channels && *n > 1)
        && only_reader(product).is_some()
        && only_reader(stored).is_some()
        && matches!(only_reader(sum.result)?.op, Op::Quantize(_));
    is_bias.then_some(product)
}
