//! What an import made of a graph, for people.

use std::fmt;

use opml::ops;

use super::{array::Kind, error::quoted, graph::Graph, operator::Op};
use crate::{describe, model::Model};

/// What the model's output stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputKind {
    /// `scale * (q - zero_point)`: scale, then zero point.
    Real(f32, i8),
    /// The integers themselves.
    Integer,
}

/// A node of the graph and what it became.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    /// As ONNX calls it.
    pub operator: String,
    /// Of its result.
    pub shape: Vec<usize>,
    /// Indices of the model's nodes.
    pub nodes: Vec<u32>,
    pub note: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Report {
    /// Of the original input.
    pub input_kind: Kind,
    /// Scale and zero point of the int8 input when the original's is a float.
    pub input: Option<(f32, i8)>,
    pub output: OutputKind,
    /// All nodes but quantisations, in order.
    pub lines: Vec<Line>,
    text: Vec<String>,
}

impl Report {
    pub(super) fn new(
        graph: &Graph,
        model: &Model,
        input: Option<(f32, i8)>,
        output: OutputKind,
        made_for: &[usize],
        notes: Vec<Option<String>>,
    ) -> Self {
        let mut lines: Vec<(bool, Line)> = graph
            .nodes
            .iter()
            .zip(notes)
            .map(|(node, note)| {
                let quantisation = matches!(node.op, Op::Quantize(_) | Op::Dequantize(_));
                let line = Line {
                    name: node.name.clone(),
                    operator: node.operator.clone(),
                    shape: graph.values[node.result].shape.clone(),
                    nodes: Vec::new(),
                    note,
                };
                (quantisation, line)
            })
            .collect();
        for (index, node) in (0..).zip(made_for) {
            if let Some((_, line)) = lines.get_mut(*node) {
                line.nodes.push(index);
            }
        }
        // A quantisation is shown when it became a node, a table that changes a scale.
        let lines: Vec<Line> = lines
            .into_iter()
            .filter(|(quantisation, line)| !quantisation || !line.nodes.is_empty())
            .map(|(_, line)| line)
            .collect();
        let text = lines.iter().map(|line| line.text(model)).collect();
        Self {
            input_kind: graph.values[graph.input].kind,
            input,
            output,
            lines,
            text,
        }
    }
}

impl Line {
    fn text(&self, model: &Model) -> String {
        let mut text = format!(
            "{} ({}) {:?}",
            quoted(&self.name).replace('"', ""),
            self.operator,
            self.shape
        );
        let nodes = self
            .nodes
            .iter()
            .filter_map(|index| Some((index, model.nodes().get(*index as usize)?)));
        let made: Vec<_> = nodes
            .map(|(index, node)| {
                let name = ops::operator(node.operator).map_or("?", |operator| operator.name());
                format!("{index} {name} {}", describe::spec(&node.output))
            })
            .collect();
        text += " -> ";
        text += &match made.is_empty() {
            true => "no node of its own".into(),
            false => made.join("; "),
        };
        if let Some(note) = &self.note {
            text += &format!(" ({note})");
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.text {
            writeln!(f, "  {line}")?;
        }
        match self.input {
            Some((scale, zero_point)) => writeln!(f, "input   real = {scale} * (q - {zero_point})")?,
            None if self.input_kind == Kind::Uint8 => writeln!(f, "input   integers, less 128")?,
            None => writeln!(f, "input   integers")?,
        }
        match self.output {
            OutputKind::Real(scale, zero_point) => writeln!(f, "output  real = {scale} * (q - {zero_point})"),
            OutputKind::Integer => writeln!(f, "output  integers"),
        }
    }
}
