//! The rejected report's money goes back, the final report's goes out, and everything that is over is closed.

use imo_client::{addresses as at, instructions as send};
use imo_protocol::{Bucket, Collection};
use model_token::state::Protocol;
use opml_oracle::state::{Report, Trace};
use send::{revenue_escrow::SplitReport, yield_distributor::due_marks};
use yield_distributor::state::{Pool, Position};

use super::{Story, launch::VERSION, usage::Answers};
use crate::{
    demo::{
        cast::{INVESTORS, OPERATORS, Role},
        terms,
    },
    format,
};

impl Story<'_> {
    pub fn payouts(&mut self, answers: &Answers) -> anyhow::Result<()> {
        self.stage.chapter("The payer is refunded what operator B collected");
        self.refund()?;
        self.stage.chapter("An hour later operator A's report is final");
        self.finalise()?;
        self.stage.chapter("Everybody takes what is owed");
        self.claim_yield()?;
        self.withdraw_earnings()?;
        self.redeem()?;
        self.leave()?;
        self.stage.chapter("What is over is closed, and its rent goes back");
        self.close(answers)
    }

    fn refund(&mut self) -> anyhow::Result<()> {
        let collection: Collection = self.stage.cluster.account(&self.places.collection(Role::OperatorB))?;
        let refund = send::revenue_escrow::refund(&collection);
        self.stage.act(
            Role::Passerby,
            "gives the collection back to the payer's credit",
            &[refund],
        )?;
        self.ledger.refund(Role::OperatorB);
        Ok(())
    }

    fn finalise(&mut self) -> anyhow::Result<()> {
        let places = self.places;
        let operator = Role::OperatorA;
        self.stage.cluster.advance(terms::TERMS.window_slots)?;
        let report: Report = self.stage.cluster.account(&places.report(operator))?;
        let finalise = send::opml_oracle::finalise_report(&report);
        self.stage
            .act(Role::Passerby, "makes operator A's report final", &[finalise])?;

        let protocol: Protocol = self.stage.cluster.account(&at::model_token::protocol())?;
        let pool: Pool = self.stage.cluster.account(&places.pool)?;
        let split = send::revenue_escrow::split(SplitReport {
            rent_payer: Role::Passerby.address(),
            report: places.report(operator),
            operator: places.operator(operator),
            operator_authority: operator.address(),
            model: places.model,
            developer: Role::Developer.address(),
            model_version: at::model_token::model_version(&places.model, VERSION),
            treasury: protocol.treasury,
            mint: places.dollars,
            due_marks: due_marks(&pool, self.epoch()?),
        });
        self.stage.act(Role::Passerby, "splits its revenue", &[split])?;
        self.ledger.split(operator);
        Ok(())
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
        for role in [Role::OperatorA, Role::Developer, Role::Treasury] {
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

    fn close(&mut self, answers: &Answers) -> anyhow::Result<()> {
        let places = self.places;
        for operator in OPERATORS {
            let report_address = places.report(operator);
            let report: Report = self.stage.cluster.account(&report_address)?;
            let bucket: Bucket = self
                .stage
                .cluster
                .account(&at::revenue_escrow::bucket(&report_address))?;
            let mut closing = Vec::new();
            let collection: Option<Collection> = self.stage.cluster.find_account(&places.collection(operator))?;
            closing.extend(collection.as_ref().map(send::revenue_escrow::close_collection));
            for answered in answers.of(operator) {
                let trace = at::opml_oracle::trace(&report_address, &answered.receipt.claim.claim_hash());
                let trace: Option<Trace> = self.stage.cluster.find_account(&trace)?;
                closing.extend(trace.as_ref().map(send::opml_oracle::close_trace));
            }
            closing.push(send::revenue_escrow::close_bucket(&bucket));
            closing.push(send::opml_oracle::close_report(&report));
            self.stage.act(
                Role::Passerby,
                format!("closes what belongs to {operator}'s report"),
                &closing,
            )?;
        }
        Ok(())
    }
}
