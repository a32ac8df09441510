//! What an operator commits to when it is asked for its trace.

use opml::{Frontier, Hash, PAD, claim::trace_leaf, merkle};

use super::Refusal;
use crate::constants::MAX_WHOLE_TRACE_NODES;

/// The root of a trace that is given whole: every node's root, the last of which is the claimed output.
pub fn whole_trace_root(node_count: u32, output_root: &Hash, roots: &[Hash]) -> Result<Hash, Refusal> {
    if node_count > MAX_WHOLE_TRACE_NODES || u32::try_from(roots.len()) != Ok(node_count) {
        return Err(Refusal::WrongRootCount);
    }
    if roots.last() != Some(output_root) {
        return Err(Refusal::WrongLastRoot);
    }
    let mut tree = Frontier::new();
    for (index, root) in (0u32..).zip(roots) {
        if *root == PAD {
            return Err(Refusal::NotCanonical);
        }
        if !tree.push(trace_leaf(index, root)) {
            return Err(Refusal::WrongRootCount);
        }
    }
    Ok(tree.root())
}

/// Checks the root of a trace that is too large to be given whole: its last leaf is the claimed output.
pub fn check_trace_root(node_count: u32, output_root: &Hash, trace_root: &Hash, path: &[u8]) -> Result<(), Refusal> {
    if node_count <= MAX_WHOLE_TRACE_NODES {
        return Err(Refusal::TraceMustBeWhole);
    }
    let last = node_count.checked_sub(1).ok_or(Refusal::Inconsistent)?;
    if *output_root == PAD || !merkle::verify_path(trace_root, &trace_leaf(last, output_root), last, node_count, path) {
        return Err(Refusal::WrongTracePath);
    }
    Ok(())
}
