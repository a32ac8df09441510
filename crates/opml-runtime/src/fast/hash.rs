//! Commitments of tensors: two messages at once with the SHA instructions, and on all threads of the pool that the caller is in when there are many.

use opml::{Domain, Hash, PAD, merkle, tensor::TILE_BYTES};
use rayon::prelude::*;

use super::kernels::{Quarter, ShaExtensions, compress_two};
use crate::tensor::Tensor;

/// Hashes that are worth a task of their own.
const TASK: usize = 512;

const TILE: usize = TILE_BYTES as usize;
/// A leaf's prefix, a full tile and the padding.
const LEAF_BLOCKS: usize = 9;
/// A prefix, two hashes and the padding.
const PARENT_BLOCKS: usize = 2;
/// What follows a message.
const PADDING: u8 = 0x80;
static ZEROS: Quarter = [0; 16];

/// The tensor's commitment, which [`Tensor::root`] keeps.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    root(tensor.bytes(), true)
}

/// The commitment to these elements. A large one is shared among threads if `parallel`.
pub(crate) fn root(bytes: &[u8], parallel: bool) -> Hash {
    let (tiles, rest) = bytes.as_chunks::<TILE>();
    let mut nodes = vec![PAD; tiles.len()];
    in_tasks(parallel, &mut nodes, |first, leaves| {
        in_pairs(leaves, |pair| {
            leaf_pair(pair.map(|i| ((first + i) as u32, &tiles[first + i])))
        });
    });
    if !rest.is_empty() {
        nodes.push(merkle::leaf(Domain::TensorTile, tiles.len() as u32, &[rest]));
    }
    while nodes.len() > 1 {
        if nodes.len() % 2 == 1 {
            nodes.push(PAD);
        }
        let (children, _) = nodes.as_chunks();
        let mut parents = vec![PAD; children.len()];
        in_tasks(parallel, &mut parents, |first, parents| {
            in_pairs(parents, |pair| parent_pair(pair.map(|i| &children[first + i])));
        });
        nodes = parents;
    }
    nodes[0]
}

/// Fills `hashes` in tasks that get the index of their first one.
fn in_tasks(parallel: bool, hashes: &mut [Hash], fill: impl Fn(usize, &mut [Hash]) + Sync) {
    if parallel && hashes.len() > 2 * TASK {
        let tasks = hashes.par_chunks_mut(TASK).enumerate();
        tasks.for_each(|(task, hashes)| fill(task * TASK, hashes));
    } else {
        fill(0, hashes);
    }
}

/// Fills `hashes` two at a time. The last one is computed twice when it has no neighbour.
fn in_pairs(hashes: &mut [Hash], two: impl Fn([usize; 2]) -> [Hash; 2]) {
    for (i, pair) in hashes.chunks_mut(2).enumerate() {
        let both = two([2 * i, 2 * i + pair.len() - 1]);
        pair.copy_from_slice(&both[..pair.len()]);
    }
}

/// The leaves of two full tiles, each given with its index.
fn leaf_pair(tiles: [(u32, &[u8; TILE]); 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return tiles.map(|(index, tile)| merkle::leaf(Domain::TensorTile, index, &[tile]));
    };
    let prefixes = tiles.map(|(index, _)| {
        let [i0, i1, i2, i3] = index.to_le_bytes();
        [0, Domain::TensorTile as u8, i0, i1, i2, i3]
    });
    digests::<_, _, LEAF_BLOCKS>(extensions, prefixes, tiles.map(|(_, tile)| tile))
}

/// The parents of two pairs of neighbours, each of which has a real leaf below it.
fn parent_pair(children: [&[Hash; 2]; 2]) -> [Hash; 2] {
    let Some(extensions) = ShaExtensions::detect() else {
        return children.map(|[left, right]| merkle::parent(left, right));
    };
    let bodies = children.map(|children| {
        let bytes: &[u8; 64] = children.as_flattened().as_array().expect("two hashes are 64 bytes");
        bytes
    });
    digests::<_, _, PARENT_BLOCKS>(extensions, [[1]; 2], bodies)
}

/// The digests of two messages, of a prefix that is shorter than a quarter of a block and a body each. The body stays where it is, but for the quarters that it shares
/// with the prefix and with the padding.
fn digests<const PREFIX: usize, const BODY: usize, const BLOCKS: usize>(
    extensions: ShaExtensions,
    prefixes: [[u8; PREFIX]; 2],
    bodies: [&[u8; BODY]; 2],
) -> [Hash; 2] {
    let mut length = ZEROS;
    length[8..].copy_from_slice(&(8 * (PREFIX + BODY) as u64).to_be_bytes());
    let parts = bodies.map(|body| {
        let (start, rest) = body.split_at(ZEROS.len() - PREFIX);
        let (middle, end) = rest.as_chunks();
        (start, middle, end)
    });
    let mut ends = [[ZEROS; 2]; 2];
    for (([first, last], prefix), (start, _, end)) in ends.iter_mut().zip(&prefixes).zip(&parts) {
        first[..PREFIX].copy_from_slice(prefix);
        first[PREFIX..].copy_from_slice(start);
        last[..end.len()].copy_from_slice(end);
        last[end.len()] = PADDING;
    }
    let mut messages = [[[&ZEROS; 4]; BLOCKS]; 2];
    for ((message, [first, last]), (_, middle, _)) in messages.iter_mut().zip(&ends).zip(parts) {
        let quarters = message.as_flattened_mut();
        quarters[0] = first;
        for (quarter, bytes) in quarters[1..].iter_mut().zip(middle) {
            *quarter = bytes;
        }
        quarters[1 + middle.len()] = last;
        quarters[4 * BLOCKS - 1] = &length;
    }
    compress_two(extensions, &messages)
}
