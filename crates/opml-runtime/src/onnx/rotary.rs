//! RotaryEmbedding, of ONNX's default domain and of onnxruntime's: read with the positions along one dimension of its operand and tables of one row a position.

use super::{
    array::{Array, Data, Kind},
    attributes::Attributes,
    error::Reasoned,
    graph::{Constant, Reader, ValueId},
    operator::{Op, Resolved},
    proto,
};

/// Appends the node. Heads that are side by side in the last dimension become a dimension of their own and go back behind it.
pub fn expand(
    reader: &mut Reader,
    node: &proto::Node,
    standard: bool,
    attributes: &Attributes,
    operands: &[Option<ValueId>],
) -> Reasoned<()> {
    let [cos, sin, positions] = if standard { [1, 2, 3] } else { [2, 3, 1] };
    let at = |index: usize| operands.get(index).copied().flatten();
    let get = |index: usize| at(index).ok_or_else(|| format!("operand {index} is missing"));
    if attributes.int("is_packed_batching", 0)? != 0 || attributes.float("scale", 1.0)? != 1.0 {
        return Err("packed batches and scales are not supported".into());
    }
    let x = get(0)?;
    let (shape, kind) = (reader.value(x).shape.clone(), reader.value(x).kind);
    if kind != Kind::Float {
        return Err("its operand is not a float".into());
    }
    let tables = [table(reader, get(cos)?)?, table(reader, get(sin)?)?];
    let half = reader.value(tables[0]).shape[1];
    let interleaved = attributes.int("interleaved", 0)? != 0;
    let (split, axis) = match shape[..] {
        [1, heads, s, d] => (vec![1, heads, s, d], 2),
        [1, s, all] => {
            let d = match attributes.int("num_heads", 0)? {
                0 => 2 * half,
                heads => usize::try_from(heads).map_or(0, |heads| all / heads.max(1)),
            };
            if d == 0 || !all.is_multiple_of(d) {
                return Err(format!("{all} channels are no heads of {d}"));
            }
            (vec![1, s, all / d, d], 1)
        }
        _ => return Err(format!("shape {shape:?} is not one sequence of heads or of rows")),
    };
    let d = split[3];
    if reader.value(tables[1]).shape != reader.value(tables[0]).shape || 2 * half != d {
        return Err(format!("its tables do not turn all of {d} channels"));
    }
    if ![0, d as i64].contains(&attributes.int("rotary_embedding_dim", 0)?) {
        return Err("turning only some of the channels is not supported".into());
    }
    let s = split[axis];
    let positions = match at(positions) {
        Some(id) => positions_of(reader, id, s)?,
        None => reader.add_constant(Array::new(vec![s], Data::Int64((0..s as i64).collect())))?,
    };
    let moved = |op, operands, shape: &[usize]| Resolved {
        op,
        operands,
        shape: shape.to_vec(),
        kind: Kind::Float,
    };
    let name = node.output.first().map_or("", String::as_str);
    let apart = reader.push(
        node,
        "RotaryEmbedding",
        moved(Op::Reshape, 1, &split),
        vec![Some(x)],
        "",
    )?;
    let operands = vec![Some(apart), Some(positions), Some(tables[0]), Some(tables[1])];
    let op = Op::RotaryEmbedding { axis, interleaved };
    let last = if split == shape { name } else { "" };
    let turned = reader.push(node, "RotaryEmbedding", moved(op, 4, &split), operands, last)?;
    if split != shape {
        reader.push(
            node,
            "RotaryEmbedding",
            moved(Op::Reshape, 1, &shape),
            vec![Some(turned)],
            name,
        )?;
    }
    Ok(())
}

/// A constant of cosines or sines as [positions, pairs]; one of [1, positions, pairs] is for positions that follow each other.
fn table(reader: &mut Reader, id: ValueId) -> Reasoned<ValueId> {
    let Some(Constant::Plain(array)) = &reader.value(id).constant else {
        return Err("its cosines and sines must be constant floats".into());
    };
    match array.shape[..] {
        [_, _] if array.kind() == Kind::Float => Ok(id),
        [1, positions, pairs] if array.kind() == Kind::Float => {
            let array = Array::new(vec![positions, pairs], array.data.clone());
            reader.add_constant(array)
        }
        _ => Err(format!("tables of shape {:?} are not supported", array.shape)),
    }
}

/// One position for each of `s` rows. A single constant number is the first row's.
fn positions_of(reader: &mut Reader, id: ValueId, s: usize) -> Reasoned<ValueId> {
    let value = reader.value(id);
    let count: usize = value.shape.iter().product();
    if !matches!(value.kind, Kind::Int32 | Kind::Int64) {
        return Err("its positions are not integers".into());
    }
    match (&value.constant, count) {
        (_, count) if count == s => Ok(id),
        (Some(constant), 1) => {
            let first = constant.to_array().to_integers()?[0];
            let all = (0..s as i64).map(|i| first.saturating_add(i)).collect();
            reader.add_constant(Array::new(vec![s], Data::Int64(all)))
        }
        _ => Err(format!("it has {count} positions for {s} rows")),
    }
}
