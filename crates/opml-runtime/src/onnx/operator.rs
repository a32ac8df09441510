//! What a node of the imported graph computes: operators of ONNX with every parameter in them and the shape of their result.
//!
//! Operators that differ in their parameters only are one here: Flatten, Squeeze, Unsqueeze, Identity and Dropout are a [`Op::Reshape`], global pooling is a
//! reduction, Split is a Slice for each output.

use std::rc::Rc;

use super::{
    array::{Array, Kind, elements},
    attributes::Attributes,
    error::Reasoned,
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
}

/// Functions of one element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    Abs,
    Clip { low: f32, high: f32 },
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
    Softplus,
    Sqrt,
    Tanh,
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
    MatMul,
    Binary(Binary),
    Unary(Unary),
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
    },
    Pad {
        before: Vec<usize>,
        value: f32,
    },
    Gather {
        axis: usize,
    },
    Softmax {
        axis: usize,
    },
    LayerNorm {
        epsilon: f32,
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
        "QuantizeLinear" | "DequantizeLinear" => quantisation(operator, attributes, &reader),
        "Conv" => conv(attributes, &reader),
        "MaxPool" | "AveragePool" => pool(operator, attributes, x),
        "GlobalAveragePool" => reduce_mean((2..x.shape.len()).collect(), true, x),
        "GlobalMaxPool" => {
            let [_, _, h, w] = image(x)?;
            let window = Window {
                kernel: [h, w],
                stride: [1, 1],
                dilation: [1, 1],
                padding: [0; 4],
            };
            windowed(Op::MaxPool(window), &window, x)
        }
        "Gemm" => gemm(attributes, &reader),
        "MatMul" => matmul(&reader),
        "Add" => binary(Binary::Add),
        "Sub" => binary(Binary::Sub),
        "Mul" => binary(Binary::Mul),
        "Div" => binary(Binary::Div),
        "Pow" => binary(Binary::Pow),
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
        "Elu" => unary(Unary::Elu {
            alpha: attributes.float("alpha", 1.0)?,
        }),
        "Erf" => unary(Unary::Erf),
        "Exp" => unary(Unary::Exp),
        "Gelu" => unary(Unary::Gelu {
            tanh: match attributes.string("approximate", "none")?.as_str() {
                "none" => false,
                "tanh" => true,
                other => return Err(format!("approximation {other:?} is not known")),
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
        "Softplus" => unary(Unary::Softplus),
        "Sqrt" => unary(Unary::Sqrt),
        "Tanh" => unary(Unary::Tanh),
        "Identity" | "Dropout" => reshaped(x, x.shape.clone()),
        "Cast" => cast(attributes, x),
        "Reshape" => reshape(attributes, &reader),
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
        "Transpose" => transpose(attributes, x),
        "Concat" => concat(attributes, &reader),
        "Slice" => slice(attributes, &reader),
        "Pad" => pad(attributes, &reader),
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
            },
            1,
            x,
        )),
        "LayerNormalization" => {
            let axis = attributes.axis("axis", -1, x.shape.len())?;
            if axis + 1 != x.shape.len() {
                return Err("only the last dimension can be normalised".into());
            }
            let epsilon = attributes.float("epsilon", 1e-5)?;
            let last = &x.shape[axis..];
            for i in 1..operands.len() {
                if reader.optional(i).is_some_and(|known| known.shape != last) {
                    return Err(format!("operand {i} must have shape {last:?}"));
                }
            }
            if !(epsilon.is_finite() && epsilon >= 0.0) {
                return Err(format!("epsilon {epsilon} is not possible"));
            }
            Ok(same(Op::LayerNorm { epsilon }, operands.len().min(3), x))
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

fn quantisation(operator: &str, attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let scale = operands.parameter(1)?.ok_or("it has no scale")?;
    if scale.kind() != Kind::Float {
        return Err("its scale is not a float".into());
    }
    if attributes.int("block_size", 0)? != 0 {
        return Err("quantisation in blocks is not supported".into());
    }
    let scales = scale.to_floats();
    if let Some(bad) = scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
        return Err(format!("a scale of {bad} is not possible"));
    }
    let quantize = operator == "QuantizeLinear";
    let given = operands.parameter(2)?;
    let kind = match (quantize, given) {
        (_, Some(zero_points)) => zero_points.kind(),
        (true, None) => match attributes.int("output_dtype", 0)? {
            0 => Kind::Uint8,
            number => Kind::from_onnx(i32::try_from(number).unwrap_or(-1))?,
        },
        (false, None) => x.kind,
    };
    let wanted = if quantize {
        x.kind == Kind::Float
    } else {
        x.kind == kind
    };
    if !wanted || kind == Kind::Float || kind == Kind::Int64 {
        return Err("its operands do not have the types of a quantisation to int8, uint8 or int32".into());
    }
    let zero_points = match given {
        Some(zero_points) => zero_points.to_integers()?,
        None => vec![0; scales.len()],
    };
    if zero_points.len() != scales.len() {
        return Err(format!(
            "it has {} scales but {} zero points",
            scales.len(),
            zero_points.len()
        ));
    }
    let axis = match scales.len() {
        1 => 0,
        count => {
            let axis = attributes.axis("axis", 1, x.shape.len())?;
            if scale.shape.len() != 1 || x.shape[axis] != count {
                return Err(format!(
                    "it has {count} scales for dimension {axis} of shape {:?}",
                    x.shape
                ));
            }
            axis
        }
    };
    let quantisation = Rc::new(Quantisation {
        kind,
        scale: scales,
        zero_point: zero_points,
        axis,
    });
    let (op, kind) = match quantize {
        true => (Op::Quantize(quantisation), kind),
        false => (Op::Dequantize(quantisation), Kind::Float),
    };
    Ok(Resolved {
        op,
        operands: 1,
        shape: x.shape.clone(),
        kind,
    })
}

/// The dimensions of a batch of images.
fn image(x: &Known) -> Reasoned<[usize; 4]> {
    x.shape.as_slice().try_into().map_err(|_| {
        format!(
            "images of shape [batch, channels, height, width] are supported, not {:?}",
            x.shape
        )
    })
}

fn conv(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let weights = operands.get(1)?;
    let [batch, channels, _, _] = image(x)?;
    let [n, per_group, kh, kw] = image(weights)?;
    let groups = attributes.count("group", 1)?;
    if per_group.checked_mul(groups) != Some(channels) || !n.is_multiple_of(groups) {
        return Err(format!(
            "weights of shape {:?} in {groups} groups do not fit {channels} channels",
            weights.shape
        ));
    }
    if operands.optional(2).is_some_and(|bias| bias.shape != [n]) {
        return Err(format!("its bias must have shape [{n}]"));
    }
    let window = window(attributes, [kh, kw], x)?;
    let resolved = windowed(Op::Conv { window, groups }, &window, x)?;
    let [_, _, h, w] = resolved.shape[..] else {
        return Err("its result is no image".into());
    };
    Ok(Resolved {
        operands: operands.0.len().min(3),
        shape: vec![batch, n, h, w],
        ..resolved
    })
}

fn pool(operator: &str, attributes: &Attributes, x: &Known) -> Reasoned<Resolved> {
    let kernel = attributes.pair("kernel_shape")?.ok_or("it has no kernel_shape")?;
    let window = window(attributes, kernel, x)?;
    if attributes.int("storage_order", 0)? != 0 {
        return Err("storage_order is not supported".into());
    }
    let op = match operator {
        "MaxPool" => Op::MaxPool(window),
        _ => Op::AveragePool {
            window,
            padding_counts: attributes.int("count_include_pad", 0)? != 0,
        },
    };
    windowed(op, &window, x)
}

fn window(attributes: &Attributes, kernel: [usize; 2], x: &Known) -> Reasoned<Window> {
    let [_, _, h, w] = image(x)?;
    if attributes.pair("kernel_shape")?.is_some_and(|given| given != kernel) {
        return Err("its kernel_shape is not that of its weights".into());
    }
    let stride = attributes.pair("strides")?.unwrap_or([1, 1]);
    let dilation = attributes.pair("dilations")?.unwrap_or([1, 1]);
    let mut padding = attributes
        .padding("pads", 2)?
        .map_or([0; 4], |pads| [pads[0], pads[1], pads[2], pads[3]]);
    let auto = attributes.string("auto_pad", "NOTSET")?;
    match auto.as_str() {
        "NOTSET" => {}
        "VALID" => padding = [0; 4],
        "SAME_UPPER" | "SAME_LOWER" => {
            for (i, length) in [h, w].into_iter().enumerate() {
                let covered = (length.div_ceil(stride[i]) - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1;
                let total = covered.saturating_sub(length);
                let less = total / 2;
                let (before, after) = if auto == "SAME_UPPER" {
                    (less, total - less)
                } else {
                    (total - less, less)
                };
                padding[i] = before;
                padding[i + 2] = after;
            }
        }
        other => return Err(format!("auto_pad {other:?} is not known")),
    }
    let window = Window {
        kernel,
        stride,
        dilation,
        padding,
    };
    if attributes.int("ceil_mode", 0)? != 0 {
        let exact = (0..2).all(|i| {
            let covered = dilation[i] * (kernel[i] - 1) + 1;
            let padded = [h, w][i] + padding[i] + padding[i + 2];
            padded
                .checked_sub(covered)
                .is_some_and(|rest| rest.is_multiple_of(stride[i]))
        });
        if !exact {
            return Err("ceil_mode is supported only where the windows cover the image exactly".into());
        }
    }
    Ok(window)
}

/// The result of an operator on windows, with as many channels as `x`.
fn windowed(op: Op, window: &Window, x: &Known) -> Reasoned<Resolved> {
    let [batch, channels, h, w] = image(x)?;
    let length = |i: usize, length: usize| {
        let covered = window.dilation[i] * (window.kernel[i] - 1) + 1;
        let padded = length + window.padding[i] + window.padding[i + 2];
        padded
            .checked_sub(covered)
            .map(|rest| rest / window.stride[i] + 1)
            .ok_or_else(|| format!("no window of {:?} fits into an image of {h} x {w}", window.kernel))
    };
    Ok(Resolved {
        op,
        operands: 1,
        shape: vec![batch, channels, length(0, h)?, length(1, w)?],
        kind: x.kind,
    })
}

fn gemm(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let (a, b) = (operands.get(0)?, operands.get(1)?);
    let ([m, k], [rows, cols]) = (&a.shape[..], &b.shape[..]) else {
        return Err("both operands must be matrices".into());
    };
    if attributes.int("transA", 0)? != 0 {
        return Err("transA is not supported".into());
    }
    let transposed = attributes.int("transB", 0)? != 0;
    let (inner, n) = if transposed { (cols, rows) } else { (rows, cols) };
    if inner != k {
        return Err(format!("shapes {:?} and {:?} do not fit together", a.shape, b.shape));
    }
    let shape = vec![*m, *n];
    if let Some(c) = operands.optional(2)
        && broadcast(&shape, &c.shape)? != shape
    {
        return Err(format!("operand 2 of shape {:?} does not fit {shape:?}", c.shape));
    }
    let op = Op::Gemm {
        alpha: attributes.float("alpha", 1.0)?,
        beta: attributes.float("beta", 1.0)?,
        transposed,
    };
    Ok(Resolved {
        op,
        operands: operands.0.len().min(3),
        shape,
        kind: a.kind,
    })
}

fn matmul(operands: &Operands) -> Reasoned<Resolved> {
    let (a, b) = (operands.get(0)?, operands.get(1)?);
    let ([a_batch @ .., m, k], [b_batch @ .., rows, n]) = (&a.shape[..], &b.shape[..]) else {
        return Err("both operands must have two dimensions or more".into());
    };
    if k != rows {
        return Err(format!("shapes {:?} and {:?} do not fit together", a.shape, b.shape));
    }
    let shape = [broadcast(a_batch, b_batch)?, vec![*m, *n]].concat();
    Ok(Resolved {
        op: Op::MatMul,
        operands: 2,
        shape,
        kind: a.kind,
    })
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

fn reshape(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let wanted = operands.integers(1)?.ok_or("it has no shape")?;
    let zero_is_copy = attributes.int("allowzero", 0)? == 0;
    if wanted.len() > 8 || wanted.iter().filter(|length| **length == -1).count() > 1 {
        return Err(format!("shape {wanted:?} is not possible"));
    }
    let all: usize = x.shape.iter().product();
    let mut shape = Vec::with_capacity(wanted.len());
    for (i, length) in wanted.iter().enumerate() {
        shape.push(match *length {
            -1 => 1,
            0 if zero_is_copy => *x
                .shape
                .get(i)
                .ok_or("it copies a dimension that its operand does not have")?,
            length => usize::try_from(length).map_err(|_| format!("shape {wanted:?} is not possible"))?,
        });
    }
    let known = elements(&shape)?;
    if let Some(i) = wanted.iter().position(|length| *length == -1) {
        shape[i] = all / known;
    }
    if elements(&shape)? != all {
        return Err(format!("shape {:?} cannot become {wanted:?}", x.shape));
    }
    reshaped(x, shape)
}

fn transpose(attributes: &Attributes, x: &Known) -> Reasoned<Resolved> {
    let rank = x.shape.len();
    let permutation = match attributes.ints("perm")? {
        None => (0..rank).rev().collect(),
        Some(axes) => axes
            .into_iter()
            .map(|axis| normal_axis(axis, rank))
            .collect::<Reasoned<Vec<_>>>()?,
    };
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("{permutation:?} is not an order of {rank} dimensions"));
    }
    let shape = permutation.iter().map(|axis| x.shape[*axis]).collect();
    Ok(Resolved {
        op: Op::Transpose { permutation },
        operands: 1,
        shape,
        kind: x.kind,
    })
}

fn concat(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let axis = normal_axis(attributes.required_int("axis")?, x.shape.len())?;
    let mut shape = x.shape.clone();
    for i in 1..operands.0.len() {
        let other = operands.get(i)?;
        let fits = other.shape.len() == shape.len()
            && (0..shape.len()).all(|d| d == axis || other.shape[d] == shape[d])
            && other.kind == x.kind;
        if !fits {
            return Err(format!(
                "operand {i} of shape {:?} does not fit {:?}",
                other.shape, x.shape
            ));
        }
        shape[axis] = shape[axis].saturating_add(other.shape[axis]);
    }
    Ok(Resolved {
        op: Op::Concat { axis },
        operands: operands.0.len(),
        shape,
        kind: x.kind,
    })
}

fn slice(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let rank = x.shape.len();
    let given = |index: usize, name: &str| match operands.integers(index)? {
        Some(values) => Ok(Some(values)),
        None => attributes.ints(name),
    };
    let starts = given(1, "starts")?.ok_or("it has no starts")?;
    let ends = given(2, "ends")?.ok_or("it has no ends")?;
    let axes = given(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = given(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if steps.iter().any(|step| *step != 1) {
        return Err("only slices in steps of 1 are supported".into());
    }
    if ends.len() != starts.len() || axes.len() != starts.len() {
        return Err("its starts, ends and axes are not equally many".into());
    }
    let (mut from, mut shape) = (vec![0; rank], x.shape.clone());
    for ((start, end), axis) in starts.into_iter().zip(ends).zip(axes) {
        let axis = normal_axis(axis, rank)?;
        let length = x.shape[axis] as i64;
        let place = |at: i64| if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length);
        let (start, end) = (place(start), place(end));
        if start >= end {
            return Err(format!("its slice of dimension {axis} is empty"));
        }
        from[axis] = start as usize;
        shape[axis] = (end - start) as usize;
    }
    Ok(Resolved {
        op: Op::Slice { starts: from },
        operands: 1,
        shape,
        kind: x.kind,
    })
}

fn pad(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
    let x = operands.get(0)?;
    let rank = x.shape.len();
    if attributes.string("mode", "constant")? != "constant" {
        return Err("only padding with a constant is supported".into());
    }
    let pads = match operands.integers(1)? {
        Some(pads) => pads,
        None => attributes.ints("pads")?.ok_or("it has no pads")?,
    };
    let axes: Vec<usize> = match operands.integers(3)? {
        None => (0..rank).collect(),
        Some(axes) => axes
            .into_iter()
            .map(|axis| normal_axis(axis, rank))
            .collect::<Reasoned<_>>()?,
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("it has {} pads for {} dimensions", pads.len(), axes.len()));
    }
    let value = operands.scalar(2)?.unwrap_or(0.0);
    let (mut before, mut shape) = (vec![0; rank], x.shape.clone());
    for (i, axis) in axes.iter().enumerate() {
        let length = |pad: i64| usize::try_from(pad).map_err(|_| "a negative pad is not supported".to_string());
        before[*axis] = length(pads[i])?;
        shape[*axis] = shape[*axis]
            .saturating_add(before[*axis])
            .saturating_add(length(pads[i + axes.len()])?);
    }
    Ok(Resolved {
        op: Op::Pad { before, value },
        operands: 1,
        shape,
        kind: x.kind,
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
