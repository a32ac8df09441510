//! Commitments of tensors: two tiles at once with the SHA instructions, and all threads of the pool that the caller is in.

use opml::{Domain, Hash, PAD, TensorSpec, merkle, tensor::TILE_BYTES};
use rayon::prelude::*;

use super::kernels::{Quarter, ShaExtensions, compress_two};
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
    let [(first, first_used), (second, second_used)] = tiles;
    if let (Some(a), Some(b)) = (first_used.as_array(), second_used.as_array()) {
        return whole_leaf_pair([first, second], [a, b]);
    }
    let mut filled = [[0; TILE_BYTES as usize]; 2];
    filled[0][..first_used.len()].copy_from_slice(first_used);
    filled[1][..second_used.len()].copy_from_slice(second_used);
    let [a, b] = &filled;
    whole_leaf_pair([first, second], [a, b])
}

/// Two leaves, each given as its index and its tile with the fill.
fn whole_leaf_pair(indices: [u32; 2], tiles: [&[u8; TILE_BYTES as usize]; 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return [0, 1].map(|i| merkle::leaf(Domain::TensorTile, indices[i], &[tiles[i]]));
    };
    // The prefix is 6 bytes long: the quarters of the message begin 10 bytes into the tile.
    let mut ends = [[ZEROS; 2]; 2];
    for (([head, tail], index), tile) in ends.iter_mut().zip(indices).zip(tiles) {
        head[1] = Domain::TensorTile as u8;
        head[2..6].copy_from_slice(&index.to_le_bytes());
        head[6..].copy_from_slice(&tile[..10]);
        tail[..6].copy_from_slice(&tile[250..]);
        tail[6] = PADDING;
    }
    let length = length_quarter(LEAF_BYTES);
    let mut messages = [[[&ZEROS; 4]; LEAF_BLOCKS]; 2];
    for ((message, [head, tail]), tile) in messages.iter_mut().zip(&ends).zip(tiles) {
        let quarters = message.as_flattened_mut();
        quarters[0] = head;
        for (quarter, bytes) in quarters[1..].iter_mut().zip(tile[10..250].as_chunks().0) {
            *quarter = bytes;
        }
        quarters[16] = tail;
        quarters[19] = &length;
    }
    compress_two(extensions, &messages)
}

/// Two parents that have a real leaf below them.
fn parent_pair(children: [[Hash; 2]; 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return children.map(|[left, right]| merkle::parent(&left, &right));
    };
    let length = length_quarter(PARENT_BYTES);
    let mut ends = [[ZEROS; 2]; 2];
    for ([head, tail], [left, right]) in ends.iter_mut().zip(&children) {
        head[0] = 1;
        head[1..].copy_from_slice(&left[..15]);
        tail[0] = right[31];
        tail[1] = PADDING;
    }
    let mut messages = [[[&ZEROS; 4]; PARENT_BLOCKS]; 2];
    for ((message, [head, tail]), children) in messages.iter_mut().zip(&ends).zip(&children) {
        let quarters = message.as_flattened_mut();
        quarters[0] = head;
        for (quarter, bytes) in quarters[1..]
            .iter_mut()
            .zip(children.as_flattened()[15..63].as_chunks().0)
        {
            *quarter = bytes;
        }
        quarters[4] = tail;
        quarters[7] = &length;
    }
    compress_two(extensions, &messages)
}

/// What follows a message.
const PADDING: u8 = 0x80;
static ZEROS: Quarter = [0; 16];

/// The last quarter of a padded message of `bytes`.
fn length_quarter(bytes: usize) -> Quarter {
    let mut quarter = ZEROS;
    quarter[8..].copy_from_slice(&(8 * bytes as u64).to_be_bytes());
    quarter
}
