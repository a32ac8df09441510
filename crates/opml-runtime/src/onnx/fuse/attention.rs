//! Attention: masks become a part of the softmax, key heads that several query heads share are not repeated, and a new key that comes behind a cache is put in front of it.

use std::collections::HashMap;

use super::{
    Graph, Made,
    chain::Chain,
    factor, integers,
    mask::{Length, Masks, Seen},
};
use crate::onnx::{
    error::ImportError,
    graph::{Node, ValueId},
    operator::Op,
};

pub fn fuse(graph: &mut Graph) -> Result<(), ImportError> {
    let before = graph.clone();
    let made = Made::of(&before);
    let mut found = Masks::new(&before, &made);
    // For each node that is a softmax with a mask.
    let mut masks: Vec<Option<Seen>> = Vec::with_capacity(before.nodes.len());
    for node in &before.nodes {
        masks.push(match &node.op {
            Op::Softmax { axis, .. } if axis + 1 == before.shape(node.result).len() => {
                found.of(node).map_err(|reason| node.error(reason))?
            }
            _ => None,
        });
    }
    let mut turns = Turns::of(&before, &made, &masks);
    let mut nodes = Vec::with_capacity(before.nodes.len());
    for (index, node) in before.nodes.iter().enumerate() {
        let mut node = node.clone();
        match (&node.op, &masks[index]) {
            (Op::Softmax { .. }, Some(seen)) => masked(graph, &mut nodes, &mut node, seen),
            (Op::MatMul { .. }, _) => {
                let keys = turns.keys.get(&index).copied();
                if let Some(factor) = factor::of(graph, &made, &node, keys) {
                    node.op = Op::MatMul {
                        sharing: factor.sharing,
                    };
                    node.operands[1] = factor.nodes.last().map(|node| node.result);
                    nodes.extend(factor.nodes);
                    if factor.turned {
                        turns.keys.remove(&index);
                    }
                }
            }
            _ => {}
        }
        nodes.push(node);
    }
    graph.nodes = nodes;
    match turns.missing() {
        None => Ok(()),
        Some(softmax) => Err(before.nodes[softmax].error(
            "its mask leaves the first keys and the last one, but its keys and values are not a Concat of a cache and one new row, or something else reads its scores or its result".into(),
        )),
    }
}

/// A softmax that hides what its masks hid.
fn masked(graph: &mut Graph, nodes: &mut Vec<Node>, node: &mut Node, seen: &Seen) {
    let Op::Softmax { axis, .. } = node.op else { return };
    node.op = Op::Softmax {
        axis,
        mask: seen.form.mask,
    };
    node.operands = vec![Some(seen.scores)];
    match &seen.form.length {
        Length::All => {}
        Length::Constant(length) => node.operands.push(Some(graph.add_constant(integers(vec![*length])))),
        Length::Input(root) => node.operands.push(Some(*root)),
        Length::Table(root, values) => {
            let length = graph.add_table(nodes, *root, values.clone(), vec![1], node);
            node.operands.push(Some(length));
        }
    }
}

/// Softmaxes that want the last key first, and the products whose second factor has to be turned for it.
struct Turns {
    /// Of each product that is still to be turned, the dimension of keys in its second factor.
    keys: HashMap<usize, usize>,
    /// Of each softmax the product of queries and keys, and one of its result and values.
    products: Vec<(usize, [Option<usize>; 2])>,
}

impl Turns {
    fn of(graph: &Graph, made: &Made, masks: &[Option<Seen>]) -> Self {
        let mut turns = Self {
            keys: HashMap::new(),
            products: Vec::new(),
        };
        if !masks.iter().flatten().any(|seen| seen.form.last_first) {
            return turns;
        }
        let readers = readers(graph);
        let alone = |values: &[ValueId]| values.iter().all(|value| readers[*value] == 1);
        // The product that a chain begins at, when nothing else reads what is between.
        let before = |seen: &Seen| {
            let chain = Chain::to(graph, made, seen.scores);
            let product = made.index(chain.source)?;
            let is_product = matches!(graph.nodes[product].op, Op::MatMul { .. });
            (is_product && alone(&seen.masked) && alone(&chain.values(graph))).then_some(product)
        };
        let rank = |index: usize| graph.nodes[index].operand(1).map_or(0, |b| graph.shape(b).len());
        let mut places: HashMap<usize, usize> = HashMap::new();
        for (softmax, seen) in masks.iter().enumerate() {
            if let Some(seen) = seen
                && seen.form.last_first
            {
                let product = before(seen);
                if let Some(product) = product {
                    turns.keys.insert(product, rank(product) - 1);
                }
                places.insert(softmax, turns.products.len());
                turns.products.push((softmax, [product, None]));
            }
        }
        for (product, node) in graph.nodes.iter().enumerate() {
            let (Op::MatMul { .. }, Some(weights)) = (&node.op, node.operand(0)) else {
                continue;
            };
            let chain = Chain::to(graph, made, weights);
            let place = made.index(chain.source).and_then(|softmax| places.get(&softmax));
            if let Some(place) = place
                && alone(&chain.values(graph))
            {
                turns.keys.insert(product, rank(product) - 2);
                turns.products[*place].1[1] = Some(product);
            }
        }
        turns
    }

    /// A softmax that has not got what it wants.
    fn missing(&self) -> Option<usize> {
        let is_missing = |product: &Option<usize>| product.is_none_or(|product| self.keys.contains_key(&product));
        let (softmax, _) = self
            .products
            .iter()
            .find(|(_, products)| products.iter().any(is_missing))?;
        Some(*softmax)
    }
}

/// How many nodes and outputs read each value.
fn readers(graph: &Graph) -> Vec<usize> {
    let mut readers = vec![0; graph.values.len()];
    let operands = graph.nodes.iter().flat_map(|node| node.operands.iter().flatten());
    let outputs = graph.outputs.iter().map(|output| &output.value);
    operands.chain(outputs).for_each(|value| readers[*value] += 1);
    readers
}
