//! Indices and positions that follow from an integer of the input by more than another shape: they become a table of their own.

use super::{
    Graph,
    follow::{Follow, Function, Source},
    trimmed,
};
use crate::onnx::{
    error::{ImportError, Reasoned},
    graph::{Node, ValueId},
    operator::{Op, normal_axis},
};

/// Numbers of the input that a table is made for at most.
const MAX_NUMBERS: usize = 1 << 16;

pub fn fuse(graph: &mut Graph) -> Result<(), ImportError> {
    let before = graph.clone();
    let follow = Follow::new(&before);
    let mut nodes = Vec::with_capacity(before.nodes.len());
    for node in &before.nodes {
        let mut node = node.clone();
        if let Some((place, length)) = place(&before, &node)
            && let Some(index) = node.operand(place)
            && let Source::One(root) = follow.source(index)
            && !is_input(&before, &follow, index)
        {
            let values = follow
                .function(index)
                .and_then(|function| table(&function, length))
                .map_err(|reason| node.error(format!("its indices cannot be imported: {reason}")))?;
            let shape = before.values[index].shape.clone();
            let made = graph.add_table(&mut nodes, root, values, shape, &node);
            node.operands[place] = Some(made);
        }
        nodes.push(node);
    }
    graph.nodes = nodes;
    Ok(())
}

/// The operand of a node that is an index, and how many places it can name.
fn place(graph: &Graph, node: &Node) -> Option<(usize, usize)> {
    match node.op {
        Op::Gather { axis } => Some((1, graph.shape(node.operand(0)?)[axis])),
        Op::RotaryEmbedding { .. } => Some((1, graph.shape(node.operand(2)?)[0])),
        _ => None,
    }
}

/// Whether a value has just the integers of an input.
fn is_input(graph: &Graph, follow: &Follow, value: ValueId) -> bool {
    let makers = follow.makers();
    let mut at = value;
    while let Some(maker) = makers[at] {
        let node = &graph.nodes[maker];
        match (&node.op, node.operand(0)) {
            (Op::Reshape | Op::Cast, Some(operand)) => at = operand,
            _ => return false,
        }
    }
    true
}

/// The place that each number of the input becomes. Places outside are taken as the nearest, as the model's operators take them.
fn table(function: &Function, length: usize) -> Reasoned<Vec<i64>> {
    let count = function.root_count();
    let numbers = (2 * length + 16).min(MAX_NUMBERS);
    let mut values: Vec<i64> = Vec::with_capacity(numbers);
    for number in 0..numbers as i64 {
        let all = function.filled(number)?.to_integers()?;
        if all.len() != count || all.iter().any(|index| *index != all[0]) {
            return Err("they do not each follow from one number of the input".into());
        }
        values.push(match normal_axis(all[0], length) {
            Ok(index) => index as i64,
            Err(_) => all[0].clamp(0, length as i64 - 1),
        });
    }
    // Numbers that differ.
    let mixed: Vec<i64> = (0..count).map(|i| ((i * 7 + 3) % numbers) as i64).collect();
    let all = function.at(&mixed)?.to_integers()?;
    let follows = all.iter().zip(&mixed).all(|(index, number)| {
        let index = normal_axis(*index, length).map_or((*index).clamp(0, length as i64 - 1), |index| index as i64);
        values[*number as usize] == index
    });
    match follows {
        true => Ok(trimmed(values)),
        false => Err("an index follows from the number of another".into()),
    }
}
