//! A model made ready to run many times.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex},
};

use opml::{Hash, NodeRecord, Operand, TensorSpec, model::MAX_OPERANDS};
use rayon::prelude::*;

use super::{
    kernels::Level,
    memory::Memory,
    nodes::{Node, Packing, Part, Prepared, Ready, Work, ready},
    steps::{Step, Steps, Value, values},
    threads::{CALLER, Threads},
};
use crate::{
    execute::{ExecuteError, Execution},
    model::Model,
    progress::{Progress, Stage},
    tensor::Tensor,
};

/// Vector instructions that are worth a thread of their own.
const COST_OF_A_THREAD: usize = 16_384;
/// Vector instructions of a whole run that are worth waking other threads: handing it over and back takes as long as some ten thousands, and a step of less is not cut anyway.
const WORTH_SHARING: u64 = 4 * COST_OF_A_THREAD as u64;
/// Vector instructions that take as long as to hash a byte.
const COST_OF_A_HASHED_BYTE: u64 = 2;
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
    /// Threads that one run uses at most; `None` is one for each core.
    pub threads: Option<usize>,
    /// Work of a run, in vector instructions as the plan estimates them, from which it is shared among threads; below, it stays on the caller's. `None` is 65,536.
    pub worth_sharing: Option<u64>,
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
    /// Whether a run without commitments stays on the caller's thread.
    runs_alone: bool,
    records: Vec<NodeRecord>,
    nodes: Vec<Ready>,
    values: Vec<Vec<Value>>,
    /// Those that not every reader has packed.
    constants: Vec<Option<Tensor>>,
    steps: Steps,
    /// Buffers of runs that are over.
    idle: Mutex<Vec<Vec<Vec<u8>>>>,
    /// Memory of the outputs of executions that are gone.
    memory: Arc<Memory>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("level", &self.level)
            .field("threads", &self.threads.count())
            .field("nodes", &self.nodes.len())
            .field("steps", &self.steps.steps.len())
            .field("work", &self.costs(0..self.records.len() as u32))
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
        let work: u64 = nodes
            .iter()
            .zip(&records)
            .map(|(node, record)| cost(node, record))
            .sum();
        let computed = nodes.iter().zip(&records);
        let output_bytes = computed
            .filter(|(node, _)| matches!(node, Ready::Compute(_)))
            .map(|(_, record)| record.output.byte_len() as usize);
        let output_bytes: usize = output_bytes.sum();
        let work_with_commitments = work + COST_OF_A_HASHED_BYTE * output_bytes as u64;
        let worth_sharing = options.worth_sharing.unwrap_or(WORTH_SHARING);
        let threads = match work_with_commitments < worth_sharing {
            true => Threads::Caller,
            false => Threads::new(options.threads),
        };
        Self {
            memory: Arc::new(Memory::new(output_bytes)),
            model_root: model.model_root(),
            input: *model.input_spec(),
            level,
            threads,
            runs_alone: work < worth_sharing,
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
        let threads = if self.runs_alone { &CALLER } else { &self.threads };
        threads.run(|| {
            for step in &self.steps.steps {
                self.run_step(step, threads.count(), input, &mut buffers);
            }
        });
        let spec = self.records.last().expect("a model has at least one node").output;
        let bytes = match self.steps.output {
            Value::Node(node) => &self.buffer(node, &buffers)[..spec.byte_len() as usize],
            value => bytes_of(self.outside(value, input)),
        };
        let output = Tensor::new(spec, bytes.to_vec()).expect("the bytes of the output were planned");
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(buffers);
        }
        Ok(output)
    }

    /// The output of every node and the commitments to them, with which a claim is made and defended.
    pub fn execute(&self, input: &Tensor) -> Result<Execution, ExecuteError> {
        self.execute_with_progress(input, &())
    }

    /// [`Plan::execute`], with somebody to be told how far it is.
    pub fn execute_with_progress(&self, input: &Tensor, progress: &dyn Progress) -> Result<Execution, ExecuteError> {
        self.check(input)?;
        progress.begin(Stage::Run, self.costs(0..self.records.len() as u32));
        let mut outputs: Vec<Option<Tensor>> = vec![None; self.nodes.len()];
        self.threads.run(|| {
            if self.threads.count() == 1 {
                self.run_all(input, &mut outputs, progress, |output| {
                    output.root_in(false);
                });
            } else {
                // A commitment is computed by whoever has nothing better to do.
                rayon::scope(|scope| {
                    self.run_all(input, &mut outputs, progress, |output| {
                        scope.spawn(move |_| {
                            output.root_in(true);
                        });
                    });
                });
            }
        });
        let outputs = (0..self.nodes.len()).map(|node| match (&outputs[node], &self.nodes[node]) {
            (None, Ready::Alias) => {
                let operand = self.value(self.values[node][0], input, &outputs);
                operand
                    .expect("what an alias stands for is kept")
                    .under(self.records[node].output)
            }
            (output, _) => output.clone().expect("every node is in a step"),
        });
        Ok(Execution::new(self.model_root, input.clone(), outputs.collect()))
    }

    /// Computes the outputs of all nodes but the aliases, and hands each one over as soon as it is there.
    fn run_all(&self, input: &Tensor, outputs: &mut [Option<Tensor>], progress: &dyn Progress, done: impl Fn(Tensor)) {
        for step in &self.steps.steps {
            let mut buffers: Vec<Vec<u8>> = step.nodes.iter().map(|node| self.take(*node)).collect();
            let bytes =
                |node: u32, operand: usize| bytes_of(self.value(self.values[node as usize][operand], input, outputs));
            let mut outs: Vec<_> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
            self.run_chain(&step.nodes, self.threads.count(), &bytes, &mut outs);
            for (node, buffer) in step.nodes.iter().zip(buffers) {
                let output = self.output(*node, buffer);
                outputs[*node as usize] = Some(output.clone());
                done(output);
            }
            progress.advance(self.costs(step.nodes.iter().copied()));
        }
    }

    /// The output of every node, where those of the first nodes are given. They are taken as they are: with a wrong one among them this is what an operator computes that
    /// made one mistake and none after it.
    pub fn resume(&self, input: &Tensor, mut outputs: Vec<Tensor>) -> Result<Execution, ExecuteError> {
        self.check(input)?;
        if let Some(node) = (0..outputs.len())
            .find(|node| self.records.get(*node).map(|record| &record.output) != Some(outputs[*node].spec()))
        {
            return Err(ExecuteError::OutputSpec { node });
        }
        self.threads.run(|| {
            for node in outputs.len() as u32..self.records.len() as u32 {
                // A given output need not be what an alias stands for, so that every operand is what the record says.
                let output = match &self.nodes[node as usize] {
                    Ready::Alias => self
                        .operand(node, 0, input, &outputs)
                        .expect("what an alias stands for is kept")
                        .under(self.records[node as usize].output),
                    Ready::Compute(_) => {
                        let bytes = |node: u32, operand: usize| bytes_of(self.operand(node, operand, input, &outputs));
                        let mut buffer = self.take(node);
                        self.run_chain(&[node], self.threads.count(), &bytes, &mut [&mut buffer]);
                        self.output(node, buffer)
                    }
                };
                outputs.push(output);
            }
        });
        Ok(Execution::new(self.model_root, input.clone(), outputs))
    }

    /// Memory for a node's output.
    fn take(&self, node: u32) -> Vec<u8> {
        self.memory.take(self.records[node as usize].output.byte_len() as usize)
    }

    /// A node's output in memory that was taken for it.
    fn output(&self, node: u32, buffer: Vec<u8>) -> Tensor {
        Tensor::new(self.records[node as usize].output, self.memory.share(buffer))
            .expect("as many bytes as the specification says")
    }

    /// What an operand of a node is, as the record says. `None` for a constant that all of its readers have packed.
    fn operand<'a>(
        &'a self,
        node: u32,
        operand: usize,
        input: &'a Tensor,
        outputs: &'a [Tensor],
    ) -> Option<&'a Tensor> {
        match self.records[node as usize].operands[operand] {
            Operand::Node(index) => Some(&outputs[index as usize]),
            Operand::Constant(index) => self.constants[index as usize].as_ref(),
            Operand::Input | Operand::None => Some(input),
        }
    }

    /// About how much work these nodes are.
    fn costs(&self, nodes: impl IntoIterator<Item = u32>) -> u64 {
        let cost = |node: u32| cost(&self.nodes[node as usize], &self.records[node as usize]);
        nodes.into_iter().map(cost).sum()
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

    /// A value of an execution.
    fn value<'a>(&'a self, value: Value, input: &'a Tensor, outputs: &'a [Option<Tensor>]) -> Option<&'a Tensor> {
        match value {
            Value::Node(node) => outputs[node as usize].as_ref(),
            value => self.outside(value, input),
        }
    }

    /// A value that no step makes. `None` for a constant that all of its readers have packed.
    fn outside<'a>(&'a self, value: Value, input: &'a Tensor) -> Option<&'a Tensor> {
        match value {
            Value::Constant(index) => self.constants[index as usize].as_ref(),
            Value::Input | Value::Node(_) => Some(input),
        }
    }

    fn buffer<'a>(&self, node: u32, buffers: &'a [Vec<u8>]) -> &'a [u8] {
        let buffer = self.steps.buffer_of[node as usize].expect("what a step reads from another has a buffer");
        &buffers[buffer]
    }

    fn run_step(&self, step: &Step, threads: usize, input: &Tensor, buffers: &mut [Vec<u8>]) {
        let mut out = std::mem::take(&mut buffers[step.buffer]);
        let last = step.nodes.last().map_or(0, |node| *node as usize);
        let bytes = |node: u32, operand: usize| match self.values[node as usize][operand] {
            Value::Node(node) => &self.buffer(node, buffers)[..self.records[node as usize].output.byte_len() as usize],
            value => bytes_of(self.outside(value, input)),
        };
        let used = &mut out[..self.records[last].output.byte_len() as usize];
        self.run_chain(&step.nodes, threads, &bytes, &mut [used]);
        buffers[step.buffer] = out;
    }

    /// Runs a chain of nodes on all rows, on so many threads. `bytes` gives, by node and place, the operands that are not in the chain, `outs` takes the outputs of its last nodes: of
    /// all, or of the very last alone.
    fn run_chain<'a>(
        &'a self,
        chain: &[u32],
        threads: usize,
        bytes: &dyn Fn(u32, usize) -> &'a [u8],
        outs: &mut [&mut [u8]],
    ) {
        let links: Vec<Link> = chain
            .iter()
            .enumerate()
            .filter_map(|(place, node)| self.link(*node, place > 0, bytes))
            .collect();
        let Some(rows) = links.last().map(|link| link.rows) else {
            return;
        };
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

        if part_rows == rows {
            return run_rows(self.level, threads, &links, &(0..rows), outs);
        }
        let ranges = (0..rows)
            .step_by(part_rows)
            .map(|first| first..(first + part_rows).min(rows));
        let mut parts: Vec<(Range<usize>, Vec<&mut [u8]>)> = ranges.map(|rows| (rows, Vec::new())).collect();
        let kept = &links[links.len() - outs.len()..];
        for (out, link) in outs.iter_mut().zip(kept) {
            for ((_, outs), out) in parts.iter_mut().zip(out.chunks_mut(part_rows * link.row_bytes)) {
                outs.push(out);
            }
        }
        let run = |(rows, outs): &mut (Range<usize>, Vec<&mut [u8]>)| run_rows(self.level, 1, &links, rows, outs);
        match threads {
            1 => parts.iter_mut().for_each(run),
            _ => parts.par_iter_mut().for_each(run),
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

/// About how many vector instructions a node is.
fn cost(node: &Ready, record: &NodeRecord) -> u64 {
    match node {
        Ready::Compute(compute) => u64::from(record.output.rows()) * compute.row_cost() as u64,
        Ready::Alias => 0,
    }
}

/// Nothing for a constant that is packed.
fn bytes_of(tensor: Option<&Tensor>) -> &[u8] {
    tensor.map_or(&[], Tensor::bytes)
}

/// Whether the node needs the constant no more.
fn has_packed(node: &Ready, operand: usize) -> bool {
    match node {
        Ready::Compute(node) => node.has_packed(operand),
        // An alias reads nothing; who reads it has the constant itself as operand. Only an execution needs it.
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

/// Some rows from the first to the last node of a chain, of whose last nodes `outs` takes these rows of the output.
fn run_rows(level: Level, threads: usize, links: &[Link], rows: &Range<usize>, outs: &mut [&mut [u8]]) {
    let unkept = links.len() - outs.len();
    let (mut before, mut next) = (Vec::new(), Vec::new());
    for (i, link) in links.iter().enumerate() {
        let (ready, outs) = outs.split_at_mut(i.saturating_sub(unkept));
        let mut work = Work {
            level,
            threads,
            rows: rows.clone(),
            operands: link.operands,
            prepared: &link.prepared,
        };
        if i > 0 {
            work.operands[0] = Part {
                bytes: ready.last().map_or(&before, |out| out),
                first_row: rows.start,
            };
        }
        if i >= unkept {
            link.node.rows(&work, outs[0]);
        } else {
            next.resize(rows.len() * link.row_bytes, 0);
            link.node.rows(&work, &mut next);
            std::mem::swap(&mut before, &mut next);
        }
    }
}
