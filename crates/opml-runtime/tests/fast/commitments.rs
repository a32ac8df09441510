//! The hashing of two tiles at once gives the commitments of the specification.

use opml_runtime::{ElementType, Tensor, TensorSpec, TensorTree, commit, fast, synthetic};
use proptest::prelude::*;

fn tensor(element: ElementType, shape: &[u32], seed: u64) -> Tensor {
    synthetic::tensor(&TensorSpec::new(element, shape).unwrap(), seed)
}

proptest! {
    #[test]
    fn given_a_tensor_when_hashed_two_tiles_at_once_then_the_root_is_that_of_the_reference(
        shape in (prop::collection::vec(1u32..9, 0..3), 1u32..3000).prop_map(|(outer, cols)| [outer, vec![cols]].concat()),
        wide: bool,
        seed: u64,
    ) {
        let tensor = tensor(if wide { ElementType::Int32 } else { ElementType::Int8 }, &shape, seed);
        let expected = commit::tensor_root(&tensor);
        prop_assert_eq!(fast::tensor_root(&tensor), expected);
        prop_assert_eq!(TensorTree::new(&tensor).root(), expected);
    }
}

#[test]
fn given_large_tensors_when_hashed_on_all_threads_then_the_roots_are_those_of_the_reference() {
    for shape in [&[5001u32, 31][..], &[3, 700_001], &[1_000_000], &[2049, 3, 257]] {
        let tensor = tensor(ElementType::Int8, shape, 3);
        assert_eq!(fast::tensor_root(&tensor), commit::tensor_root(&tensor));
    }
}
