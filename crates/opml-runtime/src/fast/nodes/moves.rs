//! Operators that only move elements: `Transpose`, `Slice`, `Pad`, `Concat`, `Patches`, `Gather`.

use std::ops::Range;

use opml::{
    ElementType, NodeRecord, TensorSpec,
    ops::{Concat, PadAttributes, Patches, PatchesAttributes, Slice, Transpose},
    tensor::MAX_RANK,
};

use super::{Node, Work, int32, shape};

/// Rows of a tensor with their indices in the dimensions before the last.
struct RowIndices<'a> {
    outer: &'a [usize],
    next: [usize; MAX_RANK],
    left: usize,
}

impl<'a> RowIndices<'a> {
    fn new(outer: &'a [usize], rows: &Range<usize>) -> Self {
        let mut next = [0; MAX_RANK];
        let mut rest = rows.start;
        for (index, dimension) in next.iter_mut().zip(outer).rev() {
            *index = rest % dimension;
            rest /= dimension;
        }
        Self {
            outer,
            next,
            left: rows.len(),
        }
    }
}

impl Iterator for RowIndices<'_> {
    type Item = [usize; MAX_RANK];

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let row = self.next;
        for (index, dimension) in self.next.iter_mut().zip(self.outer).rev() {
            *index += 1;
            if *index < *dimension {
                break;
            }
            *index = 0;
        }
        Some(row)
    }
}

/// Elements between neighbours in each dimension.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    strides
}

/// `y[i, j, ..] = x[first + i * strides[0] + j * strides[1] + ..]`.
pub(super) struct StridedNode {
    outer: Vec<usize>,
    cols: usize,
    size: usize,
    first: usize,
    outer_strides: Vec<usize>,
    stride: usize,
}

impl StridedNode {
    fn new(record: &NodeRecord, first: usize, strides: Vec<usize>) -> Option<Self> {
        let (cols, outer) = shape(&record.output)
            .split_last()
            .map(|(cols, outer)| (*cols, outer.to_vec()))?;
        let (stride, outer_strides) = strides.split_last()?;
        Some(Self {
            outer,
            cols,
            size: record.output.element().size() as usize,
            first,
            outer_strides: outer_strides.to_vec(),
            stride: *stride,
        })
    }

    pub(super) fn transpose(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let x = shape(&specs[0]);
        let permutation = Transpose::permutation(record, x.len()).ok()?;
        let x_strides = strides(&x);
        let strides = permutation[..x.len()]
            .iter()
            .map(|dimension| x_strides[usize::from(*dimension)]);
        Self::new(record, 0, strides.collect())
    }

    pub(super) fn slice(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let x = shape(&specs[0]);
        let starts = Slice::starts(record, x.len()).ok()?;
        let strides = strides(&x);
        let first = starts
            .iter()
            .zip(&strides)
            .map(|(start, stride)| *start as usize * stride)
            .sum();
        Self::new(record, first, strides)
    }
}

impl Node for StridedNode {
    fn is_row_local(&self) -> bool {
        false
    }

    fn row_cost(&self) -> usize {
        match self.stride {
            1 => 20 + self.cols * self.size / 64,
            _ => 20 + self.cols,
        }
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let x = work.whole(0);
        let rows = RowIndices::new(&self.outer, &work.rows);
        for (indices, y) in rows.zip(out.chunks_exact_mut(self.cols * self.size)) {
            let outer = indices
                .iter()
                .zip(&self.outer_strides)
                .map(|(index, stride)| index * stride);
            let first = self.first + outer.sum::<usize>();
            let x = &x[first * self.size..];
            if self.stride == 1 {
                y.copy_from_slice(&x[..y.len()]);
            } else if self.size == 1 {
                for (y, x) in y.iter_mut().zip(x.iter().step_by(self.stride)) {
                    *y = *x;
                }
            } else {
                let elements = x.as_chunks::<4>().0.iter().step_by(self.stride);
                for (y, x) in y.as_chunks_mut::<4>().0.iter_mut().zip(elements) {
                    *y = *x;
                }
            }
        }
    }
}

/// Where an operand lies in the output.
struct Placed {
    operand: usize,
    start: Vec<usize>,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// Operands as boxes in the output, and a value around them.
pub(super) struct BoxesNode {
    outer: Vec<usize>,
    cols: usize,
    size: usize,
    boxes: Vec<Placed>,
    /// None when the boxes fill the output.
    fill: Option<[u8; 4]>,
}

impl BoxesNode {
    fn new(
        record: &NodeRecord,
        specs: &[TensorSpec],
        fill: Option<[u8; 4]>,
        start: impl Fn(usize, usize) -> usize,
    ) -> Option<Self> {
        let (cols, outer) = shape(&record.output)
            .split_last()
            .map(|(cols, outer)| (*cols, outer.to_vec()))?;
        let boxes = specs.iter().enumerate().map(|(operand, spec)| {
            let shape = shape(spec);
            Placed {
                operand,
                start: (0..shape.len()).map(|dimension| start(operand, dimension)).collect(),
                strides: strides(&shape),
                shape,
            }
        });
        Some(Self {
            outer,
            cols,
            size: record.output.element().size() as usize,
            boxes: boxes.collect(),
            fill,
        })
    }

    pub(super) fn pad(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let attributes = PadAttributes::decode(record).ok()?;
        let fill = match record.output.element() {
            ElementType::Int8 => [attributes.value as u8; 4],
            ElementType::Int32 => attributes.value.to_le_bytes(),
        };
        Self::new(record, specs, Some(fill), |_, dimension| {
            attributes.before[dimension] as usize
        })
    }

    pub(super) fn concat(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        let axis = Concat::axis(record).ok()?;
        let end_of_a = *shape(&specs[0]).get(axis)?;
        Self::new(record, specs, None, |operand, dimension| {
            if operand == 1 && dimension == axis { end_of_a } else { 0 }
        })
    }
}

impl Node for BoxesNode {
    fn is_row_local(&self) -> bool {
        false
    }

    fn row_cost(&self) -> usize {
        40 + self.cols * self.size / 32
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        if let Some(fill) = self.fill {
            out.as_chunks_mut::<4>().0.fill(fill);
            // Less than four bytes are left only of int8, whose fill is four times the same.
            out.as_chunks_mut::<4>().1.fill(fill[0]);
        }
        let rows = RowIndices::new(&self.outer, &work.rows);
        for (indices, y) in rows.zip(out.chunks_exact_mut(self.cols * self.size)) {
            for placed in &self.boxes {
                let (Some((cols, outer)), Some((start, _))) = (placed.shape.split_last(), placed.start.split_last())
                else {
                    continue;
                };
                let mut first = Some(0);
                for (i, dimension) in outer.iter().enumerate() {
                    let index = indices[i]
                        .checked_sub(placed.start[i])
                        .filter(|index| index < dimension);
                    first = first.zip(index).map(|(first, index)| first + index * placed.strides[i]);
                }
                let Some(first) = first else { continue };
                let x = &work.whole(placed.operand)[first * self.size..][..cols * self.size];
                y[start * self.size..][..x.len()].copy_from_slice(x);
            }
        }
    }
}

pub(super) struct PatchesNode {
    attributes: PatchesAttributes,
    h: usize,
    w: usize,
    c: usize,
    windows: usize,
    ow: usize,
    row: usize,
}

impl PatchesNode {
    pub(super) fn new(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        debug_assert_eq!(record.operator, Patches::NUMBER);
        let attributes = PatchesAttributes::decode(record).ok()?;
        let [.., h, w, c] = *specs[0].shape() else { return None };
        let [oh, ow] = attributes.windows(h, w)?;
        Some(Self {
            attributes,
            h: h as usize,
            w: w as usize,
            c: c as usize,
            windows: oh as usize * ow as usize,
            ow: ow as usize,
            row: record.output.cols() as usize,
        })
    }

    /// The place of a tap along an axis of the image, if it lies inside.
    fn place(&self, window: usize, tap: usize, axis: usize, length: usize) -> Option<usize> {
        let [stride, dilation, before] = [
            self.attributes.stride[axis],
            self.attributes.dilation[axis],
            self.attributes.padding[axis],
        ]
        .map(usize::from);
        (window * stride + tap * dilation)
            .checked_sub(before)
            .filter(|place| *place < length)
    }
}

impl Node for PatchesNode {
    fn is_row_local(&self) -> bool {
        false
    }

    fn row_cost(&self) -> usize {
        20 + self.row
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let x = work.whole(0);
        let groups = self.attributes.groups as usize;
        let channels = self.c / groups;
        let [kh, kw] = self.attributes.kernel.map(usize::from);
        let row = self.row;
        let mut rest = out;
        let mut at = work.rows.start;
        while at < work.rows.end {
            // All rows of a window at once, so that its taps are found once.
            let window = at / groups;
            let some = at % groups..groups.min(work.rows.end - window * groups);
            let (y, after) = std::mem::take(&mut rest).split_at_mut(some.len() * row);
            (rest, at) = (after, at + some.len());
            let (image, window) = (window / self.windows, window % self.windows);
            for tap_y in 0..kh {
                let place_y = self.place(window / self.ow, tap_y, 0, self.h);
                let line = place_y.map(|place_y| (image * self.h + place_y) * self.w);
                for tap_x in 0..kw {
                    let place_x = self.place(window % self.ow, tap_x, 1, self.w);
                    let tap = (tap_y * kw + tap_x) * channels;
                    let Some(pixel) = line.zip(place_x).map(|(line, place_x)| line + place_x) else {
                        for y in y.chunks_exact_mut(row) {
                            y[tap..][..channels].fill(self.attributes.pad_value as u8);
                        }
                        continue;
                    };
                    let x = &x[pixel * self.c + some.start * channels..][..some.len() * channels];
                    if channels == 1 {
                        for (y, x) in y[tap..].iter_mut().step_by(row).zip(x) {
                            *y = *x;
                        }
                    } else {
                        for (y, x) in y.chunks_exact_mut(row).zip(x.chunks_exact(channels)) {
                            y[tap..][..channels].copy_from_slice(x);
                        }
                    }
                }
            }
        }
    }
}

pub(super) struct GatherNode {
    table_rows: usize,
    row_bytes: usize,
}

impl GatherNode {
    pub(super) fn new(specs: &[TensorSpec]) -> Self {
        Self {
            table_rows: specs[1].rows() as usize,
            row_bytes: specs[1].row_bytes() as usize,
        }
    }
}

impl Node for GatherNode {
    // The row of the output is an element of the first operand, not a row.
    fn is_row_local(&self) -> bool {
        false
    }

    fn row_cost(&self) -> usize {
        20 + self.row_bytes / 64
    }

    fn rows(&self, work: &Work, out: &mut [u8]) {
        let indices = int32(&work.whole(0)[4 * work.rows.start..]);
        for (index, y) in indices.zip(out.chunks_exact_mut(self.row_bytes)) {
            let row = (index.max(0) as usize).min(self.table_rows - 1);
            y.copy_from_slice(&work.whole(1)[row * self.row_bytes..][..self.row_bytes]);
        }
    }
}
