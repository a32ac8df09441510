//! RMSNorm: `x / sqrt(mean(x * x) + epsilon) * gamma`.

use super::{Made, both};
use crate::onnx::{
    graph::{Graph, Node, ValueId},
    operator::{Binary, Op, Unary},
};

pub fn fuse(graph: &mut Graph) {
    let made = Made::of(graph);
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let fused = normalised(graph, &made, node).or_else(|| scaled(graph, &made, node));
        if let Some((op, operands)) = fused {
            let node = &mut graph.nodes[index];
            node.op = op;
            node.operands = operands;
            node.operator = "RMSNorm".into();
        }
    }
}

type Fused = (Op, Vec<Option<ValueId>>);

/// The quotient of x and its root mean square.
fn normalised(graph: &Graph, made: &Made, node: &Node) -> Option<Fused> {
    let quotient = |x: ValueId, root: ValueId| {
        let root = made.node(graph, root)?;
        let mean = match root.op {
            Op::Unary(Unary::Sqrt) => root.operand(0)?,
            _ => return None,
        };
        epsilon_above(graph, made, x, mean)
    };
    let product = |x: ValueId, inverse: ValueId| {
        let inverse = made.node(graph, inverse)?;
        match inverse.op {
            Op::Unary(Unary::Reciprocal) => quotient(x, inverse.operand(0)?),
            Op::Binary(Binary::Div) if graph.number(inverse.operand(0)?)? == 1.0 => quotient(x, inverse.operand(1)?),
            Op::Binary(Binary::Pow) if graph.number(inverse.operand(1)?)? == -0.5 => {
                epsilon_above(graph, made, x, inverse.operand(0)?)
            }
            _ => None,
        }
    };
    let (x, epsilon) = match node.op {
        Op::Binary(Binary::Div) => {
            let [x, root] = node.pair(Binary::Div)?;
            (x, quotient(x, root)?)
        }
        Op::Binary(Binary::Mul) => {
            let pairs = both(node.pair(Binary::Mul)?).into_iter();
            pairs
                .filter_map(|[x, inverse]| Some((x, product(x, inverse)?)))
                .next()?
        }
        _ => return None,
    };
    let possible = graph.shape(node.result) == graph.shape(x) && epsilon.is_finite() && epsilon >= 0.0;
    possible.then(|| (Op::RmsNorm { epsilon }, vec![Some(x)]))
}

/// The epsilon of `mean(x * x) + epsilon`.
fn epsilon_above(graph: &Graph, made: &Made, x: ValueId, sum: ValueId) -> Option<f32> {
    let sum = made.node(graph, sum)?.pair(Binary::Add)?;
    both(sum).into_iter().find_map(|[mean, epsilon]| {
        let epsilon = graph.number(epsilon)?;
        let mean = made.node(graph, mean)?;
        let square = made.node(graph, mean.operand(0)?)?;
        let rank = graph.shape(x).len();
        let over_last = matches!(&mean.op, Op::ReduceMean { axes } if axes[..] == [rank.checked_sub(1)?])
            && graph.shape(mean.result).len() == rank;
        let of_x = match square.op {
            Op::Binary(Binary::Mul) => square.operands == [Some(x), Some(x)],
            Op::Binary(Binary::Pow) => square.operand(0) == Some(x) && graph.number(square.operand(1)?)? == 2.0,
            _ => false,
        };
        (over_last && of_x).then_some(epsilon)
    })
}

/// The product of a norm and one constant for each channel.
fn scaled(graph: &Graph, made: &Made, node: &Node) -> Option<Fused> {
    both(node.pair(Binary::Mul)?).into_iter().find_map(|[norm, gamma]| {
        let norm = made.node(graph, norm)?;
        let (Op::RmsNorm { epsilon }, [Some(x)]) = (&norm.op, &norm.operands[..]) else {
            return None;
        };
        let channels = *graph.shape(*x).last()?;
        let of_channels = graph.is_constant(gamma)
            && graph.count(gamma) == channels
            && graph.shape(gamma).last() == Some(&channels)
            && graph.shape(node.result) == graph.shape(*x);
        of_channels.then(|| (Op::RmsNorm { epsilon: *epsilon }, vec![Some(*x), Some(gamma)]))
    })
}
