//! More arguments than the five registers take: direct, through function pointers, trait objects and closures.

use crate::sample::{Digest, Sample};
use std::hint::black_box;

#[inline(never)]
#[allow(clippy::too_many_arguments)]
fn many(a: u8, b: u16, c: u32, d: u64, e: u128, f: i8, g: &str, h: &[u64], i: bool) -> u128 {
    let mut sum = e ^ u128::from(d) << 3 ^ u128::from(c) << 7 ^ u128::from(b) << 11 ^ u128::from(a);
    sum = sum.wrapping_add(f as u128).rotate_left(u32::from(i));
    h.iter()
        .chain([&(g.len() as u64)])
        .fold(sum, |sum, x| sum.wrapping_mul(31).wrapping_add(u128::from(*x)))
}

trait Mixer {
    #[allow(clippy::too_many_arguments)]
    fn mix(&mut self, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64;
    fn wide(&self, a: u128, b: u128, c: u128) -> (u128, Option<u64>, i16);
}

struct Adder(u64);

impl Mixer for Adder {
    #[inline(never)]
    fn mix(&mut self, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
        self.0 = self.0.wrapping_add(a ^ g);
        [b, c, d, e, f]
            .iter()
            .fold(self.0, |sum, x| sum.wrapping_mul(3).wrapping_add(*x))
    }

    #[inline(never)]
    fn wide(&self, a: u128, b: u128, c: u128) -> (u128, Option<u64>, i16) {
        (a.wrapping_mul(b) ^ c, (a > b).then_some(self.0), c as i16)
    }
}

struct Table(Vec<u64>);

impl Mixer for Table {
    #[inline(never)]
    fn mix(&mut self, a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
        self.0.extend([a, c, e, g]);
        self.0.iter().fold(b ^ d ^ f, |sum, x| sum.rotate_left(7) ^ x)
    }

    #[inline(never)]
    fn wide(&self, a: u128, b: u128, c: u128) -> (u128, Option<u64>, i16) {
        (
            a ^ b ^ c,
            self.0.get(c as usize % 5).copied(),
            (a as i16).wrapping_sub(b as i16),
        )
    }
}

#[inline(never)]
fn call(code: &dyn Fn(u64, u128, u8, i128, u64, u16) -> (u64, u128), a: u64) -> (u64, u128) {
    code(a, u128::from(a) << 50, a as u8, -i128::from(a), !a, 9)
}

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let mut digest = Digest::default();
    let slice = [sample.u64(), sample.u64(), sample.u64()];
    let (a, b, c, d, e) = (
        sample.u64(),
        sample.u64(),
        sample.edge_u64(),
        sample.u128(),
        sample.u128(),
    );
    digest.wide(many(
        a as u8,
        b as u16,
        c as u32,
        a,
        d,
        b as i8,
        "héllo",
        &slice[..a as usize % 4],
        a & 1 == 0,
    ));
    type Many = fn(u8, u16, u32, u64, u128, i8, &str, &[u64], bool) -> u128;
    let function: Many = black_box(many);
    digest.wide(function(b as u8, a as u16, 5, c, e, a as i8, "", &slice, b & 1 == 0));

    let mut mixers: [Box<dyn Mixer>; 2] = [Box::new(Adder(a)), Box::new(Table(vec![b, c]))];
    for mixer in black_box(&mut mixers) {
        digest.add(mixer.mix(a, b, c, 4, 5, 6, slice[0]));
        let (wide, option, short) = mixer.wide(d, e, d ^ e);
        digest.wide(wide);
        digest.add(option.unwrap_or(3));
        digest.add(short as u64);
    }
    let captured = slice[1];
    let (narrow, wide) = call(
        black_box(&|a, b, c, d, e, f| {
            (
                a ^ e ^ captured,
                b.wrapping_mul(d as u128).rotate_left(c.into()) ^ u128::from(f),
            )
        }),
        a,
    );
    digest.add(narrow);
    digest.wide(wide);
    digest.finish()
}
