//! Products of few rows with weights as they are, [n, k] row-major: no second copy of the weights, and nothing to be done before the first row.
//!
//! Each weight is read once and used for few rows, so that memory sets the pace. The kernels take four columns at once and as many rows as have room for
//! their sums in registers; neighbouring elements of a row are neighbours in a register, whose sum is taken at the end.

use std::ops::Range;

use super::{
    Instructions, Level, PANEL, Requantisation,
    gemm::{Columns, Sums, requantise},
};

/// Columns that a kernel takes at once.
const COLUMNS: usize = 4;
/// Rows that share the reading of weights out of a core's cache.
const ROWS: usize = 8;

/// `Σ (x - z_x) w` modulo 2^32.
trait Kernel {
    /// An element of x as the kernel wants it.
    type X: Copy;

    /// Rows that one call takes at most, up to 4.
    const ROWS: usize;

    fn x(x: u8, zero_point: i32) -> Self::X;

    /// All rows are of equal length.
    fn tile<const M: usize>(x: [&[Self::X]; M], w: [&[u8]; COLUMNS], zero_point: i32, sums: &mut [[i32; COLUMNS]; M]);
}

/// An element less its zero point: at most 255 in magnitude.
#[inline(always)]
fn centred(x: u8, zero_point: i32) -> i16 {
    (i32::from(x as i8) - zero_point) as i16
}

struct Plain;

impl Kernel for Plain {
    type X = i16;
    const ROWS: usize = 4;

    #[inline(always)]
    fn x(x: u8, zero_point: i32) -> i16 {
        centred(x, zero_point)
    }

    #[inline(always)]
    fn tile<const M: usize>(x: [&[i16]; M], w: [&[u8]; COLUMNS], _zero_point: i32, sums: &mut [[i32; COLUMNS]; M]) {
        for (x, sums) in x.iter().zip(sums) {
            for (w, sum) in w.iter().zip(sums) {
                *sum = x.iter().zip(*w).fold(0i32, |sum, (x, w)| {
                    sum.wrapping_add(i32::from(*x).wrapping_mul(i32::from(*w as i8)))
                });
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Kernel for Avx2 {
    type X = i16;
    const ROWS: usize = 3;

    #[inline(always)]
    fn x(x: u8, zero_point: i32) -> i16 {
        centred(x, zero_point)
    }

    #[inline(always)]
    fn tile<const M: usize>(x: [&[i16]; M], w: [&[u8]; COLUMNS], _zero_point: i32, sums: &mut [[i32; COLUMNS]; M]) {
        // SAFETY: `dot_product` names this kernel only at a level that has AVX2.
        unsafe { x86::avx2(x, w, sums) }
    }
}

#[cfg(target_arch = "x86_64")]
struct Vnni;

#[cfg(target_arch = "x86_64")]
impl Kernel for Vnni {
    type X = u8;
    const ROWS: usize = 4;

    /// `x + 128`, which `vpdpbusd` wants for one of its factors.
    #[inline(always)]
    fn x(x: u8, _zero_point: i32) -> u8 {
        x ^ 0x80
    }

    #[inline(always)]
    fn tile<const M: usize>(x: [&[u8]; M], w: [&[u8]; COLUMNS], zero_point: i32, sums: &mut [[i32; COLUMNS]; M]) {
        // SAFETY: `dot_product` names this kernel only at a level that has AVX-512 with VNNI.
        unsafe { x86::vnni(x, w, zero_point, sums) }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)] // Loops over registers: iterators of them are not always unrolled.
mod x86 {
    use std::arch::x86_64::*;

    use super::COLUMNS;

    /// Elements of a register of 512 bits.
    const LANES: usize = 64;

    /// `Σ (x - z) w = Σ (x + 128) w - (128 + z) Σ w`. The last sum comes out of the same reading of the weights.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
    #[inline]
    pub(super) fn vnni<const M: usize>(
        x: [&[u8]; M],
        w: [&[u8]; COLUMNS],
        zero_point: i32,
        sums: &mut [[i32; COLUMNS]; M],
    ) {
        let mut total = [[_mm512_setzero_si512(); COLUMNS]; M];
        let mut weights = [_mm512_setzero_si512(); COLUMNS];
        let whole = w[0].len() / LANES;
        let mut x_parts: [&[[u8; LANES]]; M] = [&[]; M];
        let mut w_parts: [&[[u8; LANES]]; COLUMNS] = [&[]; COLUMNS];
        for m in 0..M {
            x_parts[m] = &x[m].as_chunks().0[..whole];
        }
        for c in 0..COLUMNS {
            w_parts[c] = &w[c].as_chunks().0[..whole];
        }
        for i in 0..whole {
            let mut x = [&[0; LANES]; M];
            for m in 0..M {
                x[m] = &x_parts[m][i];
            }
            let mut w = [&[0; LANES]; COLUMNS];
            for c in 0..COLUMNS {
                w[c] = &w_parts[c][i];
            }
            vnni_step(x, w, &mut total, &mut weights);
        }
        let rest = w[0].len() % LANES;
        if rest > 0 {
            // Zero weights: what they meet does not matter.
            let last = |row: &[u8]| {
                let mut lanes = [0; LANES];
                lanes[..rest].copy_from_slice(&row[whole * LANES..]);
                lanes
            };
            let (x, w) = (x.map(last), w.map(last));
            vnni_step(x.each_ref(), w.each_ref(), &mut total, &mut weights);
        }
        let weights = lane_sums(weights);
        for (sums, total) in sums.iter_mut().zip(total) {
            *sums = lane_sums(total);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_sub(weights.wrapping_mul(128 + zero_point));
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
    #[inline]
    fn vnni_step<const M: usize>(
        x: [&[u8; LANES]; M],
        w: [&[u8; LANES]; COLUMNS],
        total: &mut [[__m512i; COLUMNS]; M],
        weights: &mut [__m512i; COLUMNS],
    ) {
        let ones = _mm512_set1_epi8(1);
        let mut v = [_mm512_setzero_si512(); COLUMNS];
        for c in 0..COLUMNS {
            v[c] = load(w[c]);
            weights[c] = _mm512_dpbusd_epi32(weights[c], ones, v[c]);
        }
        for m in 0..M {
            let x = load(x[m]);
            for c in 0..COLUMNS {
                total[m][c] = _mm512_dpbusd_epi32(total[m][c], x, v[c]);
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(bytes: &[u8; LANES]) -> __m512i {
        // SAFETY: 64 bytes.
        unsafe { _mm512_loadu_si512((&raw const *bytes).cast()) }
    }

    /// The sum of each of four registers.
    #[target_feature(enable = "avx512f,avx512vl")]
    #[inline]
    fn lane_sums([a, b, c, d]: [__m512i; COLUMNS]) -> [i32; COLUMNS] {
        let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        let abcd = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
        let half = _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64::<1>(abcd));
        quarter_sums(half)
    }

    /// The sum of the two halves.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn quarter_sums(half: __m256i) -> [i32; COLUMNS] {
        let sums = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
        let mut out = [0; COLUMNS];
        // SAFETY: four int32 are 16 bytes.
        unsafe { _mm_storeu_si128((&raw mut out).cast(), sums) }
        out
    }

    /// `vpmaddwd` on factors widened to 16 bits: a pair of products is at most 2 * 255 * 128 and exact in 32 bits.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn avx2<const M: usize>(x: [&[i16]; M], w: [&[u8]; COLUMNS], sums: &mut [[i32; COLUMNS]; M]) {
        const LANES: usize = 16;
        let mut total = [[_mm256_setzero_si256(); COLUMNS]; M];
        let whole = w[0].len() / LANES;
        let mut x_parts: [&[[i16; LANES]]; M] = [&[]; M];
        let mut w_parts: [&[[u8; LANES]]; COLUMNS] = [&[]; COLUMNS];
        for m in 0..M {
            x_parts[m] = &x[m].as_chunks().0[..whole];
        }
        for c in 0..COLUMNS {
            w_parts[c] = &w[c].as_chunks().0[..whole];
        }
        for i in 0..whole {
            let mut x = [_mm256_setzero_si256(); M];
            for m in 0..M {
                // SAFETY: sixteen int16 are 32 bytes.
                x[m] = unsafe { _mm256_loadu_si256((&raw const x_parts[m][i]).cast()) };
            }
            for c in 0..COLUMNS {
                // SAFETY: 16 bytes.
                let v = unsafe { _mm_loadu_si128((&raw const w_parts[c][i]).cast()) };
                let v = _mm256_cvtepi8_epi16(v);
                for m in 0..M {
                    total[m][c] = _mm256_add_epi32(total[m][c], _mm256_madd_epi16(x[m], v));
                }
            }
        }
        for m in 0..M {
            let [a, b, c, d] = total[m];
            let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
            let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
            let abcd = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
            sums[m] = quarter_sums(abcd);
            for c in 0..COLUMNS {
                let rest = x[m][whole * LANES..].iter().zip(&w[c][whole * LANES..]);
                sums[m][c] = rest.fold(sums[m][c], |sum, (x, w)| {
                    sum.wrapping_add(i32::from(*x).wrapping_mul(i32::from(*w as i8)))
                });
            }
        }
    }
}

/// A block of the output: all rows, some columns.
struct Block<'a> {
    x: &'a [u8],
    /// All columns.
    weights: &'a [u8],
    k: usize,
    requantisation: &'a Requantisation,
    columns: Range<usize>,
}

impl Block<'_> {
    #[inline(always)]
    fn run<K: Kernel>(&self, out: &mut [u8]) {
        let width = self.columns.len();
        let zero_point = self.requantisation.x_zero_point;
        let x: Vec<K::X> = self.x.iter().map(|x| K::x(*x, zero_point)).collect();
        let rows = self.x.chunks(ROWS * self.k).zip(x.chunks(ROWS * self.k));
        for ((bytes, x), out) in rows.zip(out.chunks_mut(ROWS * width)) {
            // What a weight's zero point takes off a row.
            let mut row_terms = [0i32; ROWS];
            if self.requantisation.weights_zero_point != 0 {
                for (term, row) in row_terms.iter_mut().zip(bytes.chunks_exact(self.k)) {
                    let sum = row.iter().fold(0i32, |sum, x| sum + i32::from(*x as i8) - zero_point);
                    *term = sum.wrapping_mul(-self.requantisation.weights_zero_point);
                }
            }
            for panel in (0..width).step_by(PANEL) {
                self.panel::<K>(x, &row_terms, panel, out);
            }
        }
    }

    /// Sixteen columns, fewer at the end, of up to [`ROWS`] rows.
    #[inline(always)]
    fn panel<K: Kernel>(&self, x: &[K::X], row_terms: &[i32; ROWS], panel: usize, out: &mut [u8]) {
        let first = self.columns.start + panel;
        let end = (first + PANEL).min(self.columns.end);
        let mut sums = [Sums([0; PANEL]); ROWS];
        for from in (first..end).step_by(COLUMNS) {
            // Beyond the last column it is taken again; nobody looks at the sums.
            let w = std::array::from_fn(|c| &self.weights[(from + c).min(end - 1) * self.k..][..self.k]);
            let mut rest = x;
            let mut row = 0;
            while !rest.is_empty() {
                macro_rules! rows {
                    ($($m:literal)*) => {
                        match (rest.len() / self.k).min(K::ROWS) {
                            $($m => {
                                let x: [&[K::X]; $m] = std::array::from_fn(|m| &rest[m * self.k..][..self.k]);
                                let mut some = [[0; COLUMNS]; $m];
                                K::tile::<$m>(x, w, self.requantisation.x_zero_point, &mut some);
                                for (sums, some) in sums[row..].iter_mut().zip(some) {
                                    sums.0[from - first..][..COLUMNS].copy_from_slice(&some);
                                }
                                $m
                            })*
                            _ => unreachable!("whole rows, and at most four"),
                        }
                    };
                }
                let taken = rows!(1 2 3 4);
                rest = &rest[taken * self.k..];
                row += taken;
            }
        }
        let mut columns = Columns::NONE;
        columns.fill(std::iter::repeat(0), self.k, self.requantisation, first..end);
        let rows = out.chunks_exact_mut(self.columns.len());
        for ((sums, term), out) in sums.iter().zip(row_terms).zip(rows) {
            requantise(
                sums,
                *term,
                &columns,
                self.requantisation,
                &mut out[panel..][..end - first],
            );
        }
    }
}

/// Rows of x times some columns of weights [n, k], requantised. `out` holds of each row these columns.
pub(in crate::fast) fn dot_product(
    level: Level,
    x: &[u8],
    weights: &[u8],
    k: usize,
    requantisation: &Requantisation,
    columns: Range<usize>,
    out: &mut [u8],
) {
    let block = Block {
        x,
        weights,
        k,
        requantisation,
        columns,
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
