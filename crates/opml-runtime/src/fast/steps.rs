//! The order of the work and where its results are kept.
//!
//! A step is a chain of nodes of which each needs only the same rows of the one before, whose output nobody else reads: it runs on a few rows from end to
//! end, which stay in the cache, and in parallel with the other rows. Only the output of the last node is kept.

use opml::{NodeRecord, Operand, TensorSpec};

use super::nodes::Ready;

/// A value that outlives the step that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Input,
    Constant(u32),
    /// The output of a node that is not an alias.
    Node(u32),
}

/// Nodes that run together, and the buffer that takes the output of the last one.
pub(super) struct Step {
    pub nodes: Vec<u32>,
    pub buffer: usize,
}

pub(super) struct Steps {
    pub steps: Vec<Step>,
    /// For each buffer the most bytes that it ever takes.
    pub buffers: Vec<usize>,
    /// For each node the buffer of its output, if it is the last of its step.
    pub buffer_of: Vec<Option<usize>>,
    /// What the model's output is.
    pub output: Value,
}

/// What each operand of each node really is: an alias is what it stands for.
pub(super) fn values(records: &[NodeRecord], ready: &[Ready]) -> Vec<Vec<Value>> {
    let mut values: Vec<Vec<Value>> = Vec::with_capacity(records.len());
    for record in records {
        let operands = record
            .operands
            .iter()
            .map_while(|operand| match *operand {
                Operand::None => None,
                Operand::Input => Some(Value::Input),
                Operand::Constant(index) => Some(Value::Constant(index)),
                Operand::Node(index) => Some(resolve(index, &values, ready)),
            })
            .collect();
        values.push(operands);
    }
    values
}

/// What a node's output is.
fn resolve(node: u32, values: &[Vec<Value>], ready: &[Ready]) -> Value {
    match ready[node as usize] {
        // The operands of a node before this one are resolved already.
        Ready::Alias => values[node as usize][0],
        Ready::Compute(_) => Value::Node(node),
    }
}

impl Steps {
    pub(super) fn new(records: &[NodeRecord], ready: &[Ready], values: &[Vec<Value>]) -> Self {
        let output = resolve(records.len() as u32 - 1, values, ready);
        let computed = |node: usize| matches!(ready[node], Ready::Compute(_));
        let alone = |node: usize| matches!(&ready[node], Ready::Compute(compute) if compute.runs_alone());
        let mut readers = vec![0u32; records.len()];
        let read = (0..records.len())
            .filter(|node| computed(*node))
            .flat_map(|node| &values[node]);
        for value in read.chain([&output]) {
            if let Value::Node(node) = value {
                readers[*node as usize] += 1;
            }
        }

        // The chain that each node is in, by its last node so far.
        let mut chains: Vec<Option<Vec<u32>>> = vec![None; records.len()];
        for (node, record) in records.iter().enumerate() {
            let Ready::Compute(compute) = &ready[node] else {
                continue;
            };
            // A chain runs where its last node is, so that whatever its nodes read has been computed by then.
            let mut chain = match values[node].first() {
                Some(Value::Node(before))
                    if compute.is_row_local()
                        && !alone(node)
                        && !alone(*before as usize)
                        && readers[*before as usize] == 1
                        && same_rows(
                            &records[*before as usize].output,
                            &record.output,
                            &operand(records, record),
                        ) =>
                {
                    chains[*before as usize].take().unwrap_or_default()
                }
                _ => Vec::new(),
            };
            chain.push(node as u32);
            chains[node] = Some(chain);
        }
        let nodes: Vec<Vec<u32>> = chains.into_iter().flatten().collect();

        let mut last_use = vec![0usize; records.len()];
        for (step, nodes) in nodes.iter().enumerate() {
            for value in nodes.iter().flat_map(|node| &values[*node as usize]) {
                if let Value::Node(node) = value {
                    last_use[*node as usize] = step;
                }
            }
        }
        if let Value::Node(node) = output {
            last_use[node as usize] = nodes.len();
        }

        let mut plan = Self {
            steps: Vec::with_capacity(nodes.len()),
            buffers: Vec::new(),
            buffer_of: vec![None; records.len()],
            output,
        };
        // Buffers in use, with the step that reads them last.
        let mut used: Vec<Option<usize>> = Vec::new();
        for (step, nodes) in nodes.into_iter().enumerate() {
            let Some(last) = nodes.last().map(|node| *node as usize) else {
                continue;
            };
            let bytes = records[last].output.byte_len() as usize;
            for until in &mut used {
                if until.is_some_and(|until| until < step) {
                    *until = None;
                }
            }
            // The free buffer that fits best: the smallest that is large enough, else the largest.
            let best = (0..used.len())
                .filter(|buffer| used[*buffer].is_none())
                .min_by_key(|buffer| {
                    let have = plan.buffers[*buffer];
                    if have >= bytes {
                        (0, have - bytes)
                    } else {
                        (1, bytes - have)
                    }
                });
            let buffer = best.unwrap_or_else(|| {
                plan.buffers.push(0);
                used.push(None);
                used.len() - 1
            });
            plan.buffers[buffer] = plan.buffers[buffer].max(bytes);
            used[buffer] = Some(last_use[last].max(step));
            plan.buffer_of[last] = Some(buffer);
            plan.steps.push(Step { nodes, buffer });
        }
        plan
    }
}

/// The first operand as the node sees it, which may be an alias of what was computed.
fn operand(records: &[NodeRecord], record: &NodeRecord) -> Option<TensorSpec> {
    match record.operands[0] {
        Operand::Node(index) => Some(records[index as usize].output),
        _ => None,
    }
}

/// Whether the rows of what was computed are those of the operand, and as many as those of the output.
fn same_rows(computed: &TensorSpec, output: &TensorSpec, operand: &Option<TensorSpec>) -> bool {
    operand.is_some_and(|operand| computed.row_bytes() == operand.row_bytes() && operand.rows() == output.rows())
}
