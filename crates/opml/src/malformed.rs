//! A malformed node, shown by records of the model alone.
//!
//! The witness is the one of the [`referee`](crate::referee) without everything that belongs to one claim: no outputs, no trace, no elements.
//!
//! | part | bytes |
//! | --- | --- |
//! | model header, whose hash is the model root | 92 |
//! | the node's record, path in the graph tree | 128 + 32 x `ceil_log2(node_count)` |
//! | for each operand, where it comes from: | |
//! | - the input: nothing | 0 |
//! | - a node: its record, path in the graph | 128 + 32 x `ceil_log2(node_count)` |
//! | - a constant: its record, path in the weights tree | 50 + 32 x `ceil_log2(constant_count)` |
//!
//! It ends behind the record with which the model turns out malformed, and bytes left over are refused.

use crate::{
    bytes::Reader,
    hash::Hash,
    model::{HEADER_BYTES, MAX_OPERANDS, ModelHeader, NodeError, Operand, validate_node},
    referee::{RefereeError, Stop, authentic_header, read_constant, read_node},
    tensor::TensorSpec,
};

/// Which rule of its arithmetic node `node_index` of the model breaks; `None` for a well-formed one. A node breaks a rule, too, when a record that it takes
/// an operand from cannot be read.
pub fn node_fault(
    expected_model_root: &Hash,
    node_index: u32,
    witness: &[u8],
) -> Result<Option<NodeError>, RefereeError> {
    let mut reader = Reader::new(witness);
    let fault = match validate(&mut reader, expected_model_root, node_index) {
        Ok(()) => None,
        Err(Stop::Malformed(error)) => Some(error),
        Err(Stop::Refused(error)) => return Err(error),
    };
    if !reader.is_empty() {
        return Err(RefereeError::TrailingBytes);
    }
    Ok(fault)
}

/// Reads and checks in the order of the referee, so that both find the same fault.
fn validate(reader: &mut Reader, expected_model_root: &Hash, node_index: u32) -> Result<(), Stop> {
    let header = reader.take(HEADER_BYTES).ok_or(RefereeError::Truncated)?;
    let header = authentic_header(expected_model_root, header)?;
    let node = read_node(reader, &header, node_index, RefereeError::Node)?;
    node.check_references(&header, node_index)?;
    let count = node.operand_count();
    let mut specs = [header.input; MAX_OPERANDS];
    for (i, (spec, operand)) in specs.iter_mut().zip(&node.operands).take(count).enumerate() {
        *spec = read_spec(reader, &header, *operand, i as u8)?;
    }
    validate_node(&node, specs.get(..count).ok_or(RefereeError::Truncated)?)?;
    Ok(())
}

fn read_spec(reader: &mut Reader, header: &ModelHeader, operand: Operand, position: u8) -> Result<TensorSpec, Stop> {
    let wrong = RefereeError::Operand { operand: position };
    match operand {
        Operand::None => Err(wrong.into()),
        Operand::Input => Ok(header.input),
        Operand::Node(index) => Ok(read_node(reader, header, index, wrong)?.output),
        Operand::Constant(index) => Ok(read_constant(reader, header, index, wrong)?.spec),
    }
}
