//! What a softmax of attention leaves out, found by computing the mask.

use super::{Graph, Made, both, follow::Follow, follow::Source, trimmed};
use crate::onnx::{
    array::Kind,
    error::{Reasoned, quoted},
    graph::{Node, ValueId},
    operator::{Binary, Mask, Op},
};

/// What is added to hide a key is at most this: its exponential is 0 beside any other.
const HIDDEN: f32 = -1e4;
/// Masks one after the other on the same scores.
const MAX_MASKS: usize = 8;

/// How many keys are seen at most, besides what a causal mask leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Length {
    All,
    Constant(i64),
    /// An integer of the input itself.
    Input(ValueId),
    /// What follows from 0, 1, .. as an integer of the input.
    Table(ValueId, Vec<i64>),
}

/// The scores below the masks of a softmax, and what the masks leave.
#[derive(Debug)]
pub struct Seen {
    pub scores: ValueId,
    pub mask: Mask,
    pub length: Length,
    /// The last key is to be put in front of the others, for what is seen is the beginning of the row.
    pub last_first: bool,
}

/// One operator that hides keys.
enum Part {
    /// 0 or a large negative number, added.
    Added(ValueId),
    /// A condition under which the scores stay (or do not).
    Chosen { condition: ValueId, stays: bool },
}

/// The masks of a softmax; none when nothing is between it and its scores.
pub fn seen(graph: &Graph, made: &Made, follow: &Follow, softmax: &Node) -> Reasoned<Option<Seen>> {
    let Some((scores, parts)) = parts(graph, made, follow, softmax) else {
        return Ok(None);
    };
    if parts.is_empty() {
        return Ok(None);
    }
    if parts.len() > MAX_MASKS {
        return Err(format!("more than {MAX_MASKS} masks follow each other"));
    }
    let visible = Visible::of(graph, follow, &parts, graph.shape(scores))
        .map_err(|reason| format!("its mask cannot be imported: {reason}"))?;
    let (mask, length, last_first) = match visible.form(visible.root) {
        Some((mask, length)) => (mask, length, false),
        None => {
            let form = match visible.queries {
                1 => visible.with_last_first().form(visible.root),
                _ => None,
            };
            let (mask, length) = form.ok_or(
                "its mask cannot be imported: the keys that it leaves are not the first ones of each row, as many as one input says or as are not in the row's future",
            )?;
            (mask, length, true)
        }
    };
    Ok(Some(Seen {
        scores,
        mask,
        length,
        last_first,
    }))
}

/// Walks from a softmax back to the scores.
fn parts(graph: &Graph, made: &Made, follow: &Follow, softmax: &Node) -> Option<(ValueId, Vec<Part>)> {
    let shape = graph.shape(softmax.result);
    let mut scores = softmax.operand(0)?;
    let mut parts = Vec::new();
    while parts.len() <= MAX_MASKS
        && let Some(node) = made.node(graph, scores)
        && let Some((below, part)) = part(graph, follow, node)
        && graph.shape(below) == shape
    {
        scores = below;
        parts.push(part);
    }
    Some((scores, parts))
}

fn part(graph: &Graph, follow: &Follow, node: &Node) -> Option<(ValueId, Part)> {
    let is_data = |id: ValueId| follow.source(id) == Source::Data;
    if let Some(sum) = node.pair(Binary::Add) {
        return both(sum)
            .into_iter()
            .find(|[scores, mask]| is_data(*scores) && !is_data(*mask) && graph.count(*mask) > 1)
            .map(|[scores, mask]| (scores, Part::Added(mask)));
    }
    let (Op::Where, [Some(condition), Some(a), Some(b)]) = (&node.op, &node.operands[..]) else {
        return None;
    };
    let hides = |id: ValueId| graph.number(id).is_some_and(|number| number <= HIDDEN);
    let (scores, stays) = match (hides(*a), hides(*b)) {
        (false, true) => (*a, true),
        (true, false) => (*b, false),
        _ => return None,
    };
    (is_data(scores) && !is_data(*condition)).then_some((
        scores,
        Part::Chosen {
            condition: *condition,
            stays,
        },
    ))
}

/// For each integer that the masks follow from, counted from 0, and each query: which keys are seen.
struct Visible {
    root: Option<ValueId>,
    queries: usize,
    keys: usize,
    /// Row-major.
    seen: Vec<Vec<bool>>,
}

impl Visible {
    fn of(graph: &Graph, follow: &Follow, parts: &[Part], scores: &[usize]) -> Reasoned<Self> {
        let [.., queries, keys] = *scores else {
            return Err("its operand is no matrix".into());
        };
        let values = parts.iter().map(|part| match part {
            Part::Added(mask) => *mask,
            Part::Chosen { condition, .. } => *condition,
        });
        let functions = values.map(|id| follow.function(id)).collect::<Reasoned<Vec<_>>>()?;
        let roots = functions
            .iter()
            .map(|function| function.root().map_or(Source::Constant, Source::One));
        let root = match roots.fold(Source::Constant, Source::and) {
            Source::Constant => None,
            Source::One(root) => Some(root),
            _ => return Err("it depends on several inputs".into()),
        };
        if let Some(root) = root
            && graph.count(root) != 1
        {
            return Err(format!(
                "it follows from the {} numbers of {}, which can leave any keys; let it follow from one number, how many of the keys are in use",
                graph.count(root),
                quoted(&graph.values[root].name)
            ));
        }
        // Beyond the number of keys nothing may change.
        let numbers = root.map_or(1, |_| keys as i64 + 2);
        let mut all = Vec::new();
        for number in 0..numbers {
            let mut seen = vec![true; queries * keys];
            for (function, part) in functions.iter().zip(parts) {
                let array = function.filled(number)?;
                let leaves = leaves(part, &array)?;
                let places = one_matrix(&array.shape, queries, keys)?;
                for (seen, place) in seen.iter_mut().zip(places) {
                    *seen &= leaves[place];
                }
            }
            all.push(seen);
        }
        Ok(Self {
            root,
            queries,
            keys,
            seen: all,
        })
    }

    fn with_last_first(&self) -> Self {
        let rotate = |seen: &Vec<bool>| {
            let rows = seen.chunks(self.keys);
            let rows = rows.flat_map(|row| row.iter().cycle().skip(self.keys - 1).take(self.keys));
            rows.copied().collect()
        };
        Self {
            seen: self.seen.iter().map(rotate).collect(),
            ..*self
        }
    }

    /// As the operator has it, if it can: the beginning of each row.
    fn form(&self, root: Option<ValueId>) -> Option<(Mask, Length)> {
        let counts: Vec<Vec<usize>> = self
            .seen
            .iter()
            .map(|seen| seen.chunks(self.keys).map(beginning).collect::<Option<_>>())
            .collect::<Option<_>>()?;
        let most: Vec<usize> = (0..self.queries)
            .map(|query| counts.iter().map(|rows| rows[query]).max().unwrap_or(0))
            .collect();
        let keys = self.keys;
        let causal = match most.iter().all(|count| *count == most[0]) {
            true => None,
            false => Some(i32::try_from(most[0]).ok()? - 1),
        };
        let left = |query: usize| match causal {
            None => keys,
            Some(offset) => (query + offset as usize + 1).min(keys),
        };
        // Each row sees what a causal mask leaves, and the same number at most.
        let lengths: Vec<usize> = counts
            .iter()
            .map(|rows| rows.iter().copied().max().unwrap_or(0))
            .collect();
        let holds = counts
            .iter()
            .zip(&lengths)
            .all(|(rows, length)| (0..self.queries).all(|query| rows[query] == left(query).min(*length)));
        if most[0] == 0 || !holds {
            return None;
        }
        let all = left(self.queries - 1);
        let lengths: Vec<i64> = lengths.into_iter().map(|length| length as i64).collect();
        let as_they_are = lengths
            .iter()
            .zip(0..)
            .all(|(length, number)| *length == number.min(all as i64));
        let length = match (trimmed(lengths), root) {
            (lengths, _) if lengths == [all as i64] => Length::All,
            (lengths, _) if lengths.len() == 1 => Length::Constant(lengths[0]),
            (_, Some(root)) if as_they_are => Length::Input(root),
            // It must have come to rest where it was followed to.
            (lengths, Some(root)) if lengths.len() <= keys + 1 => Length::Table(root, lengths),
            _ => return None,
        };
        Some((Mask { causal }, length))
    }
}

/// How many elements at the beginning are true, if no others are.
fn beginning(row: &[bool]) -> Option<usize> {
    let count = row.iter().take_while(|seen| **seen).count();
    row[count..].iter().all(|seen| !seen).then_some(count)
}

/// What a computed mask leaves.
fn leaves(part: &Part, array: &crate::onnx::array::Array) -> Reasoned<Vec<bool>> {
    match part {
        Part::Chosen { stays, .. } => Ok(array.to_integers()?.into_iter().map(|x| (x != 0) == *stays).collect()),
        Part::Added(_) if array.kind() != Kind::Float => Err("it is not a float".into()),
        Part::Added(_) => array
            .to_floats()
            .into_iter()
            .map(|x| match x {
                0.0 => Ok(true),
                ..=HIDDEN => Ok(false),
                _ => Err(format!("it adds {x}; only 0, and {HIDDEN} or less, can be added")),
            })
            .collect(),
    }
}

/// The places in a mask of each query and key, when it is the same for all heads.
fn one_matrix(shape: &[usize], queries: usize, keys: usize) -> Reasoned<Vec<usize>> {
    let heads = &shape[..shape.len().saturating_sub(2)];
    if heads.iter().any(|length| *length != 1) {
        return Err("it differs between heads".into());
    }
    let last = &shape[heads.len()..];
    Ok(crate::onnx::interpret::broadcast_places(last, &[queries, keys]))
}
