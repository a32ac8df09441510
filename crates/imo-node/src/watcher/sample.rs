//! Which answers are recomputed: a part that nobody can predict, decided before anybody answered.

use anchor_lang::prelude::Pubkey;
use opml::{Hash, hashv};

/// A secret that picks. Its hash can be shown before, the secret after, so that everybody can tell that nothing was picked by hand.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    secret: [u8; 32],
    share: f64,
}

impl Sample {
    pub fn new(secret: [u8; 32], share: f64) -> Self {
        Self { secret, share }
    }

    pub fn commitment(&self) -> Hash {
        hashv(&[b"imo:watch:v1", &self.secret])
    }

    /// Whether to recompute receipt `index` of a lane's Collection for a report.
    pub fn picks(&self, report: &Pubkey, lane: &Pubkey, index: u32) -> bool {
        let hash = hashv(&[&self.secret, report.as_ref(), lane.as_ref(), &index.to_le_bytes()]);
        let [a, b, c, d, ..] = hash;
        f64::from(u32::from_le_bytes([a, b, c, d])) < self.share * 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_share_when_picked_then_about_that_part_and_always_the_same() {
        let (report, lane) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        let picked = |secret, share| {
            let sample = Sample::new([secret; 32], share);
            (0..10_000)
                .filter(|index| sample.picks(&report, &lane, *index))
                .collect::<Vec<_>>()
        };
        assert_eq!(picked(3, 1.0).len(), 10_000);
        assert!(picked(3, 0.0).is_empty());
        let quarter = picked(3, 0.25);
        assert!((2_300..2_700).contains(&quarter.len()), "{}", quarter.len());
        assert_eq!(quarter, picked(3, 0.25));
        assert_ne!(quarter, picked(4, 0.25));
    }
}
