//! Building what the referee checks (`opml::referee` has the layout).

use opml::{
    Hash, Operand,
    ops::{self, Region},
};

use crate::{commit::TensorTree, execute::Execution, model::Model, tensor::Tensor, trace::ClaimedTrace};

/// Why there is no witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    #[error("The model has {node_count} nodes, and node {node} is not one of them.")]
    NoSuchNode { node: u32, node_count: u32 },
    #[error("The output of node {node} has no element {element} in the tile at leaf {tile_leaf}.")]
    NoSuchElement { node: u32, tile_leaf: u32, element: u32 },
}

/// The witness of element `element` of the tile at leaf `tile_leaf` of the output of node `node`. `own` is the challenger's execution, `claimed` the
/// operator's trace, equal to it on all operands of the node.
pub fn build(
    model: &Model,
    own: &Execution,
    claimed: &ClaimedTrace,
    node: u32,
    tile_leaf: u32,
    element: u32,
) -> Result<Vec<u8>, WitnessError> {
    let record = model.nodes().get(node as usize).ok_or(WitnessError::NoSuchNode {
        node,
        node_count: model.header().node_count,
    })?;
    let no_such_element = WitnessError::NoSuchElement {
        node,
        tile_leaf,
        element,
    };
    let flat = record
        .output
        .element_of_leaf(tile_leaf, element)
        .ok_or(no_such_element)?;

    let mut witness = model.header().encode().to_vec();
    put_node(&mut witness, model, node);
    let mut operands: Vec<&Tensor> = Vec::new();
    for operand in &record.operands {
        match *operand {
            Operand::None => break,
            Operand::Input => operands.push(own.input()),
            Operand::Node(index) => {
                put_node(&mut witness, model, index);
                witness.extend(own.roots()[index as usize]);
                put_path(&mut witness, &claimed.path(index));
                operands.push(&own.outputs()[index as usize]);
            }
            Operand::Constant(index) => {
                witness.extend(model.constant_records()[index as usize].encode());
                put_path(&mut witness, &model.weights().path(0, index));
                operands.push(&model.constants()[index as usize]);
            }
        }
    }
    let specs = model.operand_specs(record);
    let operator = ops::operator(record.operator).expect("a model's nodes were validated");
    let mut proven: Vec<&[u8]> = Vec::new();
    for (i, tensor) in operands.iter().enumerate() {
        let region = operator
            .region(record, &specs, i, flat, &proven)
            .expect("the element and the operand exist");
        put_region(&mut witness, tensor, region).expect("operators name regions of their operands");
        proven.push(tensor.region(region).expect("as above"));
    }
    Ok(witness)
}

fn put_node(witness: &mut Vec<u8>, model: &Model, index: u32) {
    witness.extend(model.nodes()[index as usize].encode());
    put_path(witness, &model.graph().path(0, index));
}

/// A row goes in the tiles that hold it.
fn put_region(witness: &mut Vec<u8>, tensor: &Tensor, region: Region) -> Option<()> {
    match region {
        Region::Row(row) => {
            let leaves = tensor.spec().tiles_of_row(row)?;
            witness.extend(tensor.tiles(&leaves)?);
            put_path(witness, &TensorTree::new(tensor).tiles_path(&leaves));
        }
        Region::Tile(leaf) => {
            witness.extend(tensor.tile(leaf)?);
            put_path(witness, &TensorTree::new(tensor).tile_path(leaf));
        }
        Region::Nothing => {}
    }
    Some(())
}

fn put_path(witness: &mut Vec<u8>, path: &[Hash]) {
    witness.extend(path.as_flattened());
}
