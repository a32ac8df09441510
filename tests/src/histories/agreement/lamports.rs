//! Lamports: nobody has more or less than before, but for fees.

use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::prelude::Pubkey;
use imo_client::accounts::Account;

use crate::{
    books,
    cluster::{Cluster, LAMPORTS_PER_SIGNATURE},
};

/// Everybody's lamports, with the rent of what they pay for.
pub struct Lamports(BTreeMap<Pubkey, u64>);

impl Lamports {
    /// Whose lamports are where, of these accounts. Rent is still whose it was.
    pub fn count(cluster: &Cluster, addresses: &BTreeSet<Pubkey>) -> Self {
        let mut owned = BTreeMap::new();
        for address in addresses {
            let Some(account) = cluster.account(address) else {
                continue;
            };
            let whose = Account::decode(&account.owner, &account.data)
                .ok()
                .and_then(|account| books::rent_payer(&account))
                .unwrap_or(*address);
            *owned.entry(whose).or_default() += account.lamports;
        }
        Self(owned)
    }

    /// Panics when anybody has more or less than before, but for the fee, and what lets the model's `mint` grow with its metadata.
    pub fn assert_only_fees(&self, cluster: &Cluster, addresses: &BTreeSet<Pubkey>, payer: &Pubkey, mint: &Pubkey) {
        let Self(after) = Self::count(cluster, addresses);
        let Self(before) = self;
        let everybody: BTreeSet<&Pubkey> = before.keys().chain(after.keys()).collect();
        let mut fee = 0;
        for whom in everybody {
            let [had, has] = [before, &after].map(|owned| owned.get(whom).copied().unwrap_or(0));
            if whom == payer {
                fee = had.checked_sub(has).expect("nobody earns lamports");
            } else {
                // Accounts that nobody pays for are there for good: what a stranger paid for one is counted as its own.
                let is_new = had == 0 || has == 0;
                let grows = whom == mint && has > had;
                assert!(had == has || is_new || grows, "{whom} had {had} lamports and has {has}");
            }
        }
        let total = |owned: &BTreeMap<Pubkey, u64>| owned.values().sum::<u64>();
        let lost = total(before) - total(&after);
        assert!(
            lost > 0 && lost.is_multiple_of(LAMPORTS_PER_SIGNATURE),
            "{lost} lamports are gone"
        );
        assert!(fee >= lost, "{payer} paid {fee} lamports, and {lost} are gone");
    }
}
