//! The judge of one output element of one node.
//!
//! A **witness** is everything that the element depends on, proven against roots that are on chain already. It has no lengths of its own: each part's
//! length follows from what came before, and bytes left over are refused.
//!
//! | part | bytes |
//! | --- | --- |
//! | model header, whose hash is the claim's `model_root` | 92 |
//! | the node's record, path in the graph tree | 128 + 32 x `ceil_log2(node_count)` |
//! | for each operand, where it comes from: | |
//! | - the input: nothing (specification from the header, root from the claim) | 0 |
//! | - a node: its record, path in the graph; its output's root, path in the trace | 128 + 32 + 64 x `ceil_log2(node_count)` |
//! | - a constant: its record, path in the weights tree | 50 + 32 x `ceil_log2(constant_count)` |
//! | for each operand, the part that [`ops::Operator::region`] names: | |
//! | - a row: the tiles that hold it, the path beside them | whole tiles + 32 x [`Layout::range_path_len`] |
//! | - a tile: its elements, path from the leaf | at most 512 + 32 x `depth` |
//! | - nothing | 0 |
//!
//! When a record that is proven to be in the model turns out malformed, the witness ends there: nothing after it can be interpreted.

use crate::{
    bytes::Reader,
    claim::{Claim, trace_leaf},
    hash::{HASH_BYTES, Hash},
    merkle::Layout,
    model::{
        ConstantRecord, HEADER_BYTES, MAX_OPERANDS, ModelHeader, NODE_BYTES, NodeError, NodeRecord, Operand,
        constant_leaf, graph_leaf, model_root, validate_node,
    },
    ops::{self, Region},
    tensor::TensorSpec,
};

/// What the referee found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The element is what the operator makes of its operands.
    Correct,
    /// It is not: fraud.
    Wrong { expected: i32, found: i32 },
    /// The model breaks a rule of its arithmetic. Operators validate before they serve, so a claim on such a model is fraud.
    MalformedModel(NodeError),
}

/// Why a witness proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefereeError {
    /// The witness ends before its last part.
    Truncated,
    /// Bytes are left over.
    TrailingBytes,
    /// The header is not the one of the model root, or not a valid one.
    Header,
    /// The node index is not below the model's node count.
    NodeOutOfRange,
    /// The record is not that node of the graph.
    Node,
    /// An operand's record, or the root of its output, is not the one committed.
    Operand { operand: u8 },
    /// An operand's bytes are not the part of it that the element depends on.
    Region { operand: u8 },
    /// The output has no such tile, or the tile's bytes are not exactly as many as it has.
    Tile,
    /// The tile has no such element.
    ElementOutOfRange,
}

/// What a proven record says about the output of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeSpec {
    /// The output's specification, from which the geometry of its tree follows. The node may still break a rule that depends on its operands, which
    /// [`check`] finds.
    Output(TensorSpec),
    /// The record is malformed: the same fraud as [`Verdict::MalformedModel`].
    Malformed(NodeError),
}

/// What node `node_index` of the model puts out, shown by the encoded header, the node's record and its path in the graph tree.
pub fn node_spec(
    expected_model_root: &Hash,
    header: &[u8],
    node_index: u32,
    record: &[u8],
    path: &[u8],
) -> Result<NodeSpec, RefereeError> {
    let header = authentic_header(expected_model_root, header)?;
    let record = record.try_into().map_err(|_| RefereeError::Node)?;
    if node_index >= header.node_count {
        return Err(RefereeError::NodeOutOfRange);
    }
    if header
        .graph_layout()
        .root_from(node_index, &graph_leaf(node_index, record), path)
        != Some(header.graph_root)
    {
        return Err(RefereeError::Node);
    }
    let node = NodeRecord::decode(record).and_then(|node| node.check_references(&header, node_index).map(|()| node));
    Ok(match node {
        Ok(node) => NodeSpec::Output(node.output),
        Err(error) => NodeSpec::Malformed(error),
    })
}

/// Recomputes element `element` of the tile at leaf `tile_leaf` of the output of node `node_index`.
///
/// `trace_root` is the operator's commitment to every node's output; `tile` is the bytes of the tile that the operator revealed, which the caller
/// has checked against that commitment. Everything else is proven by the witness.
pub fn check(
    claim: &Claim,
    trace_root: &Hash,
    node_index: u32,
    tile_leaf: u32,
    tile: &[u8],
    element: u32,
    witness: &[u8],
) -> Result<Verdict, RefereeError> {
    let mut reader = Reader::new(witness);
    let verdict = match judge(&mut reader, claim, trace_root, node_index, tile_leaf, tile, element) {
        Ok(verdict) => verdict,
        Err(Stop::Malformed(error)) => Verdict::MalformedModel(error),
        Err(Stop::Refused(error)) => return Err(error),
    };
    if !reader.is_empty() {
        return Err(RefereeError::TrailingBytes);
    }
    Ok(verdict)
}

/// Why judging ended before the element was computed.
pub(crate) enum Stop {
    Refused(RefereeError),
    Malformed(NodeError),
}

impl From<RefereeError> for Stop {
    fn from(error: RefereeError) -> Self {
        Self::Refused(error)
    }
}

impl From<NodeError> for Stop {
    fn from(error: NodeError) -> Self {
        Self::Malformed(error)
    }
}

/// An operand as the witness proves it.
#[derive(Clone, Copy)]
struct Source {
    spec: TensorSpec,
    root: Hash,
}

fn judge(
    reader: &mut Reader,
    claim: &Claim,
    trace_root: &Hash,
    node_index: u32,
    tile_leaf: u32,
    tile: &[u8],
    element: u32,
) -> Result<Verdict, Stop> {
    let header = authentic_header(
        &claim.model_root,
        reader.take(HEADER_BYTES).ok_or(RefereeError::Truncated)?,
    )?;
    let node = read_node(reader, &header, node_index, RefereeError::Node)?;
    node.check_references(&header, node_index)?;

    let count = node.operand_count();
    let mut specs = [header.input; MAX_OPERANDS];
    let mut roots = [claim.input_root; MAX_OPERANDS];
    for (i, ((spec, root), operand)) in specs
        .iter_mut()
        .zip(&mut roots)
        .zip(&node.operands)
        .take(count)
        .enumerate()
    {
        let source = read_source(reader, &header, claim, trace_root, *operand, i as u8)?;
        *spec = source.spec;
        *root = source.root;
    }
    let specs = specs.get(..count).ok_or(RefereeError::Truncated)?;
    validate_node(&node, specs)?;
    let operator = ops::operator(node.operator).ok_or(NodeError::UnknownOperator(node.operator))?;

    let place = node.output.tile_range(tile_leaf).ok_or(RefereeError::Tile)?;
    if tile.len() != place.len() {
        return Err(RefereeError::Tile.into());
    }
    let flat = node
        .output
        .element_of_leaf(tile_leaf, element)
        .ok_or(RefereeError::ElementOutOfRange)?;
    let offset = element as usize * node.output.element().size() as usize;
    let found = node
        .output
        .element()
        .read(tile, offset)
        .ok_or(RefereeError::ElementOutOfRange)?;

    let mut regions: [&[u8]; MAX_OPERANDS] = [&[]; MAX_OPERANDS];
    for (i, (spec, root)) in specs.iter().zip(&roots).enumerate() {
        let wrong = RefereeError::Region { operand: i as u8 };
        let (proven, unproven) = regions.split_at_mut_checked(i).ok_or(wrong)?;
        let place = operator.region(&node, specs, i, flat, proven).ok_or(wrong)?;
        *unproven.first_mut().ok_or(wrong)? = read_region(reader, spec, root, place, wrong)?;
    }
    let regions = regions.get(..count).ok_or(RefereeError::Truncated)?;
    let expected = ops::element(operator, &node, specs, regions, flat).ok_or(RefereeError::ElementOutOfRange)?;
    Ok(if expected == found {
        Verdict::Correct
    } else {
        Verdict::Wrong { expected, found }
    })
}

pub(crate) fn authentic_header(expected_model_root: &Hash, header: &[u8]) -> Result<ModelHeader, RefereeError> {
    let bytes = header.try_into().map_err(|_| RefereeError::Header)?;
    if model_root(bytes) != *expected_model_root {
        return Err(RefereeError::Header);
    }
    ModelHeader::decode(bytes).map_err(|_| RefereeError::Header)
}

/// Reads a path of `layout` and checks that it leads from a leaf to `root`.
fn read_path(
    reader: &mut Reader,
    layout: Layout,
    index: u32,
    leaf: &Hash,
    root: &Hash,
    wrong: RefereeError,
) -> Result<(), RefereeError> {
    let path = reader
        .take(usize::from(layout.depth()) * HASH_BYTES)
        .ok_or(RefereeError::Truncated)?;
    if layout.root_from(index, leaf, path).as_ref() == Some(root) {
        Ok(())
    } else {
        Err(wrong)
    }
}

pub(crate) fn read_node(
    reader: &mut Reader,
    header: &ModelHeader,
    index: u32,
    wrong: RefereeError,
) -> Result<NodeRecord, Stop> {
    if index >= header.node_count {
        return Err(RefereeError::NodeOutOfRange.into());
    }
    let record = reader.array::<NODE_BYTES>().ok_or(RefereeError::Truncated)?;
    read_path(
        reader,
        header.graph_layout(),
        index,
        &graph_leaf(index, record),
        &header.graph_root,
        wrong,
    )?;
    Ok(NodeRecord::decode(record)?)
}

fn read_source(
    reader: &mut Reader,
    header: &ModelHeader,
    claim: &Claim,
    trace_root: &Hash,
    operand: Operand,
    position: u8,
) -> Result<Source, Stop> {
    let wrong = RefereeError::Operand { operand: position };
    match operand {
        Operand::None => Err(wrong.into()),
        Operand::Input => Ok(Source {
            spec: header.input,
            root: claim.input_root,
        }),
        Operand::Node(index) => {
            let node = read_node(reader, header, index, wrong)?;
            let root = *reader.array::<HASH_BYTES>().ok_or(RefereeError::Truncated)?;
            read_path(
                reader,
                header.graph_layout(),
                index,
                &trace_leaf(index, &root),
                trace_root,
                wrong,
            )?;
            Ok(Source {
                spec: node.output,
                root,
            })
        }
        Operand::Constant(index) => {
            let ConstantRecord { spec, root } = read_constant(reader, header, index, wrong)?;
            Ok(Source { spec, root })
        }
    }
}

pub(crate) fn read_constant(
    reader: &mut Reader,
    header: &ModelHeader,
    index: u32,
    wrong: RefereeError,
) -> Result<ConstantRecord, Stop> {
    let record = reader.array().ok_or(RefereeError::Truncated)?;
    read_path(
        reader,
        header.weights_layout(),
        index,
        &constant_leaf(index, record),
        &header.weights_root,
        wrong,
    )?;
    Ok(ConstantRecord::decode(record)?)
}

/// Reads a part of an operand with its path. A row comes in its tiles, of which it is then cut out.
fn read_region<'a>(
    reader: &mut Reader<'a>,
    spec: &TensorSpec,
    root: &Hash,
    region: Region,
    wrong: RefereeError,
) -> Result<&'a [u8], RefereeError> {
    let (proven, bytes) = match region {
        Region::Row(row) => {
            let leaves = spec.tiles_of_row(row).ok_or(wrong)?;
            let place = spec.tiles_range(&leaves).ok_or(wrong)?;
            let (tiles, path) = read_part(reader, place.len(), spec.layout().range_path_len(&leaves))?;
            let row = spec.row_in_tiles(row, tiles).ok_or(wrong)?;
            (spec.verify_tiles(root, &leaves, tiles, path), row)
        }
        Region::Tile(leaf) => {
            let place = spec.tile_range(leaf).ok_or(wrong)?;
            let (tile, path) = read_part(reader, place.len(), spec.depth().into())?;
            (spec.verify_tile(root, leaf, tile, path), tile)
        }
        Region::Nothing => (true, &[][..]),
    };
    if proven { Ok(bytes) } else { Err(wrong) }
}

/// Elements, and the hashes that prove them.
fn read_part<'a>(reader: &mut Reader<'a>, len: usize, hashes: usize) -> Result<(&'a [u8], &'a [u8]), RefereeError> {
    let bytes = reader.take(len).ok_or(RefereeError::Truncated)?;
    let path = reader.take(hashes * HASH_BYTES).ok_or(RefereeError::Truncated)?;
    Ok((bytes, path))
}
