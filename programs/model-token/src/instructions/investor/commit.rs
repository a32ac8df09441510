use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::Committed,
    math::allowlist::{is_allowed, lesser_cap},
    state::{
        COMMITMENT_SEED, Commitment, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, PROTOCOL_SEED,
        Protocol,
    },
};

/// Where a wallet is on an offering's allow-list.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Its place.
    pub index: u32,
    /// The most that it may commit, in units of the payment mint; 0 for no cap of its own.
    pub cap_units: u64,
    /// The siblings from its leaf upwards.
    pub path: Vec<[u8; 32]>,
}

/// Puts money into an offering, or more of it. The investor may, from the opening until the tail; refused while the protocol is
/// paused, above the cap of a wallet, and to whom is not on the offering's list if it has one.
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
    /// Returns the most that the investor may have committed in all; 0 for no cap.
    fn validate(&self, amount_units: u64, allowance: Option<&Allowance>) -> Result<u64> {
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
        require!(!self.offering.is_in_tail(now_unix), ModelTokenError::TailHasBegun);
        require!(amount_units > 0, ModelTokenError::CommitmentIsZero);
        self.cap_units(allowance)
    }

    fn cap_units(&self, allowance: Option<&Allowance>) -> Result<u64> {
        let offering = &self.offering;
        match (offering.has_allowlist(), allowance) {
            (false, None) => Ok(offering.wallet_cap_units),
            (true, Some(Allowance { index, cap_units, path })) => {
                let (root, count) = (&offering.allowlist_root, offering.allowlist_count);
                let wallet = self.investor.key().to_bytes();
                require!(
                    is_allowed(root, count, *index, &wallet, *cap_units, path),
                    ModelTokenError::NotOnAllowlist
                );
                Ok(lesser_cap(offering.wallet_cap_units, *cap_units))
            }
            (false, Some(_)) | (true, None) => err!(ModelTokenError::NotOnAllowlist),
        }
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64, allowance: Option<Allowance>) -> Result<()> {
        let cap_units = ctx.accounts.validate(amount_units, allowance.as_ref())?;
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
                tail_withdrawn: false,
                claimed: false,
                vesting_units: 0,
                released_units: 0,
                reserved: [0; 16],
            });
            offering.commitment_count = offering.commitment_count.checked_add(1).ok_or(overflow)?;
        }
        commitment.amount_units = commitment.amount_units.checked_add(amount_units).ok_or(overflow)?;
        require!(
            cap_units == 0 || commitment.amount_units <= cap_units,
            ModelTokenError::WalletCapExceeded
        );
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
