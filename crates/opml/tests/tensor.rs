//! Shapes and their tiles against a direct construction.

use opml::{
    Domain, ElementType, Hash, PAD, TensorError, TensorSpec,
    merkle::{self, parent},
    tensor::{MAX_DIMENSION, TILE_BYTES},
};
use proptest::prelude::*;

fn element() -> impl Strategy<Value = ElementType> {
    prop_oneof![Just(ElementType::Int8), Just(ElementType::Int32)]
}

/// A small tensor with data.
fn tensor() -> impl Strategy<Value = (TensorSpec, Vec<u8>)> {
    (element(), prop::collection::vec(1u32..6, 0..4), 1u32..900).prop_flat_map(|(element, outer, cols)| {
        let shape: Vec<u32> = outer.into_iter().take(3).chain([cols]).collect();
        let spec = TensorSpec::new(element, &shape).unwrap();
        (Just(spec), prop::collection::vec(any::<u8>(), spec.byte_len() as usize))
    })
}

/// Every level of a tensor's tree, made the long way: tiles with their fill at their positions, padding elsewhere.
fn levels(spec: &TensorSpec, data: &[u8]) -> Vec<Vec<Hash>> {
    let mut leaves = vec![PAD; 1 << spec.depth()];
    for (row, bytes) in data.chunks(spec.row_bytes() as usize).enumerate() {
        for (tile, used) in bytes.chunks(TILE_BYTES as usize).enumerate() {
            let mut padded = used.to_vec();
            padded.resize(TILE_BYTES as usize, 0);
            let index = (row << spec.row_depth()) | tile;
            leaves[index] = merkle::leaf(Domain::TensorTile, index as u32, &[&padded]);
        }
    }
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

fn path(levels: &[Vec<Hash>], level: usize, index: usize) -> Vec<u8> {
    (level..levels.len() - 1)
        .flat_map(|at| levels[at][(index >> (at - level)) ^ 1])
        .collect()
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
            &[MAX_DIMENSION, 1, 127, 1],
        ] {
            let spec = TensorSpec::new(element, shape).unwrap();
            assert!(spec.depth() <= 31, "{spec:?}");
            let (leaf, offset) = spec.leaf_of_element(spec.elements() - 1).unwrap();
            let position = spec.tile_position(leaf).unwrap();
            assert_eq!(
                (position.row, position.tile),
                (spec.rows() - 1, spec.tiles_per_row() - 1)
            );
            assert_eq!(offset + element.size(), position.used_bytes);
            assert_eq!(spec.tile_range(leaf).unwrap().end as u64, spec.byte_len());
            assert_eq!(spec.row_range(spec.rows() - 1).unwrap().end as u64, spec.byte_len());
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
fn given_a_tile_with_a_dirty_fill_when_revealed_then_it_is_refused() {
    let spec = TensorSpec::new(ElementType::Int8, &[1, 300]).unwrap();
    let mut tile = [0; 256];
    tile[..44].fill(9);
    assert_eq!(spec.canonical_tile(1, &tile), Ok(&tile[..44]));
    for at in 44..256 {
        let mut dirty = tile;
        dirty[at] = 1;
        assert_eq!(spec.canonical_tile(1, &dirty), Err(TensorError::NotCanonical));
    }
    assert_eq!(spec.canonical_tile(1, &tile[..44]), Err(TensorError::NotCanonical));
    assert_eq!(spec.canonical_tile(2, &tile), Err(TensorError::OutOfRange));
    for len in (0..=257).filter(|len| *len != 44) {
        assert_eq!(
            spec.tile_leaf(1, &vec![0; len]),
            Err(TensorError::NotCanonical),
            "{len} bytes"
        );
    }
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
        let levels = levels(&spec, &data);
        let root = levels.last().unwrap()[0];
        let mut tiles = 0;
        for (leaf, hash) in levels[0].iter().enumerate() {
            let real = spec.tile_position(leaf as u32).is_some();
            prop_assert_eq!(real, *hash != PAD);
            if real {
                tiles += 1;
                let used = &data[spec.tile_range(leaf as u32).unwrap()];
                prop_assert_eq!(spec.tile_leaf(leaf as u32, used), Ok(*hash));
                prop_assert!(spec.verify_tile(&root, leaf as u32, used, &path(&levels, 0, leaf)));
            }
        }
        prop_assert_eq!(tiles, spec.rows() * spec.tiles_per_row());
        let row_level = usize::from(spec.row_depth());
        for row in 0..spec.rows() {
            let bytes = &data[spec.row_range(row).unwrap()];
            prop_assert_eq!(spec.row_root(row, bytes), Ok(levels[row_level][row as usize]));
            let path = path(&levels, row_level, row as usize);
            prop_assert!(spec.verify_row(&root, row, bytes, &path));
            if spec.rows() > 1 {
                prop_assert!(!spec.verify_row(&root, (row + 1) % spec.rows(), bytes, &path));
            }
        }
    }

    #[test]
    fn given_any_tensor_when_padding_is_derived_then_it_is_where_the_whole_tree_has_it((spec, data) in tensor()) {
        for (level, nodes) in levels(&spec, &data).iter().enumerate() {
            prop_assert!(spec.layout().all_canonical(level as u8, 0, nodes));
            prop_assert!(spec.layout().expected_pad(level as u8, nodes.len() as u32));
        }
    }

    #[test]
    fn given_any_tensor_when_one_byte_changes_then_its_row_no_longer_verifies((spec, data) in tensor(), at in any::<prop::sample::Index>(), change in 1u8..) {
        let levels = levels(&spec, &data);
        let at = at.index(data.len());
        let row = at / spec.row_bytes() as usize;
        let mut changed = data.clone();
        changed[at] ^= change;
        let path = path(&levels, usize::from(spec.row_depth()), row);
        prop_assert!(!spec.verify_row(&levels.last().unwrap()[0], row as u32, &changed[spec.row_range(row as u32).unwrap()], &path));
    }

    #[test]
    fn given_any_indices_when_asked_for_then_nothing_panics((spec, data) in tensor(), leaf: u32, element: u32, root: Hash, path in prop::collection::vec(any::<u8>(), 0..128)) {
        spec.tile_position(leaf);
        spec.tile_range(leaf);
        spec.row_range(leaf);
        spec.leaf_of_element(element);
        spec.element_of_leaf(leaf, element);
        spec.verify_row(&root, leaf, &data, &path);
        spec.verify_tile(&root, leaf, &data, &path);
        for level in 0..=255 {
            spec.layout().expected_pad(level, leaf);
        }
    }
}
