//! Operators that only move elements, and the order of dimensions.

use std::rc::Rc;

use opml::{ops::PadAttributes, tensor::MAX_RANK};

use super::{
    Content, Deferred, Lowered, Lowering, MAX_DEPTH, Part, Real, Scale, Stored, Work, extended, linear::CHANNELS_LAST,
};
use crate::{
    onnx::{
        array::{places, strides},
        error::Reasoned,
        graph::{Constant, Node},
        operator::{Op, Window},
    },
    tensor::Tensor,
};

/// Elements to which a constant is repeated at most, where the operator cannot repeat it.
const MAX_REPEATED: usize = 1 << 20;

impl Lowering<'_> {
    /// With its dimensions in this order.
    pub fn ordered(&mut self, stored: &Stored, order: &[usize]) -> Reasoned<Stored> {
        if stored.order == order {
            return Ok(stored.clone());
        }
        let moved = Stored {
            order: order.to_vec(),
            ..stored.clone()
        };
        // Dimensions of 1 can be anywhere.
        let long = |stored: &Stored| -> Vec<usize> {
            stored
                .order
                .iter()
                .copied()
                .filter(|dimension| stored.shape[*dimension] != 1)
                .collect()
        };
        if long(stored) == long(&moved) {
            return self.shaped(moved);
        }
        let permutation: Vec<u8> = order
            .iter()
            .filter_map(|dimension| stored.order.iter().position(|other| other == dimension))
            .map(|place| place as u8)
            .collect();
        let operand = self
            .emitter
            .emit(|builder| builder.transpose(stored.operand, &permutation))?;
        Ok(Stored { operand, ..moved })
    }

    /// As the graph has it.
    pub fn in_graph_order(&mut self, stored: &Stored) -> Reasoned<Stored> {
        let order: Vec<usize> = (0..stored.shape.len()).collect();
        self.ordered(stored, &order)
    }

    /// The same elements under the shape that `stored` has.
    pub fn shaped(&mut self, stored: Stored) -> Reasoned<Stored> {
        let wanted = self.emitter.dims(&stored.dims())?;
        if self.emitter.dims_of(stored.operand)? == wanted {
            return Ok(stored);
        }
        let operand = self.emitter.emit(|builder| builder.reshape(stored.operand, &wanted))?;
        Ok(Stored { operand, ..stored })
    }

    /// With dimensions of 1 put in front.
    pub fn with_rank(&mut self, stored: &Stored, rank: usize) -> Reasoned<Stored> {
        let missing = rank - stored.shape.len();
        if missing == 0 {
            return Ok(stored.clone());
        }
        self.shaped(Stored {
            operand: stored.operand,
            shape: [vec![1; missing], stored.shape.clone()].concat(),
            order: (0..missing)
                .chain(stored.order.iter().map(|dimension| dimension + missing))
                .collect(),
        })
    }

    /// An operator that takes its operand's scale over, be it a float or not.
    pub fn move_elements(&mut self, index: usize, node: &Node) -> Reasoned<Lowered> {
        Ok(match self.value(node, 0)? {
            Lowered::Bytes(stored) => Lowered::Bytes(self.moved(node, &stored, None)?),
            Lowered::Words(stored) if !matches!(node.op, Op::MaxPool(_)) => {
                Lowered::Words(self.moved(node, &stored, None)?)
            }
            Lowered::Real(Real { stored, scale }) => Lowered::Real(Real {
                stored: self.moved(node, &stored, Some(scale))?,
                scale,
            }),
            Lowered::Deferred(deferred)
                if matches!(
                    node.op,
                    Op::Reshape | Op::Transpose { .. } | Op::Slice { .. } | Op::Gather { .. }
                ) =>
            {
                let moves = extended(deferred.moves.clone(), &[], index)?;
                Lowered::Deferred(Deferred { moves, ..deferred })
            }
            // A function of a tensor is one of its elements elsewhere, but its table must be made first.
            Lowered::Function { .. } => {
                let Real { stored, scale } = self.real(node, 0)?;
                Lowered::Real(Real {
                    stored: self.moved(node, &stored, Some(scale))?,
                    scale,
                })
            }
            lowered => return Err(self.not_quantised(&lowered, 0)),
        })
    }

    pub fn moved(&mut self, node: &Node, x: &Stored, scale: Option<Scale>) -> Reasoned<Stored> {
        let shape = self.graph.values[node.result].shape.clone();
        match &node.op {
            Op::Reshape if shape == x.shape => Ok(x.clone()),
            Op::Reshape if let Some(moved) = with_other_ones(x, &shape) => self.shaped(moved),
            Op::Reshape => {
                let x = self.in_graph_order(x)?;
                if shape.is_empty() {
                    return Err("a scalar is not supported".into());
                }
                self.shaped(Stored::new(x.operand, &shape))
            }
            Op::Transpose { permutation } => {
                let order = x
                    .order
                    .iter()
                    .filter_map(|dimension| permutation.iter().position(|from| from == dimension))
                    .collect();
                Ok(Stored {
                    operand: x.operand,
                    shape,
                    order,
                })
            }
            Op::Slice { .. } if shape == x.shape => Ok(x.clone()),
            Op::Slice { starts, steps } if steps.iter().any(|step| *step > 1) => self.strided(x, starts, steps, &shape),
            Op::Slice { starts, .. } => {
                let moved = Stored { shape, ..x.clone() };
                let starts: Vec<usize> = x.order.iter().map(|dimension| starts[*dimension]).collect();
                let (starts, dims) = (self.emitter.dims(&starts)?, self.emitter.dims(&moved.dims())?);
                let operand = self.emitter.emit(|builder| builder.slice(x.operand, &starts, &dims))?;
                Ok(Stored { operand, ..moved })
            }
            Op::Pad { before, value } => {
                let moved = Stored { shape, ..x.clone() };
                let mut all = [0; MAX_RANK];
                for (to, dimension) in all.iter_mut().zip(&x.order) {
                    *to = u32::try_from(before[*dimension]).map_err(|_| "a pad is too large")?;
                }
                let value = scale.map_or(*value as i32, |scale| scale.nearest(*value).into());
                let dims = self.emitter.dims(&moved.dims())?;
                let attributes = PadAttributes { before: all, value };
                let operand = self.emitter.emit(|builder| builder.pad(x.operand, &dims, attributes))?;
                Ok(Stored { operand, ..moved })
            }
            Op::MaxPool(window) => self.max_pool(x, window, shape),
            Op::Gather { axis } => self.gathered(node, *axis, x, &shape),
            _ => Err("it does not only move elements".into()),
        }
    }

    /// A slice in steps: for each dimension that has them, whole steps of it and one element of each.
    fn strided(&mut self, x: &Stored, starts: &[usize], steps: &[usize], shape: &[usize]) -> Reasoned<Stored> {
        let mut stored = x.clone();
        for place in 0..x.order.len() {
            let dimension = x.order[place];
            let (start, step, count) = (starts[dimension], steps[dimension], shape[dimension]);
            let length = stored.shape[dimension];
            if (start, count) == (0, length) {
                continue;
            }
            // The last step may be cut short: then the steps begin earlier, and another element of each is taken, or the dimension is made longer.
            let missing = (start + count * step).saturating_sub(length);
            let (begin, offset, longer) = match missing <= start {
                true => (start - missing, missing, 0),
                false => (start, 0, missing),
            };
            if longer > 0 {
                stored.shape[dimension] += longer;
                let dims = self.emitter.dims(&stored.dims())?;
                let attributes = PadAttributes {
                    before: [0; MAX_RANK],
                    value: 0,
                };
                stored.operand = self
                    .emitter
                    .emit(|builder| builder.pad(stored.operand, &dims, attributes))?;
            }
            let dims = stored.dims();
            let mut starts = vec![0; dims.len()];
            starts[place] = begin;
            stored.shape[dimension] = count * step;
            let (starts, boxed) = (self.emitter.dims(&starts)?, self.emitter.dims(&stored.dims())?);
            if stored.dims() != dims {
                stored.operand = self
                    .emitter
                    .emit(|builder| builder.slice(stored.operand, &starts, &boxed))?;
            }
            stored.shape[dimension] = count;
            if step > 1 {
                let (outer, inner) = (dims[..place].iter().product(), dims[place + 1..].iter().product());
                let apart = self.emitter.dims(&[outer, count, step, inner])?;
                let one = self.emitter.dims(&[outer, count, 1, inner])?;
                let offset = self.emitter.dims(&[0, 0, offset, 0])?;
                let operand = self.emitter.emit(|builder| builder.reshape(stored.operand, &apart))?;
                stored.operand = self.emitter.emit(|builder| builder.slice(operand, &offset, &one))?;
                stored = self.shaped(stored)?;
            }
        }
        Ok(stored)
    }

    fn max_pool(&mut self, x: &Stored, window: &Window, shape: Vec<usize>) -> Reasoned<Stored> {
        let [_, channels, _, _] = x.shape[..] else {
            return Err("its operand is no image".into());
        };
        super::linear::check_reduction(window.kernel[0] * window.kernel[1])?;
        let image = self.ordered(x, &CHANNELS_LAST)?;
        let windows = self.patches(&image, window, channels, i8::MIN)?;
        let operand = self.emitter.emit(|builder| builder.reduce_max(windows))?;
        self.shaped(Stored {
            operand,
            shape,
            order: CHANNELS_LAST.to_vec(),
        })
    }

    /// Rows of a constant table or of a tensor by indices, or one place of a tensor by a constant index.
    pub fn gather(&mut self, index: usize, node: &Node, axis: usize) -> Reasoned<Lowered> {
        let (table, shape) = (self.operand(node, 0)?, &self.graph.values[node.result].shape);
        let Some(constant) = self.graph.constant(table) else {
            return self.move_elements(index, node);
        };
        let [rows, cols] = self.graph.values[table].shape[..] else {
            return Err("its table is no matrix".into());
        };
        if axis != 0 {
            return Err("only rows of a table can be gathered".into());
        }
        let Lowered::Words(indices) = self.value(node, 1)? else {
            return Err("its indices are not int32 or int64".into());
        };
        let indices = self.in_graph_order(&indices)?;
        let (values, scale) = quantised(constant).ok_or("its table is not quantised with one scale")?;
        let dims = self.emitter.dims(&[rows, cols])?;
        let table = Tensor::from_i8(&dims, &values).map_err(|error| error.to_string())?;
        let table = self.emitter.constant(table);
        let operand = self.emitter.emit(|builder| builder.gather(indices.operand, table))?;
        let stored = self.shaped(Stored::new(operand, shape))?;
        Ok(match scale {
            Some(scale) => Lowered::Real(Real { stored, scale }),
            None => Lowered::Bytes(stored),
        })
    }

    /// Places of a tensor along a dimension: one by a constant index, or those that integers of the input name.
    fn gathered(&mut self, node: &Node, axis: usize, x: &Stored, shape: &[usize]) -> Reasoned<Stored> {
        if shape.is_empty() {
            return Err("a scalar is not supported".into());
        }
        let id = self.operand(node, 1)?;
        let Some(constant) = self.graph.constant(id) else {
            return self.gathered_rows(node, axis, x, shape);
        };
        let index = match constant.to_array().to_integers()?.as_slice() {
            [index] => *index,
            _ => return Err("only one constant index is supported".into()),
        };
        let length = x.shape[axis];
        let start = crate::onnx::operator::normal_axis(index, length)
            .map_err(|_| format!("index {index} is outside of {length}"))?;
        let mut one = x.clone();
        one.shape[axis] = 1;
        let starts: Vec<usize> = x.order.iter().map(|i| if *i == axis { start } else { 0 }).collect();
        let (starts, dims) = (self.emitter.dims(&starts)?, self.emitter.dims(&one.dims())?);
        one.operand = self.emitter.emit(|builder| builder.slice(x.operand, &starts, &dims))?;
        let one = self.in_graph_order(&one)?;
        self.shaped(Stored::new(one.operand, shape))
    }

    fn gathered_rows(&mut self, node: &Node, axis: usize, x: &Stored, shape: &[usize]) -> Reasoned<Stored> {
        let Lowered::Words(indices) = self.value(node, 1)? else {
            return Err("its indices are no integers of the input".into());
        };
        if x.shape[..axis].iter().any(|length| *length != 1) {
            return Err("rows can be gathered along the first dimension that is longer than 1 only".into());
        }
        let others = (0..x.shape.len()).filter(|dimension| *dimension != axis);
        let order: Vec<usize> = [axis].into_iter().chain(others).collect();
        let rows = self.ordered(x, &order)?;
        let count = x.shape.iter().product::<usize>() / x.shape[axis];
        let table = self.shaped(Stored::new(rows.operand, &[x.shape[axis], count]))?;
        let chosen = indices.shape.iter().product();
        let indices = self.in_graph_order(&indices)?;
        let indices = self.shaped(Stored::new(indices.operand, &[chosen]))?;
        let operand = self
            .emitter
            .emit(|builder| builder.gather(indices.operand, table.operand))?;
        self.shaped(Stored::new(operand, shape))
    }

    /// Integers that follow from others by a table.
    pub fn table(&mut self, node: &Node, values: &[i64]) -> Reasoned<Lowered> {
        let Lowered::Words(from) = self.value(node, 0)? else {
            return Err("its operand is no integer of the input".into());
        };
        let from = self.in_graph_order(&from)?;
        let count = from.shape.iter().product();
        let from = self.shaped(Stored::new(from.operand, &[count]))?;
        let values: Vec<i32> = values
            .iter()
            .map(|value| (*value).clamp(i32::MIN.into(), i32::MAX.into()) as i32)
            .collect();
        let dims = self.emitter.dims(&[values.len(), 1])?;
        let table = Tensor::from_i32(&dims, &values).map_err(|error| error.to_string())?;
        let table = self.emitter.constant(table);
        let operand = self.emitter.emit(|builder| builder.gather(from.operand, table))?;
        let shape = match &self.graph.values[node.result].shape[..] {
            [] => vec![1],
            shape => shape.to_vec(),
        };
        self.shaped(Stored::new(operand, &shape)).map(Lowered::Words)
    }

    pub fn concat(&mut self, index: usize, node: &Node, axis: usize) -> Reasoned<Lowered> {
        let (mut parts, mut depth) = (Vec::with_capacity(node.operands.len()), 1);
        for i in 0..node.operands.len() {
            let value = self.operand(node, i)?;
            let content = match self.graph.constant(value) {
                None => match self.value(node, i)? {
                    Lowered::Deferred(deferred) => {
                        if let Work::Concat { depth: inner, .. } = deferred.work {
                            depth = depth.max(inner + 1);
                        }
                        Content::Deferred(deferred)
                    }
                    _ => Content::Real(self.real(node, i)?),
                },
                Some(constant) => {
                    let shape = self.graph.values[value].shape.clone();
                    Content::Real(self.constant(constant, &shape)?)
                }
            };
            parts.push(Part { value, content });
        }
        if depth > MAX_DEPTH {
            return Err(format!(
                "rows are joined {depth} times without a quantisation between; at most {MAX_DEPTH} are supported"
            ));
        }
        let work = Work::Concat {
            parts: Rc::new(parts),
            axis,
            depth,
        };
        Ok(Lowered::Deferred(Deferred::new(Some(index), work)))
    }

    /// A constant as an int8 tensor.
    pub fn constant(&mut self, constant: &Constant, shape: &[usize]) -> Reasoned<Real> {
        let (values, scale) = integers(constant)?;
        let shape = if shape.is_empty() { &[1][..] } else { shape };
        self.constant_of(values, scale, shape)
    }

    /// An int8 constant as `x` is stored: with x's order of dimensions, and of them only the last ones when it is the same for all indices of the others.
    pub fn constant_like(&mut self, constant: &Constant, shape: &[usize], x: &Stored) -> Reasoned<Real> {
        let (values, scale) = integers(constant)?;
        let missing = x
            .shape
            .len()
            .checked_sub(shape.len())
            .ok_or("it has more dimensions than the other operand")?;
        let shape = [vec![1; missing], shape.to_vec()].concat();
        let steps = strides(&shape);
        // A step of 0 repeats.
        let steps: Vec<usize> = x
            .order
            .iter()
            .map(|i| if shape[*i] == 1 { 0 } else { steps[*i] })
            .collect();
        let dims = x.dims();
        let needed = (0..dims.len()).find(|i| steps[*i] != 0).unwrap_or(dims.len() - 1);
        let constant_in_last = steps[needed..].iter().all(|step| *step == 0);
        let dims = if constant_in_last { &[1][..] } else { &dims[needed..] };
        let count: usize = dims.iter().product();
        if count > MAX_REPEATED.max(values.len()) {
            return Err(format!(
                "a constant of shape {shape:?} would be repeated to {count} elements"
            ));
        }
        let values = places(dims, 0, &steps[steps.len() - dims.len()..])
            .map(|place| values[place])
            .collect();
        self.constant_of(values, scale, dims)
    }

    fn constant_of(&mut self, values: Vec<i8>, scale: Scale, shape: &[usize]) -> Reasoned<Real> {
        let dims = self.emitter.dims(shape)?;
        let tensor = Tensor::from_i8(&dims, &values).map_err(|error| error.to_string())?;
        let stored = Stored::new(self.emitter.constant(tensor), shape);
        Ok(Real { stored, scale })
    }

    /// Parts along a dimension, brought to one scale.
    pub fn join(&mut self, parts: &[Part], axis: usize, y: Scale) -> Reasoned<Stored> {
        let is_input = |part: &Part| match &part.content {
            Content::Deferred(deferred) => matches!(deferred.work, Work::Input(_)),
            Content::Real(_) => false,
        };
        let behind_cache = parts.iter().any(is_input);
        let current = self.emitter.current;
        let mut joined: Option<Stored> = None;
        for part in parts {
            let stored = match &part.content {
                Content::Real(real) => self.rescale(real, y)?,
                Content::Deferred(deferred) => self.settle_value(part.value, deferred, y)?,
            };
            self.emitter.current = current;
            if behind_cache && !is_input(part) {
                let row = Real {
                    stored: stored.clone(),
                    scale: y,
                };
                self.cached.entry(part.value).or_insert(row);
            }
            joined = Some(match joined {
                None => self.in_graph_order(&stored)?,
                Some(before) => {
                    let stored = self.in_graph_order(&stored)?;
                    let mut shape = before.shape.clone();
                    shape[axis] += stored.shape[axis];
                    let operand = self
                        .emitter
                        .emit(|builder| builder.concat(before.operand, stored.operand, axis as u8))?;
                    Stored::new(operand, &shape)
                }
            });
        }
        joined.ok_or_else(|| "there is nothing to join".into())
    }
}

/// Another shape that differs in dimensions of 1 only: the others stay in the order in which they are stored.
fn with_other_ones(x: &Stored, shape: &[usize]) -> Option<Stored> {
    let long = |shape: &[usize]| -> Vec<usize> { (0..shape.len()).filter(|i| shape[*i] != 1).collect() };
    let (from, to) = (long(&x.shape), long(shape));
    let lengths = |long: &[usize], shape: &[usize]| -> Vec<usize> { long.iter().map(|i| shape[*i]).collect() };
    if shape.is_empty() || shape.len() > MAX_RANK || lengths(&from, &x.shape) != lengths(&to, shape) {
        return None;
    }
    let mut stored = x
        .order
        .iter()
        .filter_map(|dimension| from.iter().position(|other| other == dimension))
        .map(|place| to[place]);
    // The k-th place of a long dimension has the k-th long one of the stored order; dimensions of 1 stay where the graph has them.
    let order = (0..shape.len())
        .map(|dimension| match shape[dimension] {
            1 => Some(dimension),
            _ => stored.next(),
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Stored {
        operand: x.operand,
        shape: shape.to_vec(),
        order,
    })
}

/// The file's integers of a constant with one scale, or integers made here with a scale of their own.
fn integers(constant: &Constant) -> Reasoned<(Vec<i8>, Scale)> {
    if let Some((values, Some(scale))) = quantised(constant) {
        return Ok((values, scale));
    }
    let floats = constant.to_floats();
    let greatest = floats.iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
    if !greatest.is_finite() {
        return Err("a constant is infinite".into());
    }
    let scale = Scale {
        scale: if greatest > 0.0 { greatest / 127.0 } else { 1.0 },
        zero_point: 0,
    };
    Ok((floats.into_iter().map(|value| scale.nearest(value)).collect(), scale))
}

/// The integers of a constant of one byte an element, and their scale when there is one.
fn quantised(constant: &Constant) -> Option<(Vec<i8>, Option<Scale>)> {
    use crate::onnx::array::Data;
    let (array, scale) = match constant {
        Constant::Plain(array) => (array, None),
        Constant::Quantised { array, quantisation } => (array, Some(super::activation_scale(quantisation).ok()?)),
    };
    match &array.data {
        Data::Int8(values) => Some((values.clone(), scale)),
        Data::Uint8(values) => Some((values.iter().map(|q| (q ^ 0x80) as i8).collect(), scale)),
        _ => None,
    }
}
