//! What an import made of a graph, for people.

use std::{fmt, ops::Range};

use opml::ops;

use super::{error::quoted, graph::Graph, operator::Op, port::Port};
use crate::{describe, model::Model};

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
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// All nodes but quantisations, in order.
    pub lines: Vec<Line>,
    text: Vec<String>,
}

impl Report {
    pub(super) fn new(
        graph: &Graph,
        model: &Model,
        inputs: Vec<Port>,
        outputs: Vec<Port>,
        made_for: &[Option<usize>],
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
            if let Some((_, line)) = node.and_then(|node| lines.get_mut(node)) {
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
            inputs,
            outputs,
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
        for (title, ports) in [("input", &self.inputs), ("output", &self.outputs)] {
            match &ports[..] {
                [port] => writeln!(f, "{title:6}  {port}")?,
                ports => {
                    writeln!(f, "{title}s in one row of int8")?;
                    for port in ports {
                        let Range { start, end } = port.bytes;
                        let name = quoted(&port.name);
                        writeln!(f, "  bytes {start}..{end}  {name} {:?}  {port}", port.shape)?;
                    }
                }
            }
        }
        Ok(())
    }
}
