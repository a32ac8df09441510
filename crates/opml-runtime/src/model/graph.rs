//! The rules of a graph.

use opml::{
    ARITHMETIC_VERSION, ModelHeader, NodeRecord, Operand, PAD, TensorSpec,
    model::{MAX_CONSTANTS, MAX_NODES, validate_node},
};

use super::{MAX_EXECUTION_BYTES, ModelError};

/// Checks every rule that does not depend on the elements of constants, and returns the header, whose roots are still to come.
pub(crate) fn check(
    input: &TensorSpec,
    nodes: &[NodeRecord],
    constants: &[TensorSpec],
) -> Result<ModelHeader, ModelError> {
    let header = ModelHeader {
        arithmetic_version: ARITHMETIC_VERSION,
        node_count: node_count(nodes.len() as u64)?,
        constant_count: constant_count(constants.len() as u64)?,
        graph_root: PAD,
        weights_root: PAD,
        input: *input,
    };
    let mut needed = 0u64;
    for (index, node) in (0..).zip(nodes) {
        node.check_references(&header, index)
            .and_then(|()| {
                validate_node(
                    node,
                    &operand_specs(node, input, nodes, |constant| constants.get(constant).copied()),
                )
            })
            .map_err(|reason| ModelError::Node { index, reason })?;
        needed = needed.saturating_add(node.output.byte_len());
    }
    if needed > MAX_EXECUTION_BYTES {
        return Err(ModelError::TooMuchMemory { needed });
    }
    Ok(header)
}

/// The number of nodes, when a model may have as many.
pub(super) fn node_count(found: u64) -> Result<u32, ModelError> {
    match u32::try_from(found) {
        Ok(count @ 1..=MAX_NODES) => Ok(count),
        _ => Err(ModelError::NodeCount { found }),
    }
}

/// The number of constants, when a model may have as many.
pub(super) fn constant_count(found: u64) -> Result<u32, ModelError> {
    match u32::try_from(found) {
        Ok(count @ 0..=MAX_CONSTANTS) => Ok(count),
        _ => Err(ModelError::ConstantCount { found }),
    }
}

/// The specifications of a node's operands, in order, up to the first that is not there.
pub(super) fn operand_specs(
    node: &NodeRecord,
    input: &TensorSpec,
    nodes: &[NodeRecord],
    constant: impl Fn(usize) -> Option<TensorSpec>,
) -> Vec<TensorSpec> {
    node.operands
        .iter()
        .map_while(|operand| match operand {
            Operand::None => None,
            Operand::Input => Some(*input),
            Operand::Node(index) => Some(nodes.get(*index as usize)?.output),
            Operand::Constant(index) => constant(*index as usize),
        })
        .collect()
}
