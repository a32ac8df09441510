//! A model made ready to run many times.

use std::{fmt, ops::Range, sync::Mutex};

use opml::{Hash, NodeRecord, Operand, TensorSpec, model::MAX_OPERANDS};
use rayon::prelude::*;

use super::{
    kernels::Level,
    nodes::{Node, Packing, Part, Prepared, Ready, Work, ready},
    steps::{Step, Steps, Value, values},
    threads::Threads,
};
use crate::{
    execute::{ExecuteError, Execution},
    model::Model,
    progress::{Progress, Stage},
    tensor::Tensor,
};

/// Vector instructions that are worth a thread of their own.
const COST_OF_A_THREAD: usize = 16_384;
/// Parts of a step for each thread, so that a thread that is late does not keep the others waiting.
const PARTS_OF_A_THREAD: usize = 2;
/// Rows that share the reading of weights, at least.
const MIN_ROWS: usize = 16;
/// Bytes of weights that are packed, unless the options say otherwise.
const PACKED_BYTES: usize = 256 << 20;
/// Bytes of weights that stay in the cache from run to run.
const CACHED_BYTES: u64 = 16 << 20;
/// Bytes of a step's intermediate rows that fit into the cache of a core.
const CACHE_BYTES: usize = 256 << 10;

/// How a plan runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlanOptions {
    /// Threads that one run uses; `None` is one for each core.
    pub threads: Option<usize>,
    /// Instructions to use; `None` is the best of the processor.
    pub level: Option<Level>,
    /// Bytes of weights that may be packed, which makes a second copy of them and is worth it where they meet many rows or the model is small; `None` is 256 MiB.
    /// Other weights are used where they are, in a mapped file for example.
    pub packed_bytes: Option<usize>,
}

/// A model with its memory planned, and its weights packed where that is worth it. It can run on several threads at once.
pub struct Plan {
    model_root: Hash,
    input: TensorSpec,
    level: Level,
    threads: Threads,
    records: Vec<NodeRecord>,
    nodes: Vec<Ready>,
    values: Vec<Vec<Value>>,
    /// `None` where every reader has the constant packed.
    constants: Vec<Option<Tensor>>,
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
        let weights: u64 = model
            .constants()
            .iter()
            .map(|constant| constant.spec().byte_len())
            .sum();
        let mut packing = Packing {
            left: options.packed_bytes.unwrap_or(PACKED_BYTES),
            for_few_rows: weights <= CACHED_BYTES,
        };
        let nodes: Vec<Ready> = records
            .iter()
            .map(|record| ready(level, model, record, &mut packing))
            .collect();
        let values = values(&records, &nodes);
        let steps = Steps::new(&records, &nodes, &values);
        let mut constants = vec![None; model.constants().len()];
        for (node, operands) in nodes.iter().zip(&values) {
            for (operand, value) in operands.iter().enumerate() {
                if let (Value::Constant(index), false) = (value, has_packed(node, operand)) {
                    constants[*index as usize] = Some(model.constants()[*index as usize].clone());
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
        self.execute_with_progress(input, &())
    }

    /// [`Plan::execute`], with somebody to be told how far it is.
    pub fn execute_with_progress(&self, input: &Tensor, progress: &dyn Progress) -> Result<Execution, ExecuteError> {
        self.continue_from(input, Vec::new(), progress)
    }

    /// The output of every node, where those of the first nodes are given. They are taken as they are: with a wrong one among them this is what an operator computes that
    /// made one mistake and none after it.
    pub fn resume(&self, input: &Tensor, outputs: Vec<Tensor>) -> Result<Execution, ExecuteError> {
        self.continue_from(input, outputs, &())
    }

    fn continue_from(
        &self,
        input: &Tensor,
        mut outputs: Vec<Tensor>,
        progress: &dyn Progress,
    ) -> Result<Execution, ExecuteError> {
        self.check(input)?;
        if let Some(node) = (0..outputs.len())
            .find(|node| self.records.get(*node).map(|record| &record.output) != Some(outputs[*node].spec()))
        {
            return Err(ExecuteError::OutputSpec { node });
        }
        let missing = outputs.len()..self.records.len();
        progress.begin(Stage::Run, missing.clone().map(|node| self.cost(node)).sum());
        self.threads.run(|| {
            for node in missing {
                let record = &self.records[node];
                let output = match &self.nodes[node] {
                    Ready::Alias => self.operand(node as u32, 0, input, &outputs).reshaped(record.output),
                    Ready::Compute(_) => {
                        let bytes = |node: u32, operand: usize| match self.records[node as usize].operands[operand] {
                            Operand::Constant(index) => self.constant(index),
                            _ => self.operand(node, operand, input, &outputs).bytes(),
                        };
                        let mut data = vec![0; record.output.byte_len() as usize];
                        self.run_chain(&[node as u32], &bytes, &mut data);
                        Tensor::new(record.output, data)
                    }
                };
                outputs.push(output.expect("as many bytes as the specification says"));
                progress.advance(self.cost(node));
            }
        });
        Ok(Execution::new(self.model_root, input.clone(), outputs))
    }

    /// What an operand of a node is, as the record says, which is no packed constant.
    fn operand<'a>(&'a self, node: u32, operand: usize, input: &'a Tensor, outputs: &'a [Tensor]) -> &'a Tensor {
        match self.records[node as usize].operands[operand] {
            Operand::Node(index) => &outputs[index as usize],
            Operand::Constant(index) => self.constants[index as usize]
                .as_ref()
                .expect("a constant that is not packed is kept"),
            Operand::Input | Operand::None => input,
        }
    }

    /// About how much work a node is.
    fn cost(&self, node: usize) -> u64 {
        match &self.nodes[node] {
            Ready::Compute(compute) => u64::from(self.records[node].output.rows()) * compute.row_cost() as u64,
            Ready::Alias => 0,
        }
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
            Value::Constant(index) => self.constant(index),
            Value::Input | Value::Node(_) => input.bytes(),
        }
    }

    /// The bytes of a constant; none where every reader has it packed.
    fn constant(&self, index: u32) -> &[u8] {
        self.constants[index as usize].as_ref().map_or(&[], Tensor::bytes)
    }

    fn buffer<'a>(&self, node: u32, buffers: &'a [Vec<u8>]) -> &'a [u8] {
        let buffer = self.steps.buffer_of[node as usize].expect("what a step reads from another has a buffer");
        &buffers[buffer]
    }

    fn run_step(&self, step: &Step, input: &Tensor, buffers: &mut [Vec<u8>]) {
        let mut out = std::mem::take(&mut buffers[step.buffer]);
        let last = step.nodes.last().map_or(0, |node| *node as usize);
        let bytes = |node: u32, operand: usize| match self.values[node as usize][operand] {
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

    /// Runs a chain of nodes on all rows. `bytes` gives, by node and place, the operands that are not in the chain.
    fn run_chain<'a>(&'a self, chain: &[u32], bytes: &dyn Fn(u32, usize) -> &'a [u8], out: &mut [u8]) {
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
        let part_rows = if links.iter().any(|link| link.node.runs_alone()) {
            rows
        } else {
            part_rows.min(fits).next_multiple_of(MIN_ROWS).min(rows)
        };
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

    fn link<'a>(&'a self, node: u32, chained: bool, bytes: &dyn Fn(u32, usize) -> &'a [u8]) -> Option<Link<'a>> {
        let Ready::Compute(compute) = &self.nodes[node as usize] else {
            return None;
        };
        let mut operands = [Part::whole(&[]); MAX_OPERANDS];
        let count = self.values[node as usize].len();
        for (i, part) in operands.iter_mut().enumerate().take(count) {
            if i > 0 || !chained {
                *part = Part::whole(bytes(node, i));
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
