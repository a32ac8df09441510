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
    /// Along the height and along the width.
    windows: [Vec<Span>; 2],
    images: usize,
    h: usize,
    w: usize,
    c: usize,
    row: usize,
}

/// A window along one axis of the image.
struct Span {
    /// The taps that lie inside.
    taps: Range<usize>,
    /// Where the first of them is; 0 when there is none.
    place: usize,
}

impl Span {
    /// All windows along an axis of this length.
    fn all(attributes: &PatchesAttributes, axis: usize, length: usize, windows: usize) -> Vec<Self> {
        let [kernel, stride, dilation, before] = [
            attributes.kernel[axis],
            attributes.stride[axis],
            attributes.dilation[axis],
            attributes.padding[axis],
        ]
        .map(usize::from);
        let window = |window: usize| {
            // Places are counted from the border before the image.
            let first = window * stride;
            let taps_before = |place: usize| place.saturating_sub(first).div_ceil(dilation).min(kernel);
            let taps = taps_before(before)..taps_before(before + length);
            let place = match taps.is_empty() {
                true => 0,
                false => first + taps.start * dilation - before,
            };
            Self { taps, place }
        };
        (0..windows).map(window).collect()
    }
}

impl PatchesNode {
    pub(super) fn new(record: &NodeRecord, specs: &[TensorSpec]) -> Option<Self> {
        debug_assert_eq!(record.operator, Patches::NUMBER);
        let attributes = PatchesAttributes::decode(record).ok()?;
        let [.., h, w, c] = *specs[0].shape() else { return None };
        let [oh, ow] = attributes.windows(h, w)?;
        let [h, w, c, oh, ow] = [h, w, c, oh, ow].map(|length| length as usize);
        Some(Self {
            windows: [Span::all(&attributes, 0, h, oh), Span::all(&attributes, 1, w, ow)],
            images: specs[0].elements() as usize / (h * w * c),
            attributes,
            h,
            w,
            c,
            row: record.output.cols() as usize,
        })
    }

    /// The taps of a window that begin at `pixel` and lie in one line of the kernel, for these groups.
    fn line(&self, x: &[u8], pixel: usize, taps: Range<usize>, groups: &Range<usize>, y: &mut [u8]) {
        let channels = self.c / self.attributes.groups as usize;
        let dilation = usize::from(self.attributes.dilation[1]);
        if self.attributes.groups == 1 && dilation == 1 {
            let x = &x[pixel * self.c..][..taps.len() * self.c];
            y[taps.start * self.c..][..x.len()].copy_from_slice(x);
            return;
        }
        for (i, tap) in taps.enumerate() {
            let pixel = pixel + i * dilation;
            let x = &x[pixel * self.c + groups.start * channels..][..groups.len() * channels];
            let y = &mut y[tap * channels..];
            if channels == 1 {
                for (y, x) in y.iter_mut().step_by(self.row).zip(x) {
                    *y = *x;
                }
            } else {
                for (y, x) in y.chunks_mut(self.row).zip(x.chunks_exact(channels)) {
                    y[..channels].copy_from_slice(x);
                }
            }
        }
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
        let [kh, kw] = self.attributes.kernel.map(usize::from);
        let [down, across] = &self.windows;
        let line_taps = kw * (self.c / groups);
        let windows = work.rows.start / groups..work.rows.end.div_ceil(groups);
        let shape = [self.images, down.len(), across.len()];
        let mut rest = out;
        for (window, [image, line, column, _]) in windows.clone().zip(RowIndices::new(&shape, &windows)) {
            // All rows of a window at once, so that its taps are found once.
            let first = window * groups;
            let some = work.rows.start.saturating_sub(first)..groups.min(work.rows.end - first);
            let (y, after) = std::mem::take(&mut rest).split_at_mut(some.len() * self.row);
            rest = after;
            let (line, column) = (&down[line], &across[column]);
            if line.taps.len() < kh || column.taps.len() < kw {
                y.fill(self.attributes.pad_value as u8);
            }
            for (i, tap) in line.taps.clone().enumerate() {
                let place = line.place + i * usize::from(self.attributes.dilation[0]);
                let pixel = (image * self.h + place) * self.w + column.place;
                self.line(x, pixel, column.taps.clone(), &some, &mut y[tap * line_taps..]);
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
