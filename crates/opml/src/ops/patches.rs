//! `Patches`: the windows of an image as rows (im2col).

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, check_element,
    index::{Origin, element_at, indices},
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y[(b,) py * ow + px, t, (ky * kw + kx) * c/groups + i] = x[(b,) py * stride_h + ky * dilation_h - top, px * stride_w + kx * dilation_w - left, t * c/groups + i]`,
/// and `pad_value` where that lies outside x.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | [h, w, c] or [b, h, w, c] |
/// | y | int8, the quantisation of x | [(b,) oh * ow, groups, kh * kw * c / groups] |
///
/// Attributes: [`PatchesAttributes`]; `oh = (h + top + bottom - dilation_h * (kh - 1) - 1) / stride_h + 1`, floored, likewise `ow`, both at least 1.
/// With `pad_value` the zero point of x, [`super::FullyConnected`] makes a convolution of it and [`super::GroupedFullyConnected`] a grouped or depthwise
/// one; the reductions make pooling. Nothing rounds, saturates or overflows: places are computed in 64 bits.
///
/// Source: TensorFlow's `extract_image_patches` (im2col) with explicit padding.
pub struct Patches;

/// The attributes of [`Patches`], in the order of their bytes. Pairs are height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchesAttributes {
    /// At least 1 each.
    pub kernel: [u16; 2],
    /// At least 1 each.
    pub stride: [u16; 2],
    /// At least 1 each.
    pub dilation: [u16; 2],
    /// Top, left, bottom, right.
    pub padding: [u16; 4],
    /// Divides the channels.
    pub groups: u32,
    pub pad_value: i8,
}

impl PatchesAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        let mut writer = AttributeWriter::new();
        for value in [self.kernel, self.stride, self.dilation]
            .as_flattened()
            .iter()
            .chain(&self.padding)
        {
            writer = writer.put(&value.to_le_bytes());
        }
        writer.put(&self.groups.to_le_bytes()).i8s(&[self.pad_value]).finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            kernel: [reader.u16()?, reader.u16()?],
            stride: [reader.u16()?, reader.u16()?],
            dilation: [reader.u16()?, reader.u16()?],
            padding: [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?],
            groups: reader.u32()?,
            pad_value: reader.i8()?,
        };
        reader.finish()?;
        let pairs = [attributes.kernel, attributes.stride, attributes.dilation];
        if pairs.as_flattened().contains(&0) || attributes.groups == 0 {
            return Err(NodeError::Attribute);
        }
        Ok(attributes)
    }

    /// Height and width of the grid of windows over an image of `h` and `w`; `None` when no window fits or an attribute is out of range.
    pub fn windows(&self, h: u32, w: u32) -> Option<[u32; 2]> {
        let [top, left, bottom, right] = self.padding;
        let along = |length: u32, before: u16, after: u16, kernel: u16, stride: u16, dilation: u16| {
            let padded = u64::from(length) + u64::from(before) + u64::from(after);
            let extent = u64::from(dilation) * u64::from(kernel.checked_sub(1)?) + 1;
            let windows = padded.checked_sub(extent)?.checked_div(stride.into())? + 1;
            u32::try_from(windows).ok()
        };
        let ([kh, kw], [sh, sw], [dh, dw]) = (self.kernel, self.stride, self.dilation);
        Some([along(h, top, bottom, kh, sh, dh)?, along(w, left, right, kw, sw, dw)?])
    }

    /// The output for this x; `None` when there is no window, the groups do not divide the channels, or it is too large for a tensor.
    pub fn output(&self, x: &TensorSpec) -> Option<TensorSpec> {
        let (batch, [h, w, c]) = match *x.shape() {
            [h, w, c] => (None, [h, w, c]),
            [b, h, w, c] => (Some(b), [h, w, c]),
            _ => return None,
        };
        let [oh, ow] = self.windows(h, w)?;
        if c.checked_rem(self.groups)? != 0 {
            return None;
        }
        let [kh, kw] = self.kernel.map(u64::from);
        let windows = u32::try_from(u64::from(oh) * u64::from(ow)).ok()?;
        let k = u32::try_from(kh * kw * u64::from(c / self.groups)).ok()?;
        match batch {
            None => TensorSpec::new(ElementType::Int8, &[windows, self.groups, k]),
            Some(b) => TensorSpec::new(ElementType::Int8, &[b, windows, self.groups, k]),
        }
        .ok()
    }
}

impl Patches {
    pub const NUMBER: u8 = 7;

    fn origin(node: &NodeRecord, operands: &[TensorSpec], element: u32) -> Option<Origin> {
        let attributes = PatchesAttributes::decode(node).ok()?;
        let x_shape = operands.first()?.shape();
        let [batch, window, group, offset] = match *node.output.shape() {
            [_, _, _] => {
                let [window, group, offset, _] = indices(node.output.shape(), element)?;
                [0, window, group, offset]
            }
            _ => indices(node.output.shape(), element)?,
        };
        let [.., h, w, c] = *x_shape else { return None };
        let [_, ow] = attributes.windows(h, w)?;
        let channels = c.checked_div(attributes.groups)?;
        let tap = offset.checked_div(channels)?;
        let kw = u32::from(attributes.kernel[1]);
        let place = |window: u32, tap: u32, axis: usize| {
            i64::from(window) * i64::from(attributes.stride[axis])
                + i64::from(tap) * i64::from(attributes.dilation[axis])
                - i64::from(attributes.padding[axis])
        };
        let place = [
            i64::from(batch),
            place(window.checked_div(ow)?, tap.checked_div(kw)?, 0),
            place(window.checked_rem(ow)?, tap.checked_rem(kw)?, 1),
            i64::from(group * channels + offset.checked_rem(channels)?),
        ];
        let without_batch = place.len() - x_shape.len();
        Some(match element_at(x_shape, place.into_iter().skip(without_batch)) {
            Some(element) => Origin::Element { operand: 0, element },
            None => Origin::Fill(attributes.pad_value.into()),
        })
    }
}

impl Operator for Patches {
    fn name(&self) -> &'static str {
        "Patches"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        let attributes = PatchesAttributes::decode(node)?;
        check_element(operands, 0, ElementType::Int8)?;
        if x.shape().len() < 3 {
            return Err(NodeError::Operand { operand: 0 });
        }
        if attributes.output(x).ok_or(NodeError::Attribute)? != node.output {
            return Err(NodeError::OutputSpec);
        }
        Ok(())
    }

    fn region(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        Self::origin(node, operands, element)?.region(operands, operand)
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        Self::origin(node, operands, element)?.value(operands, regions)
    }
}
