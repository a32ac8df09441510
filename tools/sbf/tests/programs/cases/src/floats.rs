//! Floating point, which is all runtime functions. Programs should avoid it; format and parse code brings some along.

use crate::sample::{Digest, Sample};

pub fn case(seed: u64) -> u64 {
    let mut sample = Sample::new(seed);
    let (a, b) = (sample.edge_u64() as i64, sample.edge_u64() as i64);
    let wide = sample.u128();
    let mut digest = Digest::default();
    let f = a as f64 / (b as f64 + 0.5) * 1.25 - 3.0;
    digest.add(f.to_bits());
    digest.add(if f > 1.0 {
        1
    } else if f < -1.0 {
        2
    } else {
        3
    });
    digest.add(f as i64 as u64 ^ u64::from(f as u32) ^ f as i8 as u64);
    digest.wide(f as u128 ^ f as i128 as u128);
    digest.add((wide as f64).to_bits() ^ (wide as i128 as f64).to_bits());
    let single = a as f32 * 0.1;
    digest.add(u64::from(single.to_bits()) ^ single as i32 as u64 ^ f64::from(single).to_bits());
    digest.add((-f).abs().to_bits() ^ u64::from(f.is_nan()));
    digest.finish()
}
