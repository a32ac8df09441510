//! The second factor of a product of attention, keys or values: without the repetition of heads, and with the last row in front.

use super::{
    Graph, Made,
    chain::{self, Chain},
};
use crate::onnx::{
    graph::{Node, ValueId},
    operator::Op,
};

/// Another way to make a factor.
pub struct Factor {
    /// How many matrices of the first factor meet each of this one's.
    pub sharing: usize,
    pub turned: bool,
    /// The last of them makes the factor.
    pub nodes: Vec<Node>,
}

/// Heads that are repeated: where in a chain, and the dimension behind it that has them.
struct Repeated {
    /// The place of the Expand in the chain.
    expand: usize,
    /// The place from which on the dimension is there.
    from: usize,
    axis: usize,
    times: usize,
}

/// `keys` is the dimension whose last row is to come first.
pub fn of(graph: &mut Graph, made: &Made, product: &Node, keys: Option<usize>) -> Option<Factor> {
    let [a, b] = [product.operand(0)?, product.operand(1)?];
    let chain = Chain::to(graph, made, b);
    let turned = keys.filter(|keys| has_one_last(graph, made, &chain, *keys)).is_some();
    let repeated = repeated(graph, &chain, a, b);
    if graph.is_constant(chain.source) || (!turned && repeated.is_none()) {
        return None;
    }
    let sharing = repeated.as_ref().map_or(1, |repeated| repeated.times);
    let mut nodes = Vec::with_capacity(chain.nodes.len() + 1);
    let mut at = chain.source;
    if turned {
        let mut concat = made.node(graph, chain.source)?.clone();
        let value = &graph.values[concat.result];
        at = graph.add_value(value.shape.clone(), value.kind);
        concat.operands.reverse();
        concat.result = at;
        nodes.push(concat);
    }
    let mut axis = None;
    for (place, index) in chain.nodes.iter().enumerate() {
        let mut node = graph.nodes[*index].clone();
        let mut shape = graph.shape(node.result).to_vec();
        if let Some(repeated) = &repeated {
            axis = match axis {
                _ if place == repeated.from => Some(repeated.axis),
                Some(axis) => Some(chain::track(graph, &[*index], axis)?),
                None => None,
            };
            if let Some(axis) = axis {
                shape[axis] /= repeated.times;
            }
            if place == repeated.expand {
                continue;
            }
        }
        let moved = chain::moved(graph, &node)?;
        // Of Reshapes in a row only the last counts: what is between may have more dimensions than a tensor.
        if node.op == Op::Reshape
            && let Some(before) = nodes.pop_if(|before: &mut Node| before.op == Op::Reshape)
        {
            at = before.operand(0)?;
        }
        if node.op == Op::Reshape && graph.shape(at) == shape {
            continue;
        }
        for operand in node.operands.iter_mut().flatten().filter(|operand| **operand == moved) {
            *operand = at;
        }
        at = graph.add_value(shape, graph.values[node.result].kind);
        node.result = at;
        nodes.push(node);
    }
    Some(Factor { sharing, turned, nodes })
}

/// Whether the rows along a dimension are a cache and one more.
fn has_one_last(graph: &Graph, made: &Made, chain: &Chain, keys: usize) -> bool {
    let Some(concat) = made.node(graph, chain.source) else {
        return false;
    };
    let (Op::Concat { axis }, [Some(_), Some(last)]) = (&concat.op, &concat.operands[..]) else {
        return false;
    };
    graph.shape(*last)[*axis] == 1 && chain.track(graph, *axis) == Some(keys)
}

fn repeated(graph: &Graph, chain: &Chain, a: ValueId, b: ValueId) -> Option<Repeated> {
    let (a, b) = (graph.shape(a), graph.shape(b));
    let heads = b.len().checked_sub(3)?;
    if a.len() != b.len() || a[..=heads] != b[..=heads] {
        return None;
    }
    let expand = chain
        .nodes
        .iter()
        .position(|index| graph.nodes[*index].op == Op::Expand)?;
    let node = &graph.nodes[chain.nodes[expand]];
    let (from, to) = (graph.shape(chain::moved(graph, node)?), graph.shape(node.result));
    if from.len() != to.len() {
        return None;
    }
    let mut longer = (0..to.len()).filter(|axis| from[*axis] != to[*axis]);
    let (axis, None) = (longer.next()?, longer.next()) else {
        return None;
    };
    let times = to[axis];
    let behind = &chain.nodes[expand + 1..];
    // One head for all: the repeated dimension is the heads themselves.
    if chain::track(graph, behind, axis) == Some(heads) {
        return Some(Repeated {
            expand,
            from: expand,
            axis,
            times,
        });
    }
    // Otherwise a Reshape joins it to the heads before it.
    let before = axis.checked_sub(1)?;
    let (join, rest) = behind.split_first()?;
    let joined = graph.shape(graph.nodes[*join].result);
    let axis = chain::place(joined, to[..before].iter().product(), from[before] * times)?;
    let is_joined = graph.nodes[*join].op == Op::Reshape && chain::track(graph, rest, axis) == Some(heads);
    is_joined.then_some(Repeated {
        expand,
        from: expand + 1,
        axis,
        times,
    })
}
