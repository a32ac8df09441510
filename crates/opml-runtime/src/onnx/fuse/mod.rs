//! Groups of operators that the model has one operator for.
//!
//! Exporters write a decoder in pieces: a root mean square as squares, a mean and a root, a rotation as slices and products, a mask as comparisons of positions. What they
//! mean together is found here and put in their place; what is left behind unused is dropped. Every result can be run by the interpreter, and gives what the pieces gave.
//!
//! Where pieces can be written in many ways, such as masks, their structure is not compared with known ones: they are computed for every value of the one number that they
//! follow from ([`follow`]), and what comes out must be what the operator does.

mod attention;
mod chain;
mod factor;
mod follow;
mod index;
mod mask;
mod norm;
mod rotary;
mod shortcut;

use std::rc::Rc;

use super::{
    array::{Array, Data, Kind},
    error::ImportError,
    graph::{Constant, Graph, Node, Value, ValueId},
    operator::{Binary, Op},
};

/// The same function in fewer operators.
pub fn fuse(graph: &Graph) -> Result<Graph, ImportError> {
    let mut graph = graph.clone();
    shortcut::take(&mut graph);
    norm::fuse(&mut graph);
    rotary::fuse(&mut graph)?;
    graph.drop_unused();
    attention::fuse(&mut graph)?;
    graph.drop_unused();
    index::fuse(&mut graph)?;
    graph.drop_unused();
    Ok(graph)
}

impl Graph {
    fn shape(&self, id: ValueId) -> &[usize] {
        &self.values[id].shape
    }

    fn count(&self, id: ValueId) -> usize {
        self.values[id].shape.iter().product()
    }

    fn is_constant(&self, id: ValueId) -> bool {
        self.values[id].constant.is_some()
    }

    /// The one number that a constant holds.
    fn number(&self, id: ValueId) -> Option<f32> {
        match self.count(id) {
            1 => self.constant(id)?.to_floats().first().copied(),
            _ => None,
        }
    }

    fn add_value(&mut self, shape: Vec<usize>, kind: Kind) -> ValueId {
        self.values.push(Value {
            name: String::new(),
            shape,
            kind,
            constant: None,
        });
        self.values.len() - 1
    }

    fn add_constant(&mut self, array: Array) -> ValueId {
        let id = self.add_value(array.shape.clone(), array.kind());
        self.values[id].constant = Some(Constant::Plain(Rc::new(array)));
        id
    }

    /// Integers of any shape that follow from the integers of another value, each by a table of what 0, 1, .. become.
    fn add_table(
        &mut self,
        nodes: &mut Vec<Node>,
        from: ValueId,
        values: Vec<i64>,
        shape: Vec<usize>,
        like: &Node,
    ) -> ValueId {
        let result = self.add_value(shape, Kind::Int64);
        nodes.push(Node {
            op: Op::Table {
                values: Rc::new(values),
            },
            operands: vec![Some(from)],
            result,
            ..like.clone()
        });
        result
    }
}

impl Node {
    fn operand(&self, index: usize) -> Option<ValueId> {
        self.operands.get(index).copied().flatten()
    }

    /// The two operands of a function, when it is this one.
    fn pair(&self, function: Binary) -> Option<[ValueId; 2]> {
        match self.op {
            Op::Binary(found) if found == function => Some([self.operand(0)?, self.operand(1)?]),
            _ => None,
        }
    }
}

/// A place for nodes to be found by what they make.
struct Made {
    makers: Vec<Option<usize>>,
}

impl Made {
    fn of(graph: &Graph) -> Self {
        Self { makers: graph.makers() }
    }

    /// The index of the node that makes a value of the graph as it was.
    fn index(&self, id: ValueId) -> Option<usize> {
        self.makers.get(id).copied().flatten()
    }

    fn node<'a>(&self, graph: &'a Graph, id: ValueId) -> Option<&'a Node> {
        self.index(id).map(|index| &graph.nodes[index])
    }
}

fn integers(values: Vec<i64>) -> Array {
    Array::new(vec![values.len()], Data::Int64(values))
}

/// A table without the end that repeats its last entry.
fn trimmed(mut values: Vec<i64>) -> Vec<i64> {
    while let [.., before, last] = values[..]
        && before == last
    {
        values.pop();
    }
    values
}

/// Both orders of two values.
fn both<T: Copy>([a, b]: [T; 2]) -> [[T; 2]; 2] {
    [[a, b], [b, a]]
}
