//! Means and the index of the maximum.

use opml::{Operand, ops::ReduceMeanAttributes};

use super::{
    Lowered, Lowering, Scale, Stored,
    fixed_point::fixed_point,
    linear::{CHANNELS_LAST, check_reduction},
};
use crate::onnx::{error::Reasoned, graph::Node, operator::Window};

/// The mean of each row of `x`.
#[derive(Debug, Clone)]
pub struct Mean {
    x: Operand,
    x_scale: Scale,
    k: usize,
    shape: Vec<usize>,
    order: Vec<usize>,
}

impl Lowering<'_> {
    /// Over windows that are all of one size, be it that the border counts.
    pub fn average_pool(&mut self, node: &Node, window: &Window) -> Reasoned<Mean> {
        let x = self.real(node, 0)?;
        let [_, channels, _, _] = x.stored.shape[..] else {
            return Err("its operand is no image".into());
        };
        let k = window.kernel[0] * window.kernel[1];
        check_reduction(k)?;
        let image = self.ordered(&x.stored, &CHANNELS_LAST)?;
        let windows = self.patches(&image, window, channels, x.scale.zero_point)?;
        let shape = self.graph.values[node.result].shape.clone();
        Ok(Mean {
            x: windows,
            x_scale: x.scale,
            k,
            shape,
            order: CHANNELS_LAST.to_vec(),
        })
    }

    pub fn reduce_mean(&mut self, node: &Node, axes: &[usize]) -> Reasoned<Mean> {
        let x = self.real(node, 0)?;
        let kept = (0..x.stored.shape.len()).filter(|dimension| !axes.contains(dimension));
        let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
        let k: usize = axes.iter().map(|axis| x.stored.shape[*axis]).product();
        check_reduction(k)?;
        let stored = self.ordered(&x.stored, &order)?;
        let rows = x.stored.shape.iter().product::<usize>() / k;
        let rows = self.shaped(Stored::new(stored.operand, &[rows, k]))?;
        let shape = self.graph.values[node.result].shape.clone();
        if shape.is_empty() {
            return Err("a scalar is not supported".into());
        }
        let order = (0..shape.len()).collect();
        Ok(Mean {
            x: rows.operand,
            x_scale: x.scale,
            k,
            shape,
            order,
        })
    }

    pub fn mean(&mut self, mean: &Mean, y: Scale) -> Reasoned<Stored> {
        let real = f64::from(mean.x_scale.scale) / f64::from(y.scale) / mean.k as f64;
        let (multiplier, shift) = fixed_point(real).ok_or("a scale is too large")?;
        let attributes = ReduceMeanAttributes {
            x_zero_point: mean.x_scale.zero_point,
            y_zero_point: y.zero_point,
            shift,
            multiplier,
        };
        let operand = self.emitter.emit(|builder| builder.reduce_mean(mean.x, attributes))?;
        self.shaped(Stored {
            operand,
            shape: mean.shape.clone(),
            order: mean.order.clone(),
        })
    }

    pub fn arg_max(&mut self, node: &Node, axis: usize) -> Reasoned<Lowered> {
        let stored = match self.value(node, 0)? {
            Lowered::Real(real) => real.stored,
            Lowered::Bytes(stored) => stored,
            lowered => return Err(self.not_quantised(&lowered, 0)),
        };
        check_reduction(stored.shape[axis])?;
        let stored = self.axis_last(&stored, axis)?;
        let operand = self.emitter.emit(|builder| builder.arg_max(stored.operand))?;
        let shape = self.graph.values[node.result].shape.clone();
        let shape = if shape.is_empty() { vec![1] } else { shape };
        // The others are in the graph's order, so that the reduced dimension may be anywhere, or nowhere.
        self.shaped(Stored::new(operand, &shape)).map(Lowered::Words)
    }

    /// With this dimension stored last and the others in order.
    pub fn axis_last(&mut self, stored: &Stored, axis: usize) -> Reasoned<Stored> {
        let order: Vec<usize> = (0..stored.shape.len()).filter(|i| *i != axis).chain([axis]).collect();
        self.ordered(stored, &order)
    }
}
