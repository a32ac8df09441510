//! The search for the first place where a claim differs from the own execution.
//!
//! Everything before the first wrong node is what the challenger computed too, so that it can prove the operands of that node.

use opml::{ElementType, Hash};

use crate::{commit::Tree, execute::Execution};

/// The first node whose claimed output root differs, when the whole trace is on chain. `None` when all are equal.
pub fn first_wrong_node(own: &Execution, claimed_roots: &[Hash]) -> Option<u32> {
    own.roots()
        .iter()
        .zip(claimed_roots)
        .position(|(own, claimed)| own != claimed)
        .map(|node| node as u32)
}

/// The index at `level` of the first of the `claimed` neighbours, of which the leftmost is at `first`, that differs from the own tree. One step of the
/// walk down a trace or a tensor. `None` when all are equal.
pub fn first_wrong_child(own: &Tree, level: u8, first: u32, claimed: &[Hash]) -> Option<u32> {
    (first..)
        .zip(claimed)
        .find(|(index, claimed)| own.node(level, *index) != **claimed)
        .map(|(index, _)| index)
}

/// The first element that differs between the bytes of two tiles. `None` when all are equal.
pub fn first_wrong_element(element: ElementType, own: &[u8], claimed: &[u8]) -> Option<u32> {
    let size = element.size() as usize;
    own.chunks(size)
        .zip(claimed.chunks(size))
        .position(|(own, claimed)| own != claimed)
        .map(|index| index as u32)
}
