//! Bounds that every account and instruction of this program keeps.

/// Layout version that every account carries in its first byte after the discriminator.
pub const ACCOUNT_VERSION: u8 = 1;

/// Most receipts of one collection.
pub const MAX_RECEIPTS: u32 = 65_536;

/// Most requests of one generation of a lane: what an index of the request tree can name.
pub const MAX_REQUESTS: u64 = u32::MAX as u64;

/// Seeds of the signer with which this program deposits into pools of yield-distributor.
pub const DEPOSITOR_SEED: &[u8] = b"depositor";
