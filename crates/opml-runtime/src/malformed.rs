//! Models that break a rule of their arithmetic: finding the node, and showing it to the chain (`opml::malformed` has the layout).

use opml::{
    ARITHMETIC_VERSION, ConstantRecord, Hash, ModelHeader, NodeError, NodeRecord, Operand, TensorSpec,
    malformed::node_fault,
    model::{CONSTANT_BYTES, NODE_BYTES, constant_leaf, graph_leaf},
};

use bytes::Bytes;

use crate::{
    Tensor,
    commit::Tree,
    model::{
        ModelError,
        file::{self, Contents},
    },
};

/// The records that a model root commits to, well-formed or not.
#[derive(Debug, Clone)]
pub struct Records {
    header: ModelHeader,
    nodes: Vec<[u8; NODE_BYTES]>,
    graph: Tree,
    constants: Vec<[u8; CONSTANT_BYTES]>,
    weights: Tree,
}

impl Records {
    /// Commits to these records.
    ///
    /// # Panics
    /// When there are more than `2^32 - 1` of a kind.
    pub fn new(input: TensorSpec, nodes: Vec<[u8; NODE_BYTES]>, constants: Vec<[u8; CONSTANT_BYTES]>) -> Self {
        let graph = Tree::list((0..).zip(&nodes).map(|(i, record)| graph_leaf(i, record)).collect());
        let weights = Tree::list(
            (0..)
                .zip(&constants)
                .map(|(i, record)| constant_leaf(i, record))
                .collect(),
        );
        let header = ModelHeader {
            arithmetic_version: ARITHMETIC_VERSION,
            node_count: nodes.len() as u32,
            constant_count: constants.len() as u32,
            graph_root: graph.root(),
            weights_root: weights.root(),
            input,
        };
        Self {
            header,
            nodes,
            graph,
            constants,
            weights,
        }
    }

    /// Reads the bytes of a model file that need not be a model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let Contents {
            input,
            records,
            constants,
        } = file::read(Bytes::copy_from_slice(bytes))?;
        let record = |constant: &Tensor| {
            ConstantRecord {
                spec: *constant.spec(),
                root: constant.root(),
            }
            .encode()
        };
        Ok(Self::new(
            input,
            records.as_chunks().0.to_vec(),
            constants.iter().map(record).collect(),
        ))
    }

    pub fn header(&self) -> &ModelHeader {
        &self.header
    }

    pub fn model_root(&self) -> Hash {
        self.header.model_root()
    }

    /// The first node that breaks a rule, and which; `None` for a model that keeps all.
    pub fn first_fault(&self) -> Option<(u32, NodeError)> {
        (0..self.header.node_count).find_map(|node| {
            let fault = node_fault(&self.model_root(), node, &self.witness(node)?).ok()??;
            Some((node, fault))
        })
    }

    /// What shows node `node` to the chain, up to the record with which it turns out malformed; `None` when the model has no such node.
    pub fn witness(&self, node: u32) -> Option<Vec<u8>> {
        let mut witness = self.header.encode().to_vec();
        self.put_node(&mut witness, node)?;
        let record = NodeRecord::decode(self.nodes.get(node as usize)?);
        let Ok(record) = record.and_then(|record| record.check_references(&self.header, node).map(|()| record)) else {
            return Some(witness);
        };
        for operand in &record.operands {
            let readable = match *operand {
                Operand::None => break,
                Operand::Input => true,
                Operand::Node(index) => {
                    self.put_node(&mut witness, index)?;
                    NodeRecord::decode(self.nodes.get(index as usize)?).is_ok()
                }
                Operand::Constant(index) => {
                    let constant = self.constants.get(index as usize)?;
                    witness.extend(constant);
                    witness.extend(self.weights.path(0, index).as_flattened());
                    ConstantRecord::decode(constant).is_ok()
                }
            };
            if !readable {
                break;
            }
        }
        Some(witness)
    }

    fn put_node(&self, witness: &mut Vec<u8>, node: u32) -> Option<()> {
        witness.extend(self.nodes.get(node as usize)?);
        witness.extend(self.graph.path(0, node).as_flattened());
        Some(())
    }
}
