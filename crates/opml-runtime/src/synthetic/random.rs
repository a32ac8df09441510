//! Made-up bytes.

use rayon::prelude::*;

use super::{INT8_DEVIATION, OUTPUT_DEVIATION};
use crate::builder::Dense;

const WORD_BYTES: usize = 8;
/// Words that are worth a task of their own.
const TASK_WORDS: usize = 1 << 16;

/// The words of SplitMix64, of which each can be made by itself: the same on every machine and in every version of every library.
#[derive(Debug, Clone, Copy)]
pub(super) struct RandomBytes {
    seed: u64,
    word: u64,
}

/// Word `index` of a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn word(seed: u64, index: u64) -> u64 {
    let mut word = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Some of them, not made yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    seed: u64,
    first_word: u64,
    bytes: u64,
}

impl RandomBytes {
    pub(super) fn new(seed: u64) -> Self {
        // Neighbouring seeds begin far from each other.
        Self {
            seed: word(seed, 0),
            word: 0,
        }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: u64) -> Taken {
        let taken = Taken {
            seed: self.seed,
            first_word: self.word,
            bytes,
        };
        self.word += bytes.div_ceil(WORD_BYTES as u64);
        taken
    }

    pub(super) fn int8(&mut self, count: usize) -> Vec<i8> {
        let bytes = self.take(count as u64).bytes();
        bytes.into_iter().map(|byte| byte as i8).collect()
    }

    /// A layer of `n` outputs, each a sum of `k` inputs of this deviation.
    pub(super) fn dense(&mut self, k: u32, n: u32, x_deviation: u64, low: i8) -> Dense {
        Dense {
            weights: self.int8(n as usize * k as usize),
            bias: self.bias(n),
            multiplier: vec![multiplier(k, x_deviation); n as usize],
            shift: vec![SHIFT; n as usize],
            x_zero_point: 0,
            y_zero_point: 0,
            low,
            high: i8::MAX,
        }
    }

    pub(super) fn bias(&mut self, n: u32) -> Vec<i32> {
        let values = self.int8(n as usize);
        values.into_iter().map(|value| i32::from(value) * 256).collect()
    }
}

/// What a layer's multipliers are divided by, as a power of two.
pub(super) const SHIFT: i8 = 31;

/// Scales a sum of `k` inputs of this deviation to the usual one.
pub(super) fn multiplier(k: u32, x_deviation: u64) -> i32 {
    ((OUTPUT_DEVIATION << SHIFT) / (x_deviation * INT8_DEVIATION * u64::from(k).isqrt())) as i32
}

impl Taken {
    /// All of them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.part(0, self.bytes)
    }

    /// Those of a range, which begins with a whole word. Made on all cores.
    fn part(&self, start: u64, end: u64) -> Vec<u8> {
        debug_assert!(start.is_multiple_of(WORD_BYTES as u64));
        let first_word = self.first_word + start / WORD_BYTES as u64;
        let mut bytes = vec![0; (end - start) as usize];
        let tasks = bytes.par_chunks_mut(TASK_WORDS * WORD_BYTES).enumerate();
        tasks.for_each(|(task, bytes)| {
            let first_word = first_word + (task * TASK_WORDS) as u64;
            for (index, bytes) in (first_word..).zip(bytes.chunks_mut(WORD_BYTES)) {
                let made = word(self.seed, index).to_le_bytes();
                bytes.copy_from_slice(&made[..bytes.len()]);
            }
        });
        bytes
    }

    /// All of them, some at a time.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        const PIECE: u64 = 4 << 20;
        let starts = (0..self.bytes).step_by(PIECE as usize);
        starts.map(|start| self.part(start, (start + PIECE).min(self.bytes)))
    }
}
