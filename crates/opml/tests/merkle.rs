//! Merkle trees against a direct, allocating construction.

use opml::{
    Domain, Frontier, Hash, Layout, PAD,
    merkle::{depth, leaf, parent, subtree_root, verify_path},
};
use proptest::prelude::*;

/// All levels of the padded tree, leaves first.
fn levels(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves.to_vec()];
    levels[0].resize(1 << depth(leaves.len() as u32), PAD);
    while levels.last().unwrap().len() > 1 {
        let next = levels
            .last()
            .unwrap()
            .chunks(2)
            .map(|pair| parent(&pair[0], &pair[1]))
            .collect();
        levels.push(next);
    }
    levels
}

fn root(leaves: &[Hash]) -> Hash {
    levels(leaves).last().unwrap()[0]
}

fn path(levels: &[Vec<Hash>], index: usize) -> Vec<u8> {
    levels[..levels.len() - 1]
        .iter()
        .enumerate()
        .flat_map(|(level, nodes)| nodes[(index >> level) ^ 1])
        .collect()
}

/// Where a path leads, whatever it has as padding.
fn climb(leaf: &Hash, index: usize, path: &[u8]) -> Hash {
    let siblings = path.as_chunks::<32>().0;
    (0..)
        .zip(siblings)
        .fold(*leaf, |node, (level, sibling)| match (index >> level) & 1 {
            0 => parent(&node, sibling),
            _ => parent(sibling, &node),
        })
}

/// The hashes beside leaves `first` to `last`.
fn range_path(levels: &[Vec<Hash>], first: usize, last: usize) -> Vec<u8> {
    levels[..levels.len() - 1]
        .iter()
        .enumerate()
        .flat_map(|(level, nodes)| {
            let (first, last) = (first >> level, last >> level);
            let left = (first % 2 == 1).then(|| nodes[first - 1]);
            let right = (last % 2 == 0).then(|| nodes[last + 1]);
            left.into_iter().chain(right)
        })
        .flatten()
        .collect()
}

fn leaves(count: u32) -> Vec<Hash> {
    (0..count)
        .map(|index| leaf(Domain::Request, index, &[b"leaf", &index.to_le_bytes()]))
        .collect()
}

#[test]
fn given_counts_when_the_depth_is_derived_then_it_is_the_ceiling_of_log2() {
    for (count, expected) in [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
        (16, 4),
        (17, 5),
        (1 << 31, 31),
        (u32::MAX, 32),
    ] {
        assert_eq!(depth(count), expected, "{count} leaves");
    }
}

#[test]
fn given_no_leaf_when_the_root_is_taken_then_it_is_pad() {
    assert_eq!(Frontier::new().root(), PAD);
    assert!(!verify_path(&PAD, &PAD, 0, 0, &[]));
}

#[test]
fn given_two_domains_or_indices_when_the_same_bytes_are_hashed_then_the_leaves_differ() {
    let one = leaf(Domain::TensorTile, 0, &[b"bytes"]);
    assert_ne!(one, leaf(Domain::GraphNode, 0, &[b"bytes"]));
    assert_ne!(one, leaf(Domain::TensorTile, 1, &[b"bytes"]));
    assert_eq!(one, leaf(Domain::TensorTile, 0, &[b"by", b"tes"]));
}

#[test]
fn given_a_number_of_nodes_that_is_no_reveal_when_folded_then_none() {
    for count in [0, 3, 5, 7, 9, 15, 17, 32] {
        assert_eq!(subtree_root(&vec![[1; 32]; count]), None, "{count} nodes");
    }
    for count in [1, 2, 4, 8, 16] {
        assert_eq!(subtree_root(&leaves(count)), Some(root(&leaves(count))));
    }
}

proptest! {
    #[test]
    fn given_any_list_when_built_leaf_by_leaf_then_the_root_is_that_of_the_whole_tree(count in 0u32..200) {
        let mut frontier = Frontier::new();
        for leaf in leaves(count) {
            prop_assert!(frontier.push(leaf));
        }
        prop_assert_eq!(frontier.count(), count);
        prop_assert_eq!(frontier.root(), root(&leaves(count)));
    }

    #[test]
    fn given_any_leaf_when_its_path_is_verified_then_only_at_its_own_place((count, index) in (1u32..200).prop_flat_map(|count| (Just(count), 0..count)), other in 0u32..256) {
        let leaves = leaves(count);
        let levels = levels(&leaves);
        let root = root(&leaves);
        let path = path(&levels, index as usize);
        prop_assert!(verify_path(&root, &leaves[index as usize], index, count, &path));
        if other != index {
            prop_assert!(!verify_path(&root, &leaves[index as usize], other, count, &path));
        }
        // The count decides the length of the path and where padding is.
        let deeper = 2 * (1 << depth(count));
        prop_assert!(!verify_path(&root, &leaves[index as usize], index, deeper, &path));
        for len in 0..path.len() {
            prop_assert!(!verify_path(&root, &leaves[index as usize], index, count, &path[..len]));
        }
        let longer = [&path[..], &PAD].concat();
        prop_assert!(!verify_path(&root, &leaves[index as usize], index, count, &longer));
    }

    #[test]
    fn given_neighbouring_leaves_when_their_path_is_verified_then_only_as_a_whole_and_at_their_own_place((count, a, b) in (1u32..200).prop_flat_map(|count| (Just(count), 0..count, 0..count)), other in 0u32..256, byte: prop::sample::Index, bit in 0u8..8) {
        let (first, last) = (a.min(b), a.max(b));
        let leaves = leaves(count);
        let levels = levels(&leaves);
        let root = Some(root(&leaves));
        let layout = Layout::list(count);
        let inside = &leaves[first as usize..=last as usize];
        let path = range_path(&levels, first as usize, last as usize);
        prop_assert_eq!(path.len(), 32 * layout.range_path_len(&(first..=last)));
        let with = |first: u32, leaves: &[Hash], path: &[u8]| {
            layout.root_from_range(&(first..=first + leaves.len() as u32 - 1), leaves.iter().copied(), path)
        };
        prop_assert_eq!(with(first, inside, &path), root);

        if other != first {
            prop_assert!(with(other, inside, &path) != root);
        }
        let mut changed = inside.to_vec();
        changed[byte.index(inside.len())][0] ^= 1 << bit;
        prop_assert!(with(first, &changed, &path) != root);
        if !path.is_empty() {
            let mut changed = path.clone();
            changed[byte.index(path.len())] ^= 1 << bit;
            prop_assert!(with(first, inside, &changed) != root);
        }
        for len in 0..path.len() {
            prop_assert_eq!(with(first, inside, &path[..len]), None);
        }
        prop_assert_eq!(with(first, inside, &[&path[..], &PAD].concat()), None);
        let range = first..=last;
        prop_assert_eq!(layout.root_from_range(&range, inside[1..].iter().copied(), &path), None);
        prop_assert_eq!(layout.root_from_range(&range, inside.iter().chain([&PAD]).copied(), &path), None);
        let deeper = Layout::list(2 << depth(count));
        prop_assert!(deeper.root_from_range(&range, inside.iter().copied(), &path) != root);
    }

    #[test]
    fn given_one_leaf_when_verified_as_a_range_then_its_path_is_the_usual_one((count, index) in (1u32..200).prop_flat_map(|count| (Just(count), 0..count)), garbage: Option<(prop::sample::Index, Hash)>) {
        let leaves = leaves(count);
        let mut path = path(&levels(&leaves), index as usize);
        if let Some((at, hash)) = garbage.filter(|_| !path.is_empty()) {
            let siblings = path.as_chunks_mut::<32>().0;
            siblings[at.index(siblings.len())] = hash;
        }
        let leaf = leaves[index as usize];
        let layout = Layout::list(count);
        prop_assert_eq!(layout.root_from_range(&(index..=index), [leaf], &path), layout.root_from(index, &leaf, &path));
    }

    #[test]
    fn given_garbage_in_the_padding_when_the_path_of_a_range_meets_it_then_it_is_refused((count, a, b) in (1u32..100).prop_flat_map(|count| (Just(count), 0..count, 0..count)), garbage: prop::sample::Index) {
        let (first, last) = (a.min(b), a.max(b));
        let slots = 1u32 << depth(count);
        prop_assume!(slots > count);
        let mut dirty = leaves(count);
        dirty.resize(slots as usize, PAD);
        dirty[count as usize + garbage.index((slots - count) as usize)] = [7; 32];
        let path = range_path(&levels(&dirty), first as usize, last as usize);
        let clean = range_path(&levels(&leaves(count)), first as usize, last as usize);
        let verified = Layout::list(count).root_from_range(&(first..=last), dirty[first as usize..=last as usize].iter().copied(), &path);
        // Where the padding is only a part of a sibling, the root is another one.
        prop_assert!(verified.is_none() || path == clean || verified == Some(root(&dirty)));
        prop_assert!(verified != Some(root(&leaves(count))) || path == clean);
    }

    #[test]
    fn given_any_path_when_one_bit_of_it_changes_then_it_is_refused((count, index) in (2u32..100).prop_flat_map(|count| (Just(count), 0..count)), byte in any::<prop::sample::Index>(), bit in 0u8..8) {
        let leaves = leaves(count);
        let mut path = path(&levels(&leaves), index as usize);
        let byte = byte.index(path.len());
        path[byte] ^= 1 << bit;
        prop_assert!(!verify_path(&root(&leaves), &leaves[index as usize], index, count, &path));
    }

    #[test]
    fn given_a_tree_with_garbage_in_its_padding_when_a_path_meets_it_then_it_is_refused(count in 1u32..100, garbage in any::<prop::sample::Index>()) {
        let slots = 1u32 << depth(count);
        prop_assume!(slots > count);
        let mut dirty = leaves(count);
        dirty.resize(slots as usize, PAD);
        let dirty_index = count as usize + garbage.index((slots - count) as usize);
        dirty[dirty_index] = [7; 32];
        let levels = levels(&dirty);
        let dirty_root = root(&dirty);
        // The leaf whose path meets the garbage first: padding is expected there.
        for (index, leaf) in dirty.iter().enumerate().take(count as usize) {
            let path = path(&levels, index);
            prop_assert_eq!(climb(leaf, index, &path), dirty_root);
            let meets = (0..levels.len() - 1).any(|level| (index >> level) ^ 1 == dirty_index >> level && Layout::list(count).expected_pad(level as u8, (dirty_index >> level) as u32));
            if meets {
                prop_assert!(!verify_path(&dirty_root, leaf, index as u32, count, &path));
            }
        }
        prop_assert!(!verify_path(&dirty_root, &[7; 32], dirty_index as u32, count, &path(&levels, dirty_index)));
    }

    #[test]
    fn given_any_place_when_padding_is_derived_then_it_is_where_the_whole_tree_has_it(count in 1u32..200) {
        let layout = Layout::list(count);
        for (level, nodes) in levels(&leaves(count)).iter().enumerate() {
            for (index, node) in nodes.iter().enumerate() {
                prop_assert_eq!(*node == PAD, layout.expected_pad(level as u8, index as u32));
            }
            prop_assert!(layout.expected_pad(level as u8, nodes.len() as u32));
            prop_assert!(layout.all_canonical(level as u8, 0, nodes));
        }
        prop_assert!(layout.expected_pad(depth(count) + 1, 0));
    }

    #[test]
    fn given_any_bytes_when_taken_for_a_path_then_nothing_panics(leaf: Hash, root: Hash, index: u32, more in 0u32..9, count: u32, level in 0u8..=255, path in prop::collection::vec(any::<u8>(), 0..1200)) {
        verify_path(&root, &leaf, index, count, &path);
        let layout = Layout::list(count);
        layout.root_from(index, &leaf, &path);
        layout.expected_pad(level, index);
        for range in [index..=index.saturating_add(more), index..=index.saturating_sub(more)] {
            layout.root_from_range(&range, vec![leaf; range.clone().count()], &path);
            let len = 32 * layout.range_path_len(&range);
            layout.root_from_range(&range, vec![leaf; range.clone().count()], &vec![1; len]);
        }
    }
}
