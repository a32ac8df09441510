//! `imo model earnings`: a model's revenue, report by report.

use std::{fs, io::Write, str::FromStr};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::{
    addresses::{model_token as model_address, revenue_escrow as address, yield_distributor as pool_address},
    events,
};
use imo_economics::plots::{self, Revenue};
use model_token::{constants::TOKEN_DECIMALS, state::Model};
use revenue_escrow::{events::BucketSplit, state::ModelVault};
use serde::Serialize;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Signature;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_transaction_status_client_types::{UiTransactionEncoding, option_serializer::OptionSerializer};
use yield_distributor::state::Pool;

use super::chain::Chain;
use crate::{
    cli::EarningsArgs,
    error::{OrUserError, UserError},
    format,
};

/// Most signatures that an RPC lists at a time.
const PAGE: usize = 1_000;
const DAY_SECONDS: f64 = 86_400.0;
/// A projection needs at least this much history, in seconds: an hour.
const LEAST_SPAN_SECONDS: i64 = 3_600;

/// What a model has earned. Amounts in units of the mint.
#[derive(Debug, Serialize)]
struct View {
    model: String,
    mint: String,
    decimals: u8,
    now: Now,
    history: History,
    /// Not a fact: see its assumption. `None` without enough history.
    projection: Option<Projection>,
}

/// What the accounts say.
#[derive(Debug, Serialize)]
struct Now {
    /// In the vault for payers, reports that are not split, and those who have earned.
    vault_owed_units: u64,
    /// Paid for good to others than the developer since the beginning.
    paid_to_others_units: u64,
    pool: Option<PoolNow>,
}

#[derive(Debug, Serialize)]
struct PoolNow {
    staked_units: u64,
    active_units: u64,
    supply_units: u64,
    /// Yield that is promised and not claimed.
    owed_units: u64,
    redeem_units: u64,
}

/// What the transactions say that the RPC still has.
#[derive(Debug, Default, Serialize)]
struct History {
    /// Whether the reports here are all: their parts add up to what the vault counted.
    complete: bool,
    /// Transactions or logs that the RPC did not have.
    missing: usize,
    /// Whether `--limit` ended the reading.
    limited: bool,
    reports: Vec<Split>,
}

/// One report's split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Split {
    signature: String,
    slot: u64,
    unix: Option<i64>,
    report: String,
    revenue_units: u64,
    holders_units: u64,
    redeem_units: u64,
    developer_units: u64,
    operator_units: u64,
    protocol_units: u64,
    contributors_units: u64,
    others_units: u64,
}

#[derive(Debug, PartialEq, Serialize)]
struct Projection {
    assumption: String,
    revenue_units_per_year: f64,
    /// Of a thousand whole tokens that are staked all year.
    yield_units_per_1000_tokens_per_year: Option<f64>,
}

pub fn run(out: &mut impl Write, args: &EarningsArgs) -> anyhow::Result<()> {
    let chain = Chain::connect(&args.cluster)?;
    let view = View::read(&chain, &args.model, args.limit)?;
    if let Some(file) = &args.plot {
        let points: Vec<Revenue> = view
            .history
            .reports
            .iter()
            .map(|split| split.point(view.decimals))
            .collect();
        if points.is_empty() {
            return Err(UserError::new("There is no report to draw: the RPC has no split of the model.").into());
        }
        let svg = plots::revenue(&points)?;
        fs::write(file, svg).or_user_error_with(|error| format!("{} cannot be written: {error}.", file.display()))?;
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &view)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", view.tables())?;
    }
    Ok(())
}

impl View {
    fn read(chain: &Chain, model: &Pubkey, limit: usize) -> anyhow::Result<Self> {
        let registered: Model = chain.account(model, "model")?;
        let vault: ModelVault = chain.account(&address::vault(model), "vault of that model")?;
        let decimals = chain.mint(&vault.mint)?.decimals;
        let pool: Option<Pool> = chain.find_account(&pool_address::pool(model))?;
        let pool = match pool {
            Some(pool) => Some(PoolNow {
                staked_units: pool.staked_units,
                active_units: pool.active_units,
                supply_units: chain.mint(&pool.token_mint)?.supply_units,
                owed_units: pool.owed_units,
                redeem_units: pool.redeem_units,
            }),
            None => None,
        };
        let mut history = History::default();
        // Every split of a version names the account of its contributors, whether there are any or not.
        for number in 1..=registered.version_count {
            let version = model_address::model_version(model, number);
            history.read(chain, model, &address::contributions(&version), limit)?;
        }
        history.finish(vault.paid_to_others_units);
        let projection = history.project(pool.as_ref());
        Ok(Self {
            model: model.to_string(),
            mint: vault.mint.to_string(),
            decimals,
            now: Now {
                vault_owed_units: vault.owed_units,
                paid_to_others_units: vault.paid_to_others_units,
                pool,
            },
            history,
            projection,
        })
    }

    fn tables(&self) -> String {
        let money = |units| format::decimal(units, self.decimals);
        let mut text = format!("model   {}\nmint    {}\n\n", self.model, self.mint);
        if self.history.reports.is_empty() {
            text.push_str("The RPC has no split of the model.\n");
        } else {
            let heading = [
                "report",
                "final (UTC)",
                "revenue",
                "holders",
                "to redeem",
                "developer",
                "operator",
                "contributors",
                "protocol",
            ];
            let mut rows = vec![heading.map(str::to_owned).to_vec()];
            rows.extend(self.history.reports.iter().map(|split| {
                let when = split
                    .unix
                    .map_or_else(|| format!("slot {}", split.slot), format::minute);
                vec![
                    format::shortened(&split.report),
                    when,
                    money(split.revenue_units),
                    money(split.holders_units),
                    money(split.redeem_units),
                    money(split.developer_units),
                    money(split.operator_units),
                    money(split.contributors_units),
                    money(split.protocol_units),
                ]
            }));
            text.push_str(&format::table(&rows));
        }
        if self.history.complete {
            text.push_str("These are all splits: they add up to what the vault has counted.\n");
        } else {
            text.push_str("INCOMPLETE: the vault has counted more than these splits add up to");
            if self.history.limited {
                text.push_str("; --limit ended the reading");
            }
            if self.history.missing > 0 {
                text.push_str(&format!(
                    "; the RPC lacked {} transactions or logs",
                    self.history.missing
                ));
            }
            text.push_str(".\n");
        }
        text.push_str(&format!(
            "\npaid to others than the developer  {}\nowed from the vault                {}\n",
            money(self.now.paid_to_others_units),
            money(self.now.vault_owed_units)
        ));
        if let Some(pool) = &self.now.pool {
            let tokens = |units| format::decimal(units, TOKEN_DECIMALS);
            text.push_str(&format!(
                "staked                             {} of {} tokens, {} of them earn\nyield to be claimed                {}\nin the redeem pool                 {}\n",
                tokens(pool.staked_units),
                tokens(pool.supply_units),
                tokens(pool.active_units),
                money(pool.owed_units),
                money(pool.redeem_units),
            ));
        }
        match &self.projection {
            None => text.push_str("\nNo projection: it takes two reports an hour apart.\n"),
            Some(projection) => {
                text.push_str(&format!(
                    "\nPROJECTION, not a fact. {}\nrevenue in a year                  {}\n",
                    projection.assumption,
                    money(projection.revenue_units_per_year as u64)
                ));
                if let Some(units) = projection.yield_units_per_1000_tokens_per_year {
                    text.push_str(&format!("yield of 1,000 staked tokens       {}\n", money(units as u64)));
                }
            }
        }
        text
    }
}

impl History {
    /// Reads the splits among the transactions that name an address, from the newest back.
    fn read(&mut self, chain: &Chain, model: &Pubkey, named: &Pubkey, limit: usize) -> anyhow::Result<()> {
        let mut before = None;
        let mut left = limit;
        while left > 0 {
            let config = GetConfirmedSignaturesForAddress2Config {
                before,
                until: None,
                limit: Some(left.min(PAGE)),
                commitment: Some(CommitmentConfig::confirmed()),
            };
            let page = chain
                .rpc
                .get_signatures_for_address_with_config(named, config)
                .or_user_error_with(|error| format!("The RPC does not list the transactions of {named}: {error}."))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            before = Some(Signature::from_str(&last.signature).context("The RPC sent a signature that is none")?);
            left -= page.len().min(left);
            let is_last = page.len() < PAGE;
            for listed in page.into_iter().filter(|listed| listed.err.is_none()) {
                self.read_transaction(chain, model, &listed.signature)?;
            }
            if is_last {
                return Ok(());
            }
        }
        self.limited = true;
        Ok(())
    }

    fn read_transaction(&mut self, chain: &Chain, model: &Pubkey, signature: &str) -> anyhow::Result<()> {
        let parsed = Signature::from_str(signature).context("The RPC sent a signature that is none")?;
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        // An RPC forgets transactions before it forgets that there were any.
        let Ok(found) = chain.rpc.get_transaction_with_config(&parsed, config) else {
            self.missing += 1;
            return Ok(());
        };
        let logs = match found.transaction.meta.map(|meta| meta.log_messages) {
            Some(OptionSerializer::Some(logs)) => logs,
            _ => {
                self.missing += 1;
                return Ok(());
            }
        };
        let read = events::of_program::<BucketSplit>(&revenue_escrow::ID, &logs);
        self.missing += usize::from(!read.complete);
        let of_model = read.events.into_iter().filter(|split| split.model == *model);
        self.reports.extend(of_model.map(|split| {
            let BucketSplit {
                report,
                model: _,
                amount_units,
                holders_units,
                redeem_units,
                developer_units,
                operator_units,
                protocol_units,
                contributors_units,
                others_units,
                fee_units,
                audit_units: _,
            } = split;
            Split {
                signature: signature.to_owned(),
                slot: found.slot,
                unix: found.block_time,
                report: report.to_string(),
                revenue_units: amount_units.saturating_add(fee_units),
                holders_units,
                redeem_units,
                developer_units,
                operator_units,
                protocol_units,
                contributors_units,
                others_units,
            }
        }));
        Ok(())
    }

    /// Puts the reports in their order, and compares them with what the vault has counted.
    fn finish(&mut self, paid_to_others_units: u64) {
        self.reports
            .sort_by(|a, b| (a.slot, &a.report).cmp(&(b.slot, &b.report)));
        self.reports.dedup_by(|a, b| a.report == b.report);
        let counted: u128 = self.reports.iter().map(|split| u128::from(split.others_units)).sum();
        self.complete = self.missing == 0 && counted == u128::from(paid_to_others_units);
    }

    /// What a year would bring if the reports went on as they did between the first and the last of these.
    fn project(&self, pool: Option<&PoolNow>) -> Option<Projection> {
        let times: Vec<i64> = self.reports.iter().filter_map(|split| split.unix).collect();
        let (first, last) = (times.iter().min()?, times.iter().max()?);
        let span = last.checked_sub(*first).filter(|span| *span >= LEAST_SPAN_SECONDS)? as f64;
        // The first report ended the time before the span.
        let later = self
            .reports
            .iter()
            .filter(|split| split.unix.is_some_and(|unix| unix > *first));
        let (mut revenue, mut holders, mut count) = (0.0, 0.0, 0);
        for split in later {
            revenue += split.revenue_units as f64;
            holders += split.holders_units as f64;
            count += 1;
        }
        let yearly = 365.0 * DAY_SECONDS / span;
        let one_thousand = 1_000.0 * 10f64.powi(TOKEN_DECIMALS.into());
        let of_supply = |pool: &PoolNow| holders * yearly * one_thousand / pool.supply_units as f64;
        Some(Projection {
            assumption: format!(
                "It assumes that reports go on as in the last {:.1} days ({count} reports), and that the supply stays as it is.",
                span / DAY_SECONDS
            ),
            revenue_units_per_year: revenue * yearly,
            yield_units_per_1000_tokens_per_year: pool.filter(|pool| pool.supply_units > 0).map(of_supply),
        })
    }
}

impl Split {
    fn point(&self, decimals: u8) -> Revenue {
        let one = 10f64.powi(decimals.into());
        Revenue {
            whole: self.revenue_units as f64 / one,
            holders: self.holders_units.saturating_add(self.redeem_units) as f64 / one,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(number: u8, unix: i64, revenue_units: u64) -> Split {
        Split {
            signature: String::new(),
            slot: u64::from(number),
            unix: Some(unix),
            report: number.to_string(),
            revenue_units,
            holders_units: revenue_units / 2,
            redeem_units: 0,
            developer_units: 0,
            operator_units: 0,
            protocol_units: 0,
            contributors_units: 0,
            others_units: revenue_units / 2,
        }
    }

    fn history(reports: Vec<Split>) -> History {
        History {
            reports,
            ..History::default()
        }
    }

    #[test]
    fn given_splits_when_they_add_up_to_what_the_vault_counted_then_complete_in_their_order() {
        let mut read = history(vec![split(2, 20, 60), split(1, 10, 40), split(2, 20, 60)]);
        read.finish(50);
        assert!(read.complete);
        assert_eq!(read.reports, [split(1, 10, 40), split(2, 20, 60)]);
        read.finish(51);
        assert!(!read.complete);
        read.missing = 1;
        read.finish(50);
        assert!(
            !read.complete,
            "a transaction without logs may have been a split of nothing"
        );
    }

    #[test]
    fn given_reports_over_ten_days_when_projected_then_a_year_of_the_same() {
        let day = DAY_SECONDS as i64;
        let read = history(
            (0..=10)
                .map(|number| split(number, i64::from(number) * day, 1_000_000))
                .collect(),
        );
        let pool = PoolNow {
            staked_units: 0,
            active_units: 0,
            supply_units: 1_000_000 * 1_000_000,
            owed_units: 0,
            redeem_units: 0,
        };
        let projection = read.project(Some(&pool)).unwrap();
        assert_eq!(projection.revenue_units_per_year, 365_000_000.0);
        // A thousandth of the supply earns a thousandth of the holders' half.
        assert_eq!(projection.yield_units_per_1000_tokens_per_year, Some(182_500.0));
        assert!(projection.assumption.contains("10.0 days (10 reports)"));
        assert!(
            read.project(None)
                .unwrap()
                .yield_units_per_1000_tokens_per_year
                .is_none()
        );
    }

    #[test]
    fn given_one_report_or_two_at_once_when_projected_then_nothing_is_made_up() {
        assert_eq!(history(vec![]).project(None), None);
        assert_eq!(history(vec![split(1, 10, 1)]).project(None), None);
        assert_eq!(history(vec![split(1, 10, 1), split(2, 3_609, 1)]).project(None), None);
        assert!(
            history(vec![split(1, 10, 1), split(2, 3_610, 1)])
                .project(None)
                .is_some()
        );
    }
}
