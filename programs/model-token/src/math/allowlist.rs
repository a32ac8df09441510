//! Who may commit to an offering that is not open to all.

use opml::{
    Hash,
    merkle::{Domain, leaf, verify_path},
};

/// One wallet of an allow-list and how much it may commit, 0 for no cap of its own. `wallet` is the bytes of its address.
pub fn allowance_leaf(index: u32, wallet: &[u8; 32], cap_units: u64) -> Hash {
    leaf(Domain::Allowance, index, &[wallet, &cap_units.to_le_bytes()])
}

/// Whether the list of `count` wallets under `root` has this wallet with this cap at `index`.
pub fn is_allowed(root: &Hash, count: u32, index: u32, wallet: &[u8; 32], cap_units: u64, path: &[Hash]) -> bool {
    let leaf = allowance_leaf(index, wallet, cap_units);
    verify_path(root, &leaf, index, count, path.as_flattened())
}

/// The least of two caps, where 0 is none.
pub fn lesser_cap(one: u64, other: u64) -> u64 {
    match (one, other) {
        (0, cap) | (cap, 0) => cap,
        (one, other) => one.min(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opml::merkle::parent;

    const WALLETS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

    #[test]
    fn given_a_list_when_anything_but_a_wallets_own_entry_is_shown_then_not_allowed() {
        let leaves = [allowance_leaf(0, &WALLETS[0], 10), allowance_leaf(1, &WALLETS[1], 20)];
        let root = parent(&leaves[0], &leaves[1]);
        let shown = |index, wallet, cap, path: &[Hash]| is_allowed(&root, 2, index, wallet, cap, path);
        assert!(shown(0, &WALLETS[0], 10, &[leaves[1]]));
        assert!(shown(1, &WALLETS[1], 20, &[leaves[0]]));
        assert!(!shown(0, &WALLETS[0], 11, &[leaves[1]]), "another cap");
        assert!(!shown(0, &WALLETS[1], 10, &[leaves[1]]), "another wallet");
        assert!(!shown(1, &WALLETS[0], 10, &[leaves[1]]), "another place");
        assert!(!shown(0, &WALLETS[0], 10, &[]), "a shorter path");
        assert!(!shown(0, &WALLETS[0], 10, &[leaves[1], [0; 32]]), "a longer path");
        assert!(!is_allowed(&root, 3, 0, &WALLETS[0], 10, &[leaves[1]]), "another count");
    }

    #[test]
    fn given_two_caps_when_one_is_none_then_the_other_counts() {
        assert_eq!(
            [(0, 0), (0, 5), (5, 0), (5, 7), (7, 5)].map(|(one, other)| lesser_cap(one, other)),
            [0, 5, 5, 5, 5]
        );
    }
}
