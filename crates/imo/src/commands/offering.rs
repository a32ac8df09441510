//! `imo offering show`: a model's sale of tokens.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anchor_lang::prelude::Pubkey;
use imo_client::addresses::model_token as address;
use imo_protocol::Now;
use model_token::{
    constants::TOKEN_DECIMALS,
    state::{Metadata, Model, Offering, OfferingStatus},
};
use serde::Serialize;

use super::chain::Chain;
use crate::{cli::OfferingCommand, format};

/// An offering as it stands. Amounts in units, times in Unix seconds.
#[derive(Debug, Serialize)]
struct View {
    model: String,
    offering: String,
    name: String,
    symbol: String,
    payment_mint: String,
    payment_decimals: u8,
    token_mint: String,
    status: Status,
    opens_unix: i64,
    tail_unix: i64,
    closes_unix: i64,
    now_unix: i64,
    sale_units: u64,
    developer_units: u64,
    min_raise_units: u64,
    max_raise_units: u64,
    committed_units: u64,
    accepted_units: u64,
    refunded_units: u64,
    open_commitments: u32,
    price: Price,
}

/// What a whole token costs.
#[derive(Debug, Serialize)]
struct Price {
    /// Units of the payment mint for a whole token.
    units_per_token: f64,
    /// Whether nothing can change it any more; otherwise it is what it would be if the offering closed now.
    settled: bool,
    /// Of each commitment, what buys tokens, in percent; the rest goes back.
    accepted_percent: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    NotOpenYet,
    Open,
    WithdrawalsOnly,
    Closed,
    Succeeded,
    Failed,
}

pub fn run(command: &OfferingCommand) -> anyhow::Result<ExitCode> {
    let OfferingCommand::Show { model, cluster, json } = command;
    let chain = Chain::connect(cluster)?;
    let address = address::offering(model);
    let offering: Offering = chain.account(&address, "offering of that model")?;
    let named: Model = chain.account(&offering.model, "model of that offering")?;
    let decimals = chain.mint(&offering.payment_mint)?.decimals;
    let view = View::new(&address, named.metadata, offering, decimals, chain.now()?);
    let mut out = io::stdout().lock();
    if *json {
        serde_json::to_writer_pretty(&mut out, &view)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", view.table())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl View {
    fn new(address: &Pubkey, named: Metadata, offering: Offering, payment_decimals: u8, now: Now) -> Self {
        let status = match offering.status {
            OfferingStatus::Succeeded => Status::Succeeded,
            OfferingStatus::Failed => Status::Failed,
            OfferingStatus::Open if now.unix < offering.opens_unix => Status::NotOpenYet,
            OfferingStatus::Open if now.unix < offering.tail_unix => Status::Open,
            OfferingStatus::Open if now.unix < offering.closes_unix => Status::WithdrawalsOnly,
            OfferingStatus::Open => Status::Closed,
        };
        let accepted_units = offering.committed_units.min(offering.max_raise_units);
        let one_token = 10f64.powi(TOKEN_DECIMALS.into());
        let price = Price {
            units_per_token: accepted_units as f64 * one_token / offering.sale_units as f64,
            settled: offering.status == OfferingStatus::Succeeded,
            accepted_percent: match offering.committed_units {
                0 => 100.0,
                committed => accepted_units as f64 * 100.0 / committed as f64,
            },
        };
        Self {
            model: offering.model.to_string(),
            offering: address.to_string(),
            payment_mint: offering.payment_mint.to_string(),
            payment_decimals,
            token_mint: offering.mint.to_string(),
            status,
            opens_unix: offering.opens_unix,
            tail_unix: offering.tail_unix,
            closes_unix: offering.closes_unix,
            now_unix: now.unix,
            sale_units: offering.sale_units,
            developer_units: offering.developer_units,
            min_raise_units: offering.min_raise_units,
            max_raise_units: offering.max_raise_units,
            committed_units: offering.committed_units,
            accepted_units: offering.accepted_units,
            refunded_units: offering.refunded_units,
            open_commitments: offering.commitment_count,
            price,
            name: named.name,
            symbol: named.symbol,
        }
    }

    fn table(&self) -> String {
        let money = |units: u64| format::decimal(units, self.payment_decimals);
        let status = match self.status {
            Status::NotOpenYet => "not open yet",
            Status::Open => "open",
            Status::WithdrawalsOnly => "open for one withdrawal of each commitment, up to a part that falls to nothing",
            Status::Closed => "closed, to be settled by anyone",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed: every commitment goes back",
        };
        let minimum = if self.committed_units >= self.min_raise_units {
            "reached"
        } else {
            "not reached"
        };
        let price = format::decimal(self.price.units_per_token as u64, self.payment_decimals);
        let price = match (self.price.settled, self.status) {
            (true, _) => price,
            (false, Status::Failed) => "none".to_owned(),
            (false, _) => format!("{price} if it closed now, the same for everybody"),
        };
        let rows = [
            ("offering", self.offering.clone()),
            ("of the model", self.model.clone()),
            ("token", format!("{} ({})", self.name, self.symbol)),
            ("token's mint", self.token_mint.clone()),
            ("paid in the mint", self.payment_mint.clone()),
            ("status", status.to_owned()),
            ("opens", format!("{} UTC", format::minute(self.opens_unix))),
            (
                "withdrawals only from",
                format!("{} UTC", format::minute(self.tail_unix)),
            ),
            ("closes", format!("{} UTC", format::minute(self.closes_unix))),
            ("tokens sold", format::decimal(self.sale_units, TOKEN_DECIMALS)),
            (
                "tokens of the developer",
                format::decimal(self.developer_units, TOKEN_DECIMALS),
            ),
            ("minimum", format!("{}, {minimum}", money(self.min_raise_units))),
            ("maximum", money(self.max_raise_units)),
            ("committed", money(self.committed_units)),
            ("price of a token", price),
            (
                "of each commitment",
                format!("{:.2} % buys tokens, the rest goes back", self.price.accepted_percent),
            ),
            ("commitments not claimed", self.open_commitments.to_string()),
        ];
        rows.iter()
            .map(|(name, value)| format!("{name:<24}{value}\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use anchor_lang::{AccountDeserialize, Discriminator, Space};

    use super::*;

    /// A thousand tokens for 1,000 to 2,000, from second 1,000 to 2,000.
    fn sample(status: OfferingStatus, committed_units: u64) -> Offering {
        let zeroed = [Offering::DISCRIMINATOR, &[0; Offering::INIT_SPACE]].concat();
        let mut offering = Offering::try_deserialize(&mut zeroed.as_slice()).unwrap();
        offering.status = status;
        offering.sale_units = 1_000_000_000;
        offering.min_raise_units = 1_000_000_000;
        offering.max_raise_units = 2_000_000_000;
        offering.opens_unix = 1_000;
        offering.tail_unix = 1_900;
        offering.closes_unix = 2_000;
        offering.committed_units = committed_units;
        offering
    }

    fn offering(status: OfferingStatus, committed_units: u64) -> View {
        offering_at(1_500, status, committed_units)
    }

    fn offering_at(unix: i64, status: OfferingStatus, committed_units: u64) -> View {
        let named = Metadata {
            name: "Digits".to_owned(),
            symbol: "DIGITS".to_owned(),
            uri: String::new(),
            uri_hash: [0; 32],
            licence: "MIT".to_owned(),
        };
        let now = Now {
            slot: 1,
            unix,
            last_restart_slot: 0,
        };
        View::new(&Pubkey::default(), named, sample(status, committed_units), 6, now)
    }

    #[test]
    fn given_an_offering_when_time_passes_then_its_status_is_that_of_the_programs() {
        let at = |unix| offering_at(unix, OfferingStatus::Open, 1).status;
        assert_eq!(
            [999, 1_000, 1_899, 1_900, 1_999, 2_000].map(at),
            [
                Status::NotOpenYet,
                Status::Open,
                Status::Open,
                Status::WithdrawalsOnly,
                Status::WithdrawalsOnly,
                Status::Closed
            ]
        );
    }

    #[test]
    fn given_commitments_when_shown_then_the_price_is_that_of_what_would_be_accepted() {
        let view = offering(OfferingStatus::Open, 500_000_000);
        assert_eq!((view.status, view.price.settled), (Status::Open, false));
        // 500 for 1,000 tokens.
        assert_eq!(view.price.units_per_token, 500_000.0);
        assert_eq!(view.price.accepted_percent, 100.0);
        assert!(view.table().contains("price of a token        0.50 if it closed now"));
        assert!(view.table().contains("minimum                 1,000, not reached"));
    }

    #[test]
    fn given_more_than_the_maximum_when_shown_then_the_rest_goes_back() {
        let view = offering(OfferingStatus::Succeeded, 3_000_000_000);
        assert!(view.price.settled);
        assert_eq!(view.price.units_per_token, 2_000_000.0);
        assert!(view.table().contains("66.67 % buys tokens"));
    }

    #[test]
    fn given_nothing_committed_when_shown_then_no_division_by_it() {
        let view = offering(OfferingStatus::Failed, 0);
        assert_eq!((view.status, view.price.units_per_token), (Status::Failed, 0.0));
        assert!(view.table().contains("price of a token        none"));
    }
}
