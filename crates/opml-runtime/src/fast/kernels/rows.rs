//! Element-wise operators and operators on rows: plain Rust that the compiler vectorises for each level.
//!
//! Where the operators divide, floating point estimates the quotient and integers (or doubles that hold integers exactly) correct it, so that the result
//! is the exact one whatever the estimate was rounded to.

use opml::ops::{AddAttributes, MulAttributes};

use super::for_each_level;

/// Added and subtracted it rounds a double of at most 2^51 in magnitude to an integer; added, the integer is in the lowest bits.
const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn int8(byte: u8) -> i32 {
    i32::from(byte as i8)
}

for_each_level!(
    /// `out = clamp(x, low, high)`.
    clip = clip_body(low: i8, high: i8, x: &[u8], out: &mut [u8])
);

#[inline(always)]
fn clip_body(low: i8, high: i8, x: &[u8], out: &mut [u8]) {
    for (y, x) in out.iter_mut().zip(x) {
        *y = (*x as i8).max(low).min(high) as u8;
    }
}

for_each_level!(
    /// The largest of the int8 values; -128 when there is none.
    reduce_max = reduce_max_body(x: &[u8]) -> i8
);

#[inline(always)]
fn reduce_max_body(x: &[u8]) -> i8 {
    x.iter().fold(i8::MIN, |maximum, byte| maximum.max(*byte as i8))
}

for_each_level!(
    /// The first place of the largest int8 value.
    arg_max = arg_max_body(x: &[u8]) -> usize
);

#[inline(always)]
fn arg_max_body(x: &[u8]) -> usize {
    let maximum = reduce_max_body(x);
    x.iter().position(|byte| *byte as i8 == maximum).unwrap_or(0)
}

for_each_level!(
    /// The sum of the int8 values, of which there are at most 32,768.
    reduce_sum = reduce_sum_body(x: &[u8]) -> i32
);

#[inline(always)]
fn reduce_sum_body(x: &[u8]) -> i32 {
    x.iter().fold(0, |sum: i32, byte| sum.wrapping_add(int8(*byte)))
}

for_each_level!(
    /// `Add` of equally long a and b.
    add = add_body(attributes: &AddAttributes, a: &[u8], b: &[u8], out: &mut [u8])
);

#[inline(always)]
fn add_body(attributes: &AddAttributes, a: &[u8], b: &[u8], out: &mut [u8]) {
    let [m_a, m_b] = [attributes.a_multiplier, attributes.b_multiplier].map(i64::from);
    let shift = attributes.shift as u32 & 63;
    let zero = i64::from(attributes.a_zero_point) * m_a + i64::from(attributes.b_zero_point) * m_b;
    let rest = (1i64 << (shift - 1)) - zero;
    let finish = Finish::new(attributes.y_zero_point, attributes.low, attributes.high);
    for ((y, a), b) in out.iter_mut().zip(a).zip(b) {
        let a = i64::from(int8(*a)).wrapping_mul(m_a);
        let b = i64::from(int8(*b)).wrapping_mul(m_b);
        *y = finish.int8(a.wrapping_add(b).wrapping_add(rest) >> shift);
    }
}

for_each_level!(
    /// `Mul` of equally long a and b.
    multiply = multiply_body(attributes: &MulAttributes, a: &[u8], b: &[u8], out: &mut [u8])
);

#[inline(always)]
fn multiply_body(attributes: &MulAttributes, a: &[u8], b: &[u8], out: &mut [u8]) {
    let multiplier = i64::from(attributes.multiplier);
    let [z_a, z_b] = [attributes.a_zero_point, attributes.b_zero_point].map(i32::from);
    let shift = attributes.shift as u32 & 63;
    let rounding = 1i64 << (shift - 1);
    let finish = Finish::new(attributes.y_zero_point, attributes.low, attributes.high);
    for ((y, a), b) in out.iter_mut().zip(a).zip(b) {
        let product = int8(*a).wrapping_sub(z_a).wrapping_mul(int8(*b).wrapping_sub(z_b));
        let scaled = i64::from(product).wrapping_mul(multiplier).wrapping_add(rounding) >> shift;
        *y = finish.int8(scaled);
    }
}

/// The last step of every requantisation.
struct Finish {
    zero_point: i64,
    low: i64,
    high: i64,
}

impl Finish {
    #[inline(always)]
    fn new(zero_point: i8, low: i8, high: i8) -> Self {
        Self {
            zero_point: zero_point.into(),
            low: low.into(),
            high: high.into(),
        }
    }

    /// Nothing wraps: what is scaled is at most 2^62 in magnitude.
    #[inline(always)]
    fn int8(&self, scaled: i64) -> u8 {
        scaled.wrapping_add(self.zero_point).max(self.low).min(self.high) as u8
    }
}

for_each_level!(
    /// `min((512 * e + sum) div (2 * sum), 255) - 128` for each exponential, which is 0 to 2^31 - 1. The sum is 1 to 2^46 and not below an exponential.
    quotients = quotients_body(exponentials: &[i32], sum: i64, out: &mut [u8])
);

/// All values are integers below 2^48, so that a double holds them, and the differences and products of them here, exactly. The quotient is at most 257,
/// and what it is estimated by, rounded to the nearest integer, is its floor or one above it.
#[inline(always)]
fn quotients_body(exponentials: &[i32], sum: i64, out: &mut [u8]) {
    let sum = sum as f64;
    let divisor = 2.0 * sum;
    let reciprocal = 1.0 / divisor;
    for (y, e) in out.iter_mut().zip(exponentials) {
        let dividend = 512.0 * f64::from(*e) + sum;
        let estimate = (dividend * reciprocal + TO_INTEGER) - TO_INTEGER;
        let rest = dividend - estimate * divisor;
        let high = if rest < 0.0 { 1.0 } else { 0.0 };
        let quotient = (estimate - high).min(255.0) - 128.0;
        *y = (quotient + TO_INTEGER).to_bits() as u8;
    }
}

for_each_level!(
    /// `Σ x` and `Σ x^2` of at most 32,768 int8 values.
    layer_statistics = layer_statistics_body(x: &[u8]) -> (i32, i32)
);

#[inline(always)]
fn layer_statistics_body(x: &[u8]) -> (i32, i32) {
    (reduce_sum_body(x), rms_statistics_body(x, 0))
}

for_each_level!(
    /// `Σ (x - zero_point)^2` of at most 32,768 int8 values.
    rms_statistics = rms_statistics_body(x: &[u8], zero_point: i32) -> i32
);

#[inline(always)]
fn rms_statistics_body(x: &[u8], zero_point: i32) -> i32 {
    x.iter().fold(0, |sum: i32, byte| {
        let x = int8(*byte).wrapping_sub(zero_point);
        sum.wrapping_add(x.wrapping_mul(x))
    })
}

/// What LayerNorm and RMSNorm have in common, with the statistics of a row.
pub(in crate::fast) struct Normalisation {
    pub center: i64,
    /// `R`, 2^31 to 2^32, or 0.
    pub root: i64,
    /// `28 + t`, or `8 + 20 + t`: what the distance is shifted by.
    pub bits: u32,
    pub shift: u32,
    pub zero_point: i8,
}

for_each_level!(
    /// `sat8(((q * gamma + rest) >> shift) + zero_point)` for each element of a row, `rest` being `beta * 2^20 + 2^(shift - 1)`.
    normalise = normalise_body(row: &Normalisation, x: &[u8], gamma: &[i32], rest: &[i64], out: &mut [u8])
);

#[inline(always)]
fn normalise_body(row: &Normalisation, x: &[u8], gamma: &[i32], rest: &[i64], out: &mut [u8]) {
    let k = x.len() as i64;
    let (bits, shift) = (row.bits & 63, row.shift & 63);
    let (root, half) = (row.root, row.root / 2);
    // A root of 0 makes every quotient 0: the distance is then multiplied by 0.
    let (scale, root, half) = if root == 0 { (0, 1, 0) } else { (k, root, half) };
    let center = if scale == 0 { 0 } else { row.center };
    let reciprocal = 1.0 / root as f64;
    let finish = Finish::new(row.zero_point, i8::MIN, i8::MAX);
    for (((y, x), gamma), rest) in out.iter_mut().zip(x).zip(gamma).zip(rest) {
        let distance = i64::from(int8(*x)).wrapping_mul(scale).wrapping_sub(center);
        let dividend = (distance << bits).wrapping_add(half);
        // Below 2^60 and 2^28 in magnitude, so that the estimate is the floor or one above it.
        let estimate = (dividend as f64 * reciprocal + TO_INTEGER).to_bits() as i64;
        let estimate = estimate.wrapping_sub(TO_INTEGER.to_bits() as i64);
        let left = dividend.wrapping_sub(estimate.wrapping_mul(root));
        let quotient = estimate.wrapping_sub(i64::from(left < 0));
        let scaled = i64::from(quotient as i32)
            .wrapping_mul(i64::from(*gamma))
            .wrapping_add(*rest);
        *y = finish.int8(scaled >> shift);
    }
}

for_each_level!(
    /// `RotaryEmbedding` of pairs whose first elements are `u`, whose second ones `v`, all equally long.
    rotate = rotate_body(
        x_zero_point: i8,
        y_zero_point: i8,
        shift: u32,
        u: &[u8],
        v: &[u8],
        cos: &[i32],
        sin: &[i32],
        out_u: &mut [u8],
        out_v: &mut [u8],
    )
);

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn rotate_body(
    x_zero_point: i8,
    y_zero_point: i8,
    shift: u32,
    u: &[u8],
    v: &[u8],
    cos: &[i32],
    sin: &[i32],
    out_u: &mut [u8],
    out_v: &mut [u8],
) {
    let shift = shift & 63;
    let rounding = 1i64 << (shift - 1);
    let zero_point = i32::from(x_zero_point);
    let finish = Finish::new(y_zero_point, i8::MIN, i8::MAX);
    let outputs = out_u.iter_mut().zip(out_v);
    let inputs = u.iter().zip(v).zip(cos.iter().zip(sin));
    for ((out_u, out_v), ((u, v), (cos, sin))) in outputs.zip(inputs) {
        let [u, v] = [*u, *v].map(|byte| i64::from(int8(byte).wrapping_sub(zero_point)));
        let [cos, sin] = [*cos, *sin].map(i64::from);
        let turned_u = u.wrapping_mul(cos).wrapping_sub(v.wrapping_mul(sin));
        let turned_v = v.wrapping_mul(cos).wrapping_add(u.wrapping_mul(sin));
        *out_u = finish.int8(turned_u.wrapping_add(rounding) >> shift);
        *out_v = finish.int8(turned_v.wrapping_add(rounding) >> shift);
    }
}
