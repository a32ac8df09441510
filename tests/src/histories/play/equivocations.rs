//! Two answers to one question, shown outside any report.

use ::opml_oracle::state::Equivocation as EquivocationAccount;
use imo_client::instructions::opml_oracle;
use solana_signer::Signer;

use super::{Attempt, of};
use crate::{
    histories::{
        kinds::Kind,
        stage::{Stage, two_claims},
        step::Step,
    },
    world::{answer_key, sign_answer},
};

/// Questions that operators may be caught answering in two ways.
const QUESTIONS: u8 = 3;

impl Stage {
    pub(super) fn equivocate(&self, step: &Step) -> Option<Attempt> {
        let (who, other, mint, ledger) = (step.person(), step.other(), self.mint(), &self.ledger);
        let stranger = || self.stranger();
        let stranger_key = self.stranger().pubkey();
        Some(match step.kind {
            Kind::PunishEquivocation => {
                self.require_operator(who)?;
                let question = step.what % QUESTIONS;
                let challenger = self.keys.challengers[other].insecure_clone();
                let operator = self.operator_account(who);
                let answers = two_claims(question).map(|claim| sign_answer(operator, claim, &answer_key()));
                Attempt {
                    instructions: opml_oracle::punish_equivocation(challenger.pubkey(), mint, &answers).into(),
                    signer: challenger,
                    effect: Box::new(move |ledger| ledger.punish_equivocation(who, question, other)),
                    repeatable: true,
                }
            }
            Kind::SettleEquivocation | Kind::WithdrawReward | Kind::CloseEquivocation => {
                let shown: Vec<(usize, u8)> = ledger.equivocations.keys().copied().collect();
                let (operator, question) = shown[step.one_of(shown.len())?];
                let state: EquivocationAccount = self.world.read(&self.equivocation_account(operator, question));
                match step.kind {
                    Kind::SettleEquivocation => {
                        of(stranger(), opml_oracle::settle_equivocation(&state), move |ledger| {
                            ledger.settle_equivocation(operator, question)
                        })
                    }
                    Kind::WithdrawReward => of(
                        stranger(),
                        opml_oracle::withdraw_reward(stranger_key, &state),
                        move |ledger| ledger.withdraw_reward(operator, question),
                    ),
                    _ => of(stranger(), opml_oracle::close_equivocation(&state), move |ledger| {
                        ledger.close_equivocation(operator, question)
                    }),
                }
            }
            _ => return None,
        })
    }
}
