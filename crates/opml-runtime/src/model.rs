//! Models and their file format.
//!
//! An `.imo` file holds what the model root commits to and nothing else. Integers are little-endian.
//!
//! | part | bytes |
//! | --- | --- |
//! | magic `"IMOMODEL"` | 8 |
//! | format version u16, now 1 | 2 |
//! | arithmetic version u16 | 2 |
//! | node count u32, constant count u32 | 8 |
//! | input `TensorSpec` | 18 |
//! | node records, in order | 128 each |
//! | constants' `TensorSpec`s, in order | 18 each |
//! | constants' elements, in order: row-major, without fill or gaps | as their specifications say |
//!
//! Nothing follows. The file is read strictly: one sequence of bytes per model, and a model that breaks a rule of its arithmetic is refused
//! with the node and the rule.

use std::path::{Path, PathBuf};

use opml::{
    ARITHMETIC_VERSION, ConstantRecord, Hash, ModelHeader, NodeError, NodeRecord, Operand, TensorError, TensorSpec,
    model::{MAX_CONSTANTS, MAX_NODES, NODE_BYTES, validate_node},
    tensor::SPEC_BYTES,
};

use crate::{commit::Tree, describe, tensor::Tensor};

const MAGIC: &[u8; 8] = b"IMOMODEL";
const FORMAT_VERSION: u16 = 1;

/// Bytes that all outputs of one execution may take together, so that a small file cannot ask for all of a machine's memory.
pub const MAX_EXECUTION_BYTES: u64 = 1 << 32;

/// Why a file or a graph is not a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("The model file {} cannot be read: {source}.", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("This is not a model file: it does not start with \"IMOMODEL\".")]
    NotAModel,
    #[error("The model file has format version {found}; this program reads version {FORMAT_VERSION}.")]
    FormatVersion { found: u16 },
    #[error("The model uses arithmetic version {found}; this program has version {ARITHMETIC_VERSION}.")]
    ArithmeticVersion { found: u16 },
    #[error("The model file ends early: {part} need {missing} bytes more.")]
    Truncated { part: &'static str, missing: u64 },
    #[error("The model file has {count} bytes after the end of the model.")]
    TrailingBytes { count: usize },
    #[error("A model has 1 to {MAX_NODES} nodes, but this one has {found}.")]
    NodeCount { found: u64 },
    #[error("A model has at most {MAX_CONSTANTS} constants, but this one has {found}.")]
    ConstantCount { found: u64 },
    #[error("The model's input is not a tensor: {}.", describe::tensor_error(*.reason))]
    Input { reason: TensorError },
    #[error("Constant {index} is not a tensor: {}.", describe::tensor_error(*.reason))]
    Constant { index: u32, reason: TensorError },
    #[error("Node {index} is malformed: {}.", describe::node_error(*.reason))]
    Node { index: u32, reason: NodeError },
    #[error(
        "Running the model needs {needed} bytes for the outputs of its nodes; at most {MAX_EXECUTION_BYTES} are allowed."
    )]
    TooMuchMemory { needed: u64 },
}

/// A graph with its constants that keeps every rule of its arithmetic. It does not change after it was made.
#[derive(Debug, Clone)]
pub struct Model {
    header: ModelHeader,
    model_root: Hash,
    nodes: Vec<NodeRecord>,
    graph: Tree,
    constants: Vec<Tensor>,
    constant_records: Vec<ConstantRecord>,
    weights: Tree,
}

impl Model {
    /// Checks the graph and computes its commitment.
    pub fn new(input: TensorSpec, nodes: Vec<NodeRecord>, constants: Vec<Tensor>) -> Result<Self, ModelError> {
        let node_count = match u32::try_from(nodes.len()) {
            Ok(count @ 1..=MAX_NODES) => count,
            _ => {
                return Err(ModelError::NodeCount {
                    found: nodes.len() as u64,
                });
            }
        };
        let constant_count = match u32::try_from(constants.len()) {
            Ok(count @ 0..=MAX_CONSTANTS) => count,
            _ => {
                return Err(ModelError::ConstantCount {
                    found: constants.len() as u64,
                });
            }
        };
        let constant_records: Vec<_> = constants
            .iter()
            .map(|constant| ConstantRecord {
                spec: *constant.spec(),
                root: constant.root(),
            })
            .collect();
        let weights = Tree::list(
            (0..)
                .zip(&constant_records)
                .map(|(index, record)| record.leaf(index))
                .collect(),
        );
        let graph = Tree::list((0..).zip(&nodes).map(|(index, node)| node.leaf(index)).collect());
        let header = ModelHeader {
            arithmetic_version: ARITHMETIC_VERSION,
            node_count,
            constant_count,
            graph_root: graph.root(),
            weights_root: weights.root(),
            input,
        };
        let model = Self {
            model_root: header.model_root(),
            header,
            nodes,
            graph,
            constants,
            constant_records,
            weights,
        };
        model.validate()?;
        Ok(model)
    }

    fn validate(&self) -> Result<(), ModelError> {
        let mut needed = 0u64;
        for (index, node) in (0..).zip(&self.nodes) {
            node.check_references(&self.header, index)
                .and_then(|()| validate_node(node, &self.operand_specs(node)))
                .map_err(|reason| ModelError::Node { index, reason })?;
            needed = needed.saturating_add(node.output.byte_len());
        }
        if needed > MAX_EXECUTION_BYTES {
            return Err(ModelError::TooMuchMemory { needed });
        }
        Ok(())
    }

    /// Reads a model file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| ModelError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        Self::from_bytes(&bytes)
    }

    /// Reads the bytes of a model file. Allocates in proportion to their length only.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let File {
            input,
            nodes,
            constants,
        } = File::read(bytes)?;
        let nodes = (0..)
            .zip(nodes)
            .map(|(index, record)| NodeRecord::decode(record).map_err(|reason| ModelError::Node { index, reason }))
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(input, nodes, constants)
    }

    /// The bytes of the model's file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend(self.header.arithmetic_version.to_le_bytes());
        bytes.extend(self.header.node_count.to_le_bytes());
        bytes.extend(self.header.constant_count.to_le_bytes());
        bytes.extend(self.header.input.encode());
        bytes.extend(self.nodes.iter().flat_map(NodeRecord::encode));
        bytes.extend(self.constants.iter().flat_map(|constant| constant.spec().encode()));
        self.constants
            .iter()
            .for_each(|constant| bytes.extend(constant.bytes()));
        bytes
    }

    pub fn header(&self) -> &ModelHeader {
        &self.header
    }

    pub fn model_root(&self) -> Hash {
        self.model_root
    }

    pub fn input_spec(&self) -> &TensorSpec {
        &self.header.input
    }

    /// The specification of the model's output: that of the last node.
    pub fn output_spec(&self) -> &TensorSpec {
        &self.nodes.last().expect("a model has at least one node").output
    }

    pub fn nodes(&self) -> &[NodeRecord] {
        &self.nodes
    }

    pub fn constants(&self) -> &[Tensor] {
        &self.constants
    }

    pub fn constant_records(&self) -> &[ConstantRecord] {
        &self.constant_records
    }

    /// The tree of node records.
    pub fn graph(&self) -> &Tree {
        &self.graph
    }

    /// The tree of constant records.
    pub fn weights(&self) -> &Tree {
        &self.weights
    }

    /// The specifications of a node's operands, in order. The node's references have been checked.
    pub fn operand_specs(&self, node: &NodeRecord) -> Vec<TensorSpec> {
        node.operands
            .iter()
            .map_while(|operand| match operand {
                Operand::None => None,
                Operand::Input => Some(self.header.input),
                Operand::Node(index) => Some(self.nodes.get(*index as usize)?.output),
                Operand::Constant(index) => Some(*self.constants.get(*index as usize)?.spec()),
            })
            .collect()
    }
}

/// A model file whose nodes are not looked at yet.
pub(crate) struct File<'a> {
    pub(crate) input: TensorSpec,
    pub(crate) nodes: &'a [[u8; NODE_BYTES]],
    pub(crate) constants: Vec<Tensor>,
}

impl<'a> File<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let mut parts = Parts(bytes);
        if parts.0.len() < MAGIC.len() && MAGIC.starts_with(parts.0) {
            return Err(ModelError::Truncated {
                part: "the magic bytes",
                missing: (MAGIC.len() - bytes.len()) as u64,
            });
        }
        if parts.take("the magic bytes", MAGIC.len() as u64).ok() != Some(MAGIC) {
            return Err(ModelError::NotAModel);
        }
        const HEADER: &str = "the version and the counts";
        let found = parts.u16(HEADER)?;
        if found != FORMAT_VERSION {
            return Err(ModelError::FormatVersion { found });
        }
        let found = parts.u16(HEADER)?;
        if found != ARITHMETIC_VERSION {
            return Err(ModelError::ArithmeticVersion { found });
        }
        let node_count = parts.u32(HEADER)?;
        if node_count == 0 || node_count > MAX_NODES {
            return Err(ModelError::NodeCount {
                found: node_count.into(),
            });
        }
        let constant_count = parts.u32(HEADER)?;
        if constant_count > MAX_CONSTANTS {
            return Err(ModelError::ConstantCount {
                found: constant_count.into(),
            });
        }
        let input = TensorSpec::decode(parts.take("the input's specification", SPEC_BYTES as u64)?)
            .map_err(|reason| ModelError::Input { reason })?;

        let records = parts.take("the node records", u64::from(node_count) * NODE_BYTES as u64)?;
        let (nodes, _) = records.as_chunks();
        let specs = parts.take(
            "the constants' specifications",
            u64::from(constant_count) * SPEC_BYTES as u64,
        )?;
        let constants = (0..)
            .zip(specs.chunks(SPEC_BYTES))
            .map(|(index, spec)| {
                let spec = TensorSpec::decode(spec).map_err(|reason| ModelError::Constant { index, reason })?;
                let data = parts.take("the constants' elements", spec.byte_len())?;
                Ok(Tensor::new(spec, data.to_vec()).expect("as many bytes as the specification says were taken"))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        if !parts.0.is_empty() {
            return Err(ModelError::TrailingBytes { count: parts.0.len() });
        }
        Ok(Self {
            input,
            nodes,
            constants,
        })
    }
}

/// What is left of a file.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, part: &'static str, len: u64) -> Result<&'a [u8], ModelError> {
        let available = self.0.len() as u64;
        if len > available {
            return Err(ModelError::Truncated {
                part,
                missing: len - available,
            });
        }
        let (head, tail) = self.0.split_at(len as usize);
        self.0 = tail;
        Ok(head)
    }

    fn u16(&mut self, part: &'static str) -> Result<u16, ModelError> {
        self.take(part, 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self, part: &'static str) -> Result<u32, ModelError> {
        self.take(part, 4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
