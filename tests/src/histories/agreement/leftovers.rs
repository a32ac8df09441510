//! What nobody can account for at the end of a history.

use ::model_token::state::Offering;
use ::opml_oracle::state::{AuditFund, StakeVault};
use ::revenue_escrow::state::ModelVault;
use ::yield_distributor::state::Pool;
use anchor_lang::{AccountDeserialize, prelude::Pubkey};
use imo_client::addresses;

use crate::{cluster::Cluster, histories::stage::Stage};

/// Lamports that were there when a history began, or came from nowhere since, and that are neither in an account nor a fee.
pub fn unaccounted_lamports(root: &Stage, stage: &Stage) -> u64 {
    let held = |world: &Cluster| -> u64 {
        let touched = stage.world.touched().iter();
        touched.map(|address| world.lamports(address)).sum()
    };
    let fees = stage.world.fees_lamports() - root.world.fees_lamports();
    held(&root.world).abs_diff(held(&stage.world) + fees)
}

/// Units of revenue and of the model's token that exist and that nobody has or is owed.
pub fn unaccounted_units(stage: &Stage) -> u64 {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let fund: Option<AuditFund> = made(stage, &addresses::opml_oracle::audit_fund(&world.usdc));
    let stakes: Option<StakeVault> = made(stage, &addresses::opml_oracle::stake_vault(&world.usdc));
    let vault: Option<ModelVault> = made(stage, &addresses::revenue_escrow::vault(&stage.published.model));
    let offerings = [&stage.published, &stage.upstream].map(|published| {
        let offering: Option<Offering> = made(stage, &addresses::model_token::offering(&published.model));
        let pool: Option<Pool> = made(stage, &addresses::yield_distributor::pool(&published.model));
        (offering, pool)
    });
    let wallets: u64 = ledger.wallets.keys().map(|whom| world.usdc_of(whom)).sum();
    // Of a fund, what it has not promised is the audits' to come.
    let audits = fund.map_or(0, |_| world.tokens(&addresses::opml_oracle::audit_tokens(&world.usdc)));
    let sold: u64 = offerings
        .iter()
        .map(|(offering, pool)| {
            let raised = offering
                .as_ref()
                .map_or(0, |offering| offering.payment_owed_units().expect("the counters fit"));
            let pooled = pool
                .as_ref()
                .map_or(0, |pool| pool.revenue_owed_units().expect("the counters fit"));
            raised + pooled
        })
        .sum();
    let revenue = wallets
        + audits
        + sold
        + stakes.map_or(0, |stakes| stakes.owed_units)
        + vault.map_or(0, |vault| vault.owed_units);
    supply(world, &world.usdc).abs_diff(revenue) + unaccounted_tokens(stage, &offerings[0])
}

fn unaccounted_tokens(stage: &Stage, (offering, pool): &(Option<Offering>, Option<Pool>)) -> u64 {
    let mint = addresses::model_token::mint(&stage.published.model);
    let offering = offering.as_ref().filter(|_| stage.world.is_made(&mint));
    let Some(offering) = offering else { return 0 };
    let holders = stage.ledger.tokens.keys();
    let held: u64 = holders
        .map(|whom| stage.world.model_tokens_of(&stage.published, whom))
        .sum();
    let staked = pool.as_ref().map_or(0, |pool| pool.staked_units);
    let owed = offering.tokens_owed_units().expect("the counters fit");
    supply(&stage.world, &mint).abs_diff(held + staked + owed)
}

/// An account that is there.
fn made<T: AccountDeserialize>(stage: &Stage, address: &Pubkey) -> Option<T> {
    stage.world.is_made(address).then(|| stage.world.read(address))
}

/// How much of a token there is, by its mint.
fn supply(cluster: &Cluster, mint: &Pubkey) -> u64 {
    let data = cluster.account(mint).expect("the mint is there").data;
    let supply = data.get(36..44).and_then(|bytes| bytes.try_into().ok());
    u64::from_le_bytes(supply.expect("a mint has a supply"))
}
