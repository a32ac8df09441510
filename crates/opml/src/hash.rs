//! SHA-256: the system call on chain, `sha2` (with the SHA instructions where the processor has them) elsewhere.

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Bytes of a [`Hash`].
pub const HASH_BYTES: usize = 32;

/// The digest of the concatenation of `parts`.
pub fn hashv(parts: &[&[u8]]) -> Hash {
    solana_sha256_hasher::hashv(parts).to_bytes()
}
