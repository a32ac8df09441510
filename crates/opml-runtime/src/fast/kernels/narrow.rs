//! Products with few columns for each of many groups, as in depthwise convolutions: a packed panel would be almost empty.

use opml::ops::multiply_by_quantized_multiplier;

use super::{Requantisation, for_each_level};

/// Weights [n, k] of one group, as they are, with their scales.
pub(in crate::fast) struct Narrow {
    pub weights: Vec<u8>,
    pub requantisation: Requantisation,
}

for_each_level!(
    /// Rows of x of `k` elements, of which each belongs to the next group, requantised. The first belongs to group `group`.
    narrow_product = narrow_product_body(groups: &[Narrow], group: usize, k: usize, x: &[u8], out: &mut [u8])
);

#[inline(always)]
fn narrow_product_body(groups: &[Narrow], group: usize, k: usize, x: &[u8], out: &mut [u8]) {
    let n = groups.first().map_or(1, |group| group.weights.len() / k);
    let of_rows = groups.iter().cycle().skip(group);
    for ((x, y), group) in x.chunks_exact(k).zip(out.chunks_exact_mut(n)).zip(of_rows) {
        let scales = &group.requantisation;
        for (c, (w, y)) in group.weights.chunks_exact(k).zip(y).enumerate() {
            let sum = x.iter().zip(w).fold(0i32, |sum, (x, w)| {
                let x = i32::from(*x as i8).wrapping_sub(scales.x_zero_point);
                sum.wrapping_add(x.wrapping_mul(i32::from(*w as i8)))
            });
            let sum = sum.saturating_add(scales.bias[c]);
            let scaled = multiply_by_quantized_multiplier(sum, scales.multiplier[c], scales.shift[c] as i32);
            *y = (scaled + scales.y_zero_point).max(scales.low).min(scales.high) as u8;
        }
    }
}
