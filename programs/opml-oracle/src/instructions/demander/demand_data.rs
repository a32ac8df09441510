use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DataDemanded,
    instructions::tokens::pay_in,
    math::data_fee::data_fee_units,
    state::{INQUIRY_SEED, Inquiry, REPORT_SEED, Report, STAKE_VAULT_SEED, StakeVault},
};

/// Demands what is below a node of the inquiry's tree, and pays for the bytes of the answer. The payment waits in the vault until the report ends: it is the
/// operator's when the report becomes final, and comes back when it is rejected.
///
/// The demander may while the report can be disputed. Refuses while another demand of the inquiry waits for its answer, a place without a real node, and a node
/// that its path leads neither to the root nor to one of the nodes that were shown last.
#[derive(Accounts)]
pub struct DemandData<'info> {
    pub demander: Signer<'info>,
    #[account(
        mut,
        constraint = demander_tokens.mint == mint.key() @ OracleError::WrongMint,
        constraint = demander_tokens.owner == demander.key() @ OracleError::NotTheTokenAuthority,
    )]
    pub demander_tokens: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        has_one = demander @ OracleError::NotTheDemander,
        has_one = report @ OracleError::WrongReport,
        has_one = mint @ OracleError::WrongMint,
        seeds = [INQUIRY_SEED, inquiry.report.as_ref(), inquiry.demander.as_ref(), &inquiry.nonce.to_le_bytes()],
        bump = inquiry.bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        has_one = stake_tokens,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(mut, token::mint = mint, token::authority = stake_vault)]
    pub stake_tokens: Box<Account<'info, TokenAccount>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl DemandData<'_> {
    fn validate(&self, now: &Now) -> Result<()> {
        self.report.require_disputable(now)
    }

    pub fn handle(ctx: Context<Self>, level: u8, index: u32, hash: [u8; 32], path: Vec<[u8; 32]>) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now)?;
        let accounts = ctx.accounts;
        let inquiry = &mut accounts.inquiry;
        let report = &mut accounts.report;
        let terms = &report.terms;

        let (root, geometry) = (inquiry.root, inquiry.geometry);
        let form = inquiry
            .game
            .demand(
                &now,
                terms.response_slots,
                &root,
                &geometry,
                (level, index, hash),
                &path,
            )
            .map_err(OracleError::from)?;
        let answer_bytes = form.byte_len();
        let fee_units = data_fee_units(terms.byte_fee_units, answer_bytes).ok_or(OracleError::AmountOverflow)?;
        inquiry.fees_units = inquiry
            .fees_units
            .checked_add(fee_units)
            .ok_or(OracleError::AmountOverflow)?;
        report.begin_demand()?;
        pay_in(
            &mut accounts.stake_vault,
            &accounts.stake_tokens,
            &accounts.mint,
            &accounts.token_program,
            &accounts.demander_tokens,
            &accounts.demander,
            fee_units,
        )?;
        let deadline = inquiry.game.pending.ok_or(OracleError::Inconsistent)?.deadline;
        emit!(DataDemanded {
            inquiry: inquiry.key(),
            report: report.key(),
            operator: report.operator,
            level,
            index,
            hash,
            answer_bytes,
            fee_units,
            due_slot: deadline.due_slot,
            due_unix: deadline.due_unix,
        });
        Ok(())
    }
}
