//! 128-bit arithmetic: LLVM's BPF backend has none, so every operation here is a transformation or a runtime function.

use crate::sample::{Digest, Sample};

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let (a, b) = (sample.u128(), sample.u128());
    let (x, y) = (a as i128, b as i128);
    let shift = sample.below(200) as u32;
    let mut digest = Digest::default();
    digest.wide(a.wrapping_add(b));
    digest.wide(a.wrapping_sub(b));
    digest.wide(a.wrapping_mul(b));
    digest.wide(a.checked_div(b).unwrap_or(7));
    digest.wide(a.checked_rem(b).unwrap_or(7));
    digest.wide(x.checked_div(y).unwrap_or(7) as u128);
    digest.wide(x.checked_rem(y).unwrap_or(7) as u128);
    digest.wide(x.checked_rem_euclid(y).unwrap_or(7) as u128);
    digest.wide(a.wrapping_shl(shift));
    digest.wide(a.wrapping_shr(shift));
    digest.wide(x.wrapping_shr(shift) as u128);
    digest.wide(a.rotate_left(shift) ^ b.rotate_right(shift / 2));
    digest.wide(a.checked_add(b).unwrap_or(9));
    digest.wide(a.checked_mul(b).unwrap_or(9));
    digest.wide(x.checked_mul(y).unwrap_or(9) as u128);
    digest.wide(x.checked_add(y).unwrap_or(9) as u128 ^ x.saturating_sub(y) as u128);
    digest.wide(a.saturating_mul(b) ^ a.saturating_sub(b));
    digest.wide(a.abs_diff(b) ^ x.unsigned_abs());
    digest.wide(a.checked_pow(3).unwrap_or(9));
    digest.add(u64::from(
        a.leading_zeros() + (b.trailing_zeros() << 8) + (a.count_ones() << 16),
    ));
    digest.add(u64::from(a > b) + 2 * u64::from(x > y) + 4 * u64::from(a as u64 == b as u64));
    digest.wide((a % 1_000_003) ^ (a / 10));
    // The shape of a price: two 64-bit factors, one 64-bit divisor.
    let (amount, price, unit) = (a as u64, b as u64, (a >> 64) as u64 | 1);
    digest.wide(u128::from(amount) * u128::from(price) / u128::from(unit));
    digest.bytes(a.to_string().as_bytes());
    digest.bytes(x.to_string().as_bytes());
    digest.add(u64::from(a.to_string().parse::<u128>() == Ok(a)));
    digest.finish()
}
