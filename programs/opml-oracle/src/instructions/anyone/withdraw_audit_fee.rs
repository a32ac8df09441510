use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{self, Mint, Token, TokenAccount, TransferChecked},
};

use crate::{
    errors::OracleError,
    events::AuditFeeWithdrawn,
    state::{AUDIT_ENTRY_SEED, AUDIT_FUND_SEED, AUDIT_SEED, Audit, AuditEntry, AuditFund},
};

/// Pays an entry of a settled audit and closes it; its rent goes to the auditor, who paid it.
///
/// Anyone may, to the auditor's associated token account (which the caller creates when it is not there); the auditor alone may name another account, for when that one is
/// frozen or no longer its own. With nothing to pay no account is needed. Refuses an audit that is not settled.
#[derive(Accounts)]
pub struct WithdrawAuditFee<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        mut,
        close = auditor,
        has_one = audit @ OracleError::WrongAudit,
        has_one = auditor @ OracleError::WrongRentPayer,
        seeds = [AUDIT_ENTRY_SEED, entry.audit.as_ref(), entry.auditor.as_ref()],
        bump = entry.bump,
    )]
    pub entry: Box<Account<'info, AuditEntry>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub auditor: UncheckedAccount<'info>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        has_one = audit_tokens @ OracleError::WrongMint,
        seeds = [AUDIT_FUND_SEED, audit_fund.mint.as_ref()],
        bump = audit_fund.bump,
    )]
    pub audit_fund: Box<Account<'info, AuditFund>>,
    #[account(mut, token::mint = mint, token::authority = audit_fund)]
    pub audit_tokens: Box<Account<'info, TokenAccount>>,
    #[account(mut, constraint = recipient.mint == mint.key() @ OracleError::WrongMint)]
    pub recipient: Option<Box<Account<'info, TokenAccount>>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawAuditFee<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        let Some(recipient) = &self.recipient else {
            require!(amount_units == 0, OracleError::RecipientMissing);
            return Ok(());
        };
        let auditor = self.entry.auditor;
        let associated = get_associated_token_address(&auditor, &self.audit.mint);
        require!(
            self.caller.key() == auditor || (recipient.key() == associated && recipient.owner == auditor),
            OracleError::RecipientNotAllowed
        );
        Ok(())
    }

    /// Pays what the fund has just stopped to owe, and checks that it still holds all that it owes then.
    fn transfer(&mut self, amount_units: u64) -> Result<()> {
        let Some(recipient) = &self.recipient else {
            return Ok(());
        };
        let bump = [self.audit_fund.bump];
        let seeds: &[&[u8]] = &[AUDIT_FUND_SEED, self.audit_fund.mint.as_ref(), &bump];
        token::transfer_checked(
            CpiContext::new_with_signer(
                self.token_program.key(),
                TransferChecked {
                    from: self.audit_tokens.to_account_info(),
                    mint: self.mint.to_account_info(),
                    to: recipient.to_account_info(),
                    authority: self.audit_fund.to_account_info(),
                },
                &[seeds],
            ),
            amount_units,
            self.mint.decimals,
        )?;
        self.audit_tokens.reload()?;
        require!(
            self.audit_tokens.amount >= self.audit_fund.owed_units,
            OracleError::VaultShort
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_units = accounts.audit.pay(&accounts.entry, &mut accounts.audit_fund)?;
        accounts.validate(amount_units)?;
        if amount_units > 0 {
            accounts.transfer(amount_units)?;
        }
        emit!(AuditFeeWithdrawn {
            audit: accounts.audit.key(),
            auditor: accounts.entry.auditor,
            amount_units,
        });
        Ok(())
    }
}
