//! What every scenario ends with: each vault holds what is owed from it, and the counters add up to what the accounts say.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use imo_client::{accounts::Account, addresses};
use imo_protocol::share_floor;
use model_token::state::OfferingStatus;

use crate::cluster::Cluster;

/// Panics when a vault holds less than it owes, or when a counter is not the sum of its parts.
pub fn assert_balanced(cluster: &Cluster) {
    let accounts = program_accounts(cluster);
    for (address, account) in &accounts {
        match account {
            Account::Offering(offering) => {
                let vault = cluster.tokens(&addresses::model_token::payment_vault(address));
                let owed = offering.payment_owed_units().expect("the counters of the offering fit");
                assert!(
                    vault >= owed,
                    "the payment vault of {address} holds {vault} and owes {owed}"
                );
                if offering.status == OfferingStatus::Open {
                    assert_eq!(offering.committed_units, commitment_parts(&accounts, address));
                }
                let token_vault = addresses::model_token::token_vault(address);
                if cluster.is_made(&token_vault) && cluster.is_made(&offering.mint) {
                    let (vault, owed) = (cluster.tokens(&token_vault), offering.tokens_owed_units());
                    let owed = owed.expect("the counters of the offering fit");
                    assert!(
                        vault >= owed,
                        "the token vault of {address} holds {vault} and owes {owed}"
                    );
                }
            }
            Account::StakeVault(vault) => {
                let held = cluster.tokens(&addresses::opml_oracle::stake_tokens(&vault.mint));
                assert!(
                    held >= vault.owed_units,
                    "a stake vault holds {held} and owes {}",
                    vault.owed_units
                );
                assert_eq!(
                    vault.owed_units,
                    stake_parts(&accounts, &vault.mint, vault.insurance_units)
                );
            }
            Account::AuditFund(fund) => {
                let held = cluster.tokens(&addresses::opml_oracle::audit_tokens(&fund.mint));
                assert!(
                    held >= fund.owed_units,
                    "an audit fund holds {held} and owes {}",
                    fund.owed_units
                );
                assert_eq!(fund.owed_units, audit_parts(&accounts, &fund.mint));
            }
            Account::ModelVault(vault) => {
                let held = cluster.tokens(&addresses::revenue_escrow::vault_tokens(&vault.model));
                assert!(
                    held >= vault.owed_units,
                    "a model's vault holds {held} and owes {}",
                    vault.owed_units
                );
                assert_eq!(vault.owed_units, vault_parts(&accounts, address, &vault.model));
            }
            Account::Pool(pool) => {
                let held = cluster.tokens(&addresses::yield_distributor::revenue_vault(address));
                let owed = pool.revenue_owed_units().expect("the counters of the pool fit");
                assert!(held >= owed, "a pool holds {held} of revenue and owes {owed}");
                let staked = cluster.tokens(&addresses::yield_distributor::stake_vault(address));
                assert!(
                    staked >= pool.staked_units,
                    "a pool holds {staked} of stake and owes {}",
                    pool.staked_units
                );
                assert_eq!(pool.staked_units, position_parts(&accounts, address));
                let vesting = vesting_parts(&accounts, address);
                assert!(
                    vesting <= pool.vesting_units && pool.vesting_units <= pool.active_units,
                    "a pool counts {} as vesting and {} as active, where {vesting} vest",
                    pool.vesting_units,
                    pool.active_units
                );
                let offering = addresses::model_token::offering(&pool.model);
                let unreleased = cluster.tokens(&addresses::model_token::token_vault(&offering));
                assert!(
                    unreleased >= pool.vesting_units,
                    "{} vest and {unreleased} are there",
                    pool.vesting_units
                );
                let owed = yield_parts(&accounts, address);
                assert!(
                    owed <= pool.owed_units,
                    "a pool owes {} as yield, and {owed} are settled",
                    pool.owed_units
                );
            }
            Account::Credit(credit) => {
                let lanes: u64 = accounts.values().filter_map(|other| lane_units(other, address)).sum();
                assert_eq!(
                    credit.reserved_units, lanes,
                    "the credit {address} reserves what its lanes hold"
                );
            }
            _ => {}
        }
    }
}

/// All accounts of the four programs that any transaction named.
fn program_accounts(cluster: &Cluster) -> BTreeMap<Pubkey, Account> {
    let decoded = |address: &Pubkey| {
        let account = cluster.account(address)?;
        Account::decode(&account.owner, &account.data)
            .ok()
            .map(|decoded| (*address, decoded))
    };
    cluster.touched().iter().filter_map(decoded).collect()
}

/// Stakes, bonds and payouts of disputes, fees and payouts of inquiries, what is slashed and not distributed, insurance.
fn stake_parts(accounts: &BTreeMap<Pubkey, Account>, mint: &Pubkey, insurance_units: u64) -> u64 {
    let part = |account: &Account| match account {
        Account::Operator(operator) if operator.mint == *mint => operator.stake_units,
        Account::Dispute(dispute) if dispute.mint == *mint && dispute.settled => dispute.payout_units,
        Account::Dispute(dispute) if dispute.mint == *mint => dispute.bond_units,
        Account::Inquiry(inquiry) if inquiry.mint == *mint && inquiry.settled => inquiry.payout_units,
        Account::Inquiry(inquiry) if inquiry.mint == *mint => inquiry.fees_units,
        Account::Equivocation(equivocation) if equivocation.mint == *mint => equivocation.payout_units,
        // Until all disputes are settled, what is slashed and was not given yet is nobody's.
        Account::Report(report) if report.mint == *mint && !report.is_settled() => report.slash().map_or(0, |slash| {
            let share = if slash.share_paid {
                share_floor(slash.slashed_units, slash.prover_share_bps)
            } else {
                Some(0)
            };
            slash.slashed_units - slash.costs_paid_units - share.expect("a share of a bond fits")
        }),
        _ => 0,
    };
    accounts.values().map(part).sum::<u64>() + insurance_units
}

/// Credits, buckets, earnings and contributions.
fn vault_parts(accounts: &BTreeMap<Pubkey, Account>, vault: &Pubkey, model: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Credit(credit) if credit.model == *model => {
            credit.available_units + credit.reserved_units + credit.withdrawing_units
        }
        Account::Bucket(bucket) if bucket.model == *model => {
            bucket.collected_units + bucket.retracted_units + bucket.fee_units
        }
        Account::Earnings(earnings) if earnings.vault == *vault => earnings.owed_units + earnings.audit_units,
        Account::Contributions(contributions) if contributions.vault == *vault => {
            let paid: u128 = contributions.paid_units.iter().sum();
            u64::try_from(contributions.earned_units - paid).expect("what is owed is in the vault")
        }
        _ => 0,
    };
    accounts.values().map(part).sum()
}

/// Fees of audits that are not settled, and what auditors of the others have not been paid.
fn audit_parts(accounts: &BTreeMap<Pubkey, Account>, mint: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Audit(audit) if audit.mint == *mint && !audit.settled => audit.fee_units,
        Account::AuditEntry(entry) if entry.matched => match accounts.get(&entry.audit) {
            Some(Account::Audit(audit)) if audit.mint == *mint && audit.settled => audit.auditor_units,
            _ => 0,
        },
        _ => 0,
    };
    accounts.values().map(part).sum()
}

fn commitment_parts(accounts: &BTreeMap<Pubkey, Account>, offering: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Commitment(commitment) if commitment.offering == *offering => commitment.amount_units,
        _ => 0,
    };
    accounts.values().map(part).sum()
}

fn vesting_parts(accounts: &BTreeMap<Pubkey, Account>, pool: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Vesting(vesting) if vesting.pool == *pool => vesting.units,
        _ => 0,
    };
    accounts.values().map(part).sum()
}

/// Yield that was settled and not paid.
fn yield_parts(accounts: &BTreeMap<Pubkey, Account>, pool: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Position(position) if position.pool == *pool => position.owed_units,
        Account::Vesting(vesting) if vesting.pool == *pool => vesting.owed_units,
        _ => 0,
    };
    accounts.values().map(part).sum()
}

fn position_parts(accounts: &BTreeMap<Pubkey, Account>, pool: &Pubkey) -> u64 {
    let part = |account: &Account| match account {
        Account::Position(position) if position.pool == *pool => position.active_units + position.pending_units,
        _ => 0,
    };
    accounts.values().map(part).sum()
}

fn lane_units(account: &Account, credit: &Pubkey) -> Option<u64> {
    match account {
        Account::Lane(lane) if lane.credit == *credit => Some(lane.reserved_units + lane.releasing_units),
        _ => None,
    }
}

/// Who gets an account's lamports back when it is closed; nobody where it never is.
pub fn rent_payer(account: &Account) -> Option<Pubkey> {
    Some(match account {
        Account::ProtocolUpdate(account) => account.rent_payer,
        Account::MetadataUpdate(account) => account.rent_payer,
        Account::Appointment(account) => account.rent_payer,
        Account::Commitment(account) => account.rent_payer,
        Account::Position(account) => account.rent_payer,
        Account::EpochMark(account) => account.rent_payer,
        Account::Vesting(account) => account.rent_payer,
        Account::ClaimDelegation(account) => account.rent_payer,
        Account::Report(account) => account.rent_payer,
        Account::Dispute(account) => account.rent_payer,
        Account::Trace(account) => account.rent_payer,
        Account::Witness(account) => account.challenger,
        Account::Equivocation(account) => account.prover,
        Account::Inquiry(account) => account.demander,
        Account::Audit(account) => account.rent_payer,
        Account::AuditEntry(account) => account.auditor,
        Account::Credit(account) => account.rent_payer,
        Account::Session(account) => account.rent_payer,
        Account::Lane(account) => account.rent_payer,
        Account::Bucket(account) => account.rent_payer,
        Account::Collection(account) => account.rent_payer,
        Account::Protocol(_)
        | Account::Model(_)
        | Account::ModelVersion(_)
        | Account::Offering(_)
        | Account::Pool(_)
        | Account::StakeVault(_)
        | Account::AuditFund(_)
        | Account::Operator(_)
        | Account::ModelVault(_)
        | Account::Earnings(_)
        | Account::Contributions(_) => return None,
    })
}
