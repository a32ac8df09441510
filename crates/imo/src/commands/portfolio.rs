//! `imo portfolio`: what somebody holds of all models.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
};

use anchor_lang::{Discriminator, prelude::Pubkey};
use imo_client::{
    accounts::{EARNINGS_RECIPIENT_OFFSET, POSITION_OWNER_OFFSET},
    addresses::yield_distributor as address,
};
use imo_protocol::Now;
use model_token::{
    constants::TOKEN_DECIMALS,
    state::{Model, Offering},
};
use revenue_escrow::state::{Earnings, ModelVault};
use serde::Serialize;
use yield_distributor::{
    math::redemption::redemption_units,
    state::{EpochMark, Pool, Position},
};

use super::chain::Chain;
use crate::{cli::PortfolioArgs, format};

/// Everything that an owner has. Amounts in units.
#[derive(Debug, Serialize)]
struct View {
    owner: String,
    slot: u64,
    holdings: Vec<Holding>,
    earnings: Vec<Owed>,
}

/// Of one model's token.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Holding {
    model: String,
    symbol: String,
    /// In token accounts of the owner's.
    free_units: u64,
    /// Staked and earning.
    active_units: u64,
    /// Staked and earning from the beginning of an epoch.
    pending_units: u64,
    pending_from_slot: Option<u64>,
    /// All of these, as a part of the supply that is left, in percent.
    supply_percent: f64,
    revenue_mint: String,
    revenue_decimals: u8,
    /// What a claim pays now.
    claimable_units: u64,
    /// What burning all of these tokens would pay now, after unstaking them.
    redeemable_units: u64,
}

/// What a model's vault owes as operator, developer or treasury.
#[derive(Debug, Serialize)]
struct Owed {
    model: String,
    mint: String,
    decimals: u8,
    owed_units: u64,
}

pub fn run(PortfolioArgs { owner, cluster, json }: &PortfolioArgs) -> anyhow::Result<ExitCode> {
    let chain = Chain::connect(cluster)?;
    let now = chain.now()?;
    let view = View {
        owner: owner.to_string(),
        slot: now.slot,
        holdings: holdings(&chain, owner, now)?,
        earnings: earnings(&chain, owner)?,
    };
    let mut out = io::stdout().lock();
    if *json {
        serde_json::to_writer_pretty(&mut out, &view)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", view.tables())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Of each model of which the owner has tokens or a position.
fn holdings(chain: &Chain, owner: &Pubkey, now: Now) -> anyhow::Result<Vec<Holding>> {
    let mut free: BTreeMap<Pubkey, u64> = BTreeMap::new();
    for (mint, units) in chain.tokens_of(owner, &anchor_spl::token_2022::ID)? {
        *free.entry(mint).or_default() += units;
    }
    let positions: BTreeMap<Pubkey, Position> = chain
        .accounts_with(Position::DISCRIMINATOR, POSITION_OWNER_OFFSET, owner)?
        .into_iter()
        .map(|(_, position): (_, Position)| (position.pool, position))
        .collect();
    let mut holdings = Vec::new();
    for (_, offering) in chain.all_accounts::<Offering>(Offering::DISCRIMINATOR)? {
        let pool_address = address::pool(&offering.model);
        let free_units = free.get(&offering.mint).copied().unwrap_or(0);
        let position = positions.get(&pool_address);
        if free_units == 0 && position.is_none() {
            continue;
        }
        let symbol = chain
            .account::<Model>(&offering.model, "model of an offering")?
            .metadata
            .symbol;
        let Some(pool) = chain.find_account::<Pool>(&pool_address)? else {
            // Tokens that are sold and whose pool nobody has made yet.
            holdings.push(Holding {
                model: offering.model.to_string(),
                symbol,
                free_units,
                revenue_mint: offering.payment_mint.to_string(),
                revenue_decimals: chain.mint(&offering.payment_mint)?.decimals,
                ..Holding::default()
            });
            continue;
        };
        let mark = match position.filter(|position| position.pending_units > 0) {
            Some(position) => chain.find_account(&address::epoch_mark(&pool_address, position.pending_epoch))?,
            None => None,
        };
        let held = Held {
            free_units,
            supply_units: chain.mint(&pool.token_mint)?.supply_units,
            pool,
            position,
            mark,
        };
        holdings.push(Holding {
            model: offering.model.to_string(),
            symbol,
            revenue_decimals: chain.mint(&held.pool.revenue_mint)?.decimals,
            ..held.value(now)?
        });
    }
    Ok(holdings)
}

/// What is held of a token, with what it takes to value it.
struct Held<'a> {
    free_units: u64,
    supply_units: u64,
    pool: Pool,
    position: Option<&'a Position>,
    /// Of the position's pending stake.
    mark: Option<EpochMark>,
}

impl Held<'_> {
    /// Settles a copy of the position as a claim would, with the programs' own arithmetic.
    fn value(self, now: Now) -> anyhow::Result<Holding> {
        let Self {
            free_units,
            supply_units,
            mut pool,
            position,
            mut mark,
        } = self;
        let mut holding = Holding {
            free_units,
            revenue_mint: pool.revenue_mint.to_string(),
            ..Holding::default()
        };
        let mut all_units = free_units;
        if let Some(position) = position {
            let mut settled = Position {
                version: position.version,
                bump: position.bump,
                pool: position.pool,
                owner: position.owner,
                active_units: position.active_units,
                pending_units: position.pending_units,
                pending_epoch: position.pending_epoch,
                accumulator_snapshot: position.accumulator_snapshot,
                owed_units: position.owed_units,
                rent_payer: position.rent_payer,
                reserved: position.reserved,
            };
            let now_epoch = pool.epoch_at(now.slot)?;
            settled.settle(&mut pool, mark.as_mut(), now_epoch)?;
            holding.active_units = settled.active_units;
            holding.pending_units = settled.pending_units;
            if settled.pending_units > 0 {
                holding.pending_from_slot = settled.pending_epoch.checked_mul(pool.epoch_slots);
            }
            holding.claimable_units = settled.owed_units;
            all_units = all_units
                .saturating_add(settled.active_units)
                .saturating_add(settled.pending_units);
        }
        holding.redeemable_units = redemption_units(pool.redeem_units, all_units, supply_units).unwrap_or(0);
        if supply_units > 0 {
            holding.supply_percent = all_units as f64 * 100.0 / supply_units as f64;
        }
        Ok(holding)
    }
}

fn earnings(chain: &Chain, owner: &Pubkey) -> anyhow::Result<Vec<Owed>> {
    let found = chain.accounts_with::<Earnings>(Earnings::DISCRIMINATOR, EARNINGS_RECIPIENT_OFFSET, owner)?;
    let mut owed = Vec::new();
    for (_, earnings) in found.into_iter().filter(|(_, earnings)| earnings.owed_units > 0) {
        let vault: ModelVault = chain.account(&earnings.vault, "vault")?;
        owed.push(Owed {
            model: vault.model.to_string(),
            mint: vault.mint.to_string(),
            decimals: chain.mint(&vault.mint)?.decimals,
            owed_units: earnings.owed_units,
        });
    }
    Ok(owed)
}

impl View {
    fn tables(&self) -> String {
        let mut text = String::new();
        if self.holdings.is_empty() && self.earnings.is_empty() {
            return format!("{} holds no tokens of models, and nothing is owed to it.\n", self.owner);
        }
        if !self.holdings.is_empty() {
            let heading = [
                "model",
                "token",
                "free",
                "staked",
                "waiting",
                "% of supply",
                "to claim",
                "worth redeemed",
            ];
            let mut rows = vec![heading.map(str::to_owned).to_vec()];
            rows.extend(self.holdings.iter().map(|holding| {
                let tokens = |units| format::decimal(units, TOKEN_DECIMALS);
                let money = |units| format::decimal(units, holding.revenue_decimals);
                vec![
                    holding.model.clone(),
                    holding.symbol.clone(),
                    tokens(holding.free_units),
                    tokens(holding.active_units),
                    tokens(holding.pending_units),
                    format!("{:.4}", holding.supply_percent),
                    money(holding.claimable_units),
                    money(holding.redeemable_units),
                ]
            }));
            text.push_str(&format::table(&rows));
            text.push_str("What tokens are worth redeemed is as of now and for all of them; it changes with revenue and with every redemption.\n");
        }
        if !self.earnings.is_empty() {
            let heading = ["earnings from the model", "mint", "owed"];
            let mut rows = vec![heading.map(str::to_owned).to_vec()];
            rows.extend(self.earnings.iter().map(|owed| {
                vec![
                    owed.model.clone(),
                    owed.mint.clone(),
                    format::decimal(owed.owed_units, owed.decimals),
                ]
            }));
            text.push_str(&format::table(&rows));
        }
        text
    }
}
