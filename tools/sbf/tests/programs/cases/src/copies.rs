//! memcpy, memmove, memset and memcmp of many sizes, alignments and overlaps.

use crate::sample::{Digest, Sample};
use std::hint::black_box;

const ROOM: usize = 700;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Large([u64; 40]);

#[inline(never)]
fn pass_by_value(mut large: Large, at: usize) -> Large {
    large.0[at % 40] ^= 0x55;
    large
}

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let mut digest = Digest::default();
    let mut bytes = vec![0u8; ROOM];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&sample.u64().to_le_bytes()[..chunk.len()]);
    }
    // Small sizes are written out or looped over, large ones are syscalls: sizes on both sides of every limit.
    let size = [sample.below(40), sample.below(80), sample.below(300)][sample.below(3) as usize] as usize;
    let (from, to) = (sample.below(380) as usize, sample.below(380) as usize);
    bytes.copy_within(from..from + size, to);
    digest.bytes(&bytes[to.saturating_sub(4)..to + size + 4]);

    let copy = bytes[from..from + size].to_vec();
    digest.add(u64::from(copy == bytes[to..to + size]));
    digest.add(copy.as_slice().cmp(&bytes[to..to + size]) as u64);
    let mut changed = copy.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= sample.u64() as u8;
    }
    digest.add(copy.cmp(&changed) as u64 ^ u64::from(copy == changed) << 8);

    bytes[to..to + size].fill(black_box(sample.u64() as u8));
    digest.bytes(&bytes[to.saturating_sub(4)..to + size + 4]);

    let mut large = Large([0; 40]);
    for element in &mut large.0 {
        *element = sample.u64();
    }
    let boxed = Box::new(pass_by_value(large, size));
    digest.add(u64::from(*boxed == large));
    digest.add(boxed.0.iter().fold(0, |sum, x| sum ^ x));
    let words: [u64; 4] = std::array::from_fn(|i| u64::from(bytes[i * 9 + 1]));
    digest.add(u64::from(words == [large.0[0], 1, 2, 3]));
    digest.finish()
}
