//! The last touch on a lowered model: nothing twice, nothing unused.

use std::collections::HashMap;

use opml::{NodeRecord, Operand, TensorSpec, ops::Reshape};

use crate::tensor::Tensor;

/// Nodes and constants, and for each node what it was made for.
pub struct Parts {
    pub nodes: Vec<NodeRecord>,
    pub constants: Vec<Tensor>,
    pub made_for: Vec<Option<usize>>,
}

/// The same function: of equal constants and nodes there is one, a Reshape of a Reshape is one of what was before, and what the last node does not depend on is left out.
pub fn tidy(parts: Parts) -> Parts {
    drop_unused(join_equal(parts))
}

fn join_equal(parts: Parts) -> Parts {
    let mut first_of: HashMap<(TensorSpec, &[u8]), u32> = HashMap::new();
    let constants: Vec<u32> = (0..)
        .zip(&parts.constants)
        .map(|(index, constant)| *first_of.entry((*constant.spec(), constant.bytes())).or_insert(index))
        .collect();
    let mut nodes: Vec<NodeRecord> = Vec::with_capacity(parts.nodes.len());
    let mut made_for = Vec::with_capacity(parts.nodes.len());
    let mut made = HashMap::new();
    let mut becomes: Vec<Operand> = Vec::with_capacity(parts.nodes.len());
    for (index, mut node) in parts.nodes.into_iter().enumerate() {
        for operand in &mut node.operands {
            *operand = match *operand {
                Operand::Node(index) => becomes[index as usize],
                Operand::Constant(index) => Operand::Constant(constants[index as usize]),
                other => other,
            };
        }
        let is_last = index + 1 == parts.made_for.len();
        if let Some(source) = reshaped(&nodes, &node) {
            node.operands[0] = source;
            let same = matches!(source, Operand::Node(index) if nodes[index as usize].output == node.output);
            // The last node is the output, whatever it does.
            if same && !is_last {
                becomes.push(source);
                continue;
            }
        }
        let next = Operand::Node(nodes.len() as u32);
        let place = match is_last {
            true => next,
            false => *made.entry(node.encode()).or_insert(next),
        };
        if place == next {
            nodes.push(node);
            made_for.push(parts.made_for[index]);
        }
        becomes.push(place);
    }
    Parts {
        nodes,
        constants: parts.constants,
        made_for,
    }
}

/// What a Reshape takes its elements from, below other Reshapes.
fn reshaped(nodes: &[NodeRecord], node: &NodeRecord) -> Option<Operand> {
    if node.operator != Reshape::NUMBER {
        return None;
    }
    match node.operands[0] {
        Operand::Node(index) if nodes[index as usize].operator == Reshape::NUMBER => {
            Some(nodes[index as usize].operands[0])
        }
        operand => Some(operand),
    }
}

fn drop_unused(parts: Parts) -> Parts {
    let mut used = vec![false; parts.nodes.len()];
    let mut used_constants = vec![false; parts.constants.len()];
    if let Some(last) = used.last_mut() {
        *last = true;
    }
    for (index, node) in parts.nodes.iter().enumerate().rev() {
        for operand in node
            .operands
            .iter()
            .filter(|_| used[index])
            .copied()
            .collect::<Vec<_>>()
        {
            match operand {
                Operand::Node(index) => used[index as usize] = true,
                Operand::Constant(index) => used_constants[index as usize] = true,
                Operand::None | Operand::Input => {}
            }
        }
    }
    let [places, constant_places] = [&used, &used_constants].map(|used| {
        let counts = used.iter().scan(0, |next, used| {
            let place = *next;
            *next += u32::from(*used);
            Some(place)
        });
        counts.collect::<Vec<u32>>()
    });
    let moved = |operand| match operand {
        Operand::Node(index) => Operand::Node(places[index as usize]),
        Operand::Constant(index) => Operand::Constant(constant_places[index as usize]),
        other => other,
    };
    let nodes = parts.nodes.into_iter().zip(&used).filter(|(_, used)| **used);
    let made_for = parts.made_for.into_iter().zip(&used).filter(|(_, used)| **used);
    let constants = parts
        .constants
        .into_iter()
        .zip(&used_constants)
        .filter(|(_, used)| **used);
    Parts {
        nodes: nodes
            .map(|(node, _)| NodeRecord {
                operands: node.operands.map(moved),
                ..node
            })
            .collect(),
        constants: constants.map(|(constant, _)| constant).collect(),
        made_for: made_for.map(|(made_for, _)| made_for).collect(),
    }
}

#[cfg(test)]
mod tests {
    use opml::ElementType;

    use super::*;
    use crate::builder::Builder;

    #[test]
    fn given_equal_nodes_and_reshapes_in_a_row_when_tidied_then_each_is_there_once() {
        let input = TensorSpec::new(ElementType::Int8, &[2, 6]).unwrap();
        let mut builder = Builder::new(input);
        let [tall, wide] = [[6, 2], [3, 4]].map(|shape| builder.reshape(Operand::Input, &shape).unwrap());
        let back = builder.reshape(tall, &[3, 4]).unwrap();
        let clipped = [wide, back].map(|x| builder.clip(x, -5, 5).unwrap());
        let unused = Tensor::from_i8(&[1], &[3]).unwrap();
        builder.constant(unused);
        let table: [i8; 256] = std::array::from_fn(|i| i as i8);
        let looked_up = clipped.map(|x| builder.lookup(x, &table).unwrap());
        builder.concat(looked_up[0], looked_up[1], 0).unwrap();
        let (input, nodes, constants) = builder.into_parts();
        let made_for = (0..nodes.len()).map(Some).collect();
        let Parts {
            nodes,
            constants,
            made_for,
        } = tidy(Parts {
            nodes,
            constants,
            made_for,
        });
        assert_eq!(constants.len(), 1);
        assert_eq!(made_for, [Some(1), Some(3), Some(5), Some(7)]);
        let model = crate::Model::new(input, nodes, constants).unwrap();
        let x = Tensor::from_i8(&[2, 6], &[-9, 8, 7, 6, 5, 4, 3, 2, 1, 0, -1, -2]).unwrap();
        let output = crate::execute(&model, &x).unwrap().output().values();
        assert_eq!(output[..12], output[12..]);
    }

    #[test]
    fn given_a_reshape_to_the_same_at_the_end_when_tidied_then_it_stays_the_output() {
        let input = TensorSpec::new(ElementType::Int8, &[2, 6]).unwrap();
        let mut builder = Builder::new(input);
        let clipped = builder.clip(Operand::Input, -5, 5).unwrap();
        let other = builder.clip(Operand::Input, -4, 4).unwrap();
        builder.concat(clipped, other, 0).unwrap();
        builder.reshape(clipped, &[2, 6]).unwrap();
        let (_, nodes, constants) = builder.into_parts();
        let made_for = vec![None; nodes.len()];
        let tidied = tidy(Parts {
            nodes,
            constants,
            made_for,
        });
        let operators: Vec<_> = tidied.nodes.iter().map(|node| node.operator).collect();
        assert_eq!(operators, [opml::ops::Clip::NUMBER, Reshape::NUMBER]);
    }
}
