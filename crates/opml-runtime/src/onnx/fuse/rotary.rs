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
/// Elements that are exact as floats.
const MAX_ELEMENTS: usize = 1 << 24;

/// The pieces of a rotation.
struct Pieces {
    x: ValueId,
    cos: ValueId,
    sin: ValueId,
    interleaved: bool,
}

/// A rotation with everything that the operator wants.
struct Rotation {
    axis: usize,
    /// An input, or constants 0, 1, ..
    positions: Option<ValueId>,
    /// [positions, pairs]
    cos: Array,
    sin: Array,
}

pub fn fuse(graph: &mut Graph) -> Result<(), ImportError> {
    let before = graph.clone();
    let made = Made::of(&before);
    let follow = Follow::new(&before);
    let mut tables: HashMap<[ValueId; 2], [ValueId; 3]> = HashMap::new();
    for (index, node) in before.nodes.iter().enumerate() {
        let Some(pieces) = pieces(&before, &made, &follow, node) else {
            continue;
        };
        let rotation = rotation(&before, &follow, &pieces)
            .map_err(|reason| node.error(format!("it turns pairs of channels, but {reason}")))?;
        let Rotation {
            axis,
            positions,
            cos,
            sin,
        } = rotation;
        let rows = cos.shape[0];
        // Queries and keys of all layers have the same tables.
        let [positions, cos, sin] = *tables.entry([pieces.cos, pieces.sin]).or_insert_with(|| {
            let positions = positions.unwrap_or_else(|| graph.add_constant(integers((0..rows as i64).collect())));
            [positions, graph.add_constant(cos), graph.add_constant(sin)]
        });
        let node = &mut graph.nodes[index];
        node.op = Op::RotaryEmbedding {
            axis,
            interleaved: pieces.interleaved,
        };
        node.operands = [pieces.x, positions, cos, sin].map(Some).into();
        node.operator = "RotaryEmbedding".into();
    }
    Ok(())
}

fn pieces(graph: &Graph, made: &Made, follow: &Follow, node: &Node) -> Option<Pieces> {
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
        Some(Pieces {
            x,
            cos,
            sin,
            interleaved,
        })
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

fn rotation(graph: &Graph, follow: &Follow, pieces: &Pieces) -> Reasoned<Rotation> {
    let shape = graph.shape(pieces.x);
    let angles = [pieces.cos, pieces.sin].map(|id| follow.function(id));
    let [cos, sin] = angles;
    let [cos, sin] = [cos?, sin?];
    if cos.root() != sin.root() {
        return Err("cosines and sines follow from different inputs".into());
    }
    let axis = position_axis(shape, [graph.shape(pieces.cos), graph.shape(pieces.sin)])?;
    let (rows, d) = (shape[axis], shape[shape.len() - 1]);
    let [cos, sin] = match cos.root() {
        None => [cos.at(&[])?, sin.at(&[])?],
        Some(root) => {
            if graph.count(root) != rows {
                return Err(format!(
                    "its {rows} positions do not each follow from one number of the input; {} numbers are there",
                    graph.count(root)
                ));
            }
            let positions = positions(graph, follow, &cos, &sin, rows)?;
            [table(&cos, positions, rows, d)?, table(&sin, positions, rows, d)?]
        }
    };
    let root = angles_root(follow, pieces);
    Ok(Rotation {
        axis,
        positions: root,
        cos: halved(cos, d, pieces.interleaved)?,
        sin: halved(sin, d, pieces.interleaved)?,
    })
}

fn angles_root(follow: &Follow, pieces: &Pieces) -> Option<ValueId> {
    match follow.source(pieces.cos).and(follow.source(pieces.sin)) {
        Source::One(root) => Some(root),
        _ => None,
    }
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

/// How many positions there are tables for. Without an end they are as many as a row of attention has keys.
fn positions(graph: &Graph, follow: &Follow, cos: &Function, sin: &Function, rows: usize) -> Reasoned<usize> {
    let keys = graph.nodes.iter().filter_map(|node| match node.op {
        Op::Softmax { axis, .. } => graph.shape(node.result).get(axis).copied(),
        _ => None,
    });
    let keys = keys.max().unwrap_or(0).max(rows);
    Ok(follow.domain(cos, keys)?.min(follow.domain(sin, keys)?))
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
