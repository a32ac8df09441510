//! Commitments of tensors: two tiles at once with the SHA instructions, and all threads of the pool that the caller is in.

use opml::{Domain, Hash, PAD, merkle, tensor::TILE_BYTES};
use rayon::prelude::*;

use super::kernels::{Block, ShaExtensions, compress_two};
use crate::tensor::Tensor;

/// Hashes that are worth a task of their own.
const TASK: usize = 64;
/// Hashes that are worth waking other threads.
const MANY: usize = 2048;

/// The tensor's commitment, which [`Tensor::root`] is.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    fold(leaves(tensor.bytes()))
}

/// The commitments of all tensors.
pub fn tensor_roots(tensors: &[Tensor]) -> Vec<Hash> {
    tensors.par_iter().map(tensor_root).collect()
}

/// The leaves of all tiles.
fn leaves(bytes: &[u8]) -> Vec<Hash> {
    let tiles: Vec<&[u8]> = bytes.chunks(TILE_BYTES as usize).collect();
    let mut leaves = vec![PAD; tiles.len()];
    in_tasks(&mut leaves, |first, leaves| {
        for (i, pair) in leaves.chunks_mut(2).enumerate() {
            let at = first + 2 * i;
            // The last one is hashed twice when it has no neighbour.
            let two = [at, at + pair.len() - 1].map(|tile| (tile as u32, tiles[tile]));
            pair.copy_from_slice(&leaf_pair(two)[..pair.len()]);
        }
    });
    leaves
}

/// The root above `nodes`.
fn fold(mut nodes: Vec<Hash>) -> Hash {
    while nodes.len() > 1 {
        let children = |parent: usize| [nodes[2 * parent], nodes.get(2 * parent + 1).copied().unwrap_or(PAD)];
        let mut parents = vec![PAD; nodes.len().div_ceil(2)];
        in_tasks(&mut parents, |first, parents| {
            for (i, pair) in parents.chunks_mut(2).enumerate() {
                let at = first + 2 * i;
                let two = [children(at), children(at + pair.len() - 1)];
                pair.copy_from_slice(&parent_pair(two)[..pair.len()]);
            }
        });
        nodes = parents;
    }
    nodes[0]
}

/// Fills `hashes` in tasks that get the index of their first one.
fn in_tasks(hashes: &mut [Hash], fill: impl Fn(usize, &mut [Hash]) + Sync) {
    let few = if rayon::current_thread_index().is_some() {
        TASK
    } else {
        MANY
    };
    if hashes.len() <= few {
        fill(0, hashes);
    } else {
        let tasks = hashes.par_chunks_mut(TASK).enumerate();
        tasks.for_each(|(task, hashes)| fill(task * TASK, hashes));
    }
}

/// Two leaves, each given as its index and the bytes of its tile.
fn leaf_pair(tiles: [(u32, &[u8]); 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return tiles.map(|(index, tile)| merkle::leaf(Domain::TensorTile, index, &[tile]));
    };
    let messages = tiles.map(|(index, tile)| {
        let [i0, i1, i2, i3] = index.to_le_bytes();
        Message::new(&[&[0, Domain::TensorTile as u8, i0, i1, i2, i3], tile])
    });
    digests(extensions, &messages)
}

/// Two parents that have a real leaf below them.
fn parent_pair(children: [[Hash; 2]; 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return children.map(|[left, right]| merkle::parent(&left, &right));
    };
    let messages = children.map(|[left, right]| Message::new(&[&[1], &left, &right]));
    digests(extensions, &messages)
}

/// A prefix, a full tile and the padding.
const MAX_BLOCKS: usize = (6 + TILE_BYTES as usize + 9).div_ceil(64);

/// A message with its padding.
struct Message {
    blocks: [Block; MAX_BLOCKS],
    len: usize,
}

impl Message {
    fn new(parts: &[&[u8]]) -> Self {
        let mut blocks = [[0; 64]; MAX_BLOCKS];
        let bytes = blocks.as_flattened_mut();
        let mut end = 0;
        for part in parts {
            bytes[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        bytes[end] = 0x80;
        let len = (end + 9).div_ceil(64);
        bytes[64 * len - 8..64 * len].copy_from_slice(&(8 * end as u64).to_be_bytes());
        Self { blocks, len }
    }

    fn blocks(&self) -> &[Block] {
        &self.blocks[..self.len]
    }
}

fn digests(extensions: ShaExtensions, messages: &[Message; 2]) -> [Hash; 2] {
    let [a, b] = messages;
    if a.len == b.len {
        compress_two(extensions, [a.blocks(), b.blocks()])
    } else {
        [a, b].map(|message| compress_two(extensions, [message.blocks(); 2])[0])
    }
}
