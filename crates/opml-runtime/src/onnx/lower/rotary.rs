//! Rotary position embedding.

use opml::{Operand, ops::RotaryEmbeddingAttributes};

use super::{Lowered, Lowering, Real, Scale, Stored};
use crate::{
    onnx::{
        array::Array,
        error::Reasoned,
        graph::{Constant, Node},
    },
    tensor::Tensor,
};

/// Bits of the largest entry of a table.
const TABLE_BITS: i32 = 30;
const MAX_SHIFT: i32 = 62;

#[derive(Debug)]
pub struct Rotated {
    /// Rows in the order of their positions.
    x: Real,
    positions: Operand,
    cos: Array,
    sin: Array,
    interleaved: bool,
}

impl Lowering<'_> {
    pub fn rotary_embedding(&mut self, node: &Node, axis: usize, interleaved: bool) -> Reasoned<Rotated> {
        let x = self.real(node, 0)?;
        let rank = x.stored.shape.len();
        let others = (0..rank - 1).filter(|dimension| *dimension != axis);
        let order: Vec<usize> = others.chain([axis, rank - 1]).collect();
        let stored = self.ordered(&x.stored, &order)?;
        let rows = stored.shape[axis];
        let id = self.operand(node, 1)?;
        let positions = match self.graph.constant(id) {
            Some(constant) => {
                let positions = constant.to_array().to_integers()?;
                let positions: Vec<i32> = positions
                    .into_iter()
                    .map(|position| position.clamp(0, i32::MAX.into()) as i32)
                    .collect();
                let dims = self.emitter.dims(&[positions.len()])?;
                let tensor = Tensor::from_i32(&dims, &positions).map_err(|error| error.to_string())?;
                self.emitter.constant(tensor)
            }
            None => {
                let Lowered::Words(positions) = self.value(node, 1)? else {
                    return Err("its positions are no integers of the input".into());
                };
                self.shaped(Stored::new(positions.operand, &[rows]))?.operand
            }
        };
        let table = |index: usize| {
            let constant = self.graph.constant(self.operand(node, index)?);
            let array = constant.map(Constant::to_array).ok_or("its tables are not constant")?;
            Ok::<_, String>(array.as_ref().clone())
        };
        Ok(Rotated {
            positions,
            cos: table(2)?,
            sin: table(3)?,
            interleaved,
            x: Real { stored, scale: x.scale },
        })
    }

    /// The change of scale is in the tables.
    pub fn rotate(&mut self, rotated: &Rotated, y: Scale) -> Reasoned<Stored> {
        let Rotated {
            x, positions, cos, sin, ..
        } = rotated;
        let ratio = f64::from(x.scale.scale) / f64::from(y.scale);
        let [cos_reals, sin_reals] = [cos, sin].map(|table| -> Vec<f64> {
            let values = table.to_floats().into_iter();
            values.map(|value| f64::from(value) * ratio).collect()
        });
        let all = cos_reals.iter().chain(&sin_reals);
        let greatest = all.fold(0f64, |greatest, value| greatest.max(value.abs()));
        let (_, exponent) = libm::frexp(greatest);
        let shift = (TABLE_BITS - exponent).min(MAX_SHIFT);
        if !greatest.is_finite() || shift < 1 {
            return Err("a scale is too large".into());
        }
        let mut table = |array: &Array, reals: &[f64]| {
            let fixed: Vec<i32> = reals
                .iter()
                .map(|real| libm::rint(libm::ldexp(*real, shift)) as i32)
                .collect();
            let dims = self.emitter.dims(&array.shape)?;
            let tensor = Tensor::from_i32(&dims, &fixed).map_err(|error| error.to_string())?;
            Ok::<_, String>(self.emitter.constant(tensor))
        };
        let tables = [table(cos, &cos_reals)?, table(sin, &sin_reals)?];
        let attributes = RotaryEmbeddingAttributes {
            x_zero_point: x.scale.zero_point,
            y_zero_point: y.zero_point,
            shift: shift as i8,
            interleaved: rotated.interleaved,
        };
        let operand = self
            .emitter
            .emit(|builder| builder.rotary_embedding(x.stored.operand, *positions, tables, attributes))?;
        Ok(Stored {
            operand,
            ..x.stored.clone()
        })
    }
}
