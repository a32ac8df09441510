use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::Now;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::DisputeOpened,
    game::Game,
    instructions::tokens::pay_in,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, STAKE_VAULT_SEED, StakeVault},
};

/// Opens a dispute on a report, committing to a place in it without naming it.
///
/// Anyone may, with a bond and a fee of its own; the fee goes to the insurance pool for good. Refuses a report that is not sealed or has ended, and any dispute after the
/// window, whatever else is pending. A nonce cannot be used again while its dispute's account is there.
#[derive(Accounts)]
#[instruction(nonce: u64)]
pub struct OpenDispute<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub challenger: Signer<'info>,
    #[account(
        mut,
        constraint = challenger_tokens.mint == mint.key() @ OracleError::WrongMint,
        constraint = challenger_tokens.owner == challenger.key() @ OracleError::NotTheTokenAuthority,
    )]
    pub challenger_tokens: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        has_one = mint @ OracleError::WrongMint,
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
        init,
        payer = payer,
        space = Dispute::DISCRIMINATOR.len() + Dispute::INIT_SPACE,
        seeds = [DISPUTE_SEED, report.key().as_ref(), challenger.key().as_ref(), &nonce.to_le_bytes()],
        bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
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
    pub system_program: Program<'info, System>,
}

impl OpenDispute<'_> {
    fn validate(&self, now: &Now) -> Result<()> {
        self.report.require_disputable(now)
    }

    pub fn handle(ctx: Context<Self>, nonce: u64, commitment: [u8; 32]) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now)?;
        let accounts = ctx.accounts;
        let report = &mut accounts.report;
        let operator = &mut accounts.operator;
        let bond_units = report.terms.challenger_bond_units;
        let fee_units = report.terms.open_fee_units;

        let order = report.enter_dispute(operator)?;
        accounts.stake_vault.insure(fee_units)?;
        pay_in(
            &mut accounts.stake_vault,
            &accounts.stake_tokens,
            &accounts.mint,
            &accounts.token_program,
            &accounts.challenger_tokens,
            &accounts.challenger,
            bond_units.checked_add(fee_units).ok_or(OracleError::AmountOverflow)?,
        )?;

        let dispute = accounts.dispute.key();
        let challenger = accounts.challenger.key();
        accounts.dispute.set_inner(Dispute {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.dispute,
            report: report.key(),
            challenger,
            nonce,
            order,
            operator: operator.key(),
            mint: report.mint,
            commitment,
            collection: Pubkey::default(),
            receipt_index: 0,
            input_root: [0; 32],
            output_root: [0; 32],
            claim_hash: [0; 32],
            trace: Pubkey::default(),
            bond_units,
            settled: false,
            payout_units: 0,
            rent_payer: accounts.payer.key(),
            game: Game::open(&now, &report.terms, &dispute, order, &commitment, report.node_count),
            reserved: [0; 64],
        });
        emit!(DisputeOpened {
            dispute,
            report: report.key(),
            operator: operator.key(),
            challenger,
            nonce,
            order,
            bond_units,
            fee_units,
        });
        Ok(())
    }
}
