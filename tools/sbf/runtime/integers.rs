//! 128-bit multiplication, division and overflow tests from 64-bit instructions.
//!
//! Nothing here may multiply or divide 128-bit values with the operators: that would call these very functions.

const LOW_HALF: u64 = 0xffff_ffff;

#[inline(always)]
pub fn join(low: u64, high: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

#[inline(always)]
fn split(x: u128) -> (u64, u64) {
    (x as u64, (x >> 64) as u64)
}

/// The 128 bits of a product, low and high: four products of halves.
#[inline(always)]
fn multiply(a: u64, b: u64) -> (u64, u64) {
    let (a_low, a_high, b_low, b_high) = (a & LOW_HALF, a >> 32, b & LOW_HALF, b >> 32);
    let lowest = a_low.wrapping_mul(b_low);
    let middle = a_high.wrapping_mul(b_low).wrapping_add(lowest >> 32);
    let other_middle = a_low.wrapping_mul(b_high).wrapping_add(middle & LOW_HALF);
    let high = a_high
        .wrapping_mul(b_high)
        .wrapping_add(middle >> 32)
        .wrapping_add(other_middle >> 32);
    (other_middle << 32 | lowest & LOW_HALF, high)
}

#[no_mangle]
pub fn __sbf_mulwide(a: u64, b: u64) -> u128 {
    let (low, high) = multiply(a, b);
    join(low, high)
}

#[no_mangle]
pub fn __multi3(a: u128, b: u128) -> u128 {
    let ((a_low, a_high), (b_low, b_high)) = (split(a), split(b));
    let (low, high) = multiply(a_low, b_low);
    join(
        low,
        high.wrapping_add(a_low.wrapping_mul(b_high))
            .wrapping_add(a_high.wrapping_mul(b_low)),
    )
}

/// Whether an unsigned product exceeds 128 bits.
#[no_mangle]
pub extern "C" fn __sbf_umulo128(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> u64 {
    if a_high == 0 && b_high == 0 {
        return 0;
    }
    if a_high != 0 && b_high != 0 {
        return 1;
    }
    let (cross, overflow) = if a_high != 0 {
        multiply(a_high, b_low)
    } else {
        multiply(b_high, a_low)
    };
    let (_, high) = multiply(a_low, b_low);
    (overflow != 0 || high.wrapping_add(cross) < cross) as u64
}

/// Whether a signed product exceeds 128 bits.
#[no_mangle]
pub extern "C" fn __sbf_smulo128(a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> u64 {
    let (a, b) = (join(a_low, a_high) as i128, join(b_low, b_high) as i128);
    let (a_size, b_size) = (a.unsigned_abs(), b.unsigned_abs());
    let ((a_low, a_high), (b_low, b_high)) = (split(a_size), split(b_size));
    if __sbf_umulo128(a_low, a_high, b_low, b_high) != 0 {
        return 1;
    }
    let negative = (a < 0) != (b < 0);
    let limit = if negative { 1u128 << 127 } else { (1u128 << 127) - 1 };
    (__multi3(a_size, b_size) > limit) as u64
}

/// By halving: the instruction set has no such instruction, and LLVM's own expansion is longer.
#[inline(always)]
pub fn leading_zeros(mut x: u64) -> u32 {
    let mut count = 0;
    skip_zeros::<32>(&mut x, &mut count);
    skip_zeros::<16>(&mut x, &mut count);
    skip_zeros::<8>(&mut x, &mut count);
    skip_zeros::<4>(&mut x, &mut count);
    skip_zeros::<2>(&mut x, &mut count);
    skip_zeros::<1>(&mut x, &mut count);
    count
}

/// Shifts out and counts so many leading zeros, if there are as many.
#[inline(always)]
fn skip_zeros<const COUNT: u32>(x: &mut u64, count: &mut u32) {
    if *x >> (64 - COUNT) == 0 {
        *count += COUNT;
        *x <<= COUNT;
    }
}

/// Without Rust's test for zero, which callers have made.
#[inline(always)]
fn div(a: u64, b: u64) -> u64 {
    unsafe { core::intrinsics::unchecked_div(a, b) }
}

#[inline(always)]
fn rem(a: u64, b: u64) -> u64 {
    unsafe { core::intrinsics::unchecked_rem(a, b) }
}

/// One 32-bit digit of a quotient: (`high` * 2^32 + `next`) / `divisor`, where the divisor's top bit is set and
/// high < divisor (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D).
#[inline(always)]
fn digit(high: u64, next: u64, divisor: u64) -> u64 {
    let (top, bottom) = (divisor >> 32, divisor & LOW_HALF);
    // An estimate from the top half, at most two too large.
    let mut quotient = div(high, top);
    let mut rest = high.wrapping_sub(quotient.wrapping_mul(top));
    while quotient > LOW_HALF || quotient.wrapping_mul(bottom) > (rest << 32 | next) {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(top);
        if rest > LOW_HALF {
            break;
        }
    }
    quotient
}

/// Quotient and remainder of 128 bits by 64 bits, where `high` < `divisor`, so that the quotient has 64 bits.
#[inline(always)]
fn divide_by_64(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    let shift = leading_zeros(divisor);
    let divisor = divisor << shift;
    let high = if shift == 0 {
        high
    } else {
        high << shift | low >> (64 - shift)
    };
    let low = low << shift;
    let (first, second) = (low >> 32, low & LOW_HALF);
    let upper = digit(high, first, divisor);
    let middle = (high << 32)
        .wrapping_add(first)
        .wrapping_sub(upper.wrapping_mul(divisor));
    let lower = digit(middle, second, divisor);
    let rest = (middle << 32)
        .wrapping_add(second)
        .wrapping_sub(lower.wrapping_mul(divisor))
        >> shift;
    ((upper << 32).wrapping_add(lower), rest)
}

struct Division {
    quotient: (u64, u64),
    remainder: (u64, u64),
}

#[inline(always)]
fn divide(dividend: u128, divisor: u128) -> Division {
    let ((low, high), (divisor_low, divisor_high)) = (split(dividend), split(divisor));
    if divisor_high == 0 {
        return divide_by_low(low, high, divisor_low);
    }
    if high < divisor_high || high == divisor_high && low < divisor_low {
        return Division {
            quotient: (0, 0),
            remainder: (low, high),
        };
    }
    // The quotient has 64 bits. Dividing halves by the divisor's top 64 bits estimates it, at most one too large
    // (Warren, Hacker's Delight, 9-5); one less is at most one too small.
    let shift = leading_zeros(divisor_high);
    let top = if shift == 0 {
        divisor_high
    } else {
        divisor_high << shift | divisor_low >> (64 - shift)
    };
    let (estimate, _) = divide_by_64(high >> 1, high << 63 | low >> 1, top);
    let estimate = estimate >> (63 - shift);
    let quotient = if estimate != 0 { estimate - 1 } else { 0 };

    let (product_low, product_high) = multiply(quotient, divisor_low);
    let product_high = product_high.wrapping_add(quotient.wrapping_mul(divisor_high));
    let rest = subtract((low, high), (product_low, product_high));
    if rest.1 > divisor_high || rest.1 == divisor_high && rest.0 >= divisor_low {
        return Division {
            quotient: (quotient + 1, 0),
            remainder: subtract(rest, (divisor_low, divisor_high)),
        };
    }
    Division {
        quotient: (quotient, 0),
        remainder: rest,
    }
}

#[inline(always)]
fn divide_by_low(low: u64, high: u64, divisor: u64) -> Division {
    if high == 0 {
        return Division {
            quotient: (div(low, divisor), 0),
            remainder: (rem(low, divisor), 0),
        };
    }
    let (quotient_high, rest) = (div(high, divisor), rem(high, divisor));
    if divisor > LOW_HALF {
        let (quotient_low, rest) = divide_by_64(rest, low, divisor);
        return Division {
            quotient: (quotient_low, quotient_high),
            remainder: (rest, 0),
        };
    }
    // A short divisor: two more digits of 32 bits, without estimates.
    let upper = rest << 32 | low >> 32;
    let lower = rem(upper, divisor) << 32 | low & LOW_HALF;
    let quotient_low = div(upper, divisor) << 32 | div(lower, divisor);
    Division {
        quotient: (quotient_low, quotient_high),
        remainder: (rem(lower, divisor), 0),
    }
}

#[inline(always)]
fn subtract((a_low, a_high): (u64, u64), (b_low, b_high): (u64, u64)) -> (u64, u64) {
    let borrow = (a_low < b_low) as u64;
    (
        a_low.wrapping_sub(b_low),
        a_high.wrapping_sub(b_high).wrapping_sub(borrow),
    )
}

#[no_mangle]
pub fn __udivti3(dividend: u128, divisor: u128) -> u128 {
    let (low, high) = divide(dividend, divisor).quotient;
    join(low, high)
}

#[no_mangle]
pub fn __umodti3(dividend: u128, divisor: u128) -> u128 {
    let (low, high) = divide(dividend, divisor).remainder;
    join(low, high)
}

#[no_mangle]
pub fn __divti3(dividend: i128, divisor: i128) -> i128 {
    let size = __udivti3(dividend.unsigned_abs(), divisor.unsigned_abs()) as i128;
    if (dividend < 0) != (divisor < 0) {
        size.wrapping_neg()
    } else {
        size
    }
}

/// The remainder has the sign of the dividend.
#[no_mangle]
pub fn __modti3(dividend: i128, divisor: i128) -> i128 {
    let size = __umodti3(dividend.unsigned_abs(), divisor.unsigned_abs()) as i128;
    if dividend < 0 {
        size.wrapping_neg()
    } else {
        size
    }
}
