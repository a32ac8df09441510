//! Attention: masks become a part of the softmax, key heads that several query heads share are not repeated, and a new key that comes behind a cache is put in front of it.

use super::{
    Graph, Made,
    chain::Chain,
    factor,
    follow::Follow,
    integers,
    mask::{self, Length, Seen},
};
use crate::onnx::{error::ImportError, graph::Node, operator::Op};

pub fn fuse(graph: &mut Graph) -> Result<(), ImportError> {
    let before = graph.clone();
    let made = Made::of(&before);
    let follow = Follow::new(&before);
    // For each node that is a softmax with a mask.
    let mut masks: Vec<Option<Seen>> = Vec::with_capacity(before.nodes.len());
    for node in &before.nodes {
        masks.push(match &node.op {
            Op::Softmax { axis, .. } if axis + 1 == before.shape(node.result).len() => {
                mask::seen(&before, &made, &follow, node).map_err(|reason| node.error(reason))?
            }
            _ => None,
        });
    }
    let mut turns: Vec<_> = (0..before.nodes.len())
        .filter(|index| masks[*index].as_ref().is_some_and(|seen| seen.last_first))
        .map(|softmax| Turn::of(&before, &made, softmax, &masks))
        .collect();
    let mut nodes = Vec::with_capacity(before.nodes.len());
    for (index, node) in before.nodes.iter().enumerate() {
        let mut node = node.clone();
        match (&node.op, &masks[index]) {
            (Op::Softmax { .. }, Some(seen)) => masked(graph, &mut nodes, &mut node, seen),
            (Op::MatMul { .. }, _) => {
                let keys = turns.iter().find_map(|turn| turn.keys(graph, index));
                if let Some(factor) = factor::of(graph, &made, &node, keys) {
                    node.op = Op::MatMul {
                        sharing: factor.sharing,
                    };
                    node.operands[1] = factor.nodes.last().map(|node| node.result);
                    nodes.extend(factor.nodes);
                    turns.iter_mut().for_each(|turn| turn.done(index, factor.turned));
                }
            }
            _ => {}
        }
        nodes.push(node);
    }
    graph.nodes = nodes;
    match turns.iter().find(|turn| !turn.is_done()) {
        None => Ok(()),
        Some(turn) => Err(before.nodes[turn.softmax].error(
            "its mask leaves the first keys and the last one, but its keys and values are not made by a Concat of a cache and one new row".into(),
        )),
    }
}

/// A softmax that hides what its masks hid.
fn masked(graph: &mut Graph, nodes: &mut Vec<Node>, node: &mut Node, seen: &Seen) {
    let Op::Softmax { axis, .. } = node.op else { return };
    node.op = Op::Softmax { axis, mask: seen.mask };
    node.operands = vec![Some(seen.scores)];
    match &seen.length {
        Length::All => {}
        Length::Constant(length) => node.operands.push(Some(graph.add_constant(integers(vec![*length])))),
        Length::Input(root) => node.operands.push(Some(*root)),
        Length::Table(root, values) => {
            let length = graph.add_table(nodes, *root, values.clone(), vec![1], node);
            node.operands.push(Some(length));
        }
    }
}

/// A softmax that wants the last key first, and the products whose second factor has to be turned for it.
struct Turn {
    softmax: usize,
    /// Of queries and keys.
    before: Option<usize>,
    /// Of the softmax and values.
    behind: Vec<usize>,
    done: usize,
}

impl Turn {
    fn of(graph: &Graph, made: &Made, softmax: usize, masks: &[Option<Seen>]) -> Self {
        let is_product = |index: &usize| matches!(graph.nodes[*index].op, Op::MatMul { .. });
        let scores = masks[softmax]
            .as_ref()
            .map(|seen| Chain::to(graph, made, seen.scores).source);
        let weights = |index: &usize| {
            let first = graph.nodes[*index].operand(0)?;
            made.index(Chain::to(graph, made, first).source)
        };
        Self {
            softmax,
            before: scores.and_then(|scores| made.index(scores)).filter(is_product),
            behind: (softmax..graph.nodes.len())
                .filter(is_product)
                .filter(|index| weights(index) == Some(softmax))
                .collect(),
            done: 0,
        }
    }

    /// The dimension of keys in the second factor of a product.
    fn keys(&self, graph: &Graph, product: usize) -> Option<usize> {
        let rank = graph.shape(graph.nodes[product].operand(1)?).len();
        match self.before == Some(product) {
            true => rank.checked_sub(1),
            false if self.behind.contains(&product) => rank.checked_sub(2),
            false => None,
        }
    }

    fn done(&mut self, product: usize, turned: bool) {
        if turned && (self.before == Some(product) || self.behind.contains(&product)) {
            self.done += 1;
        }
    }

    fn is_done(&self) -> bool {
        self.before.is_some() && !self.behind.is_empty() && self.done == 1 + self.behind.len()
    }
}
