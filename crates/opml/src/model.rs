//! The committed form of a model (`docs/protocol.md`, 1.3): header, graph nodes, constants, and the rules that a node must meet.

use crate::{
    ARITHMETIC_VERSION,
    bytes::{Reader, Writer},
    hash::{Hash, hashv},
    merkle::{self, Domain, Layout},
    ops,
    tensor::{SPEC_BYTES, TensorError, TensorSpec},
};

/// Bytes of an encoded [`ModelHeader`].
pub const HEADER_BYTES: usize = 92;
/// Bytes of an encoded [`NodeRecord`].
pub const NODE_BYTES: usize = 128;
/// Bytes of an encoded [`ConstantRecord`].
pub const CONSTANT_BYTES: usize = 50;
/// Operands that a node has at most.
pub const MAX_OPERANDS: usize = 6;
/// Bytes of a node's attributes.
pub const ATTRIBUTE_BYTES: usize = 58;
/// Nodes that a model has at most.
pub const MAX_NODES: u32 = 1 << 20;
/// Constants that a model has at most.
pub const MAX_CONSTANTS: u32 = 1 << 20;

/// Why a model header is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// The encoding is not [`HEADER_BYTES`] long.
    Length,
    /// Another arithmetic than [`ARITHMETIC_VERSION`].
    ArithmeticVersion,
    /// No node, or more than [`MAX_NODES`].
    NodeCount,
    /// More than [`MAX_CONSTANTS`].
    ConstantCount,
    /// The input's specification is not canonical.
    Input(TensorError),
}

/// Everything that `model_root` binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelHeader {
    pub arithmetic_version: u16,
    pub node_count: u32,
    pub constant_count: u32,
    pub graph_root: Hash,
    pub weights_root: Hash,
    pub input: TensorSpec,
}

impl ModelHeader {
    /// Arithmetic version, node count, constant count, graph root, weights root, input specification.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        Writer::new()
            .put(&self.arithmetic_version.to_le_bytes())
            .put(&self.node_count.to_le_bytes())
            .put(&self.constant_count.to_le_bytes())
            .put(&self.graph_root)
            .put(&self.weights_root)
            .put(&self.input.encode())
            .finish()
    }

    /// Refuses everything that is not a valid header.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        if bytes.len() != HEADER_BYTES {
            return Err(HeaderError::Length);
        }
        let mut reader = Reader::new(bytes);
        let header = Self {
            arithmetic_version: reader.u16().ok_or(HeaderError::Length)?,
            node_count: reader.u32().ok_or(HeaderError::Length)?,
            constant_count: reader.u32().ok_or(HeaderError::Length)?,
            graph_root: *reader.array().ok_or(HeaderError::Length)?,
            weights_root: *reader.array().ok_or(HeaderError::Length)?,
            input: TensorSpec::decode(reader.take(SPEC_BYTES).ok_or(HeaderError::Length)?)
                .map_err(HeaderError::Input)?,
        };
        header.validate()?;
        Ok(header)
    }

    /// The limits of this arithmetic. A header built in code is checked here before its root is registered.
    pub fn validate(&self) -> Result<(), HeaderError> {
        if self.arithmetic_version != ARITHMETIC_VERSION {
            return Err(HeaderError::ArithmeticVersion);
        }
        if self.node_count == 0 || self.node_count > MAX_NODES {
            return Err(HeaderError::NodeCount);
        }
        if self.constant_count > MAX_CONSTANTS {
            return Err(HeaderError::ConstantCount);
        }
        Ok(())
    }

    /// `H("imo:model:v1" ‖ header)`.
    pub fn model_root(&self) -> Hash {
        model_root(&self.encode())
    }

    /// The tree of node records, and of the trace.
    pub fn graph_layout(&self) -> Layout {
        Layout::list(self.node_count)
    }

    /// The tree of constant records.
    pub fn weights_layout(&self) -> Layout {
        Layout::list(self.constant_count)
    }
}

/// The model root of an encoded header.
pub fn model_root(header: &[u8; HEADER_BYTES]) -> Hash {
    hashv(&[b"imo:model:v1", header])
}

/// Where a node takes an operand from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operand {
    /// No operand in this place; all places after it are empty too.
    #[default]
    None,
    /// The model's input.
    Input,
    /// The output of an earlier node.
    Node(u32),
    Constant(u32),
}

impl Operand {
    fn encode(self) -> [u8; 8] {
        let (kind, index) = match self {
            Self::None => (0, 0),
            Self::Input => (1, 0),
            Self::Node(index) => (2, index),
            Self::Constant(index) => (3, index),
        };
        let [i0, i1, i2, i3] = u32::to_le_bytes(index);
        [kind, 0, 0, 0, i0, i1, i2, i3]
    }

    fn decode(bytes: [u8; 8]) -> Option<Self> {
        let [kind, 0, 0, 0, i0, i1, i2, i3] = bytes else {
            return None;
        };
        let index = u32::from_le_bytes([i0, i1, i2, i3]);
        match (kind, index) {
            (0, 0) => Some(Self::None),
            (1, 0) => Some(Self::Input),
            (2, index) => Some(Self::Node(index)),
            (3, index) => Some(Self::Constant(index)),
            _ => None,
        }
    }
}

/// Why a node is malformed. A claim on a model with such a node is fraud, because operators validate before they serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeError {
    /// The record is not [`NODE_BYTES`] long or not canonical: reserved bytes, operand kinds or the operand count.
    Record,
    /// The output's specification is not canonical.
    Output(TensorError),
    /// A constant's record is not [`CONSTANT_BYTES`] long or its specification not canonical.
    Constant(TensorError),
    /// An operand is a node that does not come before this one, or a constant that the model does not have.
    Reference { operand: u8 },
    /// No operator has this number.
    UnknownOperator(u8),
    /// The operator takes another number of operands.
    OperandCount,
    /// An operand's element type or shape does not fit the operator.
    Operand { operand: u8 },
    /// The output's element type or shape is not what the operator makes of its operands.
    OutputSpec,
    /// An attribute is out of range, or an unused byte is not zero.
    Attribute,
    /// The reduction is longer than [`ops::MAX_REDUCTION`].
    ReductionTooLong,
}

/// One operator of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRecord {
    /// A number of [`ops`].
    pub operator: u8,
    /// Operands in the operator's order; the rest is [`Operand::None`].
    pub operands: [Operand; MAX_OPERANDS],
    pub output: TensorSpec,
    /// Defined by the operator; unused bytes are zero.
    pub attributes: [u8; ATTRIBUTE_BYTES],
}

impl NodeRecord {
    /// How many operands the node has.
    pub fn operand_count(&self) -> usize {
        self.operands
            .iter()
            .take_while(|operand| **operand != Operand::None)
            .count()
    }

    /// Operator, operand count, zero u16, six operands, output specification, attributes.
    pub fn encode(&self) -> [u8; NODE_BYTES] {
        let mut writer = Writer::new().put(&[self.operator, self.operand_count() as u8, 0, 0]);
        for operand in self.operands {
            writer = writer.put(&operand.encode());
        }
        writer.put(&self.output.encode()).put(&self.attributes).finish()
    }

    /// Refuses everything that [`NodeRecord::encode`] does not produce.
    pub fn decode(bytes: &[u8]) -> Result<Self, NodeError> {
        if bytes.len() != NODE_BYTES {
            return Err(NodeError::Record);
        }
        let mut reader = Reader::new(bytes);
        let [operator, count, 0, 0] = *reader.array().ok_or(NodeError::Record)? else {
            return Err(NodeError::Record);
        };
        let mut operands = [Operand::None; MAX_OPERANDS];
        for (i, operand) in operands.iter_mut().enumerate() {
            *operand = reader
                .array()
                .and_then(|bytes| Operand::decode(*bytes))
                .ok_or(NodeError::Record)?;
            if (*operand == Operand::None) != (i >= usize::from(count)) {
                return Err(NodeError::Record);
            }
        }
        if usize::from(count) > MAX_OPERANDS {
            return Err(NodeError::Record);
        }
        let output =
            TensorSpec::decode(reader.take(SPEC_BYTES).ok_or(NodeError::Record)?).map_err(NodeError::Output)?;
        let attributes = *reader.array().ok_or(NodeError::Record)?;
        Ok(Self {
            operator,
            operands,
            output,
            attributes,
        })
    }

    /// Leaf `node_index` of the graph tree.
    pub fn leaf(&self, node_index: u32) -> Hash {
        graph_leaf(node_index, &self.encode())
    }

    /// Whether each operand is the input, an earlier node or a constant of the model.
    pub fn check_references(&self, header: &ModelHeader, node_index: u32) -> Result<(), NodeError> {
        for (i, operand) in self.operands.iter().enumerate() {
            let exists = match operand {
                Operand::None | Operand::Input => true,
                Operand::Node(index) => *index < node_index,
                Operand::Constant(index) => *index < header.constant_count,
            };
            if !exists {
                return Err(NodeError::Reference { operand: i as u8 });
            }
        }
        Ok(())
    }
}

/// Leaf `node_index` of the graph tree for an encoded record, well-formed or not.
pub fn graph_leaf(node_index: u32, record: &[u8; NODE_BYTES]) -> Hash {
    merkle::leaf(Domain::GraphNode, node_index, &[record])
}

/// Whether the operator accepts these operands, attributes and output: everything that makes it total and its witness short. `operands` are the
/// specifications of the node's operands in order. References are checked by [`NodeRecord::check_references`].
pub fn validate_node(record: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
    if operands.len() != record.operand_count() {
        return Err(NodeError::OperandCount);
    }
    ops::operator(record.operator)
        .ok_or(NodeError::UnknownOperator(record.operator))?
        .validate(record, operands)
}

/// A constant of the weights tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConstantRecord {
    pub spec: TensorSpec,
    pub root: Hash,
}

impl ConstantRecord {
    /// Specification, tensor root.
    pub fn encode(&self) -> [u8; CONSTANT_BYTES] {
        Writer::new().put(&self.spec.encode()).put(&self.root).finish()
    }

    /// Refuses a specification that is not canonical.
    pub fn decode(bytes: &[u8]) -> Result<Self, NodeError> {
        let (spec, root) = bytes
            .split_at_checked(SPEC_BYTES)
            .ok_or(NodeError::Constant(TensorError::Length))?;
        Ok(Self {
            spec: TensorSpec::decode(spec).map_err(NodeError::Constant)?,
            root: root.try_into().map_err(|_| NodeError::Constant(TensorError::Length))?,
        })
    }

    /// Leaf `index` of the weights tree.
    pub fn leaf(&self, index: u32) -> Hash {
        constant_leaf(index, &self.encode())
    }
}

/// Leaf `index` of the weights tree for an encoded record, well-formed or not.
pub fn constant_leaf(index: u32, record: &[u8; CONSTANT_BYTES]) -> Hash {
    merkle::leaf(Domain::Constant, index, &[record])
}
