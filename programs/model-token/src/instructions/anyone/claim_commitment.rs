use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token::{Mint as PaymentMint, Token, TokenAccount as PaymentAccount},
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked, transfer_checked},
};

use crate::{
    errors::ModelTokenError,
    events::CommitmentClaimed,
    math::allocation::{Allocation, allocate},
    state::{
        COMMITMENT_SEED, Commitment, MINT_SEED, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED,
        TOKEN_VAULT_SEED,
    },
};

/// Pays what became of one commitment to the investor's own associated accounts, and closes it. Anyone may, after the settlement:
/// the caller pays for accounts that are missing, the commitment's rent goes back to who paid it. A success pays tokens and the
/// excess and needs the three token accounts; a failure pays everything back and has none of them.
#[derive(Accounts)]
pub struct ClaimCommitment<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    /// CHECK: only receives; its address is the commitment's.
    #[account(address = commitment.investor @ ModelTokenError::WrongInvestor)]
    pub investor: UncheckedAccount<'info>,
    /// CHECK: only receives lamports; its address is the commitment's.
    #[account(mut, address = commitment.rent_payer @ ModelTokenError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, offering.model.as_ref()],
        bump = offering.bump,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), commitment.investor.as_ref()],
        bump = commitment.bump,
        has_one = offering @ ModelTokenError::WrongOffering,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
    pub payment_mint: Box<Account<'info, PaymentMint>>,
    #[account(
        mut,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump = offering.payment_vault_bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = payment_token_program,
    )]
    pub payment_vault: Box<Account<'info, PaymentAccount>>,
    // An associated account holds nothing that a second initialisation could reset.
    #[account(
        init_if_needed,
        payer = payer,
        associated_token::mint = payment_mint,
        associated_token::authority = investor,
        associated_token::token_program = payment_token_program,
    )]
    pub investor_payment: Box<Account<'info, PaymentAccount>>,
    #[account(
        seeds = [MINT_SEED, offering.model.as_ref()],
        bump = offering.mint_bump,
        mint::token_program = token_program,
    )]
    pub mint: Option<Box<InterfaceAccount<'info, Mint>>>,
    #[account(
        mut,
        seeds = [TOKEN_VAULT_SEED, offering.key().as_ref()],
        bump = offering.token_vault_bump,
        token::mint = mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub token_vault: Option<Box<InterfaceAccount<'info, TokenAccount>>>,
    // As above.
    #[account(
        init_if_needed,
        payer = payer,
        associated_token::mint = mint,
        associated_token::authority = investor,
        associated_token::token_program = token_program,
    )]
    pub investor_tokens: Option<Box<InterfaceAccount<'info, TokenAccount>>>,
    pub payment_token_program: Program<'info, Token>,
    pub token_program: Program<'info, Token2022>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

impl ClaimCommitment<'_> {
    /// Returns what the commitment becomes.
    fn validate(&self) -> Result<Allocation> {
        let commitment_units = self.commitment.amount_units;
        match self.offering.status {
            OfferingStatus::Open => err!(ModelTokenError::OfferingNotSettled),
            OfferingStatus::Failed => Ok(Allocation {
                tokens_units: 0,
                excess_units: commitment_units,
            }),
            OfferingStatus::Succeeded => allocate(
                commitment_units,
                self.offering.committed_units,
                self.offering.accepted_units,
                self.offering.supply_units,
            )
            .ok_or(error!(ModelTokenError::ArithmeticOverflow)),
        }
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let Allocation {
            tokens_units,
            excess_units,
        } = ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        accounts.pay_excess(excess_units)?;
        if accounts.offering.status == OfferingStatus::Succeeded {
            accounts.pay_tokens(tokens_units)?;
        }
        let offering = &mut accounts.offering;
        offering.commitment_count = offering
            .commitment_count
            .checked_sub(1)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        emit!(CommitmentClaimed {
            offering: offering.key(),
            investor: accounts.commitment.investor,
            commitment_units: accounts.commitment.amount_units,
            tokens_units,
            refunded_units: excess_units,
        });
        Ok(())
    }

    fn pay_excess(&mut self, units: u64) -> Result<()> {
        let offering = &mut self.offering;
        offering.refunded_units = offering
            .refunded_units
            .checked_add(units)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        transfer_checked(
            CpiContext::new_with_signer(
                self.payment_token_program.key(),
                TransferChecked {
                    from: self.payment_vault.to_account_info(),
                    mint: self.payment_mint.to_account_info(),
                    to: self.investor_payment.to_account_info(),
                    authority: offering.to_account_info(),
                },
                &[&[OFFERING_SEED, offering.model.as_ref(), &[offering.bump]]],
            ),
            units,
            self.payment_mint.decimals,
        )?;
        self.payment_vault.reload()?;
        require!(
            self.payment_vault.amount >= offering.payment_owed_units()?,
            ModelTokenError::VaultShort
        );
        Ok(())
    }

    fn pay_tokens(&mut self, units: u64) -> Result<()> {
        let (Some(mint), Some(vault), Some(recipient)) = (&self.mint, &mut self.token_vault, &self.investor_tokens)
        else {
            return err!(ModelTokenError::TokenAccountsMissing);
        };
        let offering = &mut self.offering;
        offering.claimed_tokens_units = offering
            .claimed_tokens_units
            .checked_add(units)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        transfer_checked(
            CpiContext::new_with_signer(
                self.token_program.key(),
                TransferChecked {
                    from: vault.to_account_info(),
                    mint: mint.to_account_info(),
                    to: recipient.to_account_info(),
                    authority: offering.to_account_info(),
                },
                &[&[OFFERING_SEED, offering.model.as_ref(), &[offering.bump]]],
            ),
            units,
            mint.decimals,
        )?;
        vault.reload()?;
        require!(
            vault.amount >= offering.tokens_owed_units()?,
            ModelTokenError::VaultShort
        );
        Ok(())
    }
}
