//! What a node of the imported graph computes: operators of ONNX with every parameter in them and the shape of their result.
//!
//! Operators that differ in their parameters only are one here: Flatten, Squeeze, Unsqueeze, Identity and Dropout are a [`Op::Reshape`], global pooling is a
//! reduction, Split is a Slice for each output.

mod logic;
mod movement;
mod norms;
mod products;
mod quantisation;
mod windows;

use std::rc::Rc;

use super::{
    array::{Array, Kind},
    attributes::Attributes,
    error::{Reasoned, quoted},
};

/// `real = scale * (q - zero_point)`, for each element, or for each index along `axis`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantisation {
    pub kind: Kind,
    pub scale: Vec<f32>,
    pub zero_point: Vec<i64>,
    pub axis: usize,
}

impl Quantisation {
    /// Scale and zero point of each element of an array of this shape, row-major.
    pub fn of_elements<'a>(&'a self, shape: &[usize]) -> impl Iterator<Item = (f32, i64)> + 'a {
        let inner: usize = shape.iter().skip(self.axis + 1).product();
        let count: usize = shape.iter().product();
        (0..count).map(move |element| {
            let index = (element / inner) % self.scale.len();
            (self.scale[index], self.zero_point[index])
        })
    }

    /// Scale and zero point when they are the same for all elements.
    pub fn per_tensor(&self) -> Option<(f32, i64)> {
        match (self.scale.as_slice(), self.zero_point.as_slice()) {
            ([scale], [zero_point]) => Some((*scale, *zero_point)),
            _ => None,
        }
    }
}

/// A convolution's or pooling's window over height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Top, left, bottom, right.
    pub padding: [usize; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
}

/// Functions of two elements that are true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// Functions of one element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    Abs,
    Clip { low: f32, high: f32 },
    Cos,
    Elu { alpha: f32 },
    Erf,
    Exp,
    Gelu { tanh: bool },
    HardSigmoid { alpha: f32, beta: f32 },
    HardSwish,
    LeakyRelu { alpha: f32 },
    Log,
    Neg,
    Reciprocal,
    Sigmoid,
    Sin,
    Softplus,
    Sqrt,
    Tanh,
}

/// What a softmax over rows leaves out, in the form that the integer operator has. Of row `i` of a matrix it sees the first `i + offset + 1` elements when it is causal, and of
/// these at most as many as the number that is its second operand, if it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mask {
    /// The offset.
    pub causal: Option<i32>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    Quantize(Rc<Quantisation>),
    Dequantize(Rc<Quantisation>),
    Conv {
        window: Window,
        groups: usize,
    },
    MaxPool(Window),
    AveragePool {
        window: Window,
        padding_counts: bool,
    },
    Gemm {
        alpha: f32,
        beta: f32,
        transposed: bool,
    },
    /// `sharing` neighbours among the matrices of the first operand meet the same one of the second.
    MatMul {
        sharing: usize,
    },
    Binary(Binary),
    Unary(Unary),
    Compare(Comparison),
    Not,
    IsNan,
    /// The second operand where the first is true, and else the third.
    Where,
    /// Start, end and step as operands.
    Range,
    /// The elements on and below (or above) the diagonal `k`, and else 0.
    Trilu {
        upper: bool,
        k: i64,
    },
    /// One value everywhere; the operand is the shape.
    Fill {
        value: f32,
    },
    /// The operand repeated along dimensions of 1.
    Expand,
    /// To the type of the result.
    Cast,
    Reshape,
    Transpose {
        permutation: Vec<usize>,
    },
    Concat {
        axis: usize,
    },
    Slice {
        starts: Vec<usize>,
        /// For each dimension; at least 1.
        steps: Vec<usize>,
    },
    Pad {
        before: Vec<usize>,
        value: f32,
    },
    Gather {
        axis: usize,
    },
    /// An entry of the table for each integer, which is clamped to its places.
    Table {
        values: Rc<Vec<i64>>,
    },
    Softmax {
        axis: usize,
        mask: Mask,
    },
    LayerNorm {
        epsilon: f32,
    },
    /// Over the last dimension. The second operand, what the result is multiplied with, may be missing.
    RmsNorm {
        epsilon: f32,
    },
    /// x, positions (one for each index of dimension `axis`), cosines and sines [positions, d / 2].
    RotaryEmbedding {
        axis: usize,
        interleaved: bool,
    },
    ReduceMean {
        axes: Vec<usize>,
    },
    ArgMax {
        axis: usize,
    },
}

/// An operand while a node is read: what is known of it before the model runs.
#[derive(Clone)]
pub struct Known {
    pub shape: Vec<usize>,
    pub kind: Kind,
    pub constant: Option<Rc<Array>>,
}

/// A node's operator, how many of its operands it computes with (the others are parameters), and its result.
pub struct Resolved {
    pub op: Op,
    pub operands: usize,
    pub shape: Vec<usize>,
    pub kind: Kind,
}

/// Reads an operator of ONNX's default domain.
pub fn resolve(operator: &str, attributes: &Attributes, operands: &[Option<Known>]) -> Reasoned<Resolved> {
    let reader = Operands(operands);
    let x = reader.get(0)?;
    let unary = |function| Ok(same(Op::Unary(function), 1, x));
    let binary = |function| {
        let b = reader.get(1)?;
        Ok(Resolved {
            op: Op::Binary(function),
            operands: 2,
            shape: broadcast(&x.shape, &b.shape)?,
            kind: x.kind,
        })
    };
    match operator {
        "QuantizeLinear" | "DequantizeLinear" => quantisation::resolve(operator, attributes, &reader),
        "Conv" => windows::conv(attributes, &reader),
        "MaxPool" | "AveragePool" => windows::pool(operator, attributes, x),
        "GlobalAveragePool" => reduce_mean((2..x.shape.len()).collect(), true, x),
        "GlobalMaxPool" => {
            let [_, _, h, w] = windows::image(x)?;
            let window = Window {
                kernel: [h, w],
                stride: [1, 1],
                dilation: [1, 1],
                padding: [0; 4],
            };
            windows::windowed(Op::MaxPool(window), &window, x)
        }
        "Gemm" => products::gemm(attributes, &reader),
        "MatMul" => products::matmul(&reader),
        "Add" => binary(Binary::Add),
        "Sub" => binary(Binary::Sub),
        "Mul" => binary(Binary::Mul),
        "Div" => binary(Binary::Div),
        "Pow" => binary(Binary::Pow),
        "Min" | "Max" if operands.len() == 1 => reshaped(x, x.shape.clone()),
        "Min" | "Max" if operands.len() > 2 => Err("only one or two operands are supported".into()),
        "Min" => binary(Binary::Min),
        "Max" => binary(Binary::Max),
        "Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual" | "And" | "Or" | "Not" | "IsNaN" | "Where"
        | "Range" | "Trilu" | "ConstantOfShape" => logic::resolve(operator, attributes, &reader),
        "Abs" => unary(Unary::Abs),
        "Relu" => unary(Unary::Clip {
            low: 0.0,
            high: f32::INFINITY,
        }),
        "Clip" => {
            let low = attributes.float("min", f32::NEG_INFINITY)?;
            let high = attributes.float("max", f32::INFINITY)?;
            let low = reader.scalar(1)?.unwrap_or(low);
            let high = reader.scalar(2)?.unwrap_or(high);
            if low.is_nan() || high.is_nan() || low > high {
                return Err(format!("its bounds {low} and {high} are not in order"));
            }
            unary(Unary::Clip { low, high })
        }
        "Cos" => unary(Unary::Cos),
        "Elu" => unary(Unary::Elu {
            alpha: attributes.float("alpha", 1.0)?,
        }),
        "Erf" => unary(Unary::Erf),
        "Exp" => unary(Unary::Exp),
        "Gelu" => unary(Unary::Gelu {
            tanh: match attributes.string("approximate", "none")?.as_str() {
                "none" => false,
                "tanh" => true,
                other => return Err(format!("approximation {} is not known", quoted(other))),
            },
        }),
        "HardSigmoid" => unary(Unary::HardSigmoid {
            alpha: attributes.float("alpha", 0.2)?,
            beta: attributes.float("beta", 0.5)?,
        }),
        "HardSwish" => unary(Unary::HardSwish),
        "LeakyRelu" => unary(Unary::LeakyRelu {
            alpha: attributes.float("alpha", 0.01)?,
        }),
        "Log" => unary(Unary::Log),
        "Neg" => unary(Unary::Neg),
        "Reciprocal" => unary(Unary::Reciprocal),
        "Sigmoid" => unary(Unary::Sigmoid),
        "Sin" => unary(Unary::Sin),
        "Softplus" => unary(Unary::Softplus),
        "Sqrt" => unary(Unary::Sqrt),
        "Tanh" => unary(Unary::Tanh),
        "Identity" | "Dropout" => reshaped(x, x.shape.clone()),
        "Cast" => cast(attributes, x),
        "Reshape" => movement::reshape(attributes, &reader),
        "Flatten" => {
            let rank = x.shape.len();
            let axis = match attributes.int("axis", 1)? {
                axis if axis == rank as i64 => rank,
                axis => normal_axis(axis, rank)?,
            };
            let (outer, inner) = x.shape.split_at(axis);
            reshaped(x, vec![outer.iter().product(), inner.iter().product()])
        }
        "Squeeze" => {
            let axes = reader.axes(attributes, x.shape.len())?;
            let axes = axes.unwrap_or_else(|| (0..x.shape.len()).filter(|i| x.shape[*i] == 1).collect());
            if axes.iter().any(|axis| x.shape[*axis] != 1) {
                return Err(format!("only dimensions of 1 can be removed from shape {:?}", x.shape));
            }
            let kept = (0..x.shape.len()).filter(|i| !axes.contains(i));
            reshaped(x, kept.map(|i| x.shape[i]).collect())
        }
        "Unsqueeze" => {
            let given = reader.axes_count(attributes)?;
            let rank = x.shape.len() + given;
            let axes = reader.axes(attributes, rank)?.ok_or("it has no axes")?;
            let mut kept = x.shape.iter();
            let shape: Vec<usize> = (0..rank)
                .map(|i| {
                    if axes.contains(&i) {
                        1
                    } else {
                        kept.next().copied().unwrap_or(1)
                    }
                })
                .collect();
            reshaped(x, shape)
        }
        "Transpose" => movement::transpose(attributes, x),
        "Concat" => movement::concat(attributes, &reader),
        "Slice" => movement::slice(attributes, &reader),
        "Pad" => movement::pad(attributes, &reader),
        "Expand" => movement::expand(&reader),
        "Tile" => movement::tile(&reader),
        "Gather" => {
            let axis = attributes.axis("axis", 0, x.shape.len())?;
            let indices = reader.get(1)?;
            if indices.kind == Kind::Float {
                return Err("its indices are not integers".into());
            }
            let shape = [&x.shape[..axis], &indices.shape, &x.shape[axis + 1..]].concat();
            Ok(Resolved {
                op: Op::Gather { axis },
                operands: 2,
                shape,
                kind: x.kind,
            })
        }
        "Softmax" => Ok(same(
            Op::Softmax {
                axis: attributes.axis("axis", -1, x.shape.len())?,
                mask: Mask::default(),
            },
            1,
            x,
        )),
        "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" => {
            norms::resolve(operator, attributes, &reader)
        }
        "ReduceMean" => {
            let axes = reader.axes(attributes, x.shape.len())?;
            let axes = axes.unwrap_or_else(|| (0..x.shape.len()).collect());
            reduce_mean(axes, attributes.int("keepdims", 1)? != 0, x)
        }
        "ArgMax" => {
            if attributes.int("select_last_index", 0)? != 0 {
                return Err("select_last_index is not supported".into());
            }
            let axis = attributes.axis("axis", 0, x.shape.len())?;
            let keep = attributes.int("keepdims", 1)? != 0;
            let op = Op::ArgMax { axis };
            Ok(Resolved {
                op,
                operands: 1,
                shape: reduced(&x.shape, &[axis], keep),
                kind: Kind::Int64,
            })
        }
        _ => Err("this operator is not supported; docs/models.md lists those that are".into()),
    }
}

/// The operands of a node.
struct Operands<'a>(&'a [Option<Known>]);

impl<'a> Operands<'a> {
    fn optional(&self, index: usize) -> Option<&'a Known> {
        self.0.get(index)?.as_ref()
    }

    fn get(&self, index: usize) -> Reasoned<&'a Known> {
        self.optional(index)
            .ok_or_else(|| format!("operand {index} is missing"))
    }

    /// A parameter: an operand that must be a constant.
    fn parameter(&self, index: usize) -> Reasoned<Option<&'a Array>> {
        match self.optional(index) {
            None => Ok(None),
            Some(Known {
                constant: Some(array), ..
            }) => Ok(Some(array)),
            Some(_) => Err(format!("operand {index} must be a constant")),
        }
    }

    fn scalar(&self, index: usize) -> Reasoned<Option<f32>> {
        let Some(array) = self.parameter(index)? else {
            return Ok(None);
        };
        match array.to_floats().as_slice() {
            [value] => Ok(Some(*value)),
            _ => Err(format!("operand {index} must be one number")),
        }
    }

    fn integers(&self, index: usize) -> Reasoned<Option<Vec<i64>>> {
        self.parameter(index)?.map(Array::to_integers).transpose()
    }

    fn raw_axes(&self, attributes: &Attributes) -> Reasoned<Option<Vec<i64>>> {
        Ok(match self.integers(1)? {
            Some(axes) => Some(axes),
            None => attributes.ints("axes")?,
        })
    }

    fn axes_count(&self, attributes: &Attributes) -> Reasoned<usize> {
        Ok(self.raw_axes(attributes)?.map_or(0, |axes| axes.len()))
    }

    /// Axes, by attribute or as operand 1: in order, each once.
    fn axes(&self, attributes: &Attributes, rank: usize) -> Reasoned<Option<Vec<usize>>> {
        let Some(axes) = self.raw_axes(attributes)? else {
            return Ok(None);
        };
        let mut axes = axes
            .into_iter()
            .map(|axis| normal_axis(axis, rank))
            .collect::<Reasoned<Vec<_>>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("an axis is named twice".into());
        }
        Ok(Some(axes))
    }
}

/// An axis that counts from the end when it is negative.
pub fn normal_axis(axis: i64, rank: usize) -> Reasoned<usize> {
    let positive = if axis < 0 {
        axis.saturating_add(rank as i64)
    } else {
        axis
    };
    match usize::try_from(positive) {
        Ok(positive) if positive < rank => Ok(positive),
        _ => Err(format!("axis {axis} is not one of {rank} dimensions")),
    }
}

fn same(op: Op, operands: usize, x: &Known) -> Resolved {
    Resolved {
        op,
        operands,
        shape: x.shape.clone(),
        kind: x.kind,
    }
}

fn reshaped(x: &Known, shape: Vec<usize>) -> Reasoned<Resolved> {
    Ok(Resolved {
        op: Op::Reshape,
        operands: 1,
        shape,
        kind: x.kind,
    })
}

/// The shape of two operands that are repeated along dimensions of 1.
fn broadcast(a: &[usize], b: &[usize]) -> Reasoned<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (1, length) | (length, 1) => Ok(length),
            (x, y) if x == y => Ok(x),
            _ => Err(format!("shapes {a:?} and {b:?} do not fit together")),
        })
        .collect()
}

fn cast(attributes: &Attributes, x: &Known) -> Reasoned<Resolved> {
    let kind = Kind::from_onnx(i32::try_from(attributes.required_int("to")?).unwrap_or(-1))?;
    Ok(Resolved {
        op: Op::Cast,
        operands: 1,
        shape: x.shape.clone(),
        kind,
    })
}

fn reduced(shape: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    (0..shape.len())
        .filter(|i| keep || !axes.contains(i))
        .map(|i| if axes.contains(&i) { 1 } else { shape[i] })
        .collect()
}

fn reduce_mean(axes: Vec<usize>, keep: bool, x: &Known) -> Reasoned<Resolved> {
    if axes.is_empty() {
        return Err("there is no dimension to reduce".into());
    }
    let shape = reduced(&x.shape, &axes, keep);
    Ok(Resolved {
        op: Op::ReduceMean { axes },
        operands: 1,
        shape,
        kind: x.kind,
    })
}
