use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint as PaymentMint, Token, TokenAccount as PaymentAccount},
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};

use crate::{
    errors::ModelTokenError,
    events::CommitmentClaimed,
    math::allocation::{Allocation, allocate},
    payment_vault::PaymentVault,
    state::{
        COMMITMENT_SEED, Commitment, MINT_SEED, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED,
        TOKEN_VAULT_SEED,
    },
    token_vault::TokenVault,
};

/// Pays what became of one commitment to the investor's own associated accounts: the excess, and the tokens that are free at once. Anyone may, after the
/// settlement, once; clients make accounts that are missing in an instruction before. With tokens left that vest the commitment stays as their record,
/// otherwise it is closed and its rent goes back to who paid it. A success needs the three token accounts; a failure pays everything back and has none.
#[derive(Accounts)]
pub struct ClaimCommitment<'info> {
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
    #[account(
        mut,
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
    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = investor,
        associated_token::token_program = token_program,
    )]
    pub investor_tokens: Option<Box<InterfaceAccount<'info, TokenAccount>>>,
    pub payment_token_program: Program<'info, Token>,
    pub token_program: Program<'info, Token2022>,
}

/// What a claim books.
struct Claimed {
    immediate_units: u64,
    vesting_units: u64,
    excess_units: u64,
}

impl ClaimCommitment<'_> {
    fn validate(&self) -> Result<Claimed> {
        require!(!self.commitment.claimed, ModelTokenError::AlreadyClaimed);
        let commitment_units = self.commitment.amount_units;
        match self.offering.status {
            OfferingStatus::Open => err!(ModelTokenError::OfferingNotSettled),
            OfferingStatus::Failed => Ok(Claimed {
                immediate_units: 0,
                vesting_units: 0,
                excess_units: commitment_units,
            }),
            OfferingStatus::Succeeded => {
                let Allocation {
                    tokens_units,
                    excess_units,
                } = allocate(
                    commitment_units,
                    self.offering.committed_units,
                    self.offering.accepted_units,
                    self.offering.sale_units,
                )
                .ok_or(ModelTokenError::ArithmeticOverflow)?;
                let terms = &self.offering.buyer_vesting;
                Ok(Claimed {
                    immediate_units: terms.immediate_part(tokens_units)?,
                    vesting_units: terms.vesting_part(tokens_units)?,
                    excess_units,
                })
            }
        }
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let Claimed {
            immediate_units,
            vesting_units,
            excess_units,
        } = ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        accounts.pay_excess(excess_units)?;
        let offering = &mut accounts.offering;
        offering.commitment_count = offering.commitment_count.checked_sub(1).ok_or(overflow)?;
        offering.allotted_units = immediate_units
            .checked_add(vesting_units)
            .and_then(|units| units.checked_add(offering.allotted_units))
            .ok_or(overflow)?;
        offering.allotted_vesting_units = offering
            .allotted_vesting_units
            .checked_add(vesting_units)
            .ok_or(overflow)?;
        accounts.commitment.claimed = true;
        accounts.commitment.vesting_units = vesting_units;
        if accounts.offering.status == OfferingStatus::Succeeded {
            accounts.pay_tokens(immediate_units)?;
        }
        emit!(CommitmentClaimed {
            offering: accounts.offering.key(),
            investor: accounts.commitment.investor,
            commitment_units: accounts.commitment.amount_units,
            tokens_units: immediate_units,
            vesting_units,
            refunded_units: excess_units,
        });
        if vesting_units == 0 {
            accounts.commitment.close(accounts.rent_payer.to_account_info())?;
        }
        Ok(())
    }

    fn pay_excess(&mut self, units: u64) -> Result<()> {
        let offering = &mut self.offering;
        offering.refunded_units = offering
            .refunded_units
            .checked_add(units)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        PaymentVault {
            offering: &self.offering,
            mint: &self.payment_mint,
            vault: &mut self.payment_vault,
            token_program: &self.payment_token_program,
        }
        .pay(self.investor_payment.to_account_info(), units)
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
        TokenVault {
            offering: &self.offering,
            mint,
            vault,
            token_program: &self.token_program,
        }
        .pay(recipient.to_account_info(), units)
    }
}
