use anchor_lang::prelude::*;
use imo_protocol::Now;
use opml::{Verdict, referee};

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    instructions::verdict::reject_report,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, Witness},
};

/// Has the referee recompute one element of the revealed tile from the witness. When it differs, or the model turns out malformed, the dispute is proven and
/// the report rejected; when the report is rejected already, the dispute is proven all the same.
///
/// The challenger may. Refuses an element that is correct, and a witness that is another dispute's or not committed to: nothing changes then, and the challenger may try
/// another element in its time.
#[derive(Accounts)]
pub struct Prove<'info> {
    pub challenger: Signer<'info>,
    #[account(
        mut,
        has_one = challenger @ OracleError::NotTheChallenger,
        has_one = report @ OracleError::WrongReport,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        has_one = dispute @ OracleError::WrongWitness,
        has_one = challenger @ OracleError::WrongWitness,
    )]
    pub witness: Box<Account<'info, Witness>>,
}

impl Prove<'_> {
    fn judge(&self, element: u32) -> Result<Verdict> {
        let info = self.witness.to_account_info();
        let data = info.try_borrow_data()?;
        let witness = Witness::bytes(&data).ok_or(OracleError::WitnessTruncated)?;
        let game = &self.dispute.game;
        let verdict = referee::check(
            &self.dispute.claim(self.report.model_root),
            &game.trace_root,
            game.node_index,
            game.cursor.first,
            &game.tile,
            element,
            witness,
        )
        .map_err(OracleError::from)?;
        Ok(verdict)
    }

    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], element: u32) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        accounts
            .dispute
            .game
            .require_provable(&now, &expected_digest)
            .map_err(OracleError::from)?;
        match accounts.judge(element)? {
            Verdict::Wrong { expected: _, found: _ } | Verdict::MalformedModel(_) => {}
            Verdict::Correct => return err!(OracleError::ElementIsCorrect),
        }
        accounts
            .dispute
            .game
            .prove(&now, &expected_digest, element)
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(&accounts.dispute, Move::Prove));
        reject_report(
            &accounts.dispute,
            &mut accounts.report,
            &mut accounts.operator,
            &now,
            false,
        )
    }
}
