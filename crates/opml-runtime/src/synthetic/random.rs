//! Made-up bytes.

use opml::hashv;
use rayon::prelude::*;

use super::{INT8_DEVIATION, OUTPUT_DEVIATION};
use crate::builder::Dense;

const BLOCK_BYTES: usize = 32;
/// Blocks that are worth a task of their own.
const TASK_BLOCKS: usize = 1024;

/// Bytes from SHA-256 in counter mode: the same on every machine and in every version of every library.
#[derive(Debug, Clone, Copy)]
pub(super) struct RandomBytes {
    seed: u64,
    block: u64,
}

/// Some of them, not made yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    seed: u64,
    first_block: u64,
    bytes: u64,
}

impl RandomBytes {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, block: 0 }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: u64) -> Taken {
        let taken = Taken {
            seed: self.seed,
            first_block: self.block,
            bytes,
        };
        self.block += bytes.div_ceil(BLOCK_BYTES as u64);
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

    /// Those of a range, which begins with a whole block. Made on all cores.
    fn part(&self, start: u64, end: u64) -> Vec<u8> {
        debug_assert!(start.is_multiple_of(BLOCK_BYTES as u64));
        let first_block = self.first_block + start / BLOCK_BYTES as u64;
        let mut bytes = vec![0; (end - start) as usize];
        let tasks = bytes.par_chunks_mut(TASK_BLOCKS * BLOCK_BYTES).enumerate();
        tasks.for_each(|(task, bytes)| {
            let first_block = first_block + (task * TASK_BLOCKS) as u64;
            for (block, bytes) in (first_block..).zip(bytes.chunks_mut(BLOCK_BYTES)) {
                let made = hashv(&[b"imo:synthetic:v1", &self.seed.to_le_bytes(), &block.to_le_bytes()]);
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
