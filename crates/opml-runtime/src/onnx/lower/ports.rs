//! The model's input and output: what the graph has as it is, or several parts in one row of int8.

use opml::{ElementType, Operand, TensorSpec};

use super::{Deferred, Lowered, Lowering, Real, Scale, Stored, Work, emit::Emitter};
use crate::model::Model;
use crate::onnx::{
    array::Kind,
    error::{ImportError, Reasoned, quoted},
    graph::{Graph, Output, Value},
    port::Port,
    report::Report,
};

/// An input of the graph.
pub struct Input {
    pub stored: Option<Stored>,
    /// Of the first quantisation of a float.
    pub scale: Option<Scale>,
    pub port: Port,
}

/// An emitter for the graph's inputs, and what they are in the model.
pub fn inputs(graph: &Graph) -> Result<(Emitter, Vec<Input>), ImportError> {
    let mut used = vec![false; graph.values.len()];
    let operands = graph.nodes.iter().flat_map(|node| node.operands.iter().flatten());
    operands
        .chain(graph.outputs.iter().map(|output| &output.value))
        .for_each(|id| used[*id] = true);
    let mut ports: Vec<Port> = Vec::with_capacity(graph.inputs.len());
    for id in &graph.inputs {
        let Value { name, shape, kind, .. } = &graph.values[*id];
        let element = match kind {
            Kind::Float | Kind::Int8 | Kind::Uint8 => ElementType::Int8,
            Kind::Int32 | Kind::Int64 | Kind::Bool => ElementType::Int32,
        };
        let before = ports.last().map_or(0, |port| port.bytes.end);
        ports.push(Port::new(name, *kind, shape, element, before));
    }
    let unusable = |port: &Port, reason: String| {
        ImportError::Model(format!(
            "has an input {} that is no tensor: {reason}",
            quoted(&port.name)
        ))
    };
    let (element, dims) = match &ports[..] {
        [port] => (port.element, port.shape.clone()),
        ports => (
            ElementType::Int8,
            vec![1, ports.last().map_or(0, |port| port.bytes.end)],
        ),
    };
    let dims: Vec<u32> = dims.iter().map(|length| *length as u32).collect();
    let spec = TensorSpec::new(element, &dims)
        .map_err(|reason| unusable(&ports[0], crate::describe::tensor_error(reason).to_string()))?;
    let mut emitter = Emitter::new(spec);
    let whole = ports.len() == 1;
    let mut inputs = Vec::with_capacity(ports.len());
    for (port, id) in ports.into_iter().zip(&graph.inputs) {
        let stored = match used[*id] {
            _ if whole => Some(Stored::new(Operand::Input, &port.shape)),
            true => Some(part(&mut emitter, &port).map_err(|reason| unusable(&port, reason))?),
            false => None,
        };
        inputs.push(Input {
            stored,
            scale: None,
            port,
        });
    }
    Ok((emitter, inputs))
}

/// One of several inputs, out of the row that has them all.
fn part(emitter: &mut Emitter, port: &Port) -> Reasoned<Stored> {
    let sizes = emitter.dims(&[port.bytes.start, port.bytes.len()])?;
    let mut operand = emitter.emit(|builder| builder.slice(Operand::Input, &[0, sizes[0]], &[1, sizes[1]]))?;
    if port.element == ElementType::Int32 {
        operand = emitter.emit(|builder| builder.bitcast(operand))?;
    }
    let shape = if port.shape.is_empty() { &[1][..] } else { &port.shape };
    let dims = emitter.dims(shape)?;
    if emitter.dims_of(operand)? != dims {
        operand = emitter.emit(|builder| builder.reshape(operand, &dims))?;
    }
    Ok(Stored::new(operand, &port.shape))
}

impl Lowering<'_> {
    /// What the graph's inputs are before anything reads them.
    pub fn input_values(&mut self) {
        for (index, id) in self.graph.inputs.iter().enumerate() {
            let Input { stored, port, .. } = &self.inputs[index];
            self.values[*id] = stored.clone().map(|stored| match port.kind {
                Kind::Float => Lowered::Deferred(Deferred::new(None, Work::Input(index))),
                Kind::Int8 | Kind::Uint8 => Lowered::Bytes(stored),
                _ => Lowered::Words(stored),
            });
        }
    }

    /// An input of floats with this scale. Later quantisations are tables on the first one.
    pub fn quantised_input(&mut self, index: usize, scale: Scale) -> Reasoned<Stored> {
        let input = &mut self.inputs[index];
        let first = *input.scale.get_or_insert(scale);
        let stored = input.stored.clone().ok_or("nothing reads it")?;
        self.rescale(&Real { stored, scale: first }, scale)
    }

    pub fn finish(mut self) -> Result<(Model, Report), ImportError> {
        let graph = self.graph;
        self.emitter.current = graph.nodes.len().checked_sub(1);
        let mut ports: Vec<Port> = Vec::with_capacity(graph.outputs.len());
        let mut all = Vec::with_capacity(graph.outputs.len());
        for output in &graph.outputs {
            let unusable = |reason: String| {
                ImportError::Model(format!(
                    "has an output {} that cannot be used: {reason}",
                    quoted(&output.name)
                ))
            };
            let (stored, element, scale) = self.output(output).map_err(unusable)?;
            let stored = self.in_graph_order(&stored).map_err(unusable)?;
            let value = &graph.values[output.value];
            let before = ports.last().map_or(0, |port| port.bytes.end);
            let mut port = Port::new(&output.name, value.kind, &value.shape, element, before);
            port.scale = scale.map(|scale| (scale.scale, scale.zero_point));
            ports.push(port);
            all.push(stored);
        }
        self.put_out(&all, &ports)
            .map_err(|reason| ImportError::Model(format!("has outputs that cannot be joined: {reason}")))?;
        let (model, made) = self.emitter.build(graph)?;
        let inputs = self.inputs.into_iter().map(|input| Port {
            scale: input.scale.map(|scale| (scale.scale, scale.zero_point)),
            ..input.port
        });
        let report = Report::new(graph, &model, inputs.collect(), ports, &made, self.notes);
        Ok((model, report))
    }

    /// Makes the outputs the model's last node: one as it is, several as one row of int8.
    fn put_out(&mut self, all: &[Stored], ports: &[Port]) -> Reasoned<()> {
        if let [stored] = all {
            if !self.emitter.is_last(stored.operand) {
                let shape = self.emitter.dims(&stored.shape)?;
                self.emitter.emit(|builder| builder.reshape(stored.operand, &shape))?;
            }
            return Ok(());
        }
        // These nodes are of no node of the graph.
        self.emitter.current = None;
        let mut joined: Option<Operand> = None;
        for (stored, port) in all.iter().zip(ports) {
            let count = self.emitter.dims(&[1, port.shape.iter().product()])?;
            let mut row = stored.operand;
            if self.emitter.dims_of(row)? != count {
                row = self.emitter.emit(|builder| builder.reshape(row, &count))?;
            }
            if port.element == ElementType::Int32 {
                row = self.emitter.emit(|builder| builder.bitcast(row))?;
            }
            joined = Some(match joined {
                None => row,
                Some(before) => self.emitter.emit(|builder| builder.concat(before, row, 1))?,
            });
        }
        Ok(())
    }

    fn output(&mut self, output: &Output) -> Reasoned<(Stored, ElementType, Option<Scale>)> {
        let real = |real: Real| (real.stored, ElementType::Int8, Some(real.scale));
        // A row for a cache has the cache's scale, so that it can be written into it as it is.
        if let Some(row) = self.cached.get(&output.value) {
            return Ok(real(row.clone()));
        }
        let lowered = self.values[output.value].clone().ok_or("nothing makes it")?;
        Ok(match lowered {
            Lowered::Real(of) => real(of),
            Lowered::Bytes(stored) => (stored, ElementType::Int8, self.scales[output.value]),
            Lowered::Words(stored) => (stored, ElementType::Int32, None),
            Lowered::Function { of, steps } => real(self.tabulated(output.value, &of, &steps)?),
            Lowered::Deferred(deferred) => match self.scale_elsewhere(output.value, &deferred) {
                Some(scale) => {
                    let stored = self.settle_value(output.value, &deferred, scale)?;
                    real(Real { stored, scale })
                }
                None => return Err(self.not_quantised(&Lowered::Deferred(deferred), 0)),
            },
        })
    }

    /// The scale that a float without one has where another node reads it, or, of joined rows, where one of the rows is joined.
    fn scale_elsewhere(&self, value: usize, deferred: &Deferred) -> Option<Scale> {
        let settled = self.settled.get(&value).and_then(|all| all.first());
        settled.map(|(scale, _)| *scale).or_else(|| match &deferred.work {
            Work::Concat { parts, .. } => {
                let scales = parts.iter().filter_map(|part| self.cached.get(&part.value));
                scales.map(|real| real.scale).next()
            }
            _ => None,
        })
    }
}
