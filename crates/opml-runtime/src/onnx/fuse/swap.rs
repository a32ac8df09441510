//! The half of a rotation that swaps the elements of each pair and changes the sign of the first.

use std::collections::HashMap;

use super::{Graph, Made};
use crate::onnx::{
    array::Array,
    graph::ValueId,
    interpret,
    operator::{Op, Unary},
};

/// Nodes that a swap is made of at most.
const MAX_NODES: usize = 32;
/// Elements that are exact as floats.
const MAX_ELEMENTS: usize = 1 << 24;
/// Elements of all swaps that are tried.
const MAX_TRIED: usize = 1 << 28;

/// What has been found out: the layers of a model are alike.
#[derive(Default)]
pub struct Swaps {
    tried: usize,
    found: Vec<(Moves, Option<bool>)>,
}

/// Nodes that move elements about and change signs.
#[derive(PartialEq)]
struct Moves {
    /// Of what is moved.
    shape: Vec<usize>,
    /// Each with its operands and the shape of its result.
    steps: Vec<(Op, Vec<Place>, Vec<usize>)>,
}

/// Where an operand comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Start,
    Step(usize),
    Constant(ValueId),
    None,
}

impl Swaps {
    /// Whether a value is x with the elements of each pair swapped and the first of them negative: none when it is not, and else whether pairs are neighbours rather than
    /// an element of each half.
    pub fn interleaved(&mut self, graph: &Graph, made: &Made, x: ValueId, swapped: ValueId) -> Option<bool> {
        let shape = graph.shape(x);
        if graph.shape(swapped) != shape || swapped == x || !shape.last()?.is_multiple_of(2) {
            return None;
        }
        let moves = Moves::between(graph, made, x, swapped)?;
        if let Some((_, found)) = self.found.iter().find(|(other, _)| *other == moves) {
            return *found;
        }
        let count = graph.count(x);
        self.tried = self.tried.saturating_add(count);
        if count >= MAX_ELEMENTS || self.tried > MAX_TRIED {
            return None;
        }
        let found = moves
            .numbers(graph)
            .and_then(|numbers| interleaved(&numbers, *shape.last()?));
        self.found.push((moves, found));
        found
    }
}

impl Moves {
    fn between(graph: &Graph, made: &Made, x: ValueId, end: ValueId) -> Option<Self> {
        let (mut indices, mut open) = (Vec::new(), vec![end]);
        while let Some(value) = open.pop() {
            if value == x || graph.is_constant(value) {
                continue;
            }
            let index = made.index(value)?;
            let moves = matches!(
                graph.nodes[index].op,
                Op::Slice { .. }
                    | Op::Concat { .. }
                    | Op::Reshape
                    | Op::Transpose { .. }
                    | Op::Gather { .. }
                    | Op::Unary(Unary::Neg)
            );
            if !moves || indices.len() == MAX_NODES {
                return None;
            }
            if !indices.contains(&index) {
                indices.push(index);
                open.extend(graph.nodes[index].operands.iter().flatten());
            }
        }
        indices.sort_unstable();
        let place = |operand: &Option<ValueId>| match operand {
            None => Place::None,
            Some(id) if *id == x => Place::Start,
            Some(id) => match made
                .index(*id)
                .and_then(|maker| indices.iter().position(|index| *index == maker))
            {
                Some(step) => Place::Step(step),
                None => Place::Constant(*id),
            },
        };
        let steps = indices.iter().map(|index| {
            let node = &graph.nodes[*index];
            let operands = node.operands.iter().map(place).collect();
            (node.op.clone(), operands, graph.shape(node.result).to_vec())
        });
        Some(Self {
            shape: graph.shape(x).to_vec(),
            steps: steps.collect(),
        })
    }

    /// What becomes of the numbers 1, 2, .. in the place of x.
    fn numbers(&self, graph: &Graph) -> Option<Vec<f32>> {
        let count: usize = self.shape.iter().product();
        let start = Array::floats(self.shape.clone(), (1..=count).map(|i| i as f32).collect());
        let mut constants: HashMap<ValueId, Array> = HashMap::new();
        for place in self.steps.iter().flat_map(|(_, operands, _)| operands) {
            if let Place::Constant(id) = place {
                constants.insert(*id, graph.constant(*id)?.to_array().as_ref().clone());
            }
        }
        let mut results: Vec<Array> = Vec::with_capacity(self.steps.len());
        for (op, operands, shape) in &self.steps {
            let operands: Vec<_> = operands
                .iter()
                .map(|place| match place {
                    Place::Start => Some(&start),
                    Place::Step(step) => results.get(*step),
                    Place::Constant(id) => constants.get(id),
                    Place::None => None,
                })
                .collect();
            let kind = operands.first().copied().flatten()?.kind();
            results.push(interpret::compute(op, &operands, shape, kind).ok()?);
        }
        results.pop().map(|array| array.to_floats())
    }
}

fn interleaved(numbers: &[f32], d: usize) -> Option<bool> {
    [false, true].into_iter().find(|interleaved| {
        numbers.iter().enumerate().all(|(place, value)| {
            let (row, column) = (place / d * d, place % d);
            let (other, first) = match interleaved {
                false => ((column + d / 2) % d, column < d / 2),
                true => (column ^ 1, column.is_multiple_of(2)),
            };
            let number = (row + other + 1) as f32;
            *value == if first { -number } else { number }
        })
    })
}
