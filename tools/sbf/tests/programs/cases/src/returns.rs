//! Results wider than a register, which the compiler returns through a hidden pointer.

use crate::sample::{Digest, Sample};
use std::hint::black_box;

#[derive(Clone, Copy, PartialEq)]
struct Mixed {
    small: i16,
    wide: u128,
    flag: bool,
}

#[inline(never)]
fn pair(a: u64, b: u64) -> (u64, u64) {
    (a.wrapping_add(b), a ^ b)
}

#[inline(never)]
fn option(a: u64) -> Option<u64> {
    a.checked_mul(3)
}

#[inline(never)]
fn wide_option(a: u128) -> Option<u128> {
    a.checked_sub(1 << 80)
}

#[inline(never)]
fn result(a: u64) -> Result<u8, u16> {
    u8::try_from(a % 300).map_err(|_| a as u16)
}

#[inline(never)]
fn mixed(a: u64, b: u128) -> Mixed {
    Mixed {
        small: a as i16,
        wide: b.rotate_left(a as u32),
        flag: a & 1 == 1,
    }
}

#[inline(never)]
fn array(a: u64) -> [u32; 5] {
    [
        a as u32,
        (a >> 8) as u32,
        (a >> 16) as u32,
        (a >> 24) as u32,
        (a >> 32) as u32,
    ]
}

#[inline(never)]
fn recursive(depth: u64, a: u128) -> (u128, Option<u64>) {
    if depth == 0 {
        return (a, option(a as u64));
    }
    let (wide, narrow) = recursive(depth - 1, a.wrapping_mul(0x1_0000_0000_0000_0003));
    (wide ^ u128::from(depth), narrow.map(|n| n.rotate_left(depth as u32)))
}

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let mut digest = Digest::default();
    let (a, b) = (sample.edge_u64(), sample.u128());
    let (sum, difference) = pair(a, b as u64);
    digest.add(sum);
    digest.add(difference);
    digest.add(option(a).unwrap_or(5));
    digest.wide(wide_option(b).unwrap_or(5));
    digest.add(match result(a) {
        Ok(value) => u64::from(value),
        Err(error) => 1000 + u64::from(error),
    });
    let Mixed { small, wide, flag } = mixed(a, b);
    digest.add(small as u64);
    digest.add(u64::from(flag));
    digest.wide(wide);
    for element in array(a) {
        digest.add(u64::from(element));
    }
    // The same through pointers, where the compiler knows only the type.
    let function: fn(u64, u128) -> Mixed = black_box(mixed);
    digest.add(u64::from(function(a, b) == mixed(a, b)));
    let function: fn(u64) -> [u32; 5] = black_box(array);
    digest.add(function(b as u64).iter().map(|element| u64::from(*element)).sum());
    let (wide, narrow) = recursive(12, b);
    digest.wide(wide);
    digest.add(narrow.unwrap_or(5));
    digest.finish()
}
