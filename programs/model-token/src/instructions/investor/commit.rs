use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::Committed,
    state::{
        COMMITMENT_SEED, Commitment, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, PROTOCOL_SEED,
        Protocol,
    },
};

/// Puts money into an offering, or more of it. The investor may, from the opening until the close; refused while the protocol is
/// paused.
#[derive(Accounts)]
pub struct Commit<'info> {
    pub investor: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, offering.model.as_ref()],
        bump = offering.bump,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    pub payment_mint: Box<Account<'info, Mint>>,
    // A second commitment adds to the first: the handler writes the identity only while the version is still zero.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + Commitment::INIT_SPACE,
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), investor.key().as_ref()],
        bump,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
    #[account(mut, token::mint = payment_mint, token::authority = investor, token::token_program = token_program)]
    pub investor_payment: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump = offering.payment_vault_bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub payment_vault: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl Commit<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        let now_unix = Clock::get()?.unix_timestamp;
        self.protocol.require_not_paused(now_unix)?;
        require!(
            self.offering.status == OfferingStatus::Open,
            ModelTokenError::OfferingClosed
        );
        require!(
            now_unix >= self.offering.opens_unix,
            ModelTokenError::OfferingNotOpenYet
        );
        require!(now_unix < self.offering.closes_unix, ModelTokenError::OfferingClosed);
        require!(amount_units > 0, ModelTokenError::CommitmentIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let offering = &mut accounts.offering;
        let commitment = &mut accounts.commitment;
        if commitment.version == 0 {
            commitment.set_inner(Commitment {
                version: ACCOUNT_VERSION,
                bump: ctx.bumps.commitment,
                offering: offering.key(),
                investor: accounts.investor.key(),
                amount_units: 0,
                rent_payer: accounts.payer.key(),
                reserved: [0; 16],
            });
            offering.commitment_count = offering.commitment_count.checked_add(1).ok_or(overflow)?;
        }
        commitment.amount_units = commitment.amount_units.checked_add(amount_units).ok_or(overflow)?;
        offering.committed_units = offering.committed_units.checked_add(amount_units).ok_or(overflow)?;
        transfer_checked(
            CpiContext::new(
                accounts.token_program.key(),
                TransferChecked {
                    from: accounts.investor_payment.to_account_info(),
                    mint: accounts.payment_mint.to_account_info(),
                    to: accounts.payment_vault.to_account_info(),
                    authority: accounts.investor.to_account_info(),
                },
            ),
            amount_units,
            accounts.payment_mint.decimals,
        )?;
        accounts.payment_vault.reload()?;
        require!(
            accounts.payment_vault.amount >= offering.payment_owed_units()?,
            ModelTokenError::VaultShort
        );
        emit!(Committed {
            offering: offering.key(),
            investor: commitment.investor,
            amount_units,
            commitment_units: commitment.amount_units,
            committed_units: offering.committed_units,
        });
        Ok(())
    }
}
