//! Rotary position embedding: `x * cos + rotated(x) * sin`, where `rotated` swaps the elements of each pair and changes the sign of one.

use std::collections::HashMap;

use super::{
    Graph, Made, both,
    follow::{Follow, Function, Source},
    integers,
};
use crate::onnx::{
    array::{Array, Data},
    error::{ImportError, Reasoned},
    graph::{Node, ValueId},
    interpret,
    operator::{Binary, Op, Unary},
};

/// Nodes that a rotation is made of at most.
const MAX_NODES: usize = 32;
/// Positions that tables have at most, unless attention has more keys.
const MAX_POSITIONS: usize = 4096;
/// Elements that are exact as floats.
const MAX_ELEMENTS: usize = 1 << 24;

/// How something is turned; queries and keys of all layers are turned in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Turn {
    /// Of what is turned.
    shape: Vec<usize>,
    cos: ValueId,
    sin: ValueId,
    interleaved: bool,
}

/// A rotation with everything that the operator wants.
struct Rotation {
    axis: usize,
    /// An input, or constants 0, 1, ..
    positions: Option<ValueId>,
    /// Tables end before the original's do.
    cut: bool,
    /// [positions, pairs]
    cos: Array,
    sin: Array,
}

pub fn fuse(graph: &mut Graph) -> Result<(), ImportError> {
    let before = graph.clone();
    let made = Made::of(&before);
    let follow = Follow::new(&before);
    let mut known: HashMap<Turn, (Op, [ValueId; 3], Option<String>)> = HashMap::new();
    for (index, node) in before.nodes.iter().enumerate() {
        let Some((x, turn)) = turn(&before, &made, &follow, node) else {
            continue;
        };
        if !known.contains_key(&turn) {
            let rotation = rotation(&before, &follow, &turn)
                .map_err(|reason| node.error(format!("it turns pairs of channels, but {reason}")))?;
            let rows = rotation.cos.shape[0];
            let op = Op::RotaryEmbedding {
                axis: rotation.axis,
                interleaved: turn.interleaved,
            };
            let numbers = || integers((0..rows as i64).collect());
            let positions = rotation.positions.unwrap_or_else(|| graph.add_constant(numbers()));
            let tables = [rotation.cos, rotation.sin].map(|table| graph.add_constant(table));
            let note = rotation
                .cut
                .then(|| format!("positions 0 to {}; those behind are taken as the last", rows - 1));
            known.insert(turn.clone(), (op, [positions, tables[0], tables[1]], note));
        }
        if let Some((op, [positions, cos, sin], note)) = known.get(&turn) {
            let node = &mut graph.nodes[index];
            node.op = op.clone();
            node.operands = [x, *positions, *cos, *sin].map(Some).into();
            node.operator = "RotaryEmbedding".into();
            node.note = note.clone();
        }
    }
    Ok(())
}

/// What a node turns, and how.
fn turn(graph: &Graph, made: &Made, follow: &Follow, node: &Node) -> Option<(ValueId, Turn)> {
    let shape = graph.shape(node.result);
    let sum = node.pair(Binary::Add)?;
    let is_data = |id: &ValueId| follow.source(*id) == Source::Data;
    // What follows from the data, and what from positions.
    let factors = |product: ValueId| {
        let factors = made.node(graph, product)?.pair(Binary::Mul)?;
        both(factors)
            .into_iter()
            .find(|[x, angle]| is_data(x) && !is_data(angle))
    };
    both(sum).into_iter().find_map(|[along, across]| {
        let ([x, cos], [rotated, sin]) = (factors(along)?, factors(across)?);
        if graph.shape(x) != shape || shape.len() < 2 {
            return None;
        }
        let interleaved = swaps_pairs(graph, made, x, rotated)?;
        let turn = Turn {
            shape: shape.to_vec(),
            cos,
            sin,
            interleaved,
        };
        Some((x, turn))
    })
}

/// Whether a value is x with the elements of each pair swapped and the first of them negative: none when it is not, and else whether pairs are neighbours. It is found by
/// moving numbers about.
fn swaps_pairs(graph: &Graph, made: &Made, x: ValueId, rotated: ValueId) -> Option<bool> {
    let (count, d) = (graph.count(x), *graph.shape(x).last()?);
    if graph.shape(rotated) != graph.shape(x) || rotated == x || count >= MAX_ELEMENTS || !d.is_multiple_of(2) {
        return None;
    }
    let (mut steps, mut open) = (Vec::new(), vec![rotated]);
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
        if !moves || steps.len() == MAX_NODES {
            return None;
        }
        if !steps.contains(&index) {
            steps.push(index);
            open.extend(graph.nodes[index].operands.iter().flatten());
        }
    }
    steps.sort_unstable();
    let numbers = (1..=count).map(|i| i as f32).collect();
    let mut values = HashMap::from([(x, Array::floats(graph.shape(x).to_vec(), numbers))]);
    for step in steps {
        let node = &graph.nodes[step];
        for id in node.operands.iter().flatten() {
            if let Some(constant) = graph.constant(*id) {
                values
                    .entry(*id)
                    .or_insert_with(|| constant.to_array().as_ref().clone());
            }
        }
        let operands: Vec<_> = node
            .operands
            .iter()
            .map(|id| id.and_then(|id| values.get(&id)))
            .collect();
        let value = &graph.values[node.result];
        let result = interpret::compute(&node.op, &operands, &value.shape, value.kind).ok()?;
        values.insert(node.result, result);
    }
    let found = values.remove(&rotated)?.to_floats();
    [false, true].into_iter().find(|interleaved| {
        found.iter().enumerate().all(|(place, value)| {
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

fn rotation(graph: &Graph, follow: &Follow, turn: &Turn) -> Reasoned<Rotation> {
    let shape = &turn.shape;
    let [cos, sin] = [follow.function(turn.cos)?, follow.function(turn.sin)?];
    if cos.root() != sin.root() {
        return Err("cosines and sines follow from different inputs".into());
    }
    let axis = position_axis(shape, [turn.cos, turn.sin].map(|id| graph.shape(id)))?;
    let (rows, d) = (shape[axis], shape[shape.len() - 1]);
    let mut cut = false;
    let tables = match cos.root() {
        None => [cos.at(&[])?, sin.at(&[])?],
        Some(root) if graph.count(root) != rows => {
            return Err(format!(
                "its {rows} positions do not each follow from one number of the input; {} numbers are there",
                graph.count(root)
            ));
        }
        Some(_) => {
            let wanted = wanted_positions(graph, rows);
            let all = [follow.domain(&cos)?, follow.domain(&sin)?].into_iter().flatten().min();
            let positions = all.map_or(wanted, |all| all.min(wanted.max(MAX_POSITIONS)));
            cut = all.is_none_or(|all| positions < all);
            [table(&cos, positions, rows, d)?, table(&sin, positions, rows, d)?]
        }
    };
    let [cos_table, sin_table] = tables.map(|table| halved(table, d, turn.interleaved));
    Ok(Rotation {
        axis,
        positions: cos.root(),
        cut,
        cos: cos_table?,
        sin: sin_table?,
    })
}

/// The dimension along which angles differ; where there is one position only, one of length 1.
fn position_axis(x: &[usize], angles: [&[usize]; 2]) -> Reasoned<usize> {
    let mut found = None;
    for shape in angles {
        let (last, others) = shape.split_last().ok_or("its angles are one number")?;
        let missing = x
            .len()
            .checked_sub(shape.len())
            .ok_or("its angles have more dimensions")?;
        if *last != x[x.len() - 1] {
            return Err("its angles are not one for each channel".into());
        }
        for (axis, length) in others.iter().enumerate().filter(|(_, length)| **length > 1) {
            if *length != x[missing + axis] || found.is_some_and(|found| found != missing + axis) {
                return Err("its angles differ along several dimensions".into());
            }
            found = Some(missing + axis);
        }
    }
    let ones = (0..x.len() - 1).rev().find(|axis| x[*axis] == 1);
    found.or(ones).ok_or_else(|| "all of its rows have one position".into())
}

/// As many positions as a row of attention has keys: tables that are computed without an end have so many rows.
fn wanted_positions(graph: &Graph, rows: usize) -> usize {
    let keys = graph.nodes.iter().filter_map(|node| match node.op {
        Op::Softmax { axis, .. } => graph.shape(node.result).get(axis).copied(),
        _ => None,
    });
    keys.max().unwrap_or(0).max(rows)
}

/// A row for each position, which may depend on nothing else.
fn table(angles: &Function, positions: usize, rows: usize, d: usize) -> Reasoned<Array> {
    let mut values = Vec::with_capacity(positions * d);
    for position in 0..positions {
        let all = angles.filled(position as i64)?.to_floats();
        if all.len() != rows * d || all.chunks(d).any(|row| row != &all[..d]) {
            return Err("its angles do not follow from the position alone".into());
        }
        values.extend(&all[..d]);
    }
    // Positions that differ.
    let mixed: Vec<i64> = (0..rows).map(|row| ((row * 7 + 3) % positions) as i64).collect();
    let all = angles.at(&mixed)?.to_floats();
    let expected = mixed.iter().flat_map(|position| &values[*position as usize * d..][..d]);
    if !all.iter().eq(expected) {
        return Err("an angle follows from the position of another row".into());
    }
    Ok(Array::floats(vec![positions, d], values))
}

/// One column for each pair of channels.
fn halved(array: Array, d: usize, interleaved: bool) -> Reasoned<Array> {
    let (half, values) = (d / 2, array.to_floats());
    let column = |pair: usize, second: usize| match interleaved {
        false => pair + second * half,
        true => 2 * pair + second,
    };
    let rows = values.len() / d;
    let pairs = (0..rows).flat_map(|row| (0..half).map(move |pair| (row, pair)));
    let halved = pairs
        .map(
            |(row, pair)| match [0, 1].map(|second| values[row * d + column(pair, second)]) {
                [first, second] if first == second => Ok(first),
                _ => Err("the two channels of a pair have different angles".into()),
            },
        )
        .collect::<Reasoned<Vec<f32>>>()?;
    Ok(Array::new(vec![rows, half], Data::Float(halved)))
}
