//! The rejected report's money goes back, the final report's goes out, and everything that is over is closed.

use imo_client::{addresses as at, instructions as send};
use opml_oracle::state::Report;
use yield_distributor::state::{Pool, Position};

use super::Story;
use crate::{
    demo::{
        cast::{INVESTORS, Role},
        terms,
    },
    format,
};

impl Story<'_> {
    pub fn payouts(&mut self) -> anyhow::Result<()> {
        self.stage.chapter("The payer is refunded what operator B collected");
        self.wait_until_closed(Role::OperatorB)?;
        self.ledger.refund(Role::OperatorB);
        self.stage.chapter("An hour later operator A's report is final");
        self.wait_for_checks()?;
        self.stage.cluster.advance(terms::TERMS.window_slots)?;
        self.wait_until_closed(Role::OperatorA)?;
        self.ledger.split(Role::OperatorA);
        // Its node takes the earnings of each report at once.
        self.ledger.withdraw_earnings(Role::OperatorA);
        self.stage.chapter("Everybody takes what is owed");
        self.claim_yield()?;
        self.withdraw_earnings()?;
        self.redeem()?;
        self.leave()?;
        self.stage.dismiss()?;
        self.stop.cancel();
        Ok(())
    }

    /// What belongs to an operator's report is paid and closed by its node, and rent goes back.
    fn wait_until_closed(&mut self, operator: Role) -> anyhow::Result<()> {
        let report = self.places.report(operator);
        self.stage.wait("a report is closed", |cluster| {
            Ok(cluster.find_account::<Report>(&report)?.is_none())
        })
    }

    fn claim_yield(&mut self) -> anyhow::Result<()> {
        for investor in INVESTORS.into_iter().take(terms::STAKES.len()) {
            let pool: Pool = self.stage.cluster.account(&self.places.pool)?;
            let position = at::yield_distributor::position(&self.places.pool, &investor.address());
            let position: Position = self.stage.cluster.account(&position)?;
            let claim = send::yield_distributor::claim(investor.address(), &pool, &position);
            self.stage.act(investor, "claims the yield of its stake", &[claim])?;
            self.ledger.claim_yield(investor);
        }
        Ok(())
    }

    fn withdraw_earnings(&mut self) -> anyhow::Result<()> {
        let places = self.places;
        for role in [Role::Developer, Role::Treasury] {
            let withdraw = send::revenue_escrow::withdraw_earnings(
                Role::Passerby.address(),
                places.model,
                role.address(),
                places.dollars,
            );
            self.stage
                .act(Role::Passerby, format!("pays out the earnings of {role}"), &[withdraw])?;
            self.ledger.withdraw_earnings(role);
        }
        Ok(())
    }

    fn redeem(&mut self) -> anyhow::Result<()> {
        let investor = Role::InvestorThree;
        let pool: Pool = self.stage.cluster.account(&self.places.pool)?;
        let redeem = send::yield_distributor::redeem(investor.address(), investor.address(), &pool, terms::REDEEMED);
        let action = format!("burns {} tokens", format::units(terms::REDEEMED));
        self.stage.act(investor, action, &[redeem])?;
        self.ledger.redeem(investor, terms::REDEEMED);
        Ok(())
    }

    /// The payer takes out what is not set aside for an operator.
    fn leave(&mut self) -> anyhow::Result<()> {
        let payer = Role::Payer.address();
        let places = self.places;
        let units = self.ledger.escrow.available;
        let request = send::revenue_escrow::request_withdraw(payer, places.model, units);
        self.stage.act(
            Role::Payer,
            format!("gives notice to take out {}", format::units(units)),
            &[request],
        )?;
        self.ledger.request_withdraw(units);
        self.stage.cluster.advance(terms::TERMS.notice_slots)?;
        let destination = places.dollars_of(Role::Payer);
        let withdraw = send::revenue_escrow::withdraw_credit(payer, places.model, places.dollars, destination);
        self.stage
            .act(Role::Payer, "takes it out two hours later", &[withdraw])?;
        self.ledger.withdraw();
        Ok(())
    }
}
