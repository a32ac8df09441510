//! Commitments of tensors: two tiles at once with the SHA instructions, and all threads of the pool that the caller is in.

use opml::{Domain, Hash, PAD, TensorSpec, merkle, tensor::TILE_BYTES};
use rayon::prelude::*;

use super::kernels::{BLOCK, ShaExtensions, compress_two};
use crate::tensor::Tensor;

/// Hashes that are worth a task of their own.
const TASK: usize = 64;
/// Hashes that are worth waking other threads.
const MANY: usize = 2048;

/// A leaf's prefix, a tile and the padding.
const LEAF_BLOCKS: usize = 5;
const LEAF_BYTES: usize = 6 + TILE_BYTES as usize;
/// A prefix, two hashes and the padding.
const PARENT_BLOCKS: usize = 2;
const PARENT_BYTES: usize = 65;

/// The tensor's commitment, which [`Tensor::root`] is.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    let spec = tensor.spec();
    let tiles = spec.tiles_per_row() as usize;
    let leaves = leaves(spec, tensor.bytes());
    let rows = fold(leaves, tiles);
    fold(rows, spec.rows() as usize)[0]
}

/// The commitments of all tensors.
pub fn tensor_roots(tensors: &[Tensor]) -> Vec<Hash> {
    tensors.par_iter().map(tensor_root).collect()
}

/// The leaves of all tiles, row after row, without the padding between rows.
fn leaves(spec: &TensorSpec, bytes: &[u8]) -> Vec<Hash> {
    let (tiles, depth) = (spec.tiles_per_row() as usize, spec.row_depth());
    let row_bytes = spec.row_bytes() as usize;
    let message = |tile: usize| {
        let (row, tile) = (tile / tiles, tile % tiles);
        let start = row * row_bytes + tile * TILE_BYTES as usize;
        let end = (start + TILE_BYTES as usize).min((row + 1) * row_bytes);
        (((row << depth) | tile) as u32, &bytes[start..end])
    };
    let mut leaves = vec![PAD; spec.rows() as usize * tiles];
    in_tasks(&mut leaves, |first, leaves| {
        for (i, pair) in leaves.chunks_mut(2).enumerate() {
            let at = first + 2 * i;
            // The last one is hashed twice when it has no neighbour.
            let two = [message(at), message(at + pair.len() - 1)];
            pair.copy_from_slice(&leaf_pair(two)[..pair.len()]);
        }
    });
    leaves
}

/// Folds each group of `width` neighbours to its root.
fn fold(mut nodes: Vec<Hash>, mut width: usize) -> Vec<Hash> {
    while width > 1 {
        let next_width = width.div_ceil(2);
        let children = |parent: usize| {
            let (group, place) = (parent / next_width, parent % next_width);
            let left = group * width + 2 * place;
            [nodes[left], if 2 * place + 1 < width { nodes[left + 1] } else { PAD }]
        };
        let mut parents = vec![PAD; nodes.len() / width * next_width];
        in_tasks(&mut parents, |first, parents| {
            for (i, pair) in parents.chunks_mut(2).enumerate() {
                let at = first + 2 * i;
                let two = [children(at), children(at + pair.len() - 1)];
                pair.copy_from_slice(&parent_pair(two)[..pair.len()]);
            }
        });
        (nodes, width) = (parents, next_width);
    }
    nodes
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

/// Two leaves, each given as its index and the used bytes of its tile.
fn leaf_pair(tiles: [(u32, &[u8]); 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return tiles.map(|(index, used)| {
            let fill = [0; TILE_BYTES as usize];
            merkle::leaf(Domain::TensorTile, index, &[used, &fill[used.len()..]])
        });
    };
    let messages = tiles.map(|(index, used)| {
        let mut message = padded::<LEAF_BLOCKS>(LEAF_BYTES);
        let bytes = message.as_flattened_mut();
        bytes[1] = Domain::TensorTile as u8;
        bytes[2..6].copy_from_slice(&index.to_le_bytes());
        bytes[6..][..used.len()].copy_from_slice(used);
        message
    });
    compress_two(extensions, [&messages[0], &messages[1]])
}

/// Two parents that have a real leaf below them.
fn parent_pair(children: [[Hash; 2]; 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return children.map(|[left, right]| merkle::parent(&left, &right));
    };
    let messages = children.map(|children| {
        let mut message = padded::<PARENT_BLOCKS>(PARENT_BYTES);
        let bytes = message.as_flattened_mut();
        bytes[0] = 1;
        bytes[1..PARENT_BYTES].copy_from_slice(children.as_flattened());
        message
    });
    compress_two(extensions, [&messages[0], &messages[1]])
}

/// Zeros and SHA-256's padding for a message of `len` bytes.
fn padded<const N: usize>(len: usize) -> [[u8; BLOCK]; N] {
    let mut message = [[0; BLOCK]; N];
    let bytes = message.as_flattened_mut();
    bytes[len] = 0x80;
    bytes[N * BLOCK - 8..].copy_from_slice(&(8 * len as u64).to_be_bytes());
    message
}
