//! A small interpreter of the imported graph in floating point, quantisations included: what the original model computes.
//!
//! It folds constants, makes the tables of functions, and gives what the integer model is compared with. Exponentials come from the `libm` crate and not from the
//! machine's library, so that an import gives the same model everywhere.

use std::collections::HashMap;

use super::{
    array::{Array, Data, Kind, MAX_ELEMENTS, places, strides},
    error::{ImportError, Reasoned},
    graph::{Constant, Graph, ValueId},
    operator::{Binary, Op, Quantisation, Unary, Window},
};

/// `round(x / scale) + zero_point`, ties to even, saturated to the type.
pub fn quantise_one(x: f32, scale: f32, zero_point: i64, kind: Kind) -> i64 {
    let (low, high) = kind.range();
    // The conversion of a float saturates, and NaN becomes 0.
    let rounded = (x / scale).round_ties_even() as i64;
    rounded.saturating_add(zero_point).clamp(low, high)
}

/// The reals that a quantised array stands for.
pub fn dequantise(array: &Array, quantisation: &Quantisation) -> Vec<f32> {
    let parameters = quantisation.of_elements(&array.shape);
    let real = |(q, (scale, zero_point)): (i64, (f32, i64))| (q - zero_point) as f32 * scale;
    match &array.data {
        Data::Float(values) => values.clone(),
        Data::Int8(values) => values.iter().map(|q| i64::from(*q)).zip(parameters).map(real).collect(),
        Data::Uint8(values) => values.iter().map(|q| i64::from(*q)).zip(parameters).map(real).collect(),
        Data::Int32(values) => values.iter().map(|q| i64::from(*q)).zip(parameters).map(real).collect(),
        Data::Int64(values) => values.iter().copied().zip(parameters).map(real).collect(),
    }
}

/// Runs a graph as often as asked.
pub struct Interpreter<'a> {
    graph: &'a Graph,
    constants: HashMap<ValueId, Array>,
}

impl<'a> Interpreter<'a> {
    /// Refuses a graph whose values do not fit into [`MAX_ELEMENTS`] elements together.
    pub fn new(graph: &'a Graph) -> Result<Self, ImportError> {
        let results = graph.nodes.iter().map(|node| node.result);
        let elements = results.map(|id| graph.values[id].shape.iter().product::<usize>());
        if elements.fold(0usize, usize::saturating_add) > MAX_ELEMENTS {
            return Err(ImportError::Samples(format!(
                "the model's values have more than {MAX_ELEMENTS} elements together, too many to run the original beside it"
            )));
        }
        let mut constants = HashMap::new();
        for id in graph.nodes.iter().flat_map(|node| node.operands.iter().flatten()) {
            if let Some(constant) = graph.constant(*id) {
                constants.entry(*id).or_insert_with(|| match constant {
                    Constant::Plain(array) => array.as_ref().clone(),
                    Constant::Quantised { .. } => constant.to_array().as_ref().clone(),
                });
            }
        }
        Ok(Self { graph, constants })
    }

    /// The output for an input of the graph's shape and type.
    pub fn run(&self, input: Array) -> Result<Array, ImportError> {
        let mut values: HashMap<ValueId, Array> = HashMap::from([(self.graph.input, input)]);
        for node in &self.graph.nodes {
            let operands: Vec<_> = node
                .operands
                .iter()
                .map(|operand| operand.and_then(|id| values.get(&id).or_else(|| self.constants.get(&id))))
                .collect();
            let value = &self.graph.values[node.result];
            let result = compute(&node.op, &operands, &value.shape, value.kind).map_err(|reason| node.error(reason))?;
            values.insert(node.result, result);
        }
        values
            .remove(&self.graph.output)
            .ok_or_else(|| ImportError::Model("has an output that no node makes".into()))
    }
}

/// One operator. `shape` and `kind` are those of its result, as they were inferred.
pub fn compute(op: &Op, operands: &[Option<&Array>], shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let get = |index: usize| {
        operands
            .get(index)
            .copied()
            .flatten()
            .ok_or_else(|| format!("operand {index} is missing"))
    };
    let x = get(0)?;
    let floats = |values| Ok(Array::floats(shape.to_vec(), values));
    match op {
        Op::Quantize(quantisation) => {
            let values = x.to_floats();
            let quantised = values
                .iter()
                .zip(quantisation.of_elements(&x.shape))
                .map(|(x, (scale, zero_point))| quantise_one(*x, scale, zero_point, kind));
            Ok(Array::from_integers(kind, shape.to_vec(), quantised))
        }
        Op::Dequantize(quantisation) => floats(dequantise(x, quantisation)),
        Op::Conv { window, groups } => floats(conv(
            x,
            get(1)?,
            operands.get(2).copied().flatten(),
            window,
            *groups,
            shape,
        )),
        Op::MaxPool(window) => {
            let places = window_places(&x.shape, window, shape);
            match x.data {
                Data::Float(_) => {
                    let values = x.to_floats();
                    let max = |inside: Vec<Option<usize>>| {
                        inside
                            .into_iter()
                            .flatten()
                            .map(|i| values[i])
                            .fold(f32::NEG_INFINITY, f32::max)
                    };
                    floats(places.map(max).collect())
                }
                _ => {
                    let values = x.to_integers()?;
                    let max = |inside: Vec<Option<usize>>| {
                        inside
                            .into_iter()
                            .flatten()
                            .map(|i| values[i])
                            .max()
                            .unwrap_or(i64::MIN)
                    };
                    Ok(Array::from_integers(kind, shape.to_vec(), places.map(max)))
                }
            }
        }
        Op::AveragePool { window, padding_counts } => {
            let values = x.to_floats();
            let mean = |places: Vec<Option<usize>>| {
                let inside = places.iter().flatten().count();
                let count = if *padding_counts { places.len() } else { inside };
                (places.iter().flatten().map(|i| f64::from(values[*i])).sum::<f64>() / count as f64) as f32
            };
            floats(window_places(&x.shape, window, shape).map(mean).collect())
        }
        Op::Gemm {
            alpha,
            beta,
            transposed,
        } => {
            let mut result = matrix_product(x, get(1)?, *transposed, shape);
            for value in &mut result {
                *value *= alpha;
            }
            if let Some(c) = operands.get(2).copied().flatten() {
                let values = c.to_floats();
                for (value, place) in result.iter_mut().zip(broadcast_places(&c.shape, shape)) {
                    *value += beta * values[place];
                }
            }
            floats(result)
        }
        Op::MatMul => floats(matrix_product(x, get(1)?, false, shape)),
        Op::Binary(function) => binary(*function, x, get(1)?, shape, kind),
        Op::Unary(function) => match x.data {
            Data::Float(_) => floats(x.to_floats().into_iter().map(|x| unary(*function, x)).collect()),
            _ => Err("it is not defined for integers".into()),
        },
        Op::Cast if kind == Kind::Float => floats(x.to_floats()),
        Op::Cast if x.kind() == Kind::Float => {
            let values = x.to_floats().into_iter().map(|x| x as i64);
            Ok(Array::from_integers(kind, shape.to_vec(), values))
        }
        Op::Cast => Ok(Array::from_integers(kind, shape.to_vec(), x.to_integers()?.into_iter())),
        Op::Reshape => Ok(Array::new(shape.to_vec(), x.data.clone())),
        Op::Transpose { permutation } => {
            let strides = strides(&x.shape);
            let strides: Vec<_> = permutation.iter().map(|axis| strides[*axis]).collect();
            Ok(x.pick(shape.to_vec(), places(shape, 0, &strides)))
        }
        Op::Slice { starts } => {
            let strides = strides(&x.shape);
            let offset = starts.iter().zip(&strides).map(|(start, stride)| start * stride).sum();
            Ok(x.pick(shape.to_vec(), places(shape, offset, &strides)))
        }
        Op::Concat { axis } => concat(*axis, operands, shape, kind),
        Op::Pad { before, value } => {
            let strides = strides(shape);
            let offset = before
                .iter()
                .zip(&strides)
                .map(|(before, stride)| before * stride)
                .sum();
            let inside = places(&x.shape, offset, &strides);
            let count = shape.iter().product();
            if kind == Kind::Float {
                let mut result = vec![*value; count];
                inside.zip(x.to_floats()).for_each(|(place, x)| result[place] = x);
                return floats(result);
            }
            let mut result = vec![*value as i64; count];
            inside.zip(x.to_integers()?).for_each(|(place, x)| result[place] = x);
            Ok(Array::from_integers(kind, shape.to_vec(), result.into_iter()))
        }
        Op::Gather { axis } => gather(x, get(1)?, *axis, shape),
        Op::Softmax { axis } => floats(along(x, *axis, |row| {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exponentials: Vec<f64> = row.iter().map(|x| libm::exp(f64::from(x - max))).collect();
            let sum: f64 = exponentials.iter().sum();
            exponentials.into_iter().map(|e| (e / sum) as f32).collect()
        })),
        Op::LayerNorm { epsilon } => {
            let gamma = get(1)?.to_floats();
            let beta = operands.get(2).copied().flatten().map(Array::to_floats);
            let last = x.shape.len().saturating_sub(1);
            floats(along(x, last, |row| {
                let count = row.len() as f64;
                let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
                let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
                let inverse = 1.0 / (variance + f64::from(*epsilon)).sqrt();
                let one = |(i, x): (usize, &f32)| {
                    let beta = beta.as_ref().map_or(0.0, |beta| f64::from(beta[i]));
                    ((f64::from(*x) - mean) * inverse * f64::from(gamma[i]) + beta) as f32
                };
                row.iter().enumerate().map(one).collect()
            }))
        }
        Op::ReduceMean { axes } => {
            let values = x.to_floats();
            let mut sums = vec![0f64; shape.iter().product()];
            let mut kept = x.shape.clone();
            axes.iter().for_each(|axis| kept[*axis] = 1);
            for (value, place) in values.iter().zip(broadcast_places(&kept, &x.shape)) {
                sums[place] += f64::from(*value);
            }
            let count = (values.len() / sums.len().max(1)) as f64;
            floats(sums.into_iter().map(|sum| (sum / count) as f32).collect())
        }
        Op::ArgMax { axis } => {
            let values = along(x, *axis, |row| {
                let best = row
                    .iter()
                    .enumerate()
                    .fold(0, |best, (i, x)| if *x > row[best] { i } else { best });
                vec![best as f32]
            });
            Ok(Array::from_integers(
                Kind::Int64,
                shape.to_vec(),
                values.into_iter().map(|i| i as i64),
            ))
        }
    }
}

/// The place in `from` of each element of `to`, to which it is broadcast.
fn broadcast_places(from: &[usize], to: &[usize]) -> Vec<usize> {
    let mut steps = vec![0; to.len() - from.len()];
    steps.extend(
        strides(from)
            .into_iter()
            .zip(from)
            .map(|(stride, length)| if *length == 1 { 0 } else { stride }),
    );
    places(to, 0, &steps).collect()
}

/// For each element of the result, the places in x that its window covers; none in the border.
fn window_places<'a>(
    x: &'a [usize],
    window: &'a Window,
    shape: &'a [usize],
) -> impl Iterator<Item = Vec<Option<usize>>> + 'a {
    let (h, w, oh, ow) = (x[2], x[3], shape[2], shape[3]);
    (0..shape.iter().product::<usize>()).map(move |element| {
        let (plane, py, px) = (element / (oh * ow), element / ow % oh, element % ow);
        let inside = |position: usize, k: usize, i: usize, length: usize| {
            (position * window.stride[i] + k * window.dilation[i])
                .checked_sub(window.padding[i])
                .filter(|place| *place < length)
        };
        let mut places = Vec::with_capacity(window.kernel[0] * window.kernel[1]);
        for ky in 0..window.kernel[0] {
            let y = inside(py, ky, 0, h);
            for kx in 0..window.kernel[1] {
                let x = inside(px, kx, 1, w);
                places.push(y.zip(x).map(|(y, x)| (plane * h + y) * w + x));
            }
        }
        places
    })
}

fn conv(x: &Array, weights: &Array, bias: Option<&Array>, window: &Window, groups: usize, shape: &[usize]) -> Vec<f32> {
    let (values, weights) = (x.to_floats(), weights.to_floats());
    let bias = bias.map(Array::to_floats);
    let (n, channels) = (shape[1], x.shape[1]);
    let (per_group, plane) = (channels / groups, x.shape[2] * x.shape[3]);
    let kernel = window.kernel[0] * window.kernel[1];
    let mut result = Vec::with_capacity(shape.iter().product());
    for batch in 0..shape[0] {
        for c in 0..n {
            let first = batch * channels + c / (n / groups) * per_group;
            let one_plane = [1, 1, shape[2], shape[3]];
            for covered in window_places(&[1, 1, x.shape[2], x.shape[3]], window, &one_plane) {
                let mut sum = bias.as_ref().map_or(0.0, |bias| f64::from(bias[c]));
                for i in 0..per_group {
                    let row = &weights[(c * per_group + i) * kernel..][..kernel];
                    for (weight, place) in row.iter().zip(&covered) {
                        if let Some(place) = place {
                            sum += f64::from(*weight) * f64::from(values[(first + i) * plane + place]);
                        }
                    }
                }
                result.push(sum as f32);
            }
        }
    }
    result
}

/// The products of the last two dimensions, for each index of the others.
fn matrix_product(a: &Array, b: &Array, transposed: bool, shape: &[usize]) -> Vec<f32> {
    let (a_values, b_values) = (a.to_floats(), b.to_floats());
    let (batch, [m, n]) = shape.split_at(shape.len() - 2) else {
        return Vec::new();
    };
    let k = a.shape[a.shape.len() - 1];
    let a_places = broadcast_places(&a.shape[..a.shape.len() - 2], batch);
    let b_places = broadcast_places(&b.shape[..b.shape.len() - 2], batch);
    let mut result = Vec::with_capacity(shape.iter().product());
    for (a_matrix, b_matrix) in a_places.into_iter().zip(b_places) {
        let a_rows = &a_values[a_matrix * m * k..][..m * k];
        let b_matrix = &b_values[b_matrix * k * n..][..k * n];
        for row in a_rows.chunks(k) {
            for j in 0..*n {
                let at = |l: usize| {
                    if transposed {
                        b_matrix[j * k + l]
                    } else {
                        b_matrix[l * n + j]
                    }
                };
                let sum: f64 = row
                    .iter()
                    .enumerate()
                    .map(|(l, a)| f64::from(*a) * f64::from(at(l)))
                    .sum();
                result.push(sum as f32);
            }
        }
    }
    result
}

fn binary(function: Binary, a: &Array, b: &Array, shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let (a_places, b_places) = (broadcast_places(&a.shape, shape), broadcast_places(&b.shape, shape));
    let pairs = a_places.into_iter().zip(b_places);
    if kind == Kind::Float {
        let (a, b) = (a.to_floats(), b.to_floats());
        let values = pairs.map(|(i, j)| match function {
            Binary::Add => a[i] + b[j],
            Binary::Sub => a[i] - b[j],
            Binary::Mul => a[i] * b[j],
            Binary::Div => a[i] / b[j],
            Binary::Pow => libm::pow(f64::from(a[i]), f64::from(b[j])) as f32,
        });
        return Ok(Array::floats(shape.to_vec(), values.collect()));
    }
    let (a, b) = (a.to_integers()?, b.to_integers()?);
    let values = pairs
        .map(|(i, j)| match function {
            Binary::Add => a[i].checked_add(b[j]),
            Binary::Sub => a[i].checked_sub(b[j]),
            Binary::Mul => a[i].checked_mul(b[j]),
            Binary::Div => a[i].checked_div(b[j]),
            Binary::Pow => None,
        })
        .collect::<Option<Vec<_>>>()
        .ok_or("its integers have no result")?;
    Ok(Array::from_integers(kind, shape.to_vec(), values.into_iter()))
}

fn unary(function: Unary, x: f32) -> f32 {
    let wide = f64::from(x);
    let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    match function {
        Unary::Abs => x.abs(),
        Unary::Clip { low, high } => x.max(low).min(high),
        Unary::Elu { alpha } if x < 0.0 => (f64::from(alpha) * libm::expm1(wide)) as f32,
        Unary::Elu { .. } => x,
        Unary::Erf => libm::erf(wide) as f32,
        Unary::Exp => libm::exp(wide) as f32,
        Unary::Gelu { tanh: false } => (0.5 * wide * (1.0 + libm::erf(wide * std::f64::consts::FRAC_1_SQRT_2))) as f32,
        Unary::Gelu { tanh: true } => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide * wide * wide);
            (0.5 * wide * (1.0 + libm::tanh(inner))) as f32
        }
        Unary::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
        Unary::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Unary::LeakyRelu { alpha } => {
            if x < 0.0 {
                alpha * x
            } else {
                x
            }
        }
        Unary::Log => libm::log(wide) as f32,
        Unary::Neg => -x,
        Unary::Reciprocal => 1.0 / x,
        Unary::Sigmoid => sigmoid(wide) as f32,
        Unary::Softplus => (wide.max(0.0) + libm::log1p(libm::exp(-wide.abs()))) as f32,
        Unary::Sqrt => x.sqrt(),
        Unary::Tanh => libm::tanh(wide) as f32,
    }
}

/// A function of the rows along a dimension, each of which becomes as many elements as the function gives.
fn along(x: &Array, axis: usize, function: impl Fn(&[f32]) -> Vec<f32>) -> Vec<f32> {
    let values = x.to_floats();
    let length = x.shape.get(axis).copied().unwrap_or(1);
    let inner: usize = x.shape.iter().skip(axis + 1).product();
    let outer = values.len() / (length * inner);
    let mut result = Vec::new();
    for i in 0..outer {
        let rows: Vec<_> = (0..inner)
            .map(|j| {
                let row: Vec<_> = (0..length).map(|l| values[(i * length + l) * inner + j]).collect();
                function(&row)
            })
            .collect();
        let count = rows.first().map_or(0, Vec::len);
        result.extend((0..count).flat_map(|l| rows.iter().map(move |row| row[l])));
    }
    result
}

fn concat(axis: usize, operands: &[Option<&Array>], shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let steps = strides(shape);
    let count = shape.iter().product();
    let mut offset = 0;
    let mut floats = vec![0f32; if kind == Kind::Float { count } else { 0 }];
    let mut integers = vec![0i64; if kind == Kind::Float { 0 } else { count }];
    for part in operands.iter().flatten() {
        let to = places(&part.shape, offset, &steps);
        match kind {
            Kind::Float => to.zip(part.to_floats()).for_each(|(place, x)| floats[place] = x),
            _ => to.zip(part.to_integers()?).for_each(|(place, x)| integers[place] = x),
        }
        offset += part.shape[axis] * steps[axis];
    }
    Ok(match kind {
        Kind::Float => Array::floats(shape.to_vec(), floats),
        _ => Array::from_integers(kind, shape.to_vec(), integers.into_iter()),
    })
}

fn gather(x: &Array, indices: &Array, axis: usize, shape: &[usize]) -> Reasoned<Array> {
    let length = x.shape[axis];
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let indices = indices
        .to_integers()?
        .into_iter()
        .map(|index| {
            super::operator::normal_axis(index, length).map_err(|_| format!("index {index} is outside of {length}"))
        })
        .collect::<Reasoned<Vec<_>>>()?;
    let places = (0..outer).flat_map(|o| {
        indices
            .iter()
            .flat_map(move |index| (0..inner).map(move |i| (o * length + index) * inner + i))
    });
    Ok(x.pick(shape.to_vec(), places))
}
