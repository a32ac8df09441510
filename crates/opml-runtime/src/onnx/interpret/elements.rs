//! Functions of single elements, of pairs of them, and choices between them.

use super::broadcast_places;
use crate::onnx::{
    array::{Array, Data, Kind},
    error::Reasoned,
    operator::{Binary, Comparison, Unary},
};

pub fn binary(function: Binary, a: &Array, b: &Array, shape: &[usize], kind: Kind) -> Reasoned<Array> {
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
            Binary::Min => a[i].min(b[j]),
            Binary::Max => a[i].max(b[j]),
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
            Binary::Min => Some(a[i].min(b[j])),
            Binary::Max => Some(a[i].max(b[j])),
        })
        .collect::<Option<Vec<_>>>()
        .ok_or("its integers have no result")?;
    Ok(Array::from_integers(kind, shape.to_vec(), values.into_iter()))
}

pub fn unary(function: Unary, x: f32) -> f32 {
    let wide = f64::from(x);
    let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    match function {
        Unary::Abs => x.abs(),
        Unary::Clip { low, high } => x.max(low).min(high),
        Unary::Cos => libm::cos(wide) as f32,
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
        Unary::Sin => libm::sin(wide) as f32,
        Unary::Softplus => (wide.max(0.0) + libm::log1p(libm::exp(-wide.abs()))) as f32,
        Unary::Sqrt => x.sqrt(),
        Unary::Tanh => libm::tanh(wide) as f32,
    }
}

pub fn compare(comparison: Comparison, a: &Array, b: &Array, shape: &[usize]) -> Reasoned<Array> {
    let pairs = broadcast_places(&a.shape, shape)
        .into_iter()
        .zip(broadcast_places(&b.shape, shape));
    fn holds<T: PartialOrd>(comparison: Comparison, a: T, b: T, zero: T) -> bool {
        match comparison {
            Comparison::Equal => a == b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
            Comparison::And => a != zero && b != zero,
            Comparison::Or => a != zero || b != zero,
        }
    }
    let values = match a.kind() {
        Kind::Float => {
            let (a, b) = (a.to_floats(), b.to_floats());
            pairs.map(|(i, j)| holds(comparison, a[i], b[j], 0.0)).collect()
        }
        _ => {
            let (a, b) = (a.to_integers()?, b.to_integers()?);
            pairs.map(|(i, j)| holds(comparison, a[i], b[j], 0)).collect()
        }
    };
    Ok(Array::new(shape.to_vec(), Data::Bool(values)))
}

/// `a` where the condition is true, and else `b`.
pub fn choose(condition: &Array, a: &Array, b: &Array, shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let conditions = condition.to_integers()?;
    let [chosen, a_places, b_places] = [&condition.shape, &a.shape, &b.shape].map(|from| broadcast_places(from, shape));
    let places = chosen.into_iter().zip(a_places.into_iter().zip(b_places));
    if kind == Kind::Float {
        let (a, b) = (a.to_floats(), b.to_floats());
        let values = places.map(|(c, (i, j))| if conditions[c] != 0 { a[i] } else { b[j] });
        return Ok(Array::floats(shape.to_vec(), values.collect()));
    }
    let (a, b) = (a.to_integers()?, b.to_integers()?);
    let values = places.map(|(c, (i, j))| if conditions[c] != 0 { a[i] } else { b[j] });
    Ok(Array::from_integers(kind, shape.to_vec(), values))
}

/// To another kind: floats lose their fraction, and what is not 0 is true.
pub fn cast(x: &Array, shape: &[usize], kind: Kind) -> Reasoned<Array> {
    Ok(match (x.kind(), kind) {
        (_, Kind::Float) => Array::floats(shape.to_vec(), x.to_floats()),
        (Kind::Float, Kind::Bool) => {
            let values = x.to_floats().into_iter().map(|x| x != 0.0).collect();
            Array::new(shape.to_vec(), Data::Bool(values))
        }
        (Kind::Float, _) => {
            let values = x.to_floats().into_iter().map(|x| x as i64);
            Array::from_integers(kind, shape.to_vec(), values)
        }
        (_, Kind::Bool) => {
            let values = x.to_integers()?.into_iter().map(|x| x != 0).collect();
            Array::new(shape.to_vec(), Data::Bool(values))
        }
        _ => Array::from_integers(kind, shape.to_vec(), x.to_integers()?.into_iter()),
    })
}

/// The entries of a table at integers that are clamped to its places.
pub fn look_up(x: &Array, values: &[i64], shape: &[usize], kind: Kind) -> Reasoned<Array> {
    let last = values.len().checked_sub(1).ok_or("its table is empty")?;
    let entries = x
        .to_integers()?
        .into_iter()
        .map(|x| values[x.clamp(0, last as i64) as usize]);
    Ok(Array::from_integers(kind, shape.to_vec(), entries))
}
