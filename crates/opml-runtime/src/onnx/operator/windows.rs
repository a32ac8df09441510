//! Convolutions and poolings: windows that move over an image.

use super::{Known, Op, Operands, Resolved, Window};
use crate::onnx::{
    attributes::Attributes,
    error::{Reasoned, quoted},
};

/// The dimensions of a batch of images.
pub fn image(x: &Known) -> Reasoned<[usize; 4]> {
    x.shape.as_slice().try_into().map_err(|_| {
        format!(
            "images of shape [batch, channels, height, width] are supported, not {:?}",
            x.shape
        )
    })
}

pub fn conv(attributes: &Attributes, operands: &Operands) -> Reasoned<Resolved> {
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

pub fn pool(operator: &str, attributes: &Attributes, x: &Known) -> Reasoned<Resolved> {
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
        other => return Err(format!("auto_pad {} is not known", quoted(other))),
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
pub fn windowed(op: Op, window: &Window, x: &Known) -> Reasoned<Resolved> {
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
