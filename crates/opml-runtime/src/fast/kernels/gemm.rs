//! int8 matrix products, requantised.
//!
//! The weights are packed once, in one form for all kernels: panels of 16 columns, and of each column groups of four neighbouring elements, so that a
//! line of 64 bytes holds one group of 16 columns. A weight `w` is stored as the unsigned `w + 128`, which `vpdpbusd` wants for one of its factors, and
//! the places beyond the last element are 0, so that what they meet does not matter.
//!
//! With `v = w + 128`, `Σ (x - z_x)(w - z_w) = Σ x v - (128 + z_w) Σ x - z_x Σ (w - z_w)`: a term of the row and a term of the column. The kernels
//! compute `Σ x v` modulo 2^32 and the terms are added modulo 2^32; the result is exact because the operators bound the true sum below 2^31.

use std::ops::Range;

use super::{Instructions, Level};

/// Columns of a panel.
pub(in crate::fast) const PANEL: usize = 16;
/// Neighbouring elements of a column in a line.
const GROUP: usize = 4;
/// Rows of x that the kernels take at once at most.
const MAX_ROWS: usize = 8;
/// Panels that the kernels take at once at most.
const MAX_PANELS: usize = 4;

/// The largest product of two int8 less their zero points.
const MAX_PRODUCT: i32 = 255 * 255;

/// One group of each column of a panel.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([[u8; GROUP]; PANEL]);

/// The sums of one row and one panel.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Sums(pub(super) [i32; PANEL]);

/// Weights [n, k] in the order in which the kernels read them.
#[derive(Clone)]
pub(in crate::fast) struct Packed {
    k: usize,
    lines: Vec<Line>,
    /// `Σ w` of each column.
    column_sums: Vec<i32>,
}

impl Packed {
    /// Packs row-major int8 weights of `k` columns.
    pub(in crate::fast) fn new(level: Level, weights: &[u8], k: usize) -> Self {
        let n = weights.len() / k;
        let groups = k.div_ceil(GROUP);
        let mut lines = vec![Line([[0; GROUP]; PANEL]); n.div_ceil(PANEL) * groups];
        let mut column_sums = vec![0; n];
        row_sums(level, weights, k, &mut column_sums);
        for (panel, columns) in weights.chunks(PANEL * k).enumerate() {
            let lines = &mut lines[panel * groups..][..groups];
            for (i, column) in columns.chunks_exact(k).enumerate() {
                let (whole, rest) = column.as_chunks::<GROUP>();
                for (line, group) in lines.iter_mut().zip(whole) {
                    line.0[i] = group.map(|byte| byte ^ 0x80);
                }
                if let Some(line) = lines.get_mut(whole.len()) {
                    for (to, from) in line.0[i].iter_mut().zip(rest) {
                        *to = from ^ 0x80;
                    }
                }
            }
        }
        Self { k, lines, column_sums }
    }
}

/// How sums become int8: `clamp(scale(sat32(sum + bias), multiplier, shift) + zero_point, low, high)`.
pub(in crate::fast) struct Requantisation {
    pub x_zero_point: i32,
    pub weights_zero_point: i32,
    pub y_zero_point: i64,
    pub low: i64,
    pub high: i64,
    /// An entry each column, like the next two.
    pub bias: Vec<i32>,
    pub multiplier: Vec<i32>,
    /// 1 to 62.
    pub shift: Vec<u32>,
}

impl Requantisation {
    /// That of some columns.
    pub(in crate::fast) fn part(&self, columns: Range<usize>) -> Self {
        Self {
            bias: self.bias[columns.clone()].to_vec(),
            multiplier: self.multiplier[columns.clone()].to_vec(),
            shift: self.shift[columns].to_vec(),
            ..*self
        }
    }
}

/// `Σ x` of each row of `k` elements.
#[inline(always)]
fn row_sums_body(x: &[u8], k: usize, sums: &mut [i32]) {
    for (sum, row) in sums.iter_mut().zip(x.chunks_exact(k)) {
        *sum = row
            .iter()
            .fold(0, |sum: i32, byte| sum.wrapping_add(i32::from(*byte as i8)));
    }
}

super::for_each_level!(row_sums = row_sums_body(x: &[u8], k: usize, sums: &mut [i32]));

/// The rows of one call of a kernel: whole groups and the rest of each row, padded with zeros.
#[derive(Clone, Copy)]
struct Row<'a> {
    groups: &'a [[u8; GROUP]],
    rest: Option<[u8; GROUP]>,
}

impl<'a> Row<'a> {
    #[inline(always)]
    fn new(row: &'a [u8]) -> Self {
        let (groups, rest) = row.as_chunks::<GROUP>();
        let rest = (!rest.is_empty()).then(|| {
            let mut group = [0; GROUP];
            group[..rest.len()].copy_from_slice(rest);
            group
        });
        Self { groups, rest }
    }
}

/// `Σ x v` for some rows and panels.
trait Kernel {
    /// Rows that one call takes at most.
    const ROWS: usize;

    /// `panels` are the lines of `P` panels of equal length, one after the other.
    fn tile<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]);
}

struct Plain;

impl Kernel for Plain {
    const ROWS: usize = 4;

    #[inline(always)]
    fn tile<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]) {
        let len = panels.len() / P;
        for (row, sums) in rows.iter().zip(sums) {
            for (panel, sums) in panels.chunks_exact(len).zip(sums) {
                let mut total = [0i32; PANEL];
                let groups = row.groups.iter().chain(&row.rest);
                for (x, line) in groups.zip(panel) {
                    let x = x.map(|byte| i32::from(byte as i8));
                    for (total, v) in total.iter_mut().zip(&line.0) {
                        for i in 0..GROUP {
                            *total = total.wrapping_add(x[i].wrapping_mul(i32::from(v[i])));
                        }
                    }
                }
                sums.0 = total;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Kernel for Avx2 {
    const ROWS: usize = 3;

    #[inline(always)]
    fn tile<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]) {
        // SAFETY: `product` names this kernel only at a level that has AVX2.
        unsafe { x86::avx2(rows, panels, sums) }
    }
}

#[cfg(target_arch = "x86_64")]
struct Vnni;

#[cfg(target_arch = "x86_64")]
impl Kernel for Vnni {
    const ROWS: usize = 8;

    #[inline(always)]
    fn tile<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]) {
        // SAFETY: `product` names this kernel only at a level that has AVX-512 with VNNI.
        unsafe { x86::vnni(rows, panels, sums) }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)] // Loops over registers: iterators of them are not always unrolled.
mod x86 {
    use std::arch::x86_64::*;

    use super::{GROUP, Line, PANEL, Row, Sums};

    /// `vpdpbusd` multiplies unsigned by signed bytes and adds four products to a 32-bit sum, modulo 2^32: unlike `vpmaddubsw` nothing saturates.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
    #[inline]
    pub(super) fn vnni<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]) {
        let len = panels.len() / P;
        let whole = rows[0].groups.len();
        let mut groups: [&[[u8; GROUP]]; M] = [&[]; M];
        let mut rest = [[0; GROUP]; M];
        for m in 0..M {
            groups[m] = &rows[m].groups[..whole];
            rest[m] = rows[m].rest.unwrap_or_default();
        }
        let mut lines: [&[Line]; P] = [&[]; P];
        for p in 0..P {
            lines[p] = &panels[p * len..][..whole];
        }
        let mut total = [[_mm512_setzero_si512(); P]; M];
        for g in 0..whole {
            let mut v = [_mm512_setzero_si512(); P];
            for p in 0..P {
                v[p] = load(&lines[p][g]);
            }
            for m in 0..M {
                let x = _mm512_set1_epi32(i32::from_le_bytes(groups[m][g]));
                for p in 0..P {
                    total[m][p] = _mm512_dpbusd_epi32(total[m][p], v[p], x);
                }
            }
        }
        if len > whole {
            for m in 0..M {
                let x = _mm512_set1_epi32(i32::from_le_bytes(rest[m]));
                for p in 0..P {
                    total[m][p] = _mm512_dpbusd_epi32(total[m][p], load(&panels[p * len + whole]), x);
                }
            }
        }
        for (sums, total) in sums.iter_mut().flatten().zip(total.as_flattened()) {
            // SAFETY: `Sums` is 64 bytes, aligned to 64.
            unsafe { _mm512_store_si512((&raw mut sums.0).cast(), *total) }
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(line: &Line) -> __m512i {
        // SAFETY: a line is 64 bytes, aligned to 64.
        unsafe { _mm512_load_si512((&raw const line.0).cast()) }
    }

    /// The vectors that the products of a line and a row take.
    const QUARTERS: usize = 4;

    #[target_feature(enable = "avx2")]
    #[inline]
    fn step<const M: usize>(total: &mut [[__m256i; QUARTERS]; M], x: &[[u8; GROUP]; M], line: &Line) {
        let mut wide = [_mm256_setzero_si256(); M];
        for m in 0..M {
            wide[m] = _mm256_cvtepi8_epi16(_mm_set1_epi32(i32::from_le_bytes(x[m])));
        }
        let (quarters, _) = line.0.as_chunks::<{ PANEL / QUARTERS }>();
        for q in 0..QUARTERS {
            // SAFETY: a quarter of a line is 16 bytes.
            let v = unsafe { _mm_loadu_si128((&raw const quarters[q]).cast()) };
            let v = _mm256_cvtepu8_epi16(v);
            for m in 0..M {
                total[m][q] = _mm256_add_epi32(total[m][q], _mm256_madd_epi16(wide[m], v));
            }
        }
    }

    /// `vpmaddwd` on factors widened to 16 bits: a pair of products is at most 2 * 255 * 128 and exact in 32 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn avx2<const M: usize, const P: usize>(rows: [Row; M], panels: &[Line], sums: &mut [[Sums; P]; M]) {
        let len = panels.len() / P;
        let whole = rows[0].groups.len();
        let mut groups: [&[[u8; GROUP]]; M] = [&[]; M];
        let mut rest = [[0; GROUP]; M];
        for m in 0..M {
            groups[m] = &rows[m].groups[..whole];
            rest[m] = rows[m].rest.unwrap_or_default();
        }
        for p in 0..P {
            let lines = &panels[p * len..][..len];
            // Each holds two partial sums of four columns.
            let mut total = [[_mm256_setzero_si256(); QUARTERS]; M];
            let (head, tail) = lines.split_at(whole);
            for (g, line) in head.iter().enumerate() {
                let mut x = [[0; GROUP]; M];
                for m in 0..M {
                    x[m] = groups[m][g];
                }
                step(&mut total, &x, line);
            }
            if let [line] = tail {
                step(&mut total, &rest, line);
            }
            for (sums, total) in sums.iter_mut().zip(&total) {
                let mut halves = [0i32; 2 * PANEL];
                for (halves, total) in halves.as_chunks_mut::<8>().0.iter_mut().zip(total) {
                    // SAFETY: eight int32 are 32 bytes.
                    unsafe { _mm256_storeu_si256((&raw mut *halves).cast(), *total) }
                }
                for (sum, [a, b]) in sums[p].0.iter_mut().zip(halves.as_chunks::<2>().0) {
                    *sum = a.wrapping_add(*b);
                }
            }
        }
    }
}

/// One panel of one row of sums to int8. `out` has as many elements as the panel has columns.
#[inline(always)]
pub(super) fn requantise(
    sums: &Sums,
    row_term: i32,
    columns: &Columns,
    requantisation: &Requantisation,
    out: &mut [u8],
) {
    match out.first_chunk_mut::<PANEL>() {
        // Straight to its place: by way of a copy the halves would have to wait for each other.
        Some(out) => requantise_panel(sums, row_term, columns, requantisation, out),
        None => {
            let mut whole = [0; PANEL];
            requantise_panel(sums, row_term, columns, requantisation, &mut whole);
            copy_part(out, &whole);
        }
    }
}

#[inline(always)]
fn requantise_panel(
    sums: &Sums,
    row_term: i32,
    columns: &Columns,
    requantisation: &Requantisation,
    out: &mut [u8; PANEL],
) {
    if columns.saturates {
        requantise_lanes::<true>(sums, row_term, columns, requantisation, out);
    } else {
        requantise_lanes::<false>(sums, row_term, columns, requantisation, out);
    }
}

#[inline(always)]
fn requantise_lanes<const SATURATES: bool>(
    sums: &Sums,
    row_term: i32,
    columns: &Columns,
    requantisation: &Requantisation,
    out: &mut [u8; PANEL],
) {
    for (i, y) in out.iter_mut().enumerate() {
        let sum = sums.0[i].wrapping_add(row_term).wrapping_add(columns.term[i]);
        let sum = if SATURATES {
            sum.saturating_add(columns.bias[i])
        } else {
            sum
        };
        let product = i64::from(sum).wrapping_mul(i64::from(columns.multiplier[i]));
        let scaled = product.wrapping_add(columns.rounding[i]) >> (columns.shift[i] & 63);
        let shifted = scaled.wrapping_add(requantisation.y_zero_point);
        *y = shifted.max(requantisation.low).min(requantisation.high) as u8;
    }
}

/// The last panel's columns when they are less than 16. Apart, so that the others are stored at once.
#[cold]
#[inline(never)]
fn copy_part(out: &mut [u8], bytes: &[u8; PANEL]) {
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
}

/// What a panel's columns are requantised with; the places beyond the last column are of no use.
pub(super) struct Columns {
    /// With the bias, when that cannot saturate.
    term: [i32; PANEL],
    saturates: bool,
    bias: [i32; PANEL],
    multiplier: [i32; PANEL],
    rounding: [i64; PANEL],
    shift: [i64; PANEL],
}

impl Columns {
    pub(super) const NONE: Self = Self {
        term: [0; PANEL],
        saturates: false,
        bias: [0; PANEL],
        multiplier: [0; PANEL],
        rounding: [1; PANEL],
        shift: [1; PANEL],
    };

    /// Takes the columns `range`, of reductions of `k` elements, with a term for each.
    #[inline(always)]
    pub(super) fn fill(
        &mut self,
        terms: impl Iterator<Item = i32>,
        k: usize,
        requantisation: &Requantisation,
        range: Range<usize>,
    ) {
        let len = range.len();
        for (to, term) in self.term[..len].iter_mut().zip(terms) {
            *to = term;
        }
        let bias = &requantisation.bias[range.clone()];
        // No sum is larger. The longest reduction leaves a little room.
        let room = i32::MAX - MAX_PRODUCT * k as i32;
        self.saturates = bias.iter().any(|bias| bias.unsigned_abs() > room as u32);
        if self.saturates {
            self.bias[..len].copy_from_slice(bias);
        } else {
            for (term, bias) in self.term.iter_mut().zip(bias) {
                *term = term.wrapping_add(*bias);
            }
        }
        self.multiplier[..len].copy_from_slice(&requantisation.multiplier[range.clone()]);
        let to = self.rounding.iter_mut().zip(&mut self.shift);
        for ((rounding, to), shift) in to.zip(&requantisation.shift[range]) {
            *rounding = 1i64 << (shift.wrapping_sub(1) & 63);
            *to = i64::from(*shift);
        }
    }
}

/// A block of the output: all rows, the columns of some panels.
struct Block<'a> {
    x: &'a [u8],
    weights: &'a Packed,
    requantisation: &'a Requantisation,
    /// The first panel; all up to the block's width follow.
    first_panel: usize,
    columns: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn run<K: Kernel>(&self, out: &mut [u8]) {
        let mut panel = 0;
        let panels = self.columns.div_ceil(PANEL);
        let rows = self.x.len() / self.weights.k;
        let mut sums = vec![0; rows];
        row_sums_body(self.x, self.weights.k, &mut sums);
        for sum in &mut sums {
            *sum = sum.wrapping_mul(-(128 + self.requantisation.weights_zero_point));
        }
        while panel < panels {
            panel += match panels - panel {
                // Two panels keep eight rows in registers; a single row wants more, to hide the latency of the sums.
                left if left >= 4 && rows < K::ROWS => self.panels::<K, 4>(panel, rows, &sums, out),
                left if left >= 2 => self.panels::<K, 2>(panel, rows, &sums, out),
                _ => self.panels::<K, 1>(panel, rows, &sums, out),
            };
        }
    }

    #[inline(always)]
    fn panels<K: Kernel, const P: usize>(&self, panel: usize, rows: usize, row_terms: &[i32], out: &mut [u8]) -> usize {
        const { assert!(P <= MAX_PANELS && K::ROWS <= MAX_ROWS) };
        let mut row = 0;
        let lines = self.weights.k.div_ceil(GROUP);
        let lines = &self.weights.lines[(self.first_panel + panel) * lines..][..P * lines];
        let zero = (self.weights.k as i32).wrapping_mul(self.requantisation.weights_zero_point);
        let negated = self.requantisation.x_zero_point.wrapping_neg();
        let mut columns = [const { Columns::NONE }; P];
        for (p, columns) in columns.iter_mut().enumerate() {
            let first = (self.first_panel + panel + p) * PANEL;
            let end = (first + PANEL).min(self.weights.column_sums.len());
            let sums = &self.weights.column_sums[first..end];
            let terms = sums.iter().map(|sum| negated.wrapping_mul(sum.wrapping_sub(zero)));
            columns.fill(terms, self.weights.k, self.requantisation, first..end);
        }
        while row < rows {
            macro_rules! rows {
                ($($m:literal)*) => {
                    match (rows - row).min(K::ROWS) {
                        $($m => self.rows::<K, $m, P>(panel, row, &row_terms[row..], lines, &columns, out),)*
                        _ => unreachable!("at most eight rows"),
                    }
                };
            }
            row += rows!(1 2 3 4 5 6 7 8);
        }
        P
    }

    #[inline(always)]
    fn rows<K: Kernel, const M: usize, const P: usize>(
        &self,
        panel: usize,
        row: usize,
        row_terms: &[i32],
        lines: &[Line],
        columns: &[Columns; P],
        out: &mut [u8],
    ) -> usize {
        let k = self.weights.k;
        let mut sums = [[Sums([0; PANEL]); P]; M];
        let mut rows = [Row {
            groups: &[],
            rest: None,
        }; M];
        for (row, x) in rows.iter_mut().zip(self.x[row * k..].chunks_exact(k)) {
            *row = Row::new(x);
        }
        K::tile::<M, P>(rows, lines, &mut sums);
        for (m, sums) in sums.iter().enumerate() {
            let first = panel * PANEL;
            let out = &mut out[(row + m) * self.columns..][first..self.columns];
            for ((sums, columns), out) in sums.iter().zip(columns).zip(out.chunks_mut(PANEL)) {
                requantise(sums, row_terms[m], columns, self.requantisation, out);
            }
        }
        M
    }
}

/// Rows of x times some columns of the weights, requantised. `out` holds of each row these columns; the first of them begins a panel.
pub(in crate::fast) fn product(
    level: Level,
    x: &[u8],
    weights: &Packed,
    requantisation: &Requantisation,
    columns: Range<usize>,
    out: &mut [u8],
) {
    debug_assert!(columns.start.is_multiple_of(PANEL));
    let block = Block {
        x,
        weights,
        requantisation,
        first_panel: columns.start / PANEL,
        columns: columns.len(),
    };
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn avx2(block: &Block, out: &mut [u8]) {
        block.run::<Avx2>(out);
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
    fn vnni(block: &Block, out: &mut [u8]) {
        block.run::<Vnni>(out);
    }
    match level.0 {
        Instructions::Plain => block.run::<Plain>(out),
        // SAFETY: a level is made only where the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => unsafe { avx2(&block, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => unsafe { vnni(&block, out) },
    }
}
