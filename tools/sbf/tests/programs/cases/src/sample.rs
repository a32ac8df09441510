//! Numbers to compute with, and a digest of what was computed.

/// Pseudo-random numbers (xorshift64*), the same ones everywhere.
pub struct Sample(u64);

impl Sample {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.u64() % limit
    }

    /// Of every magnitude, and often one of the values where carries and signs go wrong.
    pub fn u128(&mut self) -> u128 {
        const EDGES: [u128; 14] = [
            0,
            1,
            2,
            0xffff_ffff,
            1 << 32,
            1 << 63,
            (1 << 64) - 2,
            u64::MAX as u128,
            1 << 64,
            u128::MAX << 64,
            (1 << 127) - 1,
            1 << 127,
            u128::MAX - 1,
            u128::MAX,
        ];
        let any = (u128::from(self.u64()) << 64) | u128::from(self.u64());
        let shift = self.below(128) as u32;
        match self.below(6) {
            0 => EDGES[self.below(14) as usize],
            1 => any >> 64,
            2 => any >> shift,
            3 => !(any >> shift),
            _ => any,
        }
    }

    pub fn edge_u64(&mut self) -> u64 {
        self.u128() as u64
    }
}

/// Folds results into one number; order matters.
#[derive(Default)]
pub struct Digest(u64);

impl Digest {
    pub fn add(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    pub fn wide(&mut self, value: u128) {
        self.add(value as u64);
        self.add((value >> 64) as u64);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.len() as u64);
        for byte in bytes {
            self.add(u64::from(*byte));
        }
    }

    pub fn finish(&self) -> u64 {
        self.0
    }
}
