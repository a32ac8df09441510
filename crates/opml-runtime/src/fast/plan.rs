//! A model made ready to run many times.

use std::{fmt, ops::Range, sync::Mutex};

use opml::{Hash, NodeRecord, TensorSpec, model::MAX_OPERANDS};
use rayon::prelude::*;

use super::{
    kernels::Level,
    nodes::{Node, Part, Prepared, Ready, Work, ready},
    steps::{Step, Steps, Value, values},
    threads::Threads,
};
use crate::{
    execute::{ExecuteError, Execution},
    model::Model,
    tensor::Tensor,
};

/// Vector instructions that are worth a thread of their own.
const COST_OF_A_THREAD: usize = 16_384;
/// Parts of a step for each thread, so that a thread that is late does not keep the others waiting.
const PARTS_OF_A_THREAD: usize = 2;
/// Rows that share the reading of weights, at least.
const MIN_ROWS: usize = 16;
/// Bytes of a step's intermediate rows that fit into the cache of a core.
const CACHE_BYTES: usize = 256 << 10;

/// How a plan runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanOptions {
    /// Threads that one run uses; `None` is one for each core.
    pub threads: Option<usize>,
    /// Instructions to use; `None` is the best of the processor.
    pub level: Option<Level>,
}

/// A model with its weights packed and its memory planned. It can run on several threads at once.
pub struct Plan {
    model_root: Hash,
    input: TensorSpec,
    level: Level,
    threads: Threads,
    records: Vec<NodeRecord>,
    nodes: Vec<Ready>,
    values: Vec<Vec<Value>>,
    /// Empty where every reader has the constant packed.
    constants: Vec<Vec<u8>>,
    steps: Steps,
    /// Buffers of runs that are over.
    idle: Mutex<Vec<Vec<Vec<u8>>>>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("level", &self.level)
            .field("threads", &self.threads.count())
            .field("nodes", &self.nodes.len())
            .field("steps", &self.steps.steps.len())
            .field("buffer_bytes", &self.steps.buffers.iter().sum::<usize>())
            .finish()
    }
}

impl Plan {
    /// A plan for all cores and the best instructions of the processor.
    pub fn new(model: &Model) -> Self {
        Self::with_options(model, PlanOptions::default())
    }

    pub fn with_options(model: &Model, options: PlanOptions) -> Self {
        let level = options.level.unwrap_or_else(Level::best);
        let records = model.nodes().to_vec();
        let nodes: Vec<Ready> = records.iter().map(|record| ready(level, model, record)).collect();
        let values = values(&records, &nodes);
        let steps = Steps::new(&records, &nodes, &values);
        let mut constants = vec![Vec::new(); model.constants().len()];
        for (node, operands) in nodes.iter().zip(&values) {
            for (operand, value) in operands.iter().enumerate() {
                if let (Value::Constant(index), false) = (value, has_packed(node, operand)) {
                    constants[*index as usize] = model.constants()[*index as usize].bytes().to_vec();
                }
            }
        }
        Self {
            model_root: model.model_root(),
            input: *model.input_spec(),
            level,
            threads: Threads::new(options.threads),
            records,
            nodes,
            values,
            constants,
            steps,
            idle: Mutex::default(),
        }
    }

    /// The model's output.
    pub fn run(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        self.check(input)?;
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut buffers = idle.unwrap_or_else(|| self.steps.buffers.iter().map(|bytes| vec![0; *bytes]).collect());
        self.threads.run(|| {
            for step in &self.steps.steps {
                self.run_step(step, input, &mut buffers);
            }
        });
        let spec = self.records.last().expect("a model has at least one node").output;
        let bytes = match self.steps.output {
            Value::Node(node) => &self.buffer(node, &buffers)[..spec.byte_len() as usize],
            value => self.outside(value, input),
        };
        let output = Tensor::new(spec, bytes.to_vec()).expect("the bytes of the output were planned");
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(buffers);
        }
        Ok(output)
    }

    /// The output of every node, with whose commitments a claim is made and defended.
    pub fn execute(&self, input: &Tensor) -> Result<Execution, ExecuteError> {
        self.check(input)?;
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.nodes.len());
        self.threads.run(|| {
            for (node, record) in self.records.iter().enumerate() {
                let bytes = |value: Value| match value {
                    Value::Node(node) => outputs[node as usize].bytes(),
                    value => self.outside(value, input),
                };
                let data = match &self.nodes[node] {
                    Ready::Alias => bytes(self.values[node][0]).to_vec(),
                    Ready::Compute(_) => {
                        let mut data = vec![0; record.output.byte_len() as usize];
                        self.run_chain(&[node as u32], &bytes, &mut data);
                        data
                    }
                };
                outputs.push(Tensor::new(record.output, data).expect("as many bytes as the specification says"));
            }
        });
        Ok(Execution::new(self.model_root, input.clone(), outputs))
    }

    fn check(&self, input: &Tensor) -> Result<(), ExecuteError> {
        if *input.spec() != self.input {
            return Err(ExecuteError::InputSpec {
                expected: self.input,
                found: *input.spec(),
            });
        }
        Ok(())
    }

    /// A value that no step makes.
    fn outside<'a>(&'a self, value: Value, input: &'a Tensor) -> &'a [u8] {
        match value {
            Value::Constant(index) => &self.constants[index as usize],
            Value::Input | Value::Node(_) => input.bytes(),
        }
    }

    fn buffer<'a>(&self, node: u32, buffers: &'a [Vec<u8>]) -> &'a [u8] {
        let buffer = self.steps.buffer_of[node as usize].expect("what a step reads from another has a buffer");
        &buffers[buffer]
    }

    fn run_step(&self, step: &Step, input: &Tensor, buffers: &mut [Vec<u8>]) {
        let mut out = std::mem::take(&mut buffers[step.buffer]);
        let last = step.nodes.last().map_or(0, |node| *node as usize);
        let bytes = |value: Value| match value {
            Value::Node(node) => &self.buffer(node, buffers)[..self.records[node as usize].output.byte_len() as usize],
            value => self.outside(value, input),
        };
        self.run_chain(
            &step.nodes,
            &bytes,
            &mut out[..self.records[last].output.byte_len() as usize],
        );
        buffers[step.buffer] = out;
    }

    /// Runs a chain of nodes on all rows. `bytes` gives the operands that are not in the chain.
    fn run_chain<'a>(&'a self, chain: &[u32], bytes: &dyn Fn(Value) -> &'a [u8], out: &mut [u8]) {
        let links: Vec<Link> = chain
            .iter()
            .enumerate()
            .filter_map(|(place, node)| self.link(*node, place > 0, bytes))
            .collect();
        let Some((rows, row_bytes)) = links.last().map(|link| (link.rows, link.row_bytes)) else {
            return;
        };
        let threads = self.threads.count();
        let row_cost: usize = links.iter().map(|link| link.node.row_cost()).sum();
        let between: usize = links.iter().rev().skip(1).map(|link| link.row_bytes).sum();
        let fits = CACHE_BYTES.checked_div(between).unwrap_or(rows);
        let parts = (rows * row_cost / COST_OF_A_THREAD).clamp(1, PARTS_OF_A_THREAD * threads);
        let part_rows = if threads == 1 { rows } else { rows.div_ceil(parts) };
        let part_rows = part_rows.min(fits).next_multiple_of(MIN_ROWS).min(rows);
        let parts = rows.div_ceil(part_rows);
        let run = |part: usize, threads: usize, out: &mut [u8]| {
            let first = part * part_rows;
            run_rows(self.level, threads, &links, first..(first + part_rows).min(rows), out);
        };
        if parts == 1 {
            run(0, threads, out);
        } else if threads == 1 {
            let outs = out.chunks_mut(part_rows * row_bytes);
            outs.enumerate().for_each(|(part, out)| run(part, 1, out));
        } else {
            let outs = out.par_chunks_mut(part_rows * row_bytes);
            outs.enumerate().for_each(|(part, out)| run(part, 1, out));
        }
    }

    fn link<'a>(&'a self, node: u32, chained: bool, bytes: &dyn Fn(Value) -> &'a [u8]) -> Option<Link<'a>> {
        let Ready::Compute(compute) = &self.nodes[node as usize] else {
            return None;
        };
        let mut operands = [Part::whole(&[]); MAX_OPERANDS];
        for (i, (part, value)) in operands.iter_mut().zip(&self.values[node as usize]).enumerate() {
            if i > 0 || !chained {
                *part = Part::whole(bytes(*value));
            }
        }
        let output = &self.records[node as usize].output;
        Some(Link {
            prepared: compute.prepare(self.level, &operands),
            node: compute.as_ref(),
            operands,
            rows: output.rows() as usize,
            row_bytes: output.row_bytes() as usize,
        })
    }
}

/// Whether the node needs the constant no more.
fn has_packed(node: &Ready, operand: usize) -> bool {
    match node {
        Ready::Compute(node) => node.has_packed(operand),
        // An alias reads nothing; who reads it has the constant itself as operand. Only the trace copies it.
        Ready::Alias => false,
    }
}

/// A node of a chain with its operands.
struct Link<'a> {
    node: &'a dyn Node,
    /// The first one is missing in all links but the first.
    operands: [Part<'a>; MAX_OPERANDS],
    prepared: Prepared,
    rows: usize,
    row_bytes: usize,
}

/// Some rows from the first to the last node of a chain.
fn run_rows(level: Level, threads: usize, links: &[Link], rows: Range<usize>, out: &mut [u8]) {
    let (mut before, mut next) = (Vec::new(), Vec::new());
    for (i, link) in links.iter().enumerate() {
        let mut work = Work {
            level,
            threads,
            rows: rows.clone(),
            operands: link.operands,
            prepared: &link.prepared,
        };
        if i > 0 {
            work.operands[0] = Part {
                bytes: &before,
                first_row: rows.start,
            };
        }
        if i + 1 == links.len() {
            link.node.rows(&work, out);
        } else {
            next.resize(rows.len() * link.row_bytes, 0);
            link.node.rows(&work, &mut next);
            std::mem::swap(&mut before, &mut next);
        }
    }
}
