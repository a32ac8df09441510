//! The imported graph, checked: every value has a name, a type and a fixed shape, and every node comes after what it reads.
//!
//! ONNX requires nodes in an order in which they can run, so that one pass reads a graph without recursion. The pass infers shapes and computes what depends on
//! constants only; what does not reach the output is left out.

use std::{collections::HashMap, rc::Rc};

use super::{
    array::{self, Array, Data, Kind, elements},
    attributes::Attributes,
    error::{ImportError, Reasoned, quoted},
    interpret,
    operator::{self, Known, Op, Quantisation, Resolved},
    proto, qoperator, rotary,
};

/// Elements of constants that are computed at import, all together.
const MAX_FOLDED_ELEMENTS: usize = 1 << 26;
/// Nodes that are read; what is lowered has at most a few nodes for each.
const MAX_NODES: usize = 1 << 18;
/// The first version of ONNX's operators in which quantisation has an axis and Softmax is along one dimension.
const MIN_OPERATOR_SET: i64 = 13;

pub type ValueId = usize;

#[derive(Debug, Clone)]
pub enum Constant {
    Plain(Rc<Array>),
    /// A dequantised one, kept as its integers.
    Quantised {
        array: Rc<Array>,
        quantisation: Rc<Quantisation>,
    },
}

impl Constant {
    pub fn to_floats(&self) -> Vec<f32> {
        match self {
            Self::Plain(array) => array.to_floats(),
            Self::Quantised { array, quantisation } => interpret::dequantise(array, quantisation),
        }
    }

    pub fn to_array(&self) -> Rc<Array> {
        match self {
            Self::Plain(array) => Rc::clone(array),
            Self::Quantised { array, .. } => Rc::new(Array::floats(array.shape.clone(), self.to_floats())),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Value {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: Kind,
    pub constant: Option<Constant>,
}

#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    /// As ONNX calls it.
    pub operator: String,
    pub op: Op,
    pub operands: Vec<Option<ValueId>>,
    pub result: ValueId,
}

impl Node {
    /// What is wrong with this node.
    pub fn error(&self, reason: String) -> ImportError {
        node_error(&self.name, &self.operator, reason)
    }
}

#[derive(Debug, Clone)]
pub struct Graph {
    pub values: Vec<Value>,
    pub nodes: Vec<Node>,
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<Output>,
}

/// A result of the graph. Its value may be made under another name.
#[derive(Debug, Clone)]
pub struct Output {
    pub name: String,
    pub value: ValueId,
}

impl Graph {
    /// Checks a decoded model. Open dimensions of the inputs (a batch) become 1.
    pub fn read(model: &proto::Model) -> Result<Self, ImportError> {
        let graph = model
            .graph
            .as_ref()
            .ok_or_else(|| ImportError::NotOnnx("it has no graph".into()))?;
        if graph.node.len() > MAX_NODES {
            return Err(ImportError::Model(format!(
                "has {} nodes; at most {MAX_NODES} are read",
                graph.node.len()
            )));
        }
        let standard = |set: &&proto::OperatorSet| matches!(set.domain.as_str(), "" | "ai.onnx");
        let version = model.opset_import.iter().find(standard).map_or(1, |set| set.version);
        if version < MIN_OPERATOR_SET {
            return Err(ImportError::Model(format!(
                "uses version {version} of ONNX's operators; export it with {MIN_OPERATOR_SET} or later"
            )));
        }
        if let Some(function) = model.functions.first() {
            return Err(ImportError::Model(format!(
                "defines a function of its own, {}; inline it before the import",
                quoted(&function.name)
            )));
        }
        let mut reader = Reader::new(graph)?;
        let inputs = reader.read_inputs(graph)?;
        for node in &graph.node {
            reader
                .read_node(node)
                .map_err(|reason| node_error(&node.name, &node.op_type, reason))?;
        }
        let outputs = reader.find_outputs(graph)?;
        let mut graph = Self {
            values: reader.values,
            nodes: reader.nodes,
            inputs,
            outputs,
        };
        graph.drop_unused();
        Ok(graph)
    }

    pub fn constant(&self, id: ValueId) -> Option<&Constant> {
        self.values[id].constant.as_ref()
    }

    /// For each value, the index of the node that makes it.
    pub fn makers(&self) -> Vec<Option<usize>> {
        let mut makers = vec![None; self.values.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            makers[node.result] = Some(index);
        }
        makers
    }

    /// Leaves out nodes that no output depends on.
    pub fn drop_unused(&mut self) {
        let mut used = vec![false; self.values.len()];
        self.outputs.iter().for_each(|output| used[output.value] = true);
        for node in self.nodes.iter().rev() {
            if used[node.result] {
                node.operands.iter().flatten().for_each(|operand| used[*operand] = true);
            }
        }
        self.nodes.retain(|node| used[node.result]);
    }
}

fn node_error(name: &str, operator: &str, reason: String) -> ImportError {
    let name = match name {
        "" => "without a name".into(),
        name => quoted(name),
    };
    let operator = quoted(operator).replace('"', "");
    ImportError::Node { name, operator, reason }
}

pub struct Reader<'a> {
    initializers: HashMap<&'a str, &'a proto::Tensor>,
    /// Names that nodes of the file make, for a better sentence when one is used too early.
    made: HashMap<&'a str, usize>,
    names: HashMap<String, ValueId>,
    values: Vec<Value>,
    nodes: Vec<Node>,
    folded_elements: usize,
}

impl<'a> Reader<'a> {
    fn new(graph: &'a proto::Graph) -> Result<Self, ImportError> {
        let mut initializers = HashMap::new();
        for tensor in &graph.initializer {
            if initializers.insert(tensor.name.as_str(), tensor).is_some() {
                return Err(ImportError::Model(format!(
                    "has two constants named {}",
                    quoted(&tensor.name)
                )));
            }
        }
        let made = graph
            .node
            .iter()
            .enumerate()
            .flat_map(|(index, node)| node.output.iter().map(move |name| (name.as_str(), index)))
            .collect();
        Ok(Self {
            initializers,
            made,
            names: HashMap::new(),
            values: Vec::new(),
            nodes: Vec::new(),
            folded_elements: 0,
        })
    }

    fn read_inputs(&mut self, graph: &proto::Graph) -> Result<Vec<ValueId>, ImportError> {
        // Older files list constants among the inputs.
        let inputs = graph
            .input
            .iter()
            .filter(|input| !self.initializers.contains_key(input.name.as_str()));
        let inputs: Vec<_> = inputs.collect();
        if inputs.is_empty() {
            return Err(ImportError::Model("has no input".into()));
        }
        let read = |input: &proto::ValueInfo| {
            self.read_input(input).map_err(|reason| {
                ImportError::Model(format!(
                    "has an input {} that cannot be used: {reason}",
                    quoted(&input.name)
                ))
            })
        };
        inputs.into_iter().map(read).collect()
    }

    fn read_input(&mut self, input: &proto::ValueInfo) -> Reasoned<ValueId> {
        let tensor = input.r#type.as_ref().and_then(|r#type| r#type.tensor_type.as_ref());
        let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
        let (Some(tensor), Some(shape)) = (tensor, shape) else {
            return Err("it is no tensor with a shape".into());
        };
        let dims: Vec<i64> = shape
            .dim
            .iter()
            .map(|dimension| dimension.dim_value.unwrap_or(1))
            .collect();
        let shape = array::shape(&dims)?;
        let kind = Kind::from_onnx(tensor.elem_type)?;
        if kind == Kind::Bool {
            return Err("true and false are not supported; make it integers".into());
        }
        self.add(&input.name, shape, kind, None)
    }

    fn find_outputs(&self, graph: &proto::Graph) -> Result<Vec<Output>, ImportError> {
        if graph.output.is_empty() {
            return Err(ImportError::Model("has no output".into()));
        }
        let find = |output: &proto::ValueInfo| {
            let name = quoted(&output.name);
            let value = *self
                .names
                .get(&output.name)
                .ok_or_else(|| ImportError::Model(format!("has an output {name} that no node makes")))?;
            match self.values[value].constant {
                Some(_) => Err(ImportError::Model(format!(
                    "has an output {name} that does not depend on its inputs"
                ))),
                None => Ok(Output {
                    name: output.name.clone(),
                    value,
                }),
            }
        };
        graph.output.iter().map(find).collect()
    }

    /// A constant that is not of the file.
    pub fn add_constant(&mut self, array: Array) -> Reasoned<ValueId> {
        let (shape, kind) = (array.shape.clone(), array.kind());
        self.add("", shape, kind, Some(Constant::Plain(Rc::new(array))))
    }

    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id]
    }

    fn add(&mut self, name: &str, shape: Vec<usize>, kind: Kind, constant: Option<Constant>) -> Reasoned<ValueId> {
        let id = self.values.len();
        self.values.push(Value {
            name: name.into(),
            shape,
            kind,
            constant,
        });
        self.rename(id, name)
    }

    /// An operand by its name; none for the empty name, which stands for one left out.
    fn operand(&mut self, name: &str) -> Reasoned<Option<ValueId>> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.names.get(name) {
            return Ok(Some(*id));
        }
        if let Some(tensor) = self.initializers.get(name) {
            let array = Rc::new(Array::from_onnx(tensor)?);
            let (shape, kind) = (array.shape.clone(), array.kind());
            return self.add(name, shape, kind, Some(Constant::Plain(array))).map(Some);
        }
        Err(match self.made.get(name) {
            Some(_) => format!(
                "it reads {} before a node makes it: the graph has a cycle, or its nodes are not in order",
                quoted(name)
            ),
            None => format!("it reads {}, which nothing makes", quoted(name)),
        })
    }

    fn read_node(&mut self, node: &'a proto::Node) -> Reasoned<()> {
        if node.attribute.iter().any(|attribute| !attribute.name.is_ascii()) {
            return Err("an attribute has a name that is not ASCII".into());
        }
        let attributes = Attributes(&node.attribute);
        let operands = node
            .input
            .iter()
            .map(|name| self.operand(name))
            .collect::<Reasoned<Vec<_>>>()?;
        let output = node.output.first().map_or("", String::as_str);
        let standard = matches!(node.domain.as_str(), "" | "ai.onnx");
        match (standard, node.op_type.as_str()) {
            (true, "Constant") => {
                let array = constant(&attributes)?;
                let (shape, kind) = (array.shape.clone(), array.kind());
                self.add(output, shape, kind, Some(Constant::Plain(Rc::new(array))))?;
            }
            (true, "Shape") => {
                let x = operands.first().copied().flatten().ok_or("operand 0 is missing")?;
                let shape: Vec<i64> = self.values[x].shape.iter().map(|length| *length as i64).collect();
                if shape.is_empty() || attributes.ints("start")?.is_some() {
                    return Err("the shape of a scalar, or a part of a shape, is not supported".into());
                }
                let array = Array::new(vec![shape.len()], Data::Int64(shape));
                self.add(
                    output,
                    array.shape.clone(),
                    Kind::Int64,
                    Some(Constant::Plain(Rc::new(array))),
                )?;
            }
            (true, "Split") => self.split(node, &attributes, &operands)?,
            (standard, "RotaryEmbedding") => rotary::expand(self, node, standard, &attributes, &operands)?,
            (standard, operator) => match qoperator::parts(standard, operator, &operands)? {
                Some(parts) => qoperator::expand(self, node, &parts, &attributes)?,
                // Where onnxruntime's optimiser puts it depends on its version.
                None if standard || operator == "SimplifiedLayerNormalization" => {
                    self.apply(node, operator, &attributes, operands, output)?;
                }
                None => {
                    return Err(format!(
                        "operators of the domain {} are not supported, but for those that onnxruntime's quantiser writes",
                        quoted(&node.domain)
                    ));
                }
            },
        }
        Ok(())
    }

    /// Appends one operator of the default domain on behalf of a node; its result gets the name `output`.
    pub fn apply(
        &mut self,
        node: &proto::Node,
        operator: &str,
        attributes: &Attributes,
        operands: Vec<Option<ValueId>>,
        output: &str,
    ) -> Reasoned<ValueId> {
        let known: Vec<_> = operands
            .iter()
            .map(|operand| operand.map(|id| self.known(id)))
            .collect();
        let resolved = operator::resolve(operator, attributes, &known)?;
        elements(&resolved.shape)?;
        self.push(node, operator, resolved, operands, output)
    }

    fn known(&self, id: ValueId) -> Known {
        let value = &self.values[id];
        Known {
            shape: value.shape.clone(),
            kind: value.kind,
            constant: match &value.constant {
                Some(Constant::Plain(array)) => Some(Rc::clone(array)),
                _ => None,
            },
        }
    }

    pub fn push(
        &mut self,
        node: &proto::Node,
        operator: &str,
        resolved: Resolved,
        mut operands: Vec<Option<ValueId>>,
        output: &str,
    ) -> Reasoned<ValueId> {
        operands.truncate(resolved.operands);
        let Resolved { op, shape, kind, .. } = resolved;
        if let (Op::Reshape, [Some(x)]) = (&op, &operands[..])
            && self.values[*x].shape == shape
        {
            return self.rename(*x, output);
        }
        if let (Op::Dequantize(quantisation), Some(Some(x))) = (&op, operands.first())
            && let Some(Constant::Plain(array)) = &self.values[*x].constant
        {
            let (array, quantisation) = (Rc::clone(array), Rc::clone(quantisation));
            return self.add(output, shape, kind, Some(Constant::Quantised { array, quantisation }));
        }
        let constants: Option<Vec<_>> = operands
            .iter()
            .map(|operand| match operand {
                None => Some(None),
                Some(id) => self.values[*id].constant.as_ref().map(Some),
            })
            .collect();
        // Contractions of constants would take unbounded time and do not occur.
        let cheap = !matches!(
            op,
            Op::Conv { .. } | Op::MatMul { .. } | Op::Gemm { .. } | Op::MaxPool(_) | Op::AveragePool { .. }
        );
        if let (Some(constants), true) = (constants, cheap) {
            let inputs = constants.iter().flatten().map(|constant| match constant {
                Constant::Plain(array) => array.count(),
                Constant::Quantised { array, .. } => array.count(),
            });
            let needed = inputs.sum::<usize>().saturating_add(elements(&shape)?);
            self.folded_elements = self.folded_elements.saturating_add(needed);
            if self.folded_elements > MAX_FOLDED_ELEMENTS {
                return Err(format!(
                    "computing it and the constants before it takes more than {MAX_FOLDED_ELEMENTS} elements"
                ));
            }
            let arrays: Vec<_> = constants
                .iter()
                .map(|constant| constant.map(Constant::to_array))
                .collect();
            let arrays: Vec<_> = arrays.iter().map(Option::as_deref).collect();
            let array = interpret::compute(&op, &arrays, &shape, kind)?;
            return self.add(output, shape, kind, Some(Constant::Plain(Rc::new(array))));
        }
        let result = self.add(output, shape, kind, None)?;
        self.nodes.push(Node {
            name: if node.name.is_empty() {
                output.into()
            } else {
                node.name.clone()
            },
            operator: operator.into(),
            op,
            operands,
            result,
        });
        Ok(result)
    }

    /// Another name for a value.
    fn rename(&mut self, id: ValueId, name: &str) -> Reasoned<ValueId> {
        match name.is_empty() || self.names.insert(name.into(), id).is_none() {
            true => Ok(id),
            false => Err(format!("two nodes make the value {}", quoted(name))),
        }
    }

    /// A slice for each output.
    fn split(&mut self, node: &proto::Node, attributes: &Attributes, operands: &[Option<ValueId>]) -> Reasoned<()> {
        let x = operands.first().copied().flatten().ok_or("operand 0 is missing")?;
        let Value { shape, kind, .. } = self.values[x].clone();
        let axis = attributes.axis("axis", 0, shape.len())?;
        let parts = node.output.len();
        let given = match operands.get(1).copied().flatten() {
            None => attributes.ints("split")?,
            Some(id) => match &self.values[id].constant {
                Some(Constant::Plain(array)) => Some(array.to_integers()?),
                _ => return Err("operand 1 must be a constant".into()),
            },
        };
        let lengths = match given {
            Some(lengths) => lengths
                .into_iter()
                .map(|length| usize::try_from(length).map_err(|_| "a part has a negative length".into()))
                .collect::<Reasoned<Vec<_>>>()?,
            None if parts > 0 && shape[axis].is_multiple_of(parts) => vec![shape[axis] / parts; parts],
            None => {
                return Err(format!(
                    "dimension {axis} of shape {shape:?} has no {parts} equal parts"
                ));
            }
        };
        let total = lengths.iter().try_fold(0usize, |sum, length| sum.checked_add(*length));
        if lengths.len() != parts || total != Some(shape[axis]) || lengths.contains(&0) {
            return Err(format!(
                "its lengths do not split dimension {axis} of shape {shape:?} into {parts}"
            ));
        }
        let mut starts = vec![0; shape.len()];
        for (length, output) in lengths.into_iter().zip(&node.output) {
            let mut part = shape.clone();
            part[axis] = length;
            let op = Op::Slice {
                starts: starts.clone(),
                steps: vec![1; shape.len()],
            };
            let resolved = Resolved {
                op,
                operands: 1,
                shape: part,
                kind,
            };
            self.push(node, "Split", resolved, vec![Some(x)], output)?;
            starts[axis] += length;
        }
        Ok(())
    }
}

/// The value of a Constant node.
fn constant(attributes: &Attributes) -> Reasoned<Array> {
    if let Some(array) = attributes.tensor("value")? {
        return Ok(array);
    }
    let array = if let Some(values) = attributes.ints("value_ints")? {
        Array::new(vec![values.len()], Data::Int64(values))
    } else if let Some(values) = attributes.floats("value_floats")? {
        Array::floats(vec![values.len()], values)
    } else if attributes.0.iter().any(|attribute| attribute.name == "value_int") {
        Array::new(vec![], Data::Int64(vec![attributes.int("value_int", 0)?]))
    } else if attributes.0.iter().any(|attribute| attribute.name == "value_float") {
        Array::floats(vec![], vec![attributes.float("value_float", 0.0)?])
    } else {
        return Err("it has no value of a supported type".into());
    };
    elements(&array.shape)?;
    Ok(array)
}
