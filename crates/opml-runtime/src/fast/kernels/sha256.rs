//! SHA-256 of two messages at once. One message leaves the SHA unit idle half of the time, because each step waits for the one before.

/// That the processor has the SHA instructions.
#[derive(Clone, Copy, Debug)]
pub(in crate::fast) struct ShaExtensions(());

impl ShaExtensions {
    /// `None` where they are missing.
    pub(in crate::fast) fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3") {
            return Some(Self(()));
        }
        None
    }
}

/// A quarter of a block: what a register takes.
pub(in crate::fast) type Quarter = [u8; 16];
/// The quarters of a block, wherever they lie, so that a message need not be put together.
pub(in crate::fast) type Block<'a> = [&'a Quarter; 4];

#[cfg(target_arch = "x86_64")]
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ROUND: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// The digests of two messages of `N` blocks, which are padded already.
pub(in crate::fast) fn compress_two<const N: usize>(
    _extensions: ShaExtensions,
    messages: &[[Block; N]; 2],
) -> [[u8; 32]; 2] {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: `ShaExtensions` is made only where the processor has them.
    return unsafe { x86::compress_two(messages) };
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("`ShaExtensions` is not made on this processor: {messages:?}");
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, INITIAL, Quarter, ROUND};

    #[inline(always)]
    fn load(bytes: &Quarter) -> __m128i {
        // SAFETY: 16 bytes; SSE2 is part of the architecture.
        unsafe { _mm_loadu_si128((&raw const *bytes).cast()) }
    }

    #[inline(always)]
    fn load_words(words: &[u32; 4]) -> __m128i {
        // SAFETY: as above.
        unsafe { _mm_loadu_si128((&raw const *words).cast()) }
    }

    #[target_feature(enable = "sha,sse4.1,ssse3")]
    pub(super) fn compress_two<const N: usize>(messages: &[[Block; N]; 2]) -> [[u8; 32]; 2] {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let [a, b, c, d, e, f, g, h] = INITIAL.map(|word| word as i32);
        let mut abef = [_mm_set_epi32(a, b, e, f); 2];
        let mut cdgh = [_mm_set_epi32(c, d, g, h); 2];
        for block in 0..N {
            let (abef_before, cdgh_before) = (abef, cdgh);
            let mut words = [[_mm_setzero_si128(); 4]; 2];
            for (words, message) in words.iter_mut().zip(messages) {
                for (word, bytes) in words.iter_mut().zip(message[block]) {
                    *word = _mm_shuffle_epi8(load(bytes), swap);
                }
            }
            // Written out, so that the words stay in registers.
            macro_rules! four_rounds {
                ($($i:literal)*) => {$(
                    let constants = load_words(&ROUND.as_chunks::<4>().0[$i]);
                    for m in 0..2 {
                        let words = &mut words[m];
                        if $i >= 4 {
                            let with_sigma0 = _mm_sha256msg1_epu32(words[$i % 4], words[($i + 1) % 4]);
                            let seventh = _mm_alignr_epi8(words[($i + 3) % 4], words[($i + 2) % 4], 4);
                            let sum = _mm_add_epi32(with_sigma0, seventh);
                            words[$i % 4] = _mm_sha256msg2_epu32(sum, words[($i + 3) % 4]);
                        }
                        let sum = _mm_add_epi32(words[$i % 4], constants);
                        cdgh[m] = _mm_sha256rnds2_epu32(cdgh[m], abef[m], sum);
                        abef[m] = _mm_sha256rnds2_epu32(abef[m], cdgh[m], _mm_shuffle_epi32(sum, 0x0e));
                    }
                )*};
            }
            four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            for m in 0..2 {
                abef[m] = _mm_add_epi32(abef[m], abef_before[m]);
                cdgh[m] = _mm_add_epi32(cdgh[m], cdgh_before[m]);
            }
        }
        std::array::from_fn(|m| {
            let words = [
                _mm_extract_epi32(abef[m], 3),
                _mm_extract_epi32(abef[m], 2),
                _mm_extract_epi32(cdgh[m], 3),
                _mm_extract_epi32(cdgh[m], 2),
                _mm_extract_epi32(abef[m], 1),
                _mm_extract_epi32(abef[m], 0),
                _mm_extract_epi32(cdgh[m], 1),
                _mm_extract_epi32(cdgh[m], 0),
            ];
            let mut digest = [0; 32];
            for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                *to = word.to_be_bytes();
            }
            digest
        })
    }
}
