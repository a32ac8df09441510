//! The ledger held against the chain.

use std::{fmt, io::Write};

use anchor_lang::prelude::Pubkey;
use anchor_spl::token_interface::TokenAccount;
use imo_client::addresses as at;
use model_token::state::Offering;
use opml_oracle::state::{Operator, StakeVault};
use revenue_escrow::state::{Credit, Earnings, Lane, ModelVault};
use serde::Serialize;
use yield_distributor::state::Pool;

use super::{
    cast::{HOLDERS, OPERATORS, Role},
    history::History,
    ledger::Ledger,
    stage::Step,
    story::{DisputeFigures, Ending, Places},
    terms,
};
use crate::{cluster::Cluster, format};

/// What an amount is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Mint {
    #[serde(rename = "USDC")]
    Dollars,
    #[serde(rename = "DIGITS")]
    Tokens,
}

impl fmt::Display for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dollars => "USDC",
            Self::Tokens => "DIGITS",
        })
    }
}

/// An amount as the ledger and as the chain has it, in units.
#[derive(Clone, Debug, Serialize)]
pub struct Balance {
    /// A person's account, a vault, or a counter of an account.
    pub owner: String,
    pub mint: Mint,
    pub expected: u64,
    pub actual: u64,
}

impl Balance {
    pub fn agrees(&self) -> bool {
        self.expected == self.actual
    }
}

/// Everything that the demo shows for.
#[derive(Debug, Serialize)]
pub struct Report {
    pub steps: Vec<Step>,
    pub balances: Vec<Balance>,
    pub dispute: DisputeFigures,
}

impl Report {
    /// Reads the chain.
    pub fn of(ending: &Ending) -> anyhow::Result<Self> {
        let Ending {
            stage,
            places,
            ledger,
            dispute,
            history,
        } = ending;
        let mut table = Table {
            cluster: &stage.cluster,
            balances: Vec::new(),
        };
        table.people(places, ledger)?;
        table.vaults(places, ledger)?;
        table.offering(places, ledger)?;
        table.escrow(places, ledger)?;
        table.stakes(places, ledger)?;
        table.pool(places, ledger)?;
        table.history(ledger, history);
        Ok(Self {
            steps: stage.steps().to_vec(),
            balances: table.balances,
            dispute: *dispute,
        })
    }

    /// Whether the chain is as the ledger says.
    pub fn agrees(&self) -> bool {
        self.balances.iter().all(Balance::agrees)
    }

    /// The table, for people.
    pub fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        let DisputeFigures {
            operator_moves,
            challenger_moves,
            transactions,
            compute_units,
            bytes,
        } = self.dispute;
        writeln!(out, "\nThe dispute took")?;
        writeln!(
            out,
            "  {operator_moves} moves of the operator and {challenger_moves} of the watcher"
        )?;
        writeln!(
            out,
            "  {transactions} transactions, {} compute units, {} bytes",
            format::thousands(compute_units),
            format::thousands(bytes)
        )?;
        writeln!(
            out,
            "\n{:<40} {:<6} {:>20} {:>20}",
            "Balance", "", "expected", "on chain"
        )?;
        for Balance {
            owner,
            mint,
            expected,
            actual,
        } in &self.balances
        {
            let (expected, actual) = (format::units(*expected), format::units(*actual));
            let mark = if expected == actual { "" } else { "  differs" };
            writeln!(out, "{owner:<40} {mint:<6} {expected:>20} {actual:>20}{mark}")?;
        }
        let differing = self.balances.iter().filter(|balance| !balance.agrees()).count();
        match differing {
            0 => writeln!(out, "\nAll {} balances are as they must be.", self.balances.len()),
            _ => writeln!(out, "\n{differing} of {} balances differ.", self.balances.len()),
        }
    }
}

struct Table<'a> {
    cluster: &'a Cluster,
    balances: Vec<Balance>,
}

impl Table<'_> {
    fn add(&mut self, owner: impl Into<String>, mint: Mint, expected: u64, actual: u64) {
        self.balances.push(Balance {
            owner: owner.into(),
            mint,
            expected,
            actual,
        });
    }

    /// A line for what a token account holds; nothing when there is no such account.
    fn add_account(
        &mut self,
        owner: impl Into<String>,
        mint: Mint,
        expected: u64,
        account: &Pubkey,
    ) -> anyhow::Result<()> {
        let found: Option<TokenAccount> = self.cluster.find_account(account)?;
        self.add(owner, mint, expected, found.map_or(0, |account| account.amount));
        Ok(())
    }

    fn people(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        for role in HOLDERS {
            self.add_account(
                role.to_string(),
                Mint::Dollars,
                ledger.dollars[&role],
                &places.dollars_of(role),
            )?;
        }
        for role in HOLDERS {
            self.add_account(
                role.to_string(),
                Mint::Tokens,
                ledger.tokens[&role],
                &places.tokens_of(role),
            )?;
        }
        Ok(())
    }

    fn vaults(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        use Mint::{Dollars, Tokens};
        for (owner, mint, expected, account) in [
            (
                "offering: payment vault",
                Dollars,
                ledger.offering.dollars,
                at::model_token::payment_vault(&places.offering),
            ),
            (
                "offering: token vault",
                Tokens,
                ledger.offering.tokens,
                at::model_token::token_vault(&places.offering),
            ),
            (
                "pool: revenue vault",
                Dollars,
                ledger.pool.dollars,
                at::yield_distributor::revenue_vault(&places.pool),
            ),
            (
                "pool: stake vault",
                Tokens,
                ledger.pool.tokens,
                at::yield_distributor::stake_vault(&places.pool),
            ),
            (
                "escrow: vault",
                Dollars,
                ledger.escrow.dollars,
                at::revenue_escrow::vault_tokens(&places.model),
            ),
            (
                "oracle: stake vault",
                Dollars,
                ledger.stakes.dollars,
                at::opml_oracle::stake_tokens(&places.dollars),
            ),
        ] {
            self.add_account(owner, mint, expected, &account)?;
        }
        let mint: anchor_spl::token_interface::Mint = self.cluster.account(&places.token)?;
        self.add("token: supply", Tokens, ledger.pool.supply, mint.supply);
        Ok(())
    }

    fn offering(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        let offering: Offering = self.cluster.account(&places.offering)?;
        let expected = &ledger.offering;
        self.add(
            "offering: committed",
            Mint::Dollars,
            expected.committed,
            offering.committed_units,
        );
        self.add(
            "offering: accepted",
            Mint::Dollars,
            expected.accepted,
            offering.accepted_units,
        );
        self.add(
            "offering: refunded",
            Mint::Dollars,
            expected.refunded,
            offering.refunded_units,
        );
        self.add(
            "offering: proceeds withdrawn",
            Mint::Dollars,
            expected.accepted,
            offering.proceeds_paid_units,
        );
        self.add(
            "offering: tokens claimed",
            Mint::Tokens,
            expected.claimed_tokens,
            offering.claimed_tokens_units,
        );
        Ok(())
    }

    fn escrow(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        let expected = &ledger.escrow;
        let vault: ModelVault = self.cluster.account(&places.vault)?;
        let credit: Credit = self.cluster.account(&places.credit)?;
        self.add("escrow: owed", Mint::Dollars, expected.dollars, vault.owed_units);
        self.add(
            "credit: available",
            Mint::Dollars,
            expected.available,
            credit.available_units,
        );
        self.add(
            "credit: withdrawing",
            Mint::Dollars,
            expected.withdrawing,
            credit.withdrawing_units,
        );
        self.add(
            "credit: reserved",
            Mint::Dollars,
            expected.lanes.values().sum(),
            credit.reserved_units,
        );
        for operator in OPERATORS {
            let lane: Lane = self.cluster.account(&places.lane(operator))?;
            let left = expected.lanes.get(&operator).copied().unwrap_or(0);
            self.add(
                format!("lane to {operator}: reserved"),
                Mint::Dollars,
                left,
                lane.reserved_units,
            );
        }
        for role in [Role::OperatorA, Role::OperatorB, Role::Developer, Role::Treasury] {
            let earnings = at::revenue_escrow::earnings(&places.vault, &role.address());
            let earnings: Option<Earnings> = self.cluster.find_account(&earnings)?;
            let owed = expected.earnings.get(&role).copied().unwrap_or(0);
            let actual = earnings.map_or(0, |earnings| earnings.owed_units);
            self.add(format!("earnings of {role}"), Mint::Dollars, owed, actual);
        }
        Ok(())
    }

    fn stakes(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        let expected = &ledger.stakes;
        let vault: StakeVault = self.cluster.account(&places.stake_vault)?;
        self.add("oracle: owed", Mint::Dollars, expected.dollars, vault.owed_units);
        self.add(
            "oracle: insurance",
            Mint::Dollars,
            expected.insurance,
            vault.insurance_units,
        );
        for role in OPERATORS {
            let operator: Operator = self.cluster.account(&places.operator(role))?;
            let stake = expected.operators.get(&role).copied().unwrap_or(0);
            self.add(format!("stake of {role}"), Mint::Dollars, stake, operator.stake_units);
            self.add(
                format!("stake of {role}: locked"),
                Mint::Dollars,
                0,
                operator.locked_units,
            );
        }
        Ok(())
    }

    fn history(&mut self, ledger: &Ledger, history: &History) {
        let History {
            committed,
            accepted,
            revenue,
            pending,
            refunded,
            claimed,
            slashed,
            answers: _,
        } = *history;
        let sold = terms::QUESTIONS as u64 * terms::PRICE;
        let yielded: u64 = ledger.yielded.values().sum();
        for (owner, expected, actual) in [
            ("index: committed", ledger.offering.committed, committed),
            ("index: accepted", ledger.offering.accepted, accepted),
            ("index: final revenue", sold, revenue),
            ("index: pending revenue", 0, pending),
            ("index: refunded", sold, refunded),
            ("index: yield claimed", yielded, claimed),
            ("index: slashed of operator B", terms::BOND, slashed),
        ] {
            self.add(owner, Mint::Dollars, expected, actual);
        }
    }

    fn pool(&mut self, places: &Places, ledger: &Ledger) -> anyhow::Result<()> {
        let expected = &ledger.pool;
        let pool: Pool = self.cluster.account(&places.pool)?;
        self.add("pool: yield owed", Mint::Dollars, expected.owed, pool.owed_units);
        self.add("pool: redeemable", Mint::Dollars, expected.redeem, pool.redeem_units);
        self.add("pool: staked", Mint::Tokens, expected.tokens, pool.staked_units);
        self.add("pool: earning", Mint::Tokens, expected.tokens, pool.active_units);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(actual: u64) -> Report {
        let balance = Balance {
            owner: "watcher".into(),
            mint: Mint::Dollars,
            expected: 1_500_000,
            actual,
        };
        Report {
            steps: Vec::new(),
            balances: vec![balance],
            dispute: DisputeFigures::default(),
        }
    }

    fn printed(report: &Report) -> String {
        let mut out = Vec::new();
        report.print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn given_the_chain_as_expected_when_reported_then_all_is_well() {
        assert!(report(1_500_000).agrees());
        assert!(printed(&report(1_500_000)).contains("All 1 balances are as they must be."));
    }

    #[test]
    fn given_one_unit_too_much_when_reported_then_it_differs() {
        assert!(!report(1_500_001).agrees());
        assert!(printed(&report(1_500_001)).contains("differs\n\n1 of 1 balances differ."));
    }

    #[test]
    fn given_a_report_when_written_as_json_then_the_documented_names() {
        let shown = serde_json::to_value(report(7)).unwrap();
        let balance = serde_json::json!({"owner": "watcher", "mint": "USDC", "expected": 1_500_000, "actual": 7});
        let dispute = serde_json::json!({"operator_moves": 0, "transactions": 0, "compute_units": 0, "bytes": 0});
        assert_eq!(
            shown,
            serde_json::json!({"steps": [], "balances": [balance], "dispute": dispute})
        );
    }
}
