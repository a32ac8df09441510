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
mod reduce;
mod weights;

use std::rc::Rc;

use opml::{ElementType, Operand, TensorSpec, ops::TABLE_ENTRIES};

use self::{
    elementwise::{Normalised, Pair},
    emit::Emitter,
    linear::Linear,
    reduce::Mean,
};
use super::{
    array::Kind,
    error::{ImportError, Reasoned, quoted},
    graph::{Graph, Node, ValueId},
    operator::{Op, Quantisation, Unary},
    report::{OutputKind, Report},
};
use crate::model::Model;

/// Functions that one table stands for.
const MAX_STEPS: usize = 64;

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

/// A float that becomes a tensor when its scale is known, clamped to `low..=high`.
#[derive(Debug, Clone)]
struct Deferred {
    node: usize,
    work: Work,
    low: f32,
    high: f32,
}

#[derive(Debug, Clone)]
enum Work {
    Linear(Rc<Linear>),
    MatMul { a: Real, b: Real, shape: Vec<usize> },
    Pair(Rc<Pair>),
    Mean(Mean),
    LayerNorm(Rc<Normalised>),
    Concat { parts: Vec<Real>, axis: usize },
}

/// What a value of the graph is in the model.
#[derive(Debug, Clone)]
enum Lowered {
    /// The input, a float that nothing has quantised yet.
    Input,
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
    values: Vec<Option<Lowered>>,
    input: Option<Scale>,
    /// Of every value of one byte that a quantisation made.
    scales: Vec<Option<Scale>>,
    notes: Vec<Option<String>>,
}

impl<'a> Lowering<'a> {
    fn new(graph: &'a Graph) -> Result<Self, ImportError> {
        let value = &graph.values[graph.input];
        let element = match value.kind {
            Kind::Float | Kind::Int8 | Kind::Uint8 => ElementType::Int8,
            Kind::Int32 | Kind::Int64 => ElementType::Int32,
        };
        let shape: Vec<u32> = value.shape.iter().map(|length| *length as u32).collect();
        let spec = TensorSpec::new(element, &shape).map_err(|reason| {
            let reason = crate::describe::tensor_error(reason);
            ImportError::Model(format!(
                "has an input {} that is no tensor: {reason}",
                quoted(&value.name)
            ))
        })?;
        let mut values = vec![None; graph.values.len()];
        let stored = Stored::new(Operand::Input, &value.shape);
        values[graph.input] = Some(match value.kind {
            Kind::Float => Lowered::Input,
            Kind::Int8 | Kind::Uint8 => Lowered::Bytes(stored),
            Kind::Int32 | Kind::Int64 => Lowered::Words(stored),
        });
        Ok(Self {
            graph,
            emitter: Emitter::new(spec),
            values,
            input: None,
            scales: vec![None; graph.values.len()],
            notes: vec![None; graph.nodes.len()],
        })
    }

    fn node(&mut self, index: usize) -> Result<(), ImportError> {
        let graph = self.graph;
        let node = &graph.nodes[index];
        self.emitter.current = index;
        let lowered = self.lower_node(index, node).map_err(|reason| node.error(reason))?;
        self.values[node.result] = Some(lowered);
        Ok(())
    }

    fn lower_node(&mut self, index: usize, node: &Node) -> Reasoned<Lowered> {
        let deferred = |work| {
            Ok(Lowered::Deferred(Deferred {
                node: index,
                work,
                low: f32::NEG_INFINITY,
                high: f32::INFINITY,
            }))
        };
        let shape = &self.graph.values[node.result].shape;
        match &node.op {
            Op::Quantize(quantisation) => self.quantise(node, quantisation),
            Op::Dequantize(quantisation) => self.dequantise(node, quantisation),
            Op::Unary(function) => self.unary(index, node, *function),
            Op::Binary(function) => self.binary(index, node, *function),
            Op::Reshape | Op::Transpose { .. } | Op::Slice { .. } | Op::Pad { .. } | Op::MaxPool(_) => {
                self.move_elements(node)
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
            Op::Gather { axis } => self.gather(node, *axis),
            Op::Concat { axis } => self.concat(index, node, *axis),
            Op::Softmax { axis } => self.softmax(node, *axis),
            Op::ArgMax { axis } => self.arg_max(node, *axis),
            Op::Conv { window, groups } => deferred(Work::Linear(Rc::new(self.conv(node, window, *groups)?))),
            Op::Gemm {
                alpha,
                beta,
                transposed,
            } => deferred(Work::Linear(Rc::new(self.gemm(node, *alpha, *beta, *transposed)?))),
            Op::MatMul => {
                let b = self.operand(node, 1)?;
                match self.graph.constant(b) {
                    Some(_) => deferred(Work::Linear(Rc::new(self.matmul_constant(node)?))),
                    None => {
                        let (a, b) = (self.real(node, 0)?, self.real(node, 1)?);
                        deferred(Work::MatMul {
                            a,
                            b,
                            shape: shape.clone(),
                        })
                    }
                }
            }
            Op::AveragePool { window, padding_counts } => {
                deferred(Work::Mean(self.average_pool(node, window, *padding_counts)?))
            }
            Op::ReduceMean { axes } => deferred(Work::Mean(self.reduce_mean(node, axes)?)),
            Op::LayerNorm { epsilon } => deferred(Work::LayerNorm(Rc::new(self.layer_norm(node, *epsilon)?))),
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

    /// An operand that is a quantised tensor.
    fn real(&self, node: &Node, index: usize) -> Reasoned<Real> {
        match self.value(node, index)? {
            Lowered::Real(real) => Ok(real),
            lowered => Err(self.not_quantised(&lowered, index)),
        }
    }

    fn not_quantised(&self, lowered: &Lowered, index: usize) -> String {
        let nodes = &self.graph.nodes;
        match lowered {
            Lowered::Input => "the model's input reaches it without a QuantizeLinear between".into(),
            Lowered::Function { steps, .. } => match steps.last() {
                Some(step) => not_quantised(&nodes[*step]),
                None => format!("operand {index} is not quantised"),
            },
            Lowered::Deferred(deferred) => not_quantised(&nodes[deferred.node]),
            Lowered::Bytes(_) | Lowered::Words(_) | Lowered::Real(_) => format!("operand {index} has another type"),
        }
    }

    fn quantise(&mut self, node: &Node, quantisation: &Quantisation) -> Reasoned<Lowered> {
        let scale = activation_scale(quantisation)?;
        self.scales[node.result] = Some(scale);
        let stored = match self.value(node, 0)? {
            Lowered::Input => {
                // Later quantisations of the input are tables on the first one.
                let first = *self.input.get_or_insert(scale);
                let shape = &self.graph.values[self.graph.input].shape;
                let input = Real {
                    stored: Stored::new(Operand::Input, shape),
                    scale: first,
                };
                self.rescale(&input, scale)?
            }
            Lowered::Real(real) => self.rescale(&real, scale)?,
            Lowered::Function { of, steps } => self.tabulate(&of, &steps, scale)?,
            Lowered::Deferred(deferred) => {
                let quantiser = std::mem::replace(&mut self.emitter.current, deferred.node);
                let stored = self.settle(&deferred, scale).map_err(|reason| {
                    let node = &self.graph.nodes[deferred.node];
                    format!(
                        "the result of node {} ({}) cannot be quantised: {reason}",
                        quoted(&node.name),
                        node.operator
                    )
                });
                self.emitter.current = quantiser;
                stored?
            }
            Lowered::Bytes(_) | Lowered::Words(_) => return Err("its operand is not a float".into()),
        };
        Ok(Lowered::Bytes(stored))
    }

    fn dequantise(&mut self, node: &Node, quantisation: &Quantisation) -> Reasoned<Lowered> {
        let scale = activation_scale(quantisation)?;
        match self.value(node, 0)? {
            Lowered::Bytes(stored) => Ok(Lowered::Real(Real { stored, scale })),
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

    /// A tensor for work whose scale is now known.
    fn settle(&mut self, deferred: &Deferred, scale: Scale) -> Reasoned<Stored> {
        let (low, high) = (scale.nearest(deferred.low), scale.nearest(deferred.high));
        let clamped = match &deferred.work {
            Work::Linear(linear) => return self.linear(linear, scale, low, high),
            Work::Pair(pair) => return self.pair(pair, scale, low, high),
            Work::MatMul { a, b, shape } => self.matmul(a, b, shape, scale)?,
            Work::Mean(mean) => self.mean(mean, scale)?,
            Work::LayerNorm(normalised) => self.normalise(normalised, scale)?,
            Work::Concat { parts, axis } => self.join(parts, *axis, scale)?,
        };
        if (low, high) == (i8::MIN, i8::MAX) {
            return Ok(clamped);
        }
        let operand = self.emitter.emit(|builder| builder.clip(clamped.operand, low, high))?;
        Ok(Stored { operand, ..clamped })
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

    fn finish(mut self) -> Result<(Model, Report), ImportError> {
        let output = self.graph.output;
        let value = &self.graph.values[output];
        let unusable = |reason: String| {
            ImportError::Model(format!(
                "has an output {} that cannot be used: {reason}",
                quoted(&value.name)
            ))
        };
        self.emitter.current = self.graph.nodes.len().saturating_sub(1);
        let (stored, kind) = match self.values[output].clone() {
            Some(Lowered::Real(real)) => (real.stored, OutputKind::Real(real.scale.scale, real.scale.zero_point)),
            Some(Lowered::Bytes(stored)) => {
                let scale = self.scales[output];
                (
                    stored,
                    scale.map_or(OutputKind::Integer, |scale| {
                        OutputKind::Real(scale.scale, scale.zero_point)
                    }),
                )
            }
            Some(Lowered::Words(stored)) => (stored, OutputKind::Integer),
            Some(Lowered::Function { of, steps }) => {
                let reals = self.evaluate(&of, &steps).map_err(unusable)?;
                let scale = Scale::covering(&reals).ok_or_else(|| unusable("it is infinite somewhere".into()))?;
                let stored = self.tabulate(&of, &steps, scale).map_err(unusable)?;
                (stored, OutputKind::Real(scale.scale, scale.zero_point))
            }
            Some(lowered @ (Lowered::Deferred(_) | Lowered::Input)) => {
                return Err(unusable(self.not_quantised(&lowered, 0)));
            }
            None => return Err(unusable("nothing makes it".into())),
        };
        let stored = self.in_graph_order(&stored).map_err(unusable)?;
        if !self.emitter.is_last(stored.operand) {
            let shape = self.emitter.dims(&stored.shape).map_err(unusable)?;
            self.emitter
                .emit(|builder| builder.reshape(stored.operand, &shape))
                .map_err(unusable)?;
        }
        let input = self.input.map(|scale| (scale.scale, scale.zero_point));
        let (model, made) = self.emitter.build(self.graph)?;
        let report = Report::new(self.graph, &model, input, kind, &made, self.notes);
        Ok((model, report))
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

/// The least and the greatest real that a quantised activation can stand for.
pub fn activation_range(quantisation: &Quantisation) -> Option<(f32, f32)> {
    let scale = activation_scale(quantisation).ok()?;
    Some((scale.real(i8::MIN.into()), scale.real(i8::MAX.into())))
}
