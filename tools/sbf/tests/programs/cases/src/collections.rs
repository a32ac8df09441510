//! Library code that programs use: sorting, maps, text.

use crate::sample::{Digest, Sample};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

#[derive(Clone, Debug)]
enum Shape {
    Point(u128, i64),
    Named { name: String, size: Option<u128> },
    Nested(Box<Shape>),
    Nothing,
}

#[inline(never)]
fn transform(depth: u32, shape: &Shape) -> Shape {
    match shape {
        _ if depth == 0 => shape.clone(),
        Shape::Point(x, y) => transform(
            depth - 1,
            &Shape::Named {
                name: format!("{x}/{y:+}"),
                size: x.checked_add(*y as u128),
            },
        ),
        Shape::Named { name, size } => {
            let x = size.unwrap_or(5).wrapping_mul(1 << 65 | 3);
            transform(
                depth - 1,
                &Shape::Nested(Box::new(Shape::Point(x, name.len() as i64 - 20))),
            )
        }
        Shape::Nested(inner) => transform(depth - 1, inner),
        Shape::Nothing => Shape::Nothing,
    }
}

// A function for each, because a frame on the chain has 4096 bytes.

#[inline(never)]
fn sorting(sample: &mut Sample, digest: &mut Digest) {
    let mut numbers: Vec<u32> = (0..60).map(|_| sample.below(4000) as u32).collect();
    let mut stable: Vec<(u8, u32)> = numbers.iter().map(|n| (*n as u8 % 5, *n)).collect();
    stable.sort_by_key(|pair| pair.0);
    for (key, value) in &stable {
        digest.add(u64::from(*key) << 32 | u64::from(*value));
    }
    numbers.sort_unstable();
    numbers.dedup();
    digest.add(numbers.iter().map(|n| u64::from(*n)).sum());
    digest.add(numbers.binary_search(&numbers[numbers.len() / 2]).unwrap_or(99) as u64);

    let set: BTreeSet<i64> = numbers.iter().map(|n| i64::from(*n) - 2000).collect();
    digest.add(set.range(-100..).next().copied().unwrap_or(-1) as u64);
    let mut queue: VecDeque<u32> = numbers.into();
    queue.rotate_left(3);
    digest.add(queue.iter().fold(0, |sum, n| (sum * 3 + u64::from(*n)) % 1_000_003));
}

#[inline(never)]
fn maps(sample: &mut Sample, digest: &mut Digest) {
    let mut tree = BTreeMap::new();
    for i in 0..20u8 {
        tree.insert((sample.below(50), i), format!("{:#x}", sample.u64() >> 40));
        if i % 3 == 2 {
            tree.pop_first();
        }
    }
    for ((a, b), text) in &tree {
        digest.add(*a << 8 | u64::from(*b));
        digest.bytes(text.as_bytes());
    }
    // Only sums, not the order: hash maps are keyed at random on this machine.
    let mut map: HashMap<String, u128> = HashMap::new();
    for _ in 0..10 {
        *map.entry(format!("key {}", sample.below(6))).or_default() += u128::from(sample.u64());
    }
    digest.wide(map.values().fold(map.len() as u128, |sum, x| sum.wrapping_add(*x)));
}

#[inline(never)]
fn shapes(sample: &mut Sample, digest: &mut Digest) {
    let shape = Shape::Point(sample.u128(), sample.u64() as i64);
    digest.bytes(format!("{:?} {:?}", transform(sample.below(7) as u32, &shape), Shape::Nothing).as_bytes());
}

#[inline(never)]
fn text(sample: &mut Sample, digest: &mut Digest) {
    let (wide, short, half) = (sample.u64(), sample.u64() as i8, sample.below(100_000) as f64 / 7.0);
    digest.bytes(format!("{wide:>20}|{short:<8}|{:^9}|{half:08.3}|{:e}", wide as u16, 1234.5).as_bytes());
    digest.bytes(
        "Straße, two words"
            .to_uppercase()
            .split(' ')
            .rev()
            .collect::<Vec<_>>()
            .join("-")
            .as_bytes(),
    );
    digest.bytes(String::from_utf8_lossy(&[0xff, b'a', 0xe2, 0x82, 0xac, wide as u8]).as_bytes());
}

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let mut digest = Digest::default();
    sorting(&mut sample, &mut digest);
    maps(&mut sample, &mut digest);
    shapes(&mut sample, &mut digest);
    text(&mut sample, &mut digest);
    digest.finish()
}
