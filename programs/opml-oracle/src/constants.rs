//! Bounds that every account and instruction of this program keeps.

use anchor_lang::prelude::{Pubkey, pubkey};

/// Layout version that every account carries in its first byte after the discriminator.
pub const ACCOUNT_VERSION: u8 = 1;

/// Longest endpoint of an operator, in bytes of UTF-8.
pub const MAX_ENDPOINT_LEN: usize = 128;

/// Most nodes whose outputs are posted as a whole trace, in one transaction and without a descent.
pub const MAX_WHOLE_TRACE_NODES: u32 = 16;

/// Levels that a reveal goes down, fewer where the tree ends.
pub const REVEAL_LEVELS: u8 = 4;

/// Nodes of a full reveal: `2^REVEAL_LEVELS`.
pub const MAX_FRONTIER_NODES: usize = 16;

/// Bytes of a full tile.
pub const MAX_TILE_BYTES: usize = 512;

const _: () = assert!(MAX_FRONTIER_NODES == 1 << REVEAL_LEVELS);
const _: () = assert!(MAX_WHOLE_TRACE_NODES as usize <= MAX_FRONTIER_NODES);
const _: () = assert!(MAX_TILE_BYTES == opml::tensor::TILE_BYTES as usize);

/// The sysvar with the hashes of the last 512 slots that had a block.
pub const SLOT_HASHES: Pubkey = pubkey!("SysvarS1otHashes111111111111111111111111111");
