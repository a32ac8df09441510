//! Functions of single elements as tables, sums and products of tensors.

use std::{collections::HashMap, rc::Rc};

use opml::ops::{AddAttributes, MulAttributes};

use super::{
    Deferred, ENTRIES, Lowered, Lowering, Real, Scale, Stored, Work, extended,
    fixed_point::{common, fixed_point},
};
use crate::onnx::{
    array::{Array, Kind},
    error::Reasoned,
    graph::{Constant, Node, ValueId},
    interpret,
    operator::Binary,
};

/// `a + b`, `a - b` or `a * b`; b is repeated to the shape of a.
#[derive(Debug)]
pub struct Pair {
    a: Real,
    b: Real,
    /// What a and b are multiplied by.
    signs: Option<[f64; 2]>,
}

impl Lowering<'_> {
    pub fn binary(&mut self, index: usize, node: &Node, function: Binary) -> Reasoned<Lowered> {
        let (a, b) = (self.operand(node, 0)?, self.operand(node, 1)?);
        let scalar = |id: usize| self.graph.values[id].shape.iter().product::<usize>() == 1;
        let shape = self.graph.values[node.result].shape.clone();
        let [a_constant, b_constant] = [a, b].map(|id| self.graph.constant(id));
        match (a_constant, b_constant) {
            (Some(constant), None) if scalar(a) => {
                if let (Binary::Mul, Lowered::Deferred(deferred)) = (function, self.value(node, 1)?)
                    && let Some(lowered) = multiplied(&deferred, constant, function)
                {
                    return Ok(lowered);
                }
                return self.function_step(index, node, &[1]);
            }
            (None, Some(constant)) if scalar(b) => {
                if let Lowered::Deferred(deferred) = self.value(node, 0)? {
                    let lowered = match function {
                        Binary::Add => biased(&deferred, constant, &[1]),
                        _ => multiplied(&deferred, constant, function),
                    };
                    if let Some(lowered) = lowered {
                        return Ok(lowered);
                    }
                }
                return self.function_step(index, node, &[0]);
            }
            (None, None) => {
                if let Some(lowered) = self.function_of_one(index, node)? {
                    return Ok(lowered);
                }
            }
            (Some(constant), None) | (None, Some(constant)) => {
                let (place, id) = if a_constant.is_some() { (1, a) } else { (0, b) };
                if let (Binary::Add, Lowered::Deferred(deferred)) = (function, self.value(node, place)?)
                    && let Some(lowered) = biased(&deferred, constant, &self.graph.values[id].shape)
                {
                    return Ok(lowered);
                }
            }
            (Some(_), Some(_)) => return Err("both of its operands are constants".into()),
        }
        let signs = match function {
            Binary::Add => Some([1.0, 1.0]),
            Binary::Sub => Some([1.0, -1.0]),
            Binary::Mul => None,
            Binary::Div | Binary::Pow | Binary::Min | Binary::Max => {
                return Err("it is supported with one number as its second operand only".into());
            }
        };
        let own = |id: usize| self.graph.values[id].shape.clone();
        let (a_shape, b_shape) = (own(a), own(b));
        let (a, b, signs) = match (a_constant, b_constant) {
            (None, Some(constant)) if a_shape == shape => {
                let a = self.real(node, 0)?;
                let b = self.constant_like(constant, &b_shape, &a.stored)?;
                (a, b, signs)
            }
            (Some(constant), None) if b_shape == shape => {
                let b = self.real(node, 1)?;
                let a = self.constant_like(constant, &a_shape, &b.stored)?;
                (b, a, signs.map(|[a, b]| [b, a]))
            }
            _ => {
                let mut operand = |place: usize, constant: Option<&Constant>, shape: &[usize]| match constant {
                    None => self.real(node, place),
                    Some(constant) => self.constant(constant, shape),
                };
                let (a, b) = (operand(0, a_constant, &a_shape)?, operand(1, b_constant, &b_shape)?);
                let (a, b, signs) = match a.stored.shape == shape {
                    true => (a, b, signs),
                    false => (b, a, signs.map(|[a, b]| [b, a])),
                };
                if a.stored.shape != shape {
                    return Err(format!(
                        "shapes {a_shape:?} and {b_shape:?} are both repeated; only one can be"
                    ));
                }
                let stored = self.repeatable(&a.stored, &b.stored)?;
                (a, Real { stored, ..b }, signs)
            }
        };
        let work = Work::Pair(Rc::new(Pair { a, b, signs }));
        Ok(Lowered::Deferred(Deferred::new(Some(index), work)))
    }

    /// `b` such that its dimensions are the last ones of `a`, as a is stored.
    fn repeatable(&mut self, a: &Stored, b: &Stored) -> Reasoned<Stored> {
        let rank = a.shape.len();
        let b = self.with_rank(b, rank)?;
        let b = self.ordered(&b, &a.order)?;
        let dims = b.dims();
        if dims == a.dims() {
            return Ok(b);
        }
        let ones = dims.iter().take_while(|length| **length == 1).count().min(rank - 1);
        let last = &dims[ones..];
        if a.dims()[ones..] != *last && last != [1] {
            return Err(format!(
                "shape {:?} cannot be repeated to {:?} in this way",
                b.shape, a.shape
            ));
        }
        self.shaped(Stored::new(b.operand, last))
    }

    pub fn pair(&mut self, pair: &Pair, y: Scale, low: i8, high: i8) -> Reasoned<Stored> {
        let Pair { a, b, signs } = pair;
        let (a_real, b_real, y_real) = (f64::from(a.scale.scale), f64::from(b.scale.scale), f64::from(y.scale));
        let (a_zero_point, b_zero_point, y_zero_point) = (a.scale.zero_point, b.scale.zero_point, y.zero_point);
        let (x, b) = (a.stored.operand, b.stored.operand);
        let operand = match signs {
            Some([a_sign, b_sign]) => {
                let ([a_multiplier, b_multiplier], shift) =
                    common([a_sign * a_real / y_real, b_sign * b_real / y_real]).ok_or("a scale is too large")?;
                let attributes = AddAttributes {
                    a_zero_point,
                    b_zero_point,
                    y_zero_point,
                    low,
                    high,
                    shift,
                    a_multiplier,
                    b_multiplier,
                };
                self.emitter.emit(|builder| builder.add(x, b, attributes))?
            }
            None => {
                let (multiplier, shift) = fixed_point(a_real * b_real / y_real).ok_or("a scale is too large")?;
                let attributes = MulAttributes {
                    a_zero_point,
                    b_zero_point,
                    y_zero_point,
                    low,
                    high,
                    shift,
                    multiplier,
                };
                self.emitter.emit(|builder| builder.mul(x, b, attributes))?
            }
        };
        Ok(Stored {
            operand,
            ..a.stored.clone()
        })
    }

    /// A step that continues the function of one operand; the others are single numbers.
    fn function_step(&mut self, index: usize, node: &Node, places: &[usize]) -> Reasoned<Lowered> {
        let mut all: Option<(Real, Vec<usize>)> = None;
        for place in places {
            let (of, steps) = match self.value(node, *place)? {
                Lowered::Real(of) => (of, Vec::new()),
                Lowered::Function { of, steps } => (of, steps),
                lowered => return Err(self.not_quantised(&lowered, *place)),
            };
            all = Some(match all {
                None => (of, steps),
                Some((first, before)) => (first, [before, steps].concat()),
            });
        }
        let (of, steps) = all.ok_or("it has no operands")?;
        let result = &self.graph.values[node.result].shape;
        if result != &of.stored.shape {
            return Err(format!("shape {:?} becomes {result:?}", of.stored.shape));
        }
        Ok(Lowered::Function {
            of,
            steps: extended(steps, &[], index)?,
        })
    }

    /// A function of two operands that are functions of the same tensor.
    fn function_of_one(&mut self, index: usize, node: &Node) -> Reasoned<Option<Lowered>> {
        let source = |lowered: Lowered| match lowered {
            Lowered::Real(of) | Lowered::Function { of, .. } => Some(of),
            _ => None,
        };
        match (source(self.value(node, 0)?), source(self.value(node, 1)?)) {
            (Some(a), Some(b)) if a == b => self.function_step(index, node, &[0, 1]).map(Some),
            _ => Ok(None),
        }
    }

    /// The result of a function for each of the 256 values of its tensor.
    pub fn evaluate(&self, of: &Real, steps: &[usize]) -> Reasoned<Vec<f32>> {
        let reals: Vec<f32> = (0..ENTRIES as i64).map(|i| of.scale.real(i - 128)).collect();
        let source = Array::floats(vec![ENTRIES], reals);
        let mut results: HashMap<usize, Array> = HashMap::new();
        let mut last = None;
        for step in steps {
            let node = &self.graph.nodes[*step];
            let operands: Vec<_> = node
                .operands
                .iter()
                .map(|operand| {
                    let id = (*operand)?;
                    match self.graph.constant(id) {
                        Some(constant) => Some(Array::floats(vec![1], constant.to_floats())),
                        None => Some(results.get(&id).unwrap_or(&source).clone()),
                    }
                })
                .collect();
            let operands: Vec<_> = operands.iter().map(Option::as_ref).collect();
            results.insert(
                node.result,
                interpret::compute(&node.op, &operands, &[ENTRIES], Kind::Float)?,
            );
            last = Some(node.result);
        }
        let result = last
            .and_then(|id| results.remove(&id))
            .ok_or("a function without steps")?;
        Ok(result.to_floats())
    }

    /// A function that nothing quantises, with the finest scale for all that it can be.
    pub fn tabulated(&mut self, value: ValueId, of: &Real, steps: &[usize]) -> Reasoned<Real> {
        if let Some(real) = self.tabulated.get(&value) {
            return Ok(real.clone());
        }
        let reals = self.evaluate(of, steps)?;
        let scale = Scale::covering(&reals).ok_or("it is infinite somewhere")?;
        let stored = self.tabulate(of, steps, scale)?;
        let real = Real { stored, scale };
        self.tabulated.insert(value, real.clone());
        Ok(real)
    }

    /// A function as a table; a clamp that keeps the scale is a Clip, and one that changes nothing no node.
    pub fn tabulate(&mut self, of: &Real, steps: &[usize], y: Scale) -> Reasoned<Stored> {
        let reals = self.evaluate(of, steps)?;
        let mut table = [0i8; ENTRIES];
        for (entry, real) in table.iter_mut().zip(&reals) {
            *entry = y.nearest(*real);
        }
        let step = steps.last().copied().or(self.emitter.current);
        let quantiser = std::mem::replace(&mut self.emitter.current, step);
        let (low, high) = (table[0], table[ENTRIES - 1]);
        let clamp = low <= high
            && table
                .iter()
                .zip(i8::MIN..=i8::MAX)
                .all(|(entry, q)| *entry == q.clamp(low, high));
        let operand = match clamp {
            true if (low, high) == (i8::MIN, i8::MAX) => Ok(of.stored.operand),
            true => self.emitter.emit(|builder| builder.clip(of.stored.operand, low, high)),
            false => self.emitter.emit(|builder| builder.lookup(of.stored.operand, &table)),
        };
        self.emitter.current = quantiser;
        Ok(Stored {
            operand: operand?,
            ..of.stored.clone()
        })
    }
}

/// Work with a constant added to its bias, when that is what the constant is.
fn biased(deferred: &Deferred, constant: &Constant, shape: &[usize]) -> Option<Lowered> {
    let Work::Linear(linear) = &deferred.work else {
        return None;
    };
    if !deferred.is_bare() || shape.len() > linear.shape().len() {
        return None;
    }
    let work = Work::Linear(Rc::new(linear.with_bias(constant, shape)?));
    Some(Lowered::Deferred(Deferred {
        work,
        ..deferred.clone()
    }))
}

/// Work whose result is multiplied with, or divided by, a positive number.
fn multiplied(deferred: &Deferred, constant: &Constant, function: Binary) -> Option<Lowered> {
    let number = *constant.to_floats().first()?;
    let factor = match function {
        Binary::Mul => number,
        Binary::Div => 1.0 / number,
        _ => return None,
    };
    (factor.is_finite() && factor > 0.0).then(|| {
        Lowered::Deferred(Deferred {
            low: deferred.low * factor,
            high: deferred.high * factor,
            factor: deferred.factor * factor,
            ..deferred.clone()
        })
    })
}
