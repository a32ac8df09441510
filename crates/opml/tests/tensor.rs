//! Shapes and their tiles against a direct construction.

use std::ops::RangeInclusive;

use opml::{
    Domain, ElementType, Hash, PAD, TensorError, TensorSpec,
    merkle::{self, parent},
    tensor::{MAX_DIMENSION, TILE_BYTES},
};
use proptest::prelude::*;

fn element() -> impl Strategy<Value = ElementType> {
    prop_oneof![Just(ElementType::Int8), Just(ElementType::Int32)]
}

/// A small tensor with data: rows from a single element to several tiles, above all those around a half tile and a whole one.
fn tensor() -> impl Strategy<Value = (TensorSpec, Vec<u8>)> {
    let row_bytes = prop_oneof![1u32..40, 40u32..600, 254u32..=258, 510u32..=514, 1u32..1800];
    (element(), prop::collection::vec(1u32..6, 0..4), row_bytes).prop_flat_map(|(element, outer, row_bytes)| {
        let cols = row_bytes.div_ceil(element.size());
        let shape: Vec<u32> = outer.into_iter().take(3).chain([cols]).collect();
        let spec = TensorSpec::new(element, &shape).unwrap();
        (Just(spec), prop::collection::vec(any::<u8>(), spec.byte_len() as usize))
    })
}

/// Every level of a tensor's tree, made the long way.
fn levels(data: &[u8]) -> Vec<Vec<Hash>> {
    let tiles = data.chunks(TILE_BYTES as usize);
    let mut leaves: Vec<Hash> = (0..)
        .zip(tiles)
        .map(|(i, tile)| merkle::leaf(Domain::TensorTile, i, &[tile]))
        .collect();
    leaves.resize(leaves.len().next_power_of_two(), PAD);
    let mut levels = vec![leaves];
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

/// The hashes beside leaves `first` to `last`.
fn path(levels: &[Vec<Hash>], leaves: &RangeInclusive<u32>) -> Vec<u8> {
    let mut path = vec![];
    for (level, nodes) in levels[..levels.len() - 1].iter().enumerate() {
        let (first, last) = ((leaves.start() >> level) as usize, (leaves.end() >> level) as usize);
        if first % 2 == 1 {
            path.extend(nodes[first - 1]);
        }
        if last % 2 == 0 {
            path.extend(nodes[last + 1]);
        }
    }
    path
}

#[test]
fn given_shapes_beyond_a_limit_when_made_then_each_is_refused_with_its_reason() {
    let new = |shape: &[u32]| TensorSpec::new(ElementType::Int8, shape);
    assert_eq!(new(&[]), Err(TensorError::Rank));
    assert_eq!(new(&[1, 1, 1, 1, 1]), Err(TensorError::Rank));
    assert_eq!(new(&[0]), Err(TensorError::Dimension));
    assert_eq!(new(&[MAX_DIMENSION + 1]), Err(TensorError::Dimension));
    assert_eq!(new(&[MAX_DIMENSION, 129]), Err(TensorError::TooLarge));
    assert_eq!(new(&[MAX_DIMENSION; 4]), Err(TensorError::TooLarge));
    assert_eq!(new(&[MAX_DIMENSION, 128]).unwrap().elements(), 1 << 31);
}

#[test]
fn given_the_largest_tensors_when_their_geometry_is_derived_then_nothing_overflows() {
    for element in [ElementType::Int8, ElementType::Int32] {
        for shape in [
            &[MAX_DIMENSION, 128][..],
            &[128, MAX_DIMENSION],
            &[MAX_DIMENSION, 128, 1],
            &[2, 64, MAX_DIMENSION],
            &[MAX_DIMENSION, 1, 128, 1],
        ] {
            let spec = TensorSpec::new(element, shape).unwrap();
            assert!(spec.depth() <= 24, "{spec:?}");
            let last = spec.tiles() - 1;
            let (leaf, offset) = spec.leaf_of_element(spec.elements() - 1).unwrap();
            assert_eq!((leaf, offset + element.size()), (last, TILE_BYTES));
            assert_eq!(
                spec.element_of_leaf(last, TILE_BYTES / element.size() - 1),
                Some(spec.elements() - 1)
            );
            assert_eq!(spec.tile_range(last).unwrap().end as u64, spec.byte_len());
            assert_eq!(spec.tile_range(last + 1), None);
            assert_eq!(spec.row_range(spec.rows() - 1).unwrap().end as u64, spec.byte_len());
            assert_eq!(*spec.tiles_of_row(spec.rows() - 1).unwrap().end(), last);
            assert_eq!(spec.tiles_of_row(spec.rows()), None);
            assert_eq!(spec.leaf_of_element(spec.elements()), None);
        }
    }
}

#[test]
fn given_encodings_that_are_not_canonical_when_decoded_then_each_is_refused() {
    let good = TensorSpec::new(ElementType::Int32, &[3, 5]).unwrap().encode();
    let with = |at: usize, value: u8| {
        let mut bytes = good;
        bytes[at] = value;
        TensorSpec::decode(&bytes)
    };
    assert_eq!(with(0, 0), Err(TensorError::UnknownElementType));
    assert_eq!(with(0, 3), Err(TensorError::UnknownElementType));
    assert_eq!(with(1, 0), Err(TensorError::UnusedDimension));
    assert_eq!(with(1, 1), Err(TensorError::UnusedDimension));
    assert_eq!(with(1, 3), Err(TensorError::Dimension));
    assert_eq!(with(1, 5), Err(TensorError::Rank));
    assert_eq!(with(2, 0), Err(TensorError::Dimension));
    assert_eq!(with(17, 1), Err(TensorError::UnusedDimension));
    assert_eq!(TensorSpec::decode(&good[..17]), Err(TensorError::Length));
    assert_eq!(
        TensorSpec::decode(&[&good[..], &[0]].concat()),
        Err(TensorError::Length)
    );
}

#[test]
fn given_rows_of_every_length_when_located_then_in_the_tiles_that_their_bytes_touch() {
    for (shape, row, tiles) in [
        ([10, 32], 9, 0..=0),
        ([40, 32], 15, 0..=0),
        ([40, 32], 16, 1..=1),
        ([40, 100], 4, 0..=0),
        ([40, 100], 5, 0..=1),
        ([40, 100], 10, 1..=2),
        ([3, 511], 1, 0..=1),
        ([3, 512], 1, 1..=1),
        ([3, 513], 0, 0..=1),
        ([3, 513], 1, 1..=2),
        ([3, 1_600], 1, 3..=6),
    ] {
        let spec = TensorSpec::new(ElementType::Int8, &shape).unwrap();
        assert_eq!(spec.tiles_of_row(row), Some(tiles), "row {row} of {shape:?}");
    }
    let spec = TensorSpec::new(ElementType::Int32, &[3, 100]).unwrap();
    assert_eq!(spec.tiles_of_row(1), Some(0..=1));
    assert_eq!(spec.tiles_of_row(3), None);
}

#[test]
fn given_a_tile_of_another_length_when_hashed_then_it_is_refused() {
    for (shape, leaf, bytes) in [
        ([1, 600], 0, 512),
        ([1, 600], 1, 88),
        ([7, 100], 1, 188),
        ([8, 128], 1, 512),
    ] {
        let spec = TensorSpec::new(ElementType::Int8, &shape).unwrap();
        for len in 0..=TILE_BYTES + 1 {
            let leaf = spec.tile_leaf(leaf, &vec![0; len as usize]);
            assert_eq!(leaf.is_ok(), len == bytes, "{len} bytes");
            assert!(len == bytes || leaf == Err(TensorError::NotCanonical));
        }
        assert_eq!(spec.tile_leaf(2, &[0; 88]), Err(TensorError::OutOfRange));
    }
}

#[test]
fn given_a_shorter_tile_when_filled_with_zeros_then_it_is_another_tensor() {
    let [short, long] = [100, 101].map(|cols| TensorSpec::new(ElementType::Int8, &[cols]).unwrap());
    let filled = [&[7; 100][..], &[0]].concat();
    assert_ne!(short.tile_leaf(0, &filled[..100]), long.tile_leaf(0, &filled));
}

proptest! {
    #[test]
    fn given_any_specification_when_encoded_then_it_decodes_to_itself((spec, _) in tensor()) {
        prop_assert_eq!(TensorSpec::decode(&spec.encode()), Ok(spec));
    }

    #[test]
    fn given_any_bytes_when_decoded_then_only_what_encodes_back_is_accepted(bytes: [u8; 18]) {
        if let Ok(spec) = TensorSpec::decode(&bytes) {
            prop_assert_eq!(spec.encode(), bytes);
        }
    }

    #[test]
    fn given_any_element_when_located_then_it_is_found_there((spec, data) in tensor(), at in any::<prop::sample::Index>()) {
        let flat = at.index(spec.elements() as usize) as u32;
        let size = spec.element().size();
        let (leaf, offset) = spec.leaf_of_element(flat).unwrap();
        prop_assert_eq!(spec.element_of_leaf(leaf, offset / size), Some(flat));
        let tile = &data[spec.tile_range(leaf).unwrap()];
        prop_assert_eq!(spec.element().read(tile, offset as usize), spec.element().read(&data, (flat * size) as usize));
    }

    #[test]
    fn given_any_tensor_when_its_rows_and_tiles_are_proven_then_they_lead_to_one_root((spec, data) in tensor()) {
        let levels = levels(&data);
        let root = levels.last().unwrap()[0];
        let mut tiles = 0;
        for (leaf, hash) in levels[0].iter().enumerate() {
            let leaf = leaf as u32;
            let place = spec.tile_range(leaf);
            prop_assert_eq!(place.is_some(), *hash != PAD);
            if let Some(place) = place {
                tiles += 1;
                let tile = &data[place];
                prop_assert_eq!(spec.tile_leaf(leaf, tile), Ok(*hash));
                prop_assert!(spec.verify_tile(&root, leaf, tile, &path(&levels, &(leaf..=leaf))));
            }
        }
        prop_assert_eq!(tiles, spec.tiles());
        for row in 0..spec.rows() {
            let leaves = spec.tiles_of_row(row).unwrap();
            let bytes = &data[spec.tiles_range(&leaves).unwrap()];
            prop_assert_eq!(spec.row_in_tiles(row, bytes), Some(&data[spec.row_range(row).unwrap()]));
            let path = path(&levels, &leaves);
            prop_assert!(spec.verify_tiles(&root, &leaves, bytes, &path));
            let (first, last) = (*leaves.start(), *leaves.end());
            prop_assert!(!spec.verify_tiles(&root, &(first + 1..=last + 1), bytes, &path));
            prop_assert!(!spec.verify_tiles(&root, &(first..=last + 1), bytes, &path));
            prop_assert!(!spec.verify_tiles(&root, &leaves, &bytes[..bytes.len() - 1], &path));
            prop_assert!(!spec.verify_tiles(&root, &leaves, &[bytes, &[0]].concat(), &path));
        }
    }

    #[test]
    fn given_any_tensor_when_padding_is_derived_then_it_is_where_the_whole_tree_has_it((spec, data) in tensor()) {
        for (level, nodes) in levels(&data).iter().enumerate() {
            prop_assert!(spec.layout().all_canonical(level as u8, 0, nodes));
            prop_assert!(spec.layout().expected_pad(level as u8, nodes.len() as u32));
        }
    }

    #[test]
    fn given_any_tensor_when_one_byte_changes_then_its_row_no_longer_verifies((spec, data) in tensor(), at in any::<prop::sample::Index>(), change in 1u8..) {
        let levels = levels(&data);
        let at = at.index(data.len());
        let leaves = spec.tiles_of_row((at / spec.row_bytes() as usize) as u32).unwrap();
        let mut changed = data.clone();
        changed[at] ^= change;
        let bytes = &changed[spec.tiles_range(&leaves).unwrap()];
        prop_assert!(!spec.verify_tiles(&levels.last().unwrap()[0], &leaves, bytes, &path(&levels, &leaves)));
    }

    #[test]
    fn given_any_indices_when_asked_for_then_nothing_panics((spec, data) in tensor(), leaf: u32, element: u32, root: Hash, path in prop::collection::vec(any::<u8>(), 0..128)) {
        spec.tile_range(leaf);
        spec.row_range(leaf);
        spec.tiles_of_row(leaf);
        spec.row_in_tiles(leaf, &data);
        spec.tiles_range(&(leaf..=element));
        spec.leaf_of_element(element);
        spec.element_of_leaf(leaf, element);
        spec.verify_tiles(&root, &(leaf..=element), &data, &path);
        spec.verify_tile(&root, leaf, &data, &path);
        for level in 0..=255 {
            spec.layout().expected_pad(level, leaf);
        }
    }
}
