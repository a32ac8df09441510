//! The inner loop of every matrix product.

/// Elements that the loop takes in one step: enough to make its bookkeeping small, few enough to stay in registers.
const STEP: usize = 8;

/// `Σ (x - x_zero_point) * (w - w_zero_point)` over int8 rows of equal length, at most [`super::MAX_REDUCTION`], with zero points that are int8 too.
///
/// Nothing wraps: each factor is at most 255 in magnitude and 255 * 255 * 32,768 = 2,130,739,200 < 2^31. The wrapping operations spare the chain the
/// overflow checks. Inlined, so that a zero point of 0 costs nothing.
#[inline(always)]
pub(super) fn dot(x: &[u8], x_zero_point: i32, w: &[u8], w_zero_point: i32) -> i32 {
    let product = |x: u8, w: u8| {
        i32::from(x as i8)
            .wrapping_sub(x_zero_point)
            .wrapping_mul(i32::from(w as i8).wrapping_sub(w_zero_point))
    };
    let (x_steps, x_rest) = x.as_chunks::<STEP>();
    let (w_steps, w_rest) = w.as_chunks::<STEP>();
    let mut sum = 0i32;
    for (x, w) in x_steps.iter().zip(w_steps) {
        for i in 0..STEP {
            sum = sum.wrapping_add(product(x[i], w[i]));
        }
    }
    for (x, w) in x_rest.iter().zip(w_rest) {
        sum = sum.wrapping_add(product(*x, *w));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{super::MAX_REDUCTION, *};

    #[test]
    fn given_the_longest_row_of_extremes_when_summed_then_the_accumulator_is_exact() {
        let k = MAX_REDUCTION as usize;
        let (low, high) = (std::vec![0x80; k], std::vec![0x7f; k]);
        assert_eq!(dot(&low, 127, &low, 0), 255 * 128 * 32_768);
        assert_eq!(dot(&high, -128, &low, 0), -255 * 128 * 32_768);
        assert_eq!(dot(&low, 127, &low, 127), 255 * 255 * 32_768);
        assert_eq!(dot(&high, -128, &low, 127), -255 * 255 * 32_768);
    }
}
