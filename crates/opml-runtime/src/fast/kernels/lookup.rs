//! Table lookups, byte by byte.

#[cfg(target_arch = "x86_64")]
use super::Instructions;
use super::Level;

/// `out = table[x]`, where the table is indexed by the bytes themselves: entries 128..256 are those of the negative values. `x` and `out` are equally long.
pub(in crate::fast) fn lookup(level: Level, table: &[u8; 256], x: &[u8], out: &mut [u8]) {
    match level.0 {
        // SAFETY: the level is made only where the processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => unsafe { x86::vbmi(table, x, out) },
        _ => plain(table, x, out),
    }
}

fn plain(table: &[u8; 256], x: &[u8], out: &mut [u8]) {
    for (y, x) in out.iter_mut().zip(x) {
        *y = table[usize::from(*x)];
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    const BYTES: usize = 64;

    /// The table lies in four registers: two lookups of 7 bits, and the 8th bit chooses.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
    pub(super) fn vbmi(table: &[u8; 256], x: &[u8], out: &mut [u8]) {
        // SAFETY: each quarter of the table, like each block below, is 64 bytes.
        let load = |bytes: &[u8; BYTES]| unsafe { _mm512_loadu_si512((&raw const *bytes).cast()) };
        let mut quarters = [_mm512_setzero_si512(); 4];
        for (quarter, bytes) in quarters.iter_mut().zip(table.as_chunks::<BYTES>().0) {
            *quarter = load(bytes);
        }
        let (x_blocks, x_rest) = x.as_chunks::<BYTES>();
        let (out_blocks, out_rest) = out.as_chunks_mut::<BYTES>();
        for (x, out) in x_blocks.iter().zip(out_blocks) {
            let x = load(x);
            let low = _mm512_permutex2var_epi8(quarters[0], x, quarters[1]);
            let high = _mm512_permutex2var_epi8(quarters[2], x, quarters[3]);
            let y = _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
            // SAFETY: a block is 64 bytes.
            unsafe { _mm512_storeu_si512((&raw mut *out).cast(), y) }
        }
        super::plain(table, x_rest, out_rest);
    }
}
