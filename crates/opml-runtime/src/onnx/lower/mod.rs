//! From the imported graph to a model of integers.
//!
//! One pass over the nodes. A float of the graph has no representation of its own in the result: it is what its consumers need it to be ([`Real`] and its
//! neighbours below), and becomes a tensor at the quantisation that follows. So an operator and its activation are one node, and every chain of functions of one
//! quantised tensor is one table.
//!
//! A tensor's dimensions may be stored in another order than the graph has them ([`Stored::order`]): images are kept with their channels last, as the operators want
//! them, and Transpose costs nothing until an order matters.

mod elementwise;
mod emit;
mod fixed_point;
mod linear;
mod movement;
mod normalise;
mod ports;
mod reduce;
mod rotary;
mod softmax;
mod tidy;
mod weights;

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use opml::{Operand, ops::TABLE_ENTRIES};

use self::{
    elementwise::Pair, emit::Emitter, linear::Linear, normalise::Normalised, ports::Input, reduce::Mean,
    rotary::Rotated,
};
use super::{
    array::Kind,
    error::{ImportError, Reasoned, quoted},
    graph::{Graph, Node, ValueId},
    operator::{Op, Quantisation, Unary},
    report::Report,
};
use crate::model::Model;

/// Functions that one table stands for, and moves of a value whose scale is not known yet.
const MAX_STEPS: usize = 64;
/// How often joined rows are joined before they are quantised.
const MAX_DEPTH: usize = 16;

/// A tensor of the model, and how the graph sees it.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    operand: Operand,
    /// The graph's dimensions.
    shape: Vec<usize>,
    /// For each dimension of the tensor, outermost first, the graph's.
    order: Vec<usize>,
}

impl Stored {
    /// As the graph has it.
    fn new(operand: Operand, shape: &[usize]) -> Self {
        Self {
            operand,
            shape: shape.to_vec(),
            order: (0..shape.len()).collect(),
        }
    }

    /// The tensor's dimensions.
    fn dims(&self) -> Vec<usize> {
        self.order.iter().map(|dimension| self.shape[*dimension]).collect()
    }
}

/// `real = scale * (q - zero_point)` for every element; int8. uint8 is stored less 128.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    scale: f32,
    zero_point: i8,
}

/// A float that is a tensor with a scale.
#[derive(Debug, Clone, PartialEq)]
struct Real {
    stored: Stored,
    scale: Scale,
}

/// A float that becomes a tensor when its scale is known: work, clamped to `low..=high`, multiplied with `factor`, then moved.
#[derive(Debug, Clone)]
struct Deferred {
    /// The node that it is the result of; none for an input.
    node: Option<usize>,
    work: Work,
    /// Of the result, not of what the factor is applied to.
    low: f32,
    high: f32,
    /// Positive.
    factor: f32,
    /// Nodes that move its elements.
    moves: Vec<usize>,
}

impl Deferred {
    fn new(node: Option<usize>, work: Work) -> Self {
        Self {
            node,
            work,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
            factor: 1.0,
            moves: Vec::new(),
        }
    }

    /// Nothing but the work itself.
    fn is_bare(&self) -> bool {
        let clamp = (self.low, self.high);
        clamp == (f32::NEG_INFINITY, f32::INFINITY) && self.factor == 1.0 && self.moves.is_empty()
    }
}

#[derive(Debug, Clone)]
enum Work {
    /// An input that nothing has quantised yet.
    Input(usize),
    Linear(Rc<Linear>),
    MatMul {
        a: Real,
        b: Real,
        shape: Vec<usize>,
        sharing: usize,
    },
    Pair(Rc<Pair>),
    Mean(Mean),
    Norm(Rc<Normalised>),
    Rotary(Rc<Rotated>),
    Concat {
        parts: Rc<Vec<Part>>,
        axis: usize,
        /// Of rows that are joined of joined rows.
        depth: usize,
    },
}

/// What is joined with others.
#[derive(Debug)]
struct Part {
    value: ValueId,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Real(Real),
    Deferred(Deferred),
}

/// What a value of the graph is in the model.
#[derive(Debug, Clone)]
enum Lowered {
    /// Integers of one byte.
    Bytes(Stored),
    /// int32, for int32 and int64 of the graph.
    Words(Stored),
    Real(Real),
    /// The result of these nodes, which are functions of single elements, applied to a tensor.
    Function {
        of: Real,
        steps: Vec<usize>,
    },
    Deferred(Deferred),
}

/// The model, and what became of each node.
pub fn lower(graph: &Graph) -> Result<(Model, Report), ImportError> {
    let mut lowering = Lowering::new(graph)?;
    for index in 0..graph.nodes.len() {
        lowering.node(index)?;
    }
    lowering.finish()
}

struct Lowering<'a> {
    graph: &'a Graph,
    emitter: Emitter,
    inputs: Vec<Input>,
    values: Vec<Option<Lowered>>,
    /// Of every value of one byte that a quantisation made.
    scales: Vec<Option<Scale>>,
    /// What deferred values became, with each scale.
    settled: HashMap<ValueId, Vec<(Scale, Stored)>>,
    /// What functions became where no quantisation follows them.
    tabulated: HashMap<ValueId, Real>,
    /// Rows that were joined with an input, a cache, with its scale.
    cached: HashMap<ValueId, Real>,
    /// What softmaxes made.
    probabilities: HashSet<u32>,
    /// Of values of one byte that kept a scale of their own: the one that was asked for.
    asked: HashMap<ValueId, Scale>,
    notes: Vec<Option<String>>,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph) -> Result<Self, ImportError> {
        let (emitter, inputs) = ports::inputs(graph)?;
        let mut lowering = Self {
            graph,
            emitter,
            inputs,
            values: vec![None; graph.values.len()],
            scales: vec![None; graph.values.len()],
            settled: HashMap::new(),
            tabulated: HashMap::new(),
            cached: HashMap::new(),
            probabilities: HashSet::new(),
            asked: HashMap::new(),
            notes: vec![None; graph.nodes.len()],
        };
        lowering.input_values();
        Ok(lowering)
    }

    fn node(&mut self, index: usize) -> Result<(), ImportError> {
        let graph = self.graph;
        let node = &graph.nodes[index];
        self.emitter.current = Some(index);
        let lowered = self.lower_node(index, node).map_err(|reason| node.error(reason))?;
        self.values[node.result] = Some(lowered);
        Ok(())
    }

    fn lower_node(&mut self, index: usize, node: &Node) -> Reasoned<Lowered> {
        let deferred = |work| Ok(Lowered::Deferred(Deferred::new(Some(index), work)));
        let shape = &self.graph.values[node.result].shape;
        match &node.op {
            Op::Quantize(quantisation) => self.quantise(node, quantisation),
            Op::Dequantize(quantisation) => self.dequantise(node, quantisation),
            Op::Unary(function) => self.unary(index, node, *function),
            Op::Binary(function) => self.binary(index, node, *function),
            Op::Reshape | Op::Transpose { .. } | Op::Slice { .. } | Op::Pad { .. } | Op::MaxPool(_) => {
                self.move_elements(index, node)
            }
            Op::Cast => match self.value(node, 0)? {
                Lowered::Words(stored)
                    if !matches!(
                        self.graph.values[node.result].kind,
                        Kind::Float | Kind::Int8 | Kind::Uint8
                    ) =>
                {
                    Ok(Lowered::Words(stored))
                }
                _ => Err(
                    "only casts between int32 and int64 are supported; QuantizeLinear makes integers of floats".into(),
                ),
            },
            Op::Gather { axis } => self.gather(index, node, *axis),
            Op::Concat { axis } => self.concat(index, node, *axis),
            Op::Table { values } => self.table(node, values),
            Op::Softmax { axis, mask } => self.softmax(node, *axis, *mask),
            Op::ArgMax { axis } => self.arg_max(node, *axis),
            Op::Conv { window, groups } => deferred(Work::Linear(Rc::new(self.conv(node, window, *groups)?))),
            Op::Gemm {
                alpha,
                beta,
                transposed,
            } => deferred(Work::Linear(Rc::new(self.gemm(node, *alpha, *beta, *transposed)?))),
            Op::MatMul { sharing } => {
                let b = self.operand(node, 1)?;
                match self.graph.constant(b) {
                    Some(_) => deferred(Work::Linear(Rc::new(self.matmul_constant(node)?))),
                    None => {
                        let (a, b) = (self.real(node, 0)?, self.real(node, 1)?);
                        deferred(Work::MatMul {
                            a,
                            b,
                            shape: shape.clone(),
                            sharing: *sharing,
                        })
                    }
                }
            }
            Op::AveragePool { window, padding_counts } => {
                deferred(match !padding_counts && window.padding != [0; 4] {
                    true => Work::Linear(Rc::new(self.average_inside(node, window)?)),
                    false => Work::Mean(self.average_pool(node, window)?),
                })
            }
            Op::ReduceMean { axes } => deferred(Work::Mean(self.reduce_mean(node, axes)?)),
            Op::LayerNorm { epsilon } => deferred(Work::Norm(Rc::new(self.layer_norm(node, *epsilon)?))),
            Op::RmsNorm { epsilon } => deferred(Work::Norm(Rc::new(self.rms_norm(node, *epsilon)?))),
            Op::RotaryEmbedding { axis, interleaved } => {
                deferred(Work::Rotary(Rc::new(self.rotary_embedding(node, *axis, *interleaved)?)))
            }
            Op::Expand => Err(
                "it repeats elements; only key heads that query heads share, between a Concat or product and a MatMul, can be repeated".into(),
            ),
            Op::Compare(_) | Op::Not | Op::IsNan | Op::Where | Op::Range | Op::Trilu { .. } | Op::Fill { .. } => Err(
                "true and false, and choices, are possible in the mask of a Softmax and in what follows from constants only".into(),
            ),
        }
    }

    fn operand(&self, node: &Node, index: usize) -> Reasoned<ValueId> {
        node.operands
            .get(index)
            .copied()
            .flatten()
            .ok_or_else(|| format!("operand {index} is missing"))
    }

    /// An operand that depends on the input.
    fn value(&self, node: &Node, index: usize) -> Reasoned<Lowered> {
        let id = self.operand(node, index)?;
        self.values[id]
            .clone()
            .ok_or_else(|| format!("operand {index} must not be a constant"))
    }

    /// An operand that is a quantised tensor. A function of one gets the scale that fits what it can be.
    fn real(&mut self, node: &Node, index: usize) -> Reasoned<Real> {
        match self.value(node, index)? {
            Lowered::Real(real) => Ok(real),
            Lowered::Function { of, steps } => self.tabulated(self.operand(node, index)?, &of, &steps),
            lowered => Err(self.not_quantised(&lowered, index)),
        }
    }

    fn not_quantised(&self, lowered: &Lowered, index: usize) -> String {
        let nodes = &self.graph.nodes;
        let last = match lowered {
            Lowered::Function { steps, .. } => steps.last().copied(),
            Lowered::Deferred(deferred) => match deferred.node {
                None => return "the model's input reaches it without a QuantizeLinear between".into(),
                node => node,
            },
            Lowered::Bytes(_) | Lowered::Words(_) | Lowered::Real(_) => None,
        };
        match last {
            Some(node) => not_quantised(&nodes[node]),
            None => format!("operand {index} has another type"),
        }
    }

    fn quantise(&mut self, node: &Node, quantisation: &Quantisation) -> Reasoned<Lowered> {
        let scale = activation_scale(quantisation)?;
        self.scales[node.result] = Some(scale);
        let stored = match self.value(node, 0)? {
            // A softmax has a scale that fits all that it can give. Another one would only round a second time.
            Lowered::Real(real) if matches!(real.stored.operand, Operand::Node(index) if self.probabilities.contains(&index)) =>
            {
                self.scales[node.result] = Some(real.scale);
                self.asked.insert(node.result, scale);
                real.stored
            }
            Lowered::Real(real) => self.rescale(&real, scale)?,
            Lowered::Function { of, steps } => self.tabulate(&of, &steps, scale)?,
            Lowered::Deferred(deferred) => {
                let value = self.operand(node, 0)?;
                self.settle_value(value, &deferred, scale).map_err(|reason| {
                    let Some(node) = deferred.node.map(|node| &self.graph.nodes[node]) else {
                        return reason;
                    };
                    format!(
                        "the result of node {} ({}) cannot be quantised: {reason}",
                        quoted(&node.name),
                        node.operator
                    )
                })?
            }
            Lowered::Bytes(_) | Lowered::Words(_) => return Err("its operand is not a float".into()),
        };
        Ok(Lowered::Bytes(stored))
    }

    fn dequantise(&mut self, node: &Node, quantisation: &Quantisation) -> Reasoned<Lowered> {
        let scale = activation_scale(quantisation)?;
        match self.value(node, 0)? {
            Lowered::Bytes(stored) => {
                let value = self.operand(node, 0)?;
                let own = self.scales[value].filter(|_| self.asked.get(&value) == Some(&scale));
                Ok(Lowered::Real(Real {
                    stored,
                    scale: own.unwrap_or(scale),
                }))
            }
            _ => Err("its operand is not int8 or uint8".into()),
        }
    }

    fn unary(&mut self, index: usize, node: &Node, function: Unary) -> Reasoned<Lowered> {
        match (self.value(node, 0)?, function) {
            (Lowered::Deferred(deferred), Unary::Clip { low, high }) => Ok(Lowered::Deferred(Deferred {
                low: deferred.low.max(low).min(high),
                high: deferred.high.min(high).max(low),
                ..deferred
            })),
            (Lowered::Real(of), _) => Ok(Lowered::Function { of, steps: vec![index] }),
            (Lowered::Function { of, steps }, _) => Ok(Lowered::Function {
                of,
                steps: extended(steps, &[], index)?,
            }),
            (lowered, _) => Err(self.not_quantised(&lowered, 0)),
        }
    }

    /// A tensor for a deferred value; the same one for the same scale.
    fn settle_value(&mut self, value: ValueId, deferred: &Deferred, scale: Scale) -> Reasoned<Stored> {
        let before = self.settled.entry(value).or_default();
        if let Some((_, stored)) = before.iter().find(|(other, _)| *other == scale) {
            return Ok(stored.clone());
        }
        let quantiser = self.emitter.current;
        let stored = self.settle(deferred, scale);
        self.emitter.current = quantiser;
        let stored = stored?;
        self.settled.entry(value).or_default().push((scale, stored.clone()));
        Ok(stored)
    }

    /// A tensor for work whose scale is now known.
    fn settle(&mut self, deferred: &Deferred, scale: Scale) -> Reasoned<Stored> {
        self.emitter.current = deferred.node.or(self.emitter.current);
        let (low, high) = (scale.nearest(deferred.low), scale.nearest(deferred.high));
        let inner = Scale {
            scale: scale.scale / deferred.factor,
            ..scale
        };
        if !(inner.scale.is_finite() && inner.scale > 0.0) {
            return Err("a scale is too small or too large".into());
        }
        let mut clamped = false;
        let mut stored = match &deferred.work {
            Work::Input(index) => self.quantised_input(*index, inner)?,
            Work::Linear(linear) => {
                clamped = true;
                self.linear(linear, inner, low, high)?
            }
            Work::Pair(pair) => {
                clamped = true;
                self.pair(pair, inner, low, high)?
            }
            Work::MatMul { a, b, shape, sharing } => self.matmul(a, b, shape, *sharing, inner)?,
            Work::Mean(mean) => self.mean(mean, inner)?,
            Work::Norm(normalised) => self.normalise(normalised, inner)?,
            Work::Rotary(rotated) => self.rotate(rotated, inner)?,
            Work::Concat { parts, axis, .. } => self.join(parts, *axis, inner)?,
        };
        if !clamped && (low, high) != (i8::MIN, i8::MAX) {
            let operand = self.emitter.emit(|builder| builder.clip(stored.operand, low, high))?;
            stored = Stored { operand, ..stored };
        }
        for index in &deferred.moves {
            self.emitter.current = Some(*index);
            stored = self.moved(&self.graph.nodes[*index], &stored, Some(scale))?;
        }
        Ok(stored)
    }

    /// The same reals with another scale.
    fn rescale(&mut self, real: &Real, scale: Scale) -> Reasoned<Stored> {
        if real.scale == scale {
            return Ok(real.stored.clone());
        }
        let table = std::array::from_fn(|i| scale.nearest(real.scale.real(i as i64 - 128)));
        let operand = self
            .emitter
            .emit(|builder| builder.lookup(real.stored.operand, &table))?;
        Ok(Stored {
            operand,
            ..real.stored.clone()
        })
    }
}

impl Scale {
    fn real(self, q: i64) -> f32 {
        (q - i64::from(self.zero_point)) as f32 * self.scale
    }

    /// Rounded as QuantizeLinear rounds: ties to even.
    fn nearest(self, real: f32) -> i8 {
        super::interpret::quantise_one(real, self.scale, self.zero_point.into(), Kind::Int8) as i8
    }

    /// The finest scale for these reals and 0.
    fn covering(reals: &[f32]) -> Option<Self> {
        let low = reals.iter().fold(0f32, |low, real| low.min(*real));
        let high = reals.iter().fold(0f32, |high, real| high.max(*real));
        let scale = (high - low) / 255.0;
        if !reals.iter().all(|real| real.is_finite()) || !scale.is_finite() {
            return None;
        }
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let zero_point = (-128.0 - low / scale).round_ties_even() as i8;
        Some(Self { scale, zero_point })
    }
}

/// Steps of a function, in the order of the graph, each once.
fn extended(mut steps: Vec<usize>, others: &[usize], last: usize) -> Reasoned<Vec<usize>> {
    steps.extend(others);
    steps.push(last);
    steps.sort_unstable();
    steps.dedup();
    match steps.len() {
        ..=MAX_STEPS => Ok(steps),
        count => Err(format!(
            "{count} functions follow each other without a quantisation; at most {MAX_STEPS} are supported"
        )),
    }
}

fn not_quantised(node: &Node) -> String {
    format!(
        "the result of node {} ({}) reaches it without a QuantizeLinear and DequantizeLinear between",
        quoted(&node.name),
        node.operator
    )
}

/// Scale and zero point of an activation: one for the whole tensor, int8 or uint8.
fn activation_scale(quantisation: &Quantisation) -> Reasoned<Scale> {
    let (scale, zero_point) = quantisation
        .per_tensor()
        .ok_or("an activation has one scale, not one for each channel")?;
    let zero_point = match quantisation.kind {
        Kind::Int8 => zero_point,
        Kind::Uint8 => zero_point - 128,
        _ => return Err("an activation is int8 or uint8".into()),
    };
    Ok(Scale {
        scale,
        zero_point: zero_point as i8,
    })
}

const ENTRIES: usize = TABLE_ENTRIES as usize;
