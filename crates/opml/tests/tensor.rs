//! Shapes, their strips and their tiles against a direct construction.

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

/// The tiles of each strip, made the long way: a row goes where the one before it is as long as it fits there whole.
fn strips(spec: &TensorSpec, data: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut strips: Vec<Vec<u8>> = Vec::new();
    for row in data.chunks(spec.row_bytes() as usize) {
        match strips.last_mut() {
            Some(strip) if strip.len() + row.len() <= TILE_BYTES as usize => strip.extend(row),
            _ => strips.push(row.to_vec()),
        }
    }
    strips
        .iter()
        .map(|strip| strip.chunks(TILE_BYTES as usize).map(<[u8]>::to_vec).collect())
        .collect()
}

/// Every level of a tensor's tree, made the long way: tiles at their positions, padding elsewhere.
fn levels(spec: &TensorSpec, data: &[u8]) -> Vec<Vec<Hash>> {
    let strips = strips(spec, data);
    let slots = strips[0].len().next_power_of_two();
    let mut leaves = vec![PAD; strips.len().next_power_of_two() * slots];
    for (strip, tiles) in strips.iter().enumerate() {
        for (tile, bytes) in tiles.iter().enumerate() {
            let index = strip * slots + tile;
            leaves[index] = merkle::leaf(Domain::TensorTile, index as u32, &[bytes]);
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
            let (leaf, offset) = spec.leaf_of_element(spec.elements() - 1).unwrap();
            let position = spec.tile_position(leaf).unwrap();
            assert_eq!(
                (position.strip, position.tile),
                (spec.strips() - 1, spec.tiles_per_strip() - 1)
            );
            assert_eq!(offset + element.size(), position.bytes);
            assert_eq!(spec.tile_range(leaf).unwrap().end as u64, spec.byte_len());
            assert_eq!(spec.strip_range(spec.strips() - 1).unwrap().end as u64, spec.byte_len());
            assert_eq!(spec.row_range(spec.rows() - 1).unwrap().end as u64, spec.byte_len());
            let (strip, place) = spec.strip_of_row(spec.rows() - 1).unwrap();
            assert_eq!(strip, spec.strips() - 1);
            assert_eq!(
                spec.strip_range(strip).unwrap().start + place.end,
                spec.byte_len() as usize
            );
            assert_eq!(spec.strip_of_row(spec.rows()), None);
            assert_eq!(spec.strip_range(spec.strips()), None);
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
fn given_rows_of_every_length_when_put_into_strips_then_whole_rows_share_a_tile_while_two_fit() {
    let rows = 10;
    // Bytes of a row; rows and tiles of a strip, strips.
    for (cols, rows_per_strip, tiles_per_strip, strips) in [
        (1, 512, 1, 1),
        (3, 170, 1, 1),
        (51, 10, 1, 1),
        (52, 9, 1, 2),
        (170, 3, 1, 4),
        (171, 2, 1, 5),
        (256, 2, 1, 5),
        (257, 1, 1, 10),
        (511, 1, 1, 10),
        (512, 1, 1, 10),
        (513, 1, 2, 10),
        (1_536, 1, 3, 10),
    ] {
        let spec = TensorSpec::new(ElementType::Int8, &[rows, cols]).unwrap();
        assert_eq!(
            (spec.rows_per_strip(), spec.tiles_per_strip(), spec.strips()),
            (rows_per_strip, tiles_per_strip, strips),
            "rows of {cols} bytes"
        );
    }
    let spec = TensorSpec::new(ElementType::Int32, &[rows, 64]).unwrap();
    assert_eq!((spec.rows_per_strip(), spec.strips()), (2, 5));
}

/// A strip of several tiles has more than 512 bytes, one of a single tile at least 257 but for the last, and a tensor at most 2^33 bytes.
#[test]
fn given_any_shape_when_its_tree_is_derived_then_it_has_at_most_25_levels() {
    let deepest = (1..=TILE_BYTES * 4 + 2)
        .flat_map(|cols| [(ElementType::Int8, cols), (ElementType::Int32, cols)])
        .filter_map(|(element, cols)| {
            let rows = (1u32 << 31) / cols;
            let [outer, inner] = [rows.div_ceil(128).min(MAX_DIMENSION), 128.min(rows)];
            // As many rows as the limit lets in, give or take 128.
            TensorSpec::new(element, &[outer - 1, inner, cols]).ok()
        })
        .map(|spec| spec.depth())
        .max();
    assert_eq!(deepest, Some(25));
}

#[test]
fn given_a_tile_of_another_length_when_hashed_then_it_is_refused() {
    // Two tiles of one row; a strip of five rows and one of two.
    for (shape, leaf, bytes) in [([1, 600], 1, 88), ([7, 100], 1, 200), ([7, 100], 0, 500)] {
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
    assert_ne!(short.strip_root(0, &filled[..100]), long.strip_root(0, &filled));
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
                let tile = &data[spec.tile_range(leaf as u32).unwrap()];
                prop_assert_eq!(spec.tile_leaf(leaf as u32, tile), Ok(*hash));
                prop_assert!(spec.verify_tile(&root, leaf as u32, tile, &path(&levels, 0, leaf)));
            }
        }
        prop_assert_eq!(tiles, spec.strips() * spec.tiles_per_strip());
        let strip_level = usize::from(spec.strip_depth());
        for strip in 0..spec.strips() {
            let bytes = &data[spec.strip_range(strip).unwrap()];
            prop_assert_eq!(spec.strip_root(strip, bytes), Ok(levels[strip_level][strip as usize]));
            let path = path(&levels, strip_level, strip as usize);
            prop_assert!(spec.verify_strip(&root, strip, bytes, &path));
            prop_assert!(!spec.verify_strip(&root, strip ^ 1, bytes, &path));
            prop_assert!(!spec.verify_strip(&root, strip, &bytes[..bytes.len() - 1], &path));
            prop_assert!(!spec.verify_strip(&root, strip, &[bytes, &[0]].concat(), &path));
        }
        for row in 0..spec.rows() {
            let (strip, place) = spec.strip_of_row(row).unwrap();
            let start = spec.strip_range(strip).unwrap().start;
            prop_assert_eq!(start + place.start..start + place.end, spec.row_range(row).unwrap());
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
    fn given_any_tensor_when_one_byte_changes_then_its_strip_no_longer_verifies((spec, data) in tensor(), at in any::<prop::sample::Index>(), change in 1u8..) {
        let levels = levels(&spec, &data);
        let at = at.index(data.len());
        let (strip, _) = spec.strip_of_row((at / spec.row_bytes() as usize) as u32).unwrap();
        let mut changed = data.clone();
        changed[at] ^= change;
        let path = path(&levels, usize::from(spec.strip_depth()), strip as usize);
        prop_assert!(!spec.verify_strip(&levels.last().unwrap()[0], strip, &changed[spec.strip_range(strip).unwrap()], &path));
    }

    #[test]
    fn given_any_indices_when_asked_for_then_nothing_panics((spec, data) in tensor(), leaf: u32, element: u32, root: Hash, path in prop::collection::vec(any::<u8>(), 0..128)) {
        spec.tile_position(leaf);
        spec.tile_range(leaf);
        spec.row_range(leaf);
        spec.strip_range(leaf);
        spec.strip_of_row(leaf);
        spec.leaf_of_element(element);
        spec.element_of_leaf(leaf, element);
        spec.verify_strip(&root, leaf, &data, &path);
        spec.verify_tile(&root, leaf, &data, &path);
        for level in 0..=255 {
            spec.layout().expected_pad(level, leaf);
        }
    }
}
