//! The challenger's walk down the operator's trees, as the chain will see it: 16 nodes a reveal, each set checked against the hash already known.

use crate::common::{Layer, chain, lie};
use opml::{
    Claim, Layout, Verdict,
    merkle::subtree_root,
    referee::{self, NodeSpec},
};
use opml_runtime::{
    ClaimedTrace, Execution, Hash, Model, Tensor, TensorTree, Tree, execute, execute::trace_tree, search, synthetic,
    witness,
};
use proptest::prelude::*;

/// Walks from the root of `claimed` to the first leaf that differs from `own`. Gives it, and the moves of the operator.
fn walk(own: &Tree, claimed: &Tree, mut learn: impl FnMut(u8, u32, &[Hash])) -> (u32, u32) {
    let layout: Layout = own.layout();
    let (mut level, mut index, mut moves) = (own.depth(), 0, 0);
    let mut known = claimed.root();
    while level > 0 {
        let nodes = claimed.reveal(level, index);
        let down = nodes.len().ilog2() as u8;
        let first = index << down;
        level -= down;
        moves += 1;
        assert_eq!(
            subtree_root(&nodes),
            Some(known),
            "a reveal opens the hash that is known"
        );
        assert!(layout.all_canonical(level, first, &nodes));
        learn(level, first, &nodes);
        index = search::first_wrong_child(own, level, first, &nodes).expect("different roots have a different child");
        known = nodes[(index - first) as usize];
    }
    (index, moves)
}

/// An operator that changes an element of one node and computes the rest from that.
fn lying_outputs(model: &Model, honest: &Execution, node: usize, wrong: Tensor) -> Vec<Tensor> {
    let mut outputs = honest.outputs().to_vec();
    outputs[node] = wrong;
    // Clips only, so that each following output is its operand's, whatever it is.
    for next in node + 1..outputs.len() {
        assert_eq!(model.nodes()[next].output, *outputs[node].spec());
        outputs[next] = outputs[node].clone();
    }
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn given_a_lie_anywhere_in_a_long_trace_when_the_challenger_walks_then_it_ends_at_the_lie_and_proves_it(nodes in 1usize..70, at: prop::sample::Index, rows in 1u32..20, cols in 1u32..700, element: prop::sample::Index, change in 1u8..) {
        let model = chain(&[rows, cols], &vec![Layer::Clip { low: -128, high: 127 }; nodes], false, 1);
        let own = execute(&model, &synthetic::tensor(model.input_spec(), 7)).unwrap();
        let node = at.index(nodes);
        let flat = element.index((rows * cols) as usize) as u32;
        let wrong = lie(&own.outputs()[node], flat, change);
        let theirs = lying_outputs(&model, &own, node, wrong);
        let their_roots: Vec<Hash> = theirs.iter().map(Tensor::root).collect();
        let their_trace = trace_tree(&their_roots);
        let claim = Claim { output_root: *their_roots.last().unwrap(), ..own.claim() };

        // Down the trace. The bottom reveal gives the roots themselves.
        let mut claimed = ClaimedTrace::walked(&own);
        let (found, trace_moves) = walk(&own.trace(), &their_trace, |level, first, nodes| {
            if level == 0 {
                let mut roots = their_roots[first as usize..].to_vec();
                roots.resize(nodes.len(), [0; 32]);
                claimed.learn_roots(first, &roots[..nodes.len()]);
            } else {
                claimed.learn(level, first, nodes);
            }
        });
        prop_assert_eq!(found as usize, node);
        prop_assert_eq!(trace_moves, u32::from(own.trace().depth()).div_ceil(4));
        for operand in 0..=found {
            prop_assert_eq!(claimed.path(operand), their_trace.path(0, operand));
        }
        let spec = referee::node_spec(&claim.model_root, &model.header().encode(), found, &model.nodes()[node].encode(), model.graph().path(0, found).as_flattened());
        prop_assert_eq!(spec, Ok(NodeSpec::Output(model.nodes()[node].output)));

        // Down the tensor.
        let own_tree = TensorTree::new(&own.outputs()[node]);
        let their_tree = TensorTree::new(&theirs[node]);
        prop_assert_eq!(their_tree.root(), their_roots[node]);
        let (tile_leaf, tensor_moves) = walk(own_tree.tree(), their_tree.tree(), |_, _, _| ());
        prop_assert_eq!(tensor_moves, u32::from(own_tree.tree().depth()).div_ceil(4));
        let tile = theirs[node].tile(tile_leaf).unwrap();
        let found_element = search::first_wrong_element(theirs[node].spec().element(), own.outputs()[node].tile(tile_leaf).unwrap(), tile).unwrap();
        prop_assert_eq!(theirs[node].spec().element_of_leaf(tile_leaf, found_element), Some(flat));

        let proof = witness::build(&model, &own, &claimed, found, tile_leaf, found_element).unwrap();
        let verdict = referee::check(&claim, &their_trace.root(), found, tile_leaf, tile, found_element, &proof);
        prop_assert_eq!(verdict, Ok(Verdict::Wrong { expected: own.outputs()[node].values()[flat as usize], found: theirs[node].values()[flat as usize] }));
    }
}
