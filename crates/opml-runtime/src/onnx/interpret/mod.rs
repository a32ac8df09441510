//! A small interpreter of the imported graph in floating point, quantisations included: what the original model computes.
//!
//! It folds constants, makes the tables of functions, and gives what the integer model is compared with. Exponentials come from the `libm` crate and not from the
//! machine's library, so that an import gives the same model everywhere.

mod elements;
mod movement;
mod products;
mod rows;
mod windows;

use std::collections::HashMap;

use super::{
    array::{Array, Data, Kind, MAX_ELEMENTS, places, strides},
    error::{ImportError, Reasoned},
    graph::{Constant, Graph, ValueId},
    operator::{Op, Quantisation},
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
        Data::Bool(values) => values.iter().map(|q| i64::from(*q)).zip(parameters).map(real).collect(),
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

    /// The outputs for inputs of the graph's shapes and types.
    pub fn run(&self, inputs: &[Array]) -> Result<Vec<Array>, ImportError> {
        let mut values: HashMap<ValueId, Array> =
            self.graph.inputs.iter().copied().zip(inputs.iter().cloned()).collect();
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
        let outputs = self
            .graph
            .outputs
            .iter()
            .map(|output| values.get(&output.value).cloned());
        outputs
            .collect::<Option<Vec<_>>>()
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
    let floats = |values| Array::floats(shape.to_vec(), values);
    let optional = |index: usize| operands.get(index).copied().flatten();
    let array = match op {
        Op::Quantize(quantisation) => {
            let values = x.to_floats();
            let quantised = values
                .iter()
                .zip(quantisation.of_elements(&x.shape))
                .map(|(x, (scale, zero_point))| quantise_one(*x, scale, zero_point, kind));
            Array::from_integers(kind, shape.to_vec(), quantised)
        }
        Op::Dequantize(quantisation) => floats(dequantise(x, quantisation)),
        Op::Conv { window, groups } => floats(windows::conv(x, get(1)?, optional(2), window, *groups, shape)),
        Op::MaxPool(window) => windows::max_pool(x, window, shape, kind)?,
        Op::AveragePool { window, padding_counts } => floats(windows::average_pool(x, window, *padding_counts, shape)),
        Op::Gemm {
            alpha,
            beta,
            transposed,
        } => floats(products::gemm(
            [x, get(1)?],
            optional(2),
            [*alpha, *beta],
            *transposed,
            shape,
        )),
        Op::MatMul { sharing } => floats(products::matrix_product(x, get(1)?, false, *sharing, shape)),
        Op::Binary(function) => elements::binary(*function, x, get(1)?, shape, kind)?,
        Op::Unary(function) => match x.data {
            Data::Float(_) => floats(
                x.to_floats()
                    .into_iter()
                    .map(|x| elements::unary(*function, x))
                    .collect(),
            ),
            _ => return Err("it is not defined for integers".into()),
        },
        Op::Compare(comparison) => elements::compare(*comparison, x, get(1)?, shape)?,
        Op::Not => Array::from_integers(kind, shape.to_vec(), x.to_integers()?.into_iter().map(|x| 1 - x)),
        Op::IsNan => {
            let values = x.to_floats().into_iter().map(|x| i64::from(x.is_nan()));
            Array::from_integers(kind, shape.to_vec(), values)
        }
        Op::Where => elements::choose(x, get(1)?, get(2)?, shape, kind)?,
        Op::Cast => elements::cast(x, shape, kind)?,
        Op::Table { values } => elements::look_up(x, values, shape, kind)?,
        Op::Range => {
            let first = |array: &Array| Ok::<_, String>(*array.to_integers()?.first().ok_or("a bound is missing")?);
            let (start, step) = (first(x)?, first(get(2)?)?);
            let values =
                (0..shape.iter().product::<usize>() as i64).map(|i| start.saturating_add(step.saturating_mul(i)));
            Array::from_integers(kind, shape.to_vec(), values)
        }
        Op::Fill { value } => {
            let count = shape.iter().product();
            match kind {
                Kind::Float => floats(vec![*value; count]),
                _ => Array::from_integers(kind, shape.to_vec(), std::iter::repeat_n(*value as i64, count)),
            }
        }
        Op::Trilu { upper, k } => movement::triangle(x, *upper, *k, kind)?,
        Op::Expand => movement::expand(x, shape),
        Op::Reshape => Array::new(shape.to_vec(), x.data.clone()),
        Op::Transpose { permutation } => movement::transpose(x, permutation, shape),
        Op::Slice { starts, steps } => movement::slice(x, starts, steps, shape),
        Op::Concat { axis } => movement::concat(*axis, operands, shape, kind)?,
        Op::Pad { before, value } => movement::pad(x, before, *value, shape, kind)?,
        Op::Gather { axis } => movement::gather(x, get(1)?, *axis, shape)?,
        Op::Softmax { axis, mask } => floats(rows::softmax(x, *axis, *mask, optional(1))?),
        Op::LayerNorm { epsilon } => floats(rows::layer_norm(x, get(1)?, optional(2), *epsilon)),
        Op::RmsNorm { epsilon } => floats(rows::rms_norm(x, optional(1), *epsilon)),
        Op::RotaryEmbedding { axis, interleaved } => {
            let tables = [get(2)?, get(3)?];
            floats(rows::rotate(x, get(1)?, tables, *axis, *interleaved)?)
        }
        Op::ReduceMean { axes } => floats(rows::reduce_mean(x, axes, shape)),
        Op::ArgMax { axis } => Array::from_integers(Kind::Int64, shape.to_vec(), rows::arg_max(x, *axis)),
    };
    Ok(array)
}

/// The place in `from` of each element of `to`, to which it is broadcast.
pub fn broadcast_places(from: &[usize], to: &[usize]) -> Vec<usize> {
    let mut steps = vec![0; to.len() - from.len()];
    steps.extend(
        strides(from)
            .into_iter()
            .zip(from)
            .map(|(stride, length)| if *length == 1 { 0 } else { stride }),
    );
    places(to, 0, &steps).collect()
}
