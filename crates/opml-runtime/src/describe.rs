//! Sentences for the enums of `opml`, which has no strings.

use opml::{ElementType, NodeError, TensorError, TensorSpec, ops};

pub(crate) fn tensor_error(error: TensorError) -> &'static str {
    match error {
        TensorError::UnknownElementType => "its element type is unknown; 1 is int8 and 2 is int32",
        TensorError::Rank => "it must have 1 to 4 dimensions",
        TensorError::Dimension => "each dimension must be 1 to 16,777,216",
        TensorError::UnusedDimension => "dimensions beyond its rank must be 0",
        TensorError::TooLarge => "it has more than 2,147,483,648 elements",
        TensorError::Length => "its specification is not 18 bytes long",
        TensorError::OutOfRange => "it has no such tile, row or element",
        TensorError::NotCanonical => "the bytes of a tile or row are not exactly those that it uses",
    }
}

pub(crate) fn node_error(error: NodeError) -> String {
    match error {
        NodeError::Record => "the record's operand count, operand kinds or reserved bytes are not canonical".into(),
        NodeError::Output(error) => format!("its output is not a tensor: {}", tensor_error(error)),
        NodeError::Constant(error) => format!("a constant of it is not a tensor: {}", tensor_error(error)),
        NodeError::Reference { operand } => {
            format!(
                "operand {operand} is a node that does not come before it, or a constant that the model does not have"
            )
        }
        NodeError::UnknownOperator(number) => format!("no operator has the number {number}"),
        NodeError::OperandCount => "its operator takes another number of operands".into(),
        NodeError::Operand { operand } => format!("the type or shape of operand {operand} does not fit its operator"),
        NodeError::OutputSpec => "its output's type or shape is not what its operator makes of the operands".into(),
        NodeError::Attribute => "an attribute is out of range or an unused attribute byte is not zero".into(),
        NodeError::ReductionTooLong => {
            format!(
                "it reduces more than {} elements into one; split the reduction",
                ops::MAX_REDUCTION
            )
        }
    }
}

/// A specification as people write it: `int8 [1, 64]`.
pub(crate) fn spec(spec: &TensorSpec) -> String {
    let element = match spec.element() {
        ElementType::Int8 => "int8",
        ElementType::Int32 => "int32",
    };
    format!("{element} {:?}", spec.shape())
}
