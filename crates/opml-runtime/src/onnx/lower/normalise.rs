//! Normalisation of rows: LayerNorm and RMSNorm.

use opml::ops::{LayerNormAttributes, RmsNormAttributes};

use super::{Lowering, Real, Scale, Stored, linear::check_reduction};
use crate::onnx::{error::Reasoned, graph::Node};

/// Fraction bits of what a normalisation multiplies gamma with.
const NORMALISED_BITS: i32 = 20;

#[derive(Debug)]
pub struct Normalised {
    x: Real,
    gamma: Vec<f32>,
    /// Of LayerNorm; RMSNorm has none.
    beta: Option<Vec<f32>>,
    epsilon: f32,
}

impl Lowering<'_> {
    pub fn layer_norm(&mut self, node: &Node, epsilon: f32) -> Reasoned<Normalised> {
        let normalised = self.rms_norm(node, epsilon)?;
        let beta = match node.operands.get(2).copied().flatten() {
            None => vec![0.0; normalised.gamma.len()],
            Some(id) => self.graph.constant(id).ok_or("its bias is not constant")?.to_floats(),
        };
        Ok(Normalised {
            beta: Some(beta),
            ..normalised
        })
    }

    pub fn rms_norm(&mut self, node: &Node, epsilon: f32) -> Reasoned<Normalised> {
        let x = self.real(node, 0)?;
        let stored = self.in_graph_order(&x.stored)?;
        let k = stored.shape.last().copied().unwrap_or(1);
        check_reduction(k)?;
        let gamma = match node.operands.get(1).copied().flatten() {
            None => vec![1.0; k],
            Some(id) => self.graph.constant(id).ok_or("its scale is not constant")?.to_floats(),
        };
        Ok(Normalised {
            x: Real { stored, scale: x.scale },
            gamma,
            beta: None,
            epsilon,
        })
    }

    pub fn normalise(&mut self, normalised: &Normalised, y: Scale) -> Reasoned<Stored> {
        let Normalised {
            x,
            gamma,
            beta,
            epsilon,
        } = normalised;
        let in_units = |value: &f32| f64::from(*value) / f64::from(y.scale);
        let greatest = gamma
            .iter()
            .chain(beta.iter().flatten())
            .map(in_units)
            .fold(0f64, |greatest, value| greatest.max(value.abs()));
        // The largest parameter has 31 bits, but no more fraction bits than a shift of 62 leaves.
        let (_, exponent) = libm::frexp(greatest);
        let fraction_bits = (30 - exponent).min(62 - NORMALISED_BITS);
        let shift = NORMALISED_BITS + fraction_bits;
        if !greatest.is_finite() || shift < 1 {
            return Err("its scale or bias is too large".into());
        }
        let fixed = |values: &[f32]| -> Vec<i32> {
            values
                .iter()
                .map(|value| libm::rint(libm::ldexp(in_units(value), fraction_bits)) as i32)
                .collect()
        };
        let scale = f64::from(x.scale.scale);
        let (y_zero_point, shift) = (y.zero_point, shift as i8);
        let epsilon = libm::rint(f64::from(*epsilon) / (scale * scale) * 65_536.0) as u32;
        let gamma = fixed(gamma);
        let operand = match beta {
            Some(beta) => {
                let attributes = LayerNormAttributes {
                    y_zero_point,
                    shift,
                    epsilon,
                };
                let beta = fixed(beta);
                self.emitter
                    .emit(|builder| builder.layer_norm(x.stored.operand, &gamma, &beta, attributes))?
            }
            None => {
                let attributes = RmsNormAttributes {
                    x_zero_point: x.scale.zero_point,
                    y_zero_point,
                    shift,
                    epsilon,
                };
                self.emitter
                    .emit(|builder| builder.rms_norm(x.stored.operand, &gamma, attributes))?
            }
        };
        Ok(Stored {
            operand,
            ..x.stored.clone()
        })
    }
}
