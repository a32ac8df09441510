//! A watcher recomputes everything, finds the lie, and proves it.

use anyhow::Context;
use imo_client::{
    addresses as at,
    challenge::audit::{self, Finding},
    instructions::opml_oracle::{self as send, Place},
};
use opml::hashv;
use opml_oracle::state::{Dispute, Report};
use opml_runtime::{Execution, execute};

use super::{
    DisputeFigures, Story,
    usage::{Answered, Answers},
};
use crate::demo::{
    cast::{OPERATORS, Role},
    driver::{self, Players},
};

/// The watcher's first dispute of the report.
const NONCE: u64 = 0;

/// A receipt that does not hold.
struct Wrong<'a> {
    operator: Role,
    index: u32,
    answered: &'a Answered,
    /// What the model gives.
    own: Box<Execution>,
}

impl Story<'_> {
    pub fn dispute(&mut self, answers: &Answers) -> anyhow::Result<DisputeFigures> {
        self.stage
            .chapter("A watcher recomputes every receipt on its own copy of the model");
        let wrong = self.audit(answers)?.context("The watcher found nothing wrong")?;
        self.stage.chapter("The dispute");
        let figures = self.prosecute(answers, &wrong)?;
        self.stage.chapter("The dispute is settled");
        self.settle_dispute(wrong.operator)?;
        Ok(figures)
    }

    fn audit<'a>(&self, answers: &'a Answers) -> anyhow::Result<Option<Wrong<'a>>> {
        let mut wrong = None;
        for operator in OPERATORS {
            for (index, answered) in (0..).zip(answers.of(operator)) {
                match audit::judge(execute(self.model, &answered.input)?, &answered.receipt) {
                    Finding::Correct => {}
                    Finding::NotComparable => anyhow::bail!("Receipt {index} of {operator} is about something else"),
                    Finding::WrongOutput(own) => {
                        let (claimed, truth) = (answered.answer.output().values(), own.output().values());
                        let what =
                            format_args!("{operator}'s receipt {index} says {claimed:?}, the model says {truth:?}");
                        self.stage.aside(Role::Watcher, what);
                        wrong.get_or_insert(Wrong {
                            operator,
                            index,
                            answered,
                            own,
                        });
                    }
                }
            }
            let count = answers.of(operator).len();
            self.stage
                .aside(Role::Watcher, format_args!("recomputed {count} receipts of {operator}"));
        }
        Ok(wrong)
    }

    fn prosecute(&mut self, answers: &Answers, wrong: &Wrong) -> anyhow::Result<DisputeFigures> {
        let Wrong {
            operator,
            index,
            answered,
            own,
        } = wrong;
        let watcher = Role::Watcher.address();
        let report_address = self.places.report(*operator);
        let dispute = at::opml_oracle::dispute(&report_address, &watcher, NONCE);
        let path = answers
            .receipts(*operator)?
            .path(*index)
            .context("The receipt is not in its tree")?;
        let place = Place {
            collection: self.places.collection(*operator),
            receipt_index: *index,
            salt: hashv(&[b"the watcher's secret"]),
            claim: answered.receipt.claim,
            receipt_salt: answered.receipt.salt,
            path,
        };
        let report: Report = self.stage.cluster.account(&report_address)?;
        let open = send::open_dispute(watcher, watcher, &report, NONCE, place.commitment(&dispute));
        let opening = self.stage.act(
            Role::Watcher,
            format!("opens a dispute on {operator}'s report, place secret"),
            &[open],
        )?;
        self.ledger.open_dispute();

        let players = Players {
            challenger: Role::Watcher,
            operator: *operator,
            model: self.model,
            own,
            place,
            answer: &answered.answer,
        };
        let figures = driver::play(&mut self.stage, &dispute, &players, &opening)?;
        self.ledger.slash(*operator, figures.challenger_moves);
        Ok(figures)
    }

    fn settle_dispute(&mut self, operator: Role) -> anyhow::Result<()> {
        let address = at::opml_oracle::dispute(&self.places.report(operator), &Role::Watcher.address(), NONCE);
        let dispute: Dispute = self.stage.cluster.account(&address)?;
        self.stage
            .act(Role::Passerby, "settles the dispute", &[send::settle_dispute(&dispute)])?;
        let dispute: Dispute = self.stage.cluster.account(&address)?;
        let withdraw = send::withdraw_payout(Role::Passerby.address(), &dispute);
        self.stage.act(
            Role::Passerby,
            "sends the watcher its bond, costs and share",
            &[withdraw],
        )?;
        self.ledger.withdraw_payout();
        Ok(())
    }
}
