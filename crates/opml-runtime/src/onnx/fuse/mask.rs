//! What a softmax of attention leaves out, found by computing the mask.

use std::collections::HashMap;

use super::{
    Graph, Made, both,
    follow::{Follow, Source},
    trimmed,
};
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

/// What masks leave.
#[derive(Debug, Clone)]
pub struct Form {
    pub mask: Mask,
    pub length: Length,
    /// The last key is to be put in front of the others, for what is seen is the beginning of the row.
    pub last_first: bool,
}

/// The scores below the masks of a softmax, and what the masks leave.
#[derive(Debug)]
pub struct Seen {
    pub scores: ValueId,
    pub form: Form,
}

/// One operator that hides keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    /// 0 or a large negative number, added.
    Added(ValueId),
    /// A condition under which the scores stay (or do not).
    Chosen { condition: ValueId, stays: bool },
}

/// Finds masks; the layers of a model have the same ones.
pub struct Masks<'a> {
    graph: &'a Graph,
    made: &'a Made,
    follow: Follow<'a>,
    /// By their parts, queries and keys.
    found: HashMap<(Vec<Part>, [usize; 2]), Form>,
}

impl<'a> Masks<'a> {
    pub fn new(graph: &'a Graph, made: &'a Made) -> Self {
        Self {
            graph,
            made,
            follow: Follow::new(graph),
            found: HashMap::new(),
        }
    }

    /// The masks of a softmax; none when nothing is between it and its scores.
    pub fn of(&mut self, softmax: &Node) -> Reasoned<Option<Seen>> {
        let Some((scores, parts)) = parts(self.graph, self.made, &self.follow, softmax) else {
            return Ok(None);
        };
        if parts.is_empty() {
            return Ok(None);
        }
        if parts.len() > MAX_MASKS {
            return Err(format!("more than {MAX_MASKS} masks follow each other"));
        }
        let [.., queries, keys] = *self.graph.shape(scores) else {
            return Ok(None);
        };
        let key = (parts, [queries, keys]);
        if let Some(form) = self.found.get(&key) {
            return Ok(Some(Seen {
                scores,
                form: form.clone(),
            }));
        }
        let form = Visible::of(self.graph, &self.follow, &key.0, key.1)
            .and_then(|visible| visible.form())
            .map_err(|reason| format!("its mask cannot be imported: {reason}"))?;
        self.found.insert(key, form.clone());
        Ok(Some(Seen { scores, form }))
    }
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

/// How many keys each query sees, when they are the first ones.
type Counts = Option<Vec<usize>>;

/// What is seen for each integer that the masks follow from, counted from 0.
struct Visible {
    root: Option<ValueId>,
    keys: usize,
    counts: Vec<Counts>,
    /// With the last key in front of the others, of a single query.
    last_first: Vec<Counts>,
}

impl Visible {
    fn of(graph: &Graph, follow: &Follow, parts: &[Part], [queries, keys]: [usize; 2]) -> Reasoned<Self> {
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
        let places = functions
            .iter()
            .map(|function| one_matrix(graph.shape(function.value()), queries, keys))
            .collect::<Reasoned<Vec<_>>>()?;
        let (mut counts, mut last_first) = (Vec::new(), Vec::new());
        // Beyond the number of keys nothing may change.
        for number in 0..root.map_or(1, |_| keys as i64 + 2) {
            let mut seen = vec![true; queries * keys];
            for ((function, part), places) in functions.iter().zip(parts).zip(&places) {
                let leaves = leaves(part, &function.filled(number)?)?;
                for (seen, place) in seen.iter_mut().zip(places) {
                    *seen &= leaves[*place];
                }
            }
            counts.push(seen.chunks(keys).map(beginning).collect());
            seen.rotate_right(1);
            last_first.push(
                (queries == 1)
                    .then(|| beginning(&seen))
                    .flatten()
                    .map(|count| vec![count]),
            );
        }
        Ok(Self {
            root,
            keys,
            counts,
            last_first,
        })
    }

    /// As the operator has it: the beginning of each row.
    fn form(&self) -> Reasoned<Form> {
        let of = |counts: &[Counts], last_first: bool| {
            let (mask, length) = self.form_of(counts)?;
            Some(Form {
                mask,
                length,
                last_first,
            })
        };
        of(&self.counts, false).or_else(|| of(&self.last_first, true)).ok_or_else(|| {
            "the keys that it leaves are not the first ones of each row, as many as one input says or as are not in the row's future".into()
        })
    }

    fn form_of(&self, counts: &[Counts]) -> Option<(Mask, Length)> {
        let counts: Vec<&Vec<usize>> = counts.iter().map(Option::as_ref).collect::<Option<_>>()?;
        let (keys, queries) = (self.keys, counts.first()?.len());
        let most: Vec<usize> = (0..queries)
            .map(|query| counts.iter().map(|rows| rows[query]).max().unwrap_or(0))
            .collect();
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
            .all(|(rows, length)| (0..queries).all(|query| rows[query] == left(query).min(*length)));
        if most[0] == 0 || !holds {
            return None;
        }
        let all = left(queries - 1) as i64;
        let lengths: Vec<i64> = lengths.into_iter().map(|length| length as i64).collect();
        let as_they_are = lengths
            .iter()
            .zip(0..)
            .all(|(length, number)| *length == all.min(number));
        let length = match (trimmed(lengths), self.root) {
            (lengths, _) if lengths == [all] => Length::All,
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
