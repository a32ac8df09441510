//! Models: a graph with its constants and their commitments.
//!
//! [`Model::open`] maps a file ([`file`] has its format): constants stay where they are in it, so that a model takes hardly any memory of its own, whatever its size.

mod error;
pub(crate) mod file;
pub(crate) mod graph;
mod mapped;

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
pub use error::ModelError;
pub(crate) use file::{FileWriter, replace_file};
use mapped::MappedFile;
use opml::{ConstantRecord, Hash, ModelHeader, NodeRecord, TensorSpec, model::NODE_BYTES};
use rayon::prelude::*;

use crate::{
    commit::Tree,
    progress::{Progress, Stage},
    tensor::Tensor,
};

/// Bytes that all outputs of one execution may take together, so that a small file cannot ask for all of a machine's memory. Weights do not count.
pub const MAX_EXECUTION_BYTES: u64 = 1 << 32;

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
    file: Option<Arc<MappedFile>>,
}

impl Model {
    /// Checks the graph and computes its commitment.
    pub fn new(input: TensorSpec, nodes: Vec<NodeRecord>, constants: Vec<Tensor>) -> Result<Self, ModelError> {
        Self::with_progress(input, nodes, constants, &())
    }

    fn with_progress(
        input: TensorSpec,
        nodes: Vec<NodeRecord>,
        constants: Vec<Tensor>,
        progress: &dyn Progress,
    ) -> Result<Self, ModelError> {
        let specs: Vec<TensorSpec> = constants.iter().map(|constant| *constant.spec()).collect();
        let header = graph::check(&input, &nodes, &specs)?;
        let constant_records = commit(&constants, progress);
        let weights = Tree::list(
            (0..)
                .zip(&constant_records)
                .map(|(index, record)| record.leaf(index))
                .collect(),
        );
        let graph = Tree::list((0..).zip(&nodes).map(|(index, node)| node.leaf(index)).collect());
        let header = ModelHeader {
            graph_root: graph.root(),
            weights_root: weights.root(),
            ..header
        };
        Ok(Self {
            model_root: header.model_root(),
            header,
            nodes,
            graph,
            constants,
            constant_records,
            weights,
            file: None,
        })
    }

    /// Opens a model file. Its constants are not read into memory but mapped, and hashed on all cores. The file must not be changed while the model, or
    /// a [`Plan`](crate::fast::Plan) of it, is in use: replace it, see [`Model::ensure_unchanged`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::open_with_progress(path, &())
    }

    /// [`Model::open`], with somebody to be told how far the hashing is.
    pub fn open_with_progress(path: impl AsRef<Path>, progress: &dyn Progress) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let (bytes, file) = MappedFile::open(path).map_err(|source| ModelError::Unreadable {
            path: path.to_path_buf(),
            source,
        })?;
        let mut model = Self::read(bytes, progress)?;
        model.file = file.map(Arc::new);
        Ok(model)
    }

    /// Reads the bytes of a model file, of which it keeps a copy.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::read(Bytes::copy_from_slice(bytes), &())
    }

    /// Reads the bytes of a model file and keeps them.
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self, ModelError> {
        Self::read(bytes.into(), &())
    }

    fn read(bytes: Bytes, progress: &dyn Progress) -> Result<Self, ModelError> {
        let file::Contents {
            input,
            records,
            constants,
        } = file::read(bytes)?;
        let nodes = (0..)
            .zip(records.chunks(NODE_BYTES))
            .map(|(index, record)| NodeRecord::decode(record).map_err(|reason| ModelError::Node { index, reason }))
            .collect::<Result<Vec<_>, _>>()?;
        Self::with_progress(input, nodes, constants, progress)
    }

    /// An error when somebody has written to the model's file since it was opened: the weights may then be others than those that the model root was computed from.
    /// Ask after computing and before relying on the result. That a file was replaced by name, or deleted, does no harm.
    pub fn ensure_unchanged(&self) -> Result<(), ModelError> {
        let Some(file) = &self.file else { return Ok(()) };
        let path = || file.path().to_path_buf();
        match file.is_unchanged() {
            Ok(true) => Ok(()),
            Ok(false) => Err(ModelError::Changed { path: path() }),
            Err(source) => Err(ModelError::Unreadable { path: path(), source }),
        }
    }

    /// Writes the model's file, which replaces a file of that name only when it is complete. Returns its length in bytes.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<u64> {
        replace_file(path.as_ref(), |out| self.write_to(out))
    }

    /// Writes the bytes of the model's file. Returns how many.
    pub fn write_to(&self, out: impl Write) -> io::Result<u64> {
        let specs = self.constants.iter().map(|constant| *constant.spec());
        let mut writer = FileWriter::new(out, &self.header.input, &self.nodes, specs)?;
        for constant in &self.constants {
            writer.begin_constant()?;
            writer.put(constant.bytes())?;
        }
        writer.finish()
    }

    /// The bytes of the model's file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("memory can be written to");
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
        graph::operand_specs(node, &self.header.input, &self.nodes, |index| {
            self.constants.get(index).map(|constant| *constant.spec())
        })
    }
}

/// The records of all constants, hashed on all cores.
fn commit(constants: &[Tensor], progress: &dyn Progress) -> Vec<ConstantRecord> {
    let bytes = |constant: &Tensor| constant.spec().byte_len();
    progress.begin(Stage::Commit, constants.iter().map(bytes).sum());
    constants
        .par_iter()
        .map(|constant| {
            let record = ConstantRecord {
                spec: *constant.spec(),
                root: constant.root(),
            };
            progress.advance(bytes(constant));
            record
        })
        .collect()
}
