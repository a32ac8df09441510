//! Arithmetic of 64 bits and less: signed division, overflow tests and bit operations are written out by the compiler.

use crate::sample::{Digest, Sample};

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let (a, b) = (sample.edge_u64(), sample.edge_u64());
    let (x, y) = (a as i64, b as i64);
    let shift = sample.below(200) as u32;
    let mut digest = Digest::default();
    digest.add(a.checked_mul(b).unwrap_or(9));
    digest.add(x.checked_mul(y).unwrap_or(9) as u64);
    digest.add(x.checked_div(y).unwrap_or(9) as u64);
    digest.add(x.checked_rem(y).unwrap_or(9) as u64);
    digest.add(x.checked_div_euclid(y).unwrap_or(9) as u64);
    digest.add(a.checked_add(b).unwrap_or(9) ^ a.saturating_sub(b));
    digest.add(x.saturating_add(y) as u64 ^ x.saturating_mul(y) as u64);
    digest.add(x.wrapping_shl(shift) as u64 ^ y.wrapping_shr(shift) as u64);
    digest.add(a.rotate_left(shift) ^ a.swap_bytes() ^ b.reverse_bits());
    digest.add(u64::from(
        a.leading_zeros() + (b.trailing_zeros() << 8) + (a.count_ones() << 16),
    ));
    digest.add(a.isqrt() ^ a.checked_pow(3).unwrap_or(9));
    let (p, q) = (x as i32, y as i32);
    digest.add(p.checked_div(q).unwrap_or(9) as u64 ^ p.checked_mul(q).unwrap_or(9) as u64);
    digest.add(p.checked_rem(q).unwrap_or(9) as u64 ^ (p as u32).checked_mul(q as u32).unwrap_or(9) as u64);
    let (p, q) = (x as i16, y as i16);
    digest.add(p.checked_mul(q).unwrap_or(9) as u64 ^ p.checked_div(q).unwrap_or(9) as u64);
    let (p, q) = (x as i8, y as i8);
    digest
        .add(p.checked_mul(q).unwrap_or(9) as u64 ^ p.checked_rem(q).unwrap_or(9) as u64 ^ p.saturating_add(q) as u64);
    // What a quantised neural network does: 8-bit products, 32-bit sum, fixed-point rescaling.
    let sum: i32 = a
        .to_le_bytes()
        .iter()
        .zip(b.to_le_bytes())
        .map(|(l, r)| i32::from(*l as i8) * i32::from(r as i8))
        .sum();
    let scaled = (i64::from(sum) * i64::from(x as i32) + (1 << 30)) >> 31;
    digest.add(scaled.clamp(-128, 127) as u64);
    digest.finish()
}
