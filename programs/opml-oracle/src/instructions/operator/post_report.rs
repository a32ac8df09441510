use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::{Appointment, Model, ModelVersion};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::ReportPosted,
    math::bond::max_collect_units,
    state::{Operator, REPORT_SEED, Report, ReportStatus},
};

/// Opens a report on one version of a model for one period, and locks the bond that answers for it.
///
/// The operator's authority may, also while the protocol is paused: what was earned must stay collectable. Refuses while the operator is jailed, a version that was never
/// live, another mint than the model's, a bond below the least one or above the free stake, and an operator whom the model's list does not admit: without an
/// appointment, or dismissed, and the notice over. What is posted stays posted.
#[derive(Accounts)]
pub struct PostReport<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    // Operators, models and versions are made at their own addresses and nowhere else, so that owner and discriminator say as much as the seeds would: in an
    // instruction that every report pays for, these are not derived once more.
    #[account(mut, has_one = authority @ OracleError::NotTheAuthority)]
    pub operator: Box<Account<'info, Operator>>,
    #[account(address = model_version.model @ OracleError::WrongModelVersion)]
    pub model: Box<Account<'info, Model>>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        init,
        payer = payer,
        space = Report::DISCRIMINATOR.len() + Report::INIT_SPACE,
        seeds = [REPORT_SEED, operator.key().as_ref(), &operator.next_sequence.to_le_bytes()],
        bump,
    )]
    pub report: Box<Account<'info, Report>>,
    pub system_program: Program<'info, System>,
    /// The operator's own, where the model has a list. There is one for each model and authority, and it names both.
    #[account(
        has_one = model @ OracleError::NotAppointed,
        constraint = appointment.operator_authority == authority.key() @ OracleError::NotAppointed,
    )]
    pub appointment: Option<Box<Account<'info, Appointment>>>,
}

impl PostReport<'_> {
    fn validate(&self, now: &Now, bond_units: u64, period_start_unix: i64, period_end_unix: i64) -> Result<()> {
        self.operator.require_not_jailed(now)?;
        require!(self.model_version.was_live(), OracleError::VersionNeverLive);
        require_keys_eq!(
            self.model.payment_mint,
            self.operator.mint,
            OracleError::WrongOperatorMint
        );
        require!(period_start_unix < period_end_unix, OracleError::PeriodEmpty);
        require!(
            bond_units >= self.model_version.terms.min_bond_units,
            OracleError::BondTooSmall
        );
        let appointment = self.appointment.as_ref().map(|account| &***account);
        require!(self.model.admits_report(now, appointment), OracleError::NotAppointed);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, bond_units: u64, period_start_unix: i64, period_end_unix: i64) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts
            .validate(&now, bond_units, period_start_unix, period_end_unix)?;
        let accounts = ctx.accounts;
        let version = &accounts.model_version;
        let operator = &mut accounts.operator;
        let sequence = operator.next_sequence;
        let max_collect_units =
            max_collect_units(bond_units, version.terms.bond_ratio_bps).ok_or(OracleError::AmountOverflow)?;

        operator.lock(bond_units)?;
        operator.open_report()?;
        operator.next_sequence = sequence.checked_add(1).ok_or(OracleError::CountOverflow)?;
        accounts.report.set_inner(Report {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.report,
            operator: operator.key(),
            model: accounts.model.key(),
            model_version: version.key(),
            version_number: version.number,
            model_root: version.model_root,
            node_count: version.node_count,
            mint: operator.mint,
            sequence,
            generation: operator.generation,
            status: ReportStatus::Open,
            period_start_unix,
            period_end_unix,
            bond_units,
            max_collect_units,
            seal_by: Deadline::after(&now, version.terms.seal_slots),
            window: Deadline::default(),
            disputes_opened: 0,
            disputes_settled: 0,
            share_paid: false,
            slashed_units: 0,
            costs_paid_units: 0,
            open_traces: 0,
            terms: version.terms,
            rent_payer: accounts.payer.key(),
            open_inquiries: 0,
            demands_made: 0,
            demands_pending: 0,
            audits_drawn: 0,
            open_audits: 0,
            reserved: [0; 60],
        });
        emit!(ReportPosted {
            report: accounts.report.key(),
            operator: operator.key(),
            model: accounts.model.key(),
            version_number: version.number,
            sequence,
            bond_units,
            max_collect_units,
            period_start_unix,
            period_end_unix,
        });
        Ok(())
    }
}
