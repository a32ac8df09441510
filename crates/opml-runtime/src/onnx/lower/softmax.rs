//! Softmax, and what attention leaves out of it.

use opml::{Operand, ops::SoftmaxAttributes};

use super::{ENTRIES, Lowered, Lowering, Real, Scale, Stored, linear::check_reduction};
use crate::{
    onnx::{error::Reasoned, graph::Node, operator::Mask},
    tensor::Tensor,
};

/// The fixed point of the exponentials: 1 is 2^30.
const EXPONENTIAL_BITS: i32 = 30;
/// How far a function may be from a straight line to be a change of scale, in its steps.
const STRAIGHT: f64 = 1e-3;

impl Lowering<'_> {
    /// Its result has the scale 1/256 by itself.
    pub fn softmax(&mut self, node: &Node, axis: usize, mask: Mask) -> Reasoned<Lowered> {
        let (x, step) = self.scores(node)?;
        let stored = self.axis_last(&x.stored, axis)?;
        check_reduction(stored.shape[axis])?;
        let exponentials: [i32; ENTRIES] = std::array::from_fn(|d| {
            let exponential = libm::exp(-step * d as f64);
            libm::rint(libm::ldexp(exponential, EXPONENTIAL_BITS)) as i32
        });
        let length = self.length(node)?;
        let attributes = SoftmaxAttributes {
            causal: mask.causal.is_some(),
            offset: mask.causal.unwrap_or(0),
        };
        let operand = self
            .emitter
            .emit(|builder| builder.softmax(stored.operand, &exponentials, length, attributes))?;
        if let Operand::Node(index) = operand {
            self.probabilities.insert(index);
        }
        let scale = Scale {
            scale: 1.0 / 256.0,
            zero_point: i8::MIN,
        };
        Ok(Lowered::Real(Real {
            stored: Stored { operand, ..stored },
            scale,
        }))
    }

    /// The scores, and how far apart two neighbouring integers are as reals. A function of them that is a straight line only changes that.
    fn scores(&mut self, node: &Node) -> Reasoned<(Real, f64)> {
        if let Lowered::Function { of, steps } = self.value(node, 0)? {
            let reals = self.evaluate(&of, &steps)?;
            let (first, last) = (f64::from(reals[0]), f64::from(reals[ENTRIES - 1]));
            let step = (last - first) / (ENTRIES - 1) as f64;
            let off = |(i, real): (usize, &f32)| (f64::from(*real) - first - step * i as f64).abs();
            if step > 0.0 && reals.iter().enumerate().map(off).all(|off| off <= STRAIGHT * step) {
                return Ok((of, step));
            }
        }
        let real = self.real(node, 0)?;
        let step = f64::from(real.scale.scale);
        Ok((real, step))
    }

    /// How many elements of each row count, as an int32.
    fn length(&mut self, node: &Node) -> Reasoned<Option<Operand>> {
        let Some(id) = node.operands.get(1).copied().flatten() else {
            return Ok(None);
        };
        let length = match self.graph.constant(id) {
            Some(constant) => {
                let length = *constant
                    .to_array()
                    .to_integers()?
                    .first()
                    .ok_or("its length is missing")?;
                let tensor = Tensor::from_i32(&[1], &[length as i32]).map_err(|error| error.to_string())?;
                self.emitter.constant(tensor)
            }
            None => {
                let Lowered::Words(length) = self.value(node, 1)? else {
                    return Err("its length is no integer of the input".into());
                };
                self.shaped(Stored::new(length.operand, &[1]))?.operand
            }
        };
        Ok(Some(length))
    }
}
