use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::AuditFundCreated,
    state::{AUDIT_FUND_SEED, AUDIT_TOKENS_SEED, AuditFund},
};

/// Creates the fund that random audits in one mint are paid from. Afterwards anyone adds to it by a transfer to its token account.
///
/// Anyone may. Refuses a mint that the protocol does not list, and a second fund.
#[derive(Accounts)]
pub struct CreateAuditFund<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(
        init,
        payer = payer,
        space = AuditFund::DISCRIMINATOR.len() + AuditFund::INIT_SPACE,
        seeds = [AUDIT_FUND_SEED, mint.key().as_ref()],
        bump,
    )]
    pub audit_fund: Box<Account<'info, AuditFund>>,
    #[account(
        init,
        payer = payer,
        seeds = [AUDIT_TOKENS_SEED, mint.key().as_ref()],
        bump,
        token::mint = mint,
        token::authority = audit_fund,
        token::token_program = token_program,
    )]
    pub audit_tokens: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl CreateAuditFund<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.protocol.allowed_payment_mints().contains(&self.mint.key()),
            OracleError::MintNotAllowed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let mint = ctx.accounts.mint.key();
        ctx.accounts.audit_fund.set_inner(AuditFund {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.audit_fund,
            mint,
            audit_tokens: ctx.accounts.audit_tokens.key(),
            owed_units: 0,
            reserved: [0; 64],
        });
        emit!(AuditFundCreated {
            audit_fund: ctx.accounts.audit_fund.key(),
            mint,
        });
        Ok(())
    }
}
