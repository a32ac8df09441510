//! Operators that only move elements, and the order of dimensions.

use opml::{ops::PadAttributes, tensor::MAX_RANK};

use super::{Deferred, Lowered, Lowering, Real, Scale, Stored, Work, linear::CHANNELS_LAST};
use crate::{
    onnx::{
        error::Reasoned,
        graph::{Constant, Node},
        operator::{Op, Window},
    },
    tensor::Tensor,
};

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
        let mut now = Vec::new();
        self.emitter.emit(|builder| {
            now = builder.spec(stored.operand)?.shape().to_vec();
            Ok(stored.operand)
        })?;
        if now == wanted {
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
    pub fn move_elements(&mut self, node: &Node) -> Reasoned<Lowered> {
        Ok(match self.value(node, 0)? {
            Lowered::Bytes(stored) => Lowered::Bytes(self.moved(node, &stored, None)?),
            Lowered::Words(stored) if !matches!(node.op, Op::MaxPool(_)) => {
                Lowered::Words(self.moved(node, &stored, None)?)
            }
            Lowered::Real(Real { stored, scale }) => Lowered::Real(Real {
                stored: self.moved(node, &stored, Some(scale))?,
                scale,
            }),
            lowered => return Err(self.not_quantised(&lowered, 0)),
        })
    }

    fn moved(&mut self, node: &Node, x: &Stored, scale: Option<Scale>) -> Reasoned<Stored> {
        let shape = self.graph.values[node.result].shape.clone();
        match &node.op {
            Op::Reshape if shape == x.shape => Ok(x.clone()),
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
            Op::Slice { starts } => {
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
            _ => Err("it does not only move elements".into()),
        }
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

    /// Rows of a constant table by indices, or one place of a tensor by a constant index.
    pub fn gather(&mut self, node: &Node, axis: usize) -> Reasoned<Lowered> {
        let shape = self.graph.values[node.result].shape.clone();
        let (table, indices) = (self.operand(node, 0)?, self.operand(node, 1)?);
        let (table_constant, indices_constant) = (self.graph.constant(table), self.graph.constant(indices));
        match (table_constant, indices_constant) {
            (Some(constant), None) => {
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
                let operand = self.emitter.emit(|builder| {
                    let table = builder.constant(Tensor::from_i8(&dims, &values)?);
                    builder.gather(indices.operand, table)
                })?;
                let stored = Stored::new(operand, &shape);
                Ok(match scale {
                    Some(scale) => Lowered::Real(Real { stored, scale }),
                    None => Lowered::Bytes(stored),
                })
            }
            (None, Some(constant)) => {
                let index = match constant.to_array().to_integers()?.as_slice() {
                    [index] => *index,
                    _ => return Err("only one constant index is supported".into()),
                };
                let (stored, scale) = match self.value(node, 0)? {
                    Lowered::Real(real) => (real.stored, Some(real.scale)),
                    Lowered::Bytes(stored) => (stored, None),
                    lowered => return Err(self.not_quantised(&lowered, 0)),
                };
                let start = crate::onnx::operator::normal_axis(index, stored.shape[axis])
                    .map_err(|_| format!("index {index} is outside of {}", stored.shape[axis]))?;
                let one = Stored {
                    shape: stored
                        .shape
                        .iter()
                        .enumerate()
                        .map(|(i, length)| if i == axis { 1 } else { *length })
                        .collect(),
                    ..stored.clone()
                };
                let starts: Vec<usize> = stored
                    .order
                    .iter()
                    .map(|i| if *i == axis { start } else { 0 })
                    .collect();
                let (starts, dims) = (self.emitter.dims(&starts)?, self.emitter.dims(&one.dims())?);
                let operand = self
                    .emitter
                    .emit(|builder| builder.slice(stored.operand, &starts, &dims))?;
                let one = self.in_graph_order(&Stored { operand, ..one })?;
                if shape.is_empty() {
                    return Err("a scalar is not supported".into());
                }
                let stored = self.shaped(Stored::new(one.operand, &shape))?;
                Ok(match scale {
                    Some(scale) => Lowered::Real(Real { stored, scale }),
                    None => Lowered::Bytes(stored),
                })
            }
            _ => Err("either its table or its index must be a constant".into()),
        }
    }

    pub fn concat(&mut self, index: usize, node: &Node, axis: usize) -> Reasoned<Lowered> {
        let mut parts = Vec::with_capacity(node.operands.len());
        for i in 0..node.operands.len() {
            let id = self.operand(node, i)?;
            let real = match self.graph.constant(id) {
                None => self.real(node, i)?,
                Some(constant) => {
                    let shape = self.graph.values[id].shape.clone();
                    self.constant(constant, &shape)?
                }
            };
            parts.push(real);
        }
        let work = Work::Concat { parts, axis };
        Ok(Lowered::Deferred(Deferred {
            node: index,
            work,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
        }))
    }

    /// A constant as an int8 tensor: the file's integers, or quantised here with its own scale.
    pub fn constant(&mut self, constant: &Constant, shape: &[usize]) -> Reasoned<Real> {
        let (values, scale) = match quantised(constant) {
            Some((values, Some(scale))) => (values, scale),
            _ => {
                let floats = constant.to_floats();
                let greatest = floats.iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
                if !greatest.is_finite() {
                    return Err("a constant is infinite".into());
                }
                let scale = Scale {
                    scale: if greatest > 0.0 { greatest / 127.0 } else { 1.0 },
                    zero_point: 0,
                };
                (floats.into_iter().map(|value| scale.nearest(value)).collect(), scale)
            }
        };
        let dims = if shape.is_empty() {
            vec![1]
        } else {
            self.emitter.dims(shape)?
        };
        let operand = self
            .emitter
            .emit(|builder| Ok(builder.constant(Tensor::from_i8(&dims, &values)?)))?;
        let shape = if shape.is_empty() { &[1][..] } else { shape };
        Ok(Real {
            stored: Stored::new(operand, shape),
            scale,
        })
    }

    /// Parts along a dimension, brought to one scale.
    pub fn join(&mut self, parts: &[Real], axis: usize, y: Scale) -> Reasoned<Stored> {
        let mut joined: Option<Stored> = None;
        for part in parts {
            let stored = self.rescale(part, y)?;
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
