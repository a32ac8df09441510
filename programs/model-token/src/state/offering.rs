use anchor_lang::prelude::*;

use crate::errors::ModelTokenError;

/// Seeds: `"offering", model`.
pub const OFFERING_SEED: &[u8] = b"offering";
/// Seeds of the model's token: `"mint", model`.
pub const MINT_SEED: &[u8] = b"mint";
/// Seeds of the account that holds the commitments: `"payment_vault", offering`.
pub const PAYMENT_VAULT_SEED: &[u8] = b"payment_vault";
/// Seeds of the account that holds the tokens not yet claimed: `"token_vault", offering`.
pub const TOKEN_VAULT_SEED: &[u8] = b"token_vault";

/// Where an offering stands.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferingStatus {
    /// Not settled.
    Open,
    /// The minimum was reached: tokens and excess can be claimed.
    Succeeded,
    /// The minimum was missed: everything goes back.
    Failed,
}

/// The one sale of a model's whole token supply: the same price for all, known when it is settled.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Offering {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// The mint of the commitments.
    pub payment_mint: Pubkey,
    /// Address of the model's token; nothing is there before a successful settlement.
    pub mint: Pubkey,
    /// Canonical bump of the mint.
    pub mint_bump: u8,
    /// Canonical bump of the payment vault.
    pub payment_vault_bump: u8,
    /// Canonical bump of the token vault.
    pub token_vault_bump: u8,
    /// Where the offering stands.
    pub status: OfferingStatus,
    /// Tokens sold, which is all there will ever be, in units of the token.
    pub supply_units: u64,
    /// Below this the offering fails, in units of the payment mint.
    pub min_raise_units: u64,
    /// Above this the excess goes back, in units of the payment mint.
    pub max_raise_units: u64,
    /// First moment at which one can commit, in Unix seconds.
    pub opens_unix: i64,
    /// First moment at which one can no longer commit and anyone can settle, in Unix seconds.
    pub closes_unix: i64,
    /// Sum of all commitments, in units of the payment mint.
    pub committed_units: u64,
    /// The part of it that buys tokens, in units of the payment mint; 0 before settlement and when the offering failed.
    pub accepted_units: u64,
    /// Tokens paid out, in units of the token.
    pub claimed_tokens_units: u64,
    /// Paid back to investors, in units of the payment mint.
    pub refunded_units: u64,
    /// Paid out to the developer, in units of the payment mint.
    pub proceeds_withdrawn_units: u64,
    /// Commitments not yet claimed.
    pub commitment_count: u32,
    /// Name of the token to be made.
    #[max_len(32)]
    pub name: String,
    /// Symbol of the token to be made.
    #[max_len(10)]
    pub symbol: String,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Offering::INIT_SPACE == 268);

impl Offering {
    /// What the payment vault owes: before settlement and after a failure the commitments, after a success the proceeds and the excess.
    pub fn payment_owed_units(&self) -> Result<u64> {
        self.committed_units
            .checked_sub(self.refunded_units)
            .and_then(|left| left.checked_sub(self.proceeds_withdrawn_units))
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// What the token vault owes.
    pub fn tokens_owed_units(&self) -> Result<u64> {
        self.supply_units
            .checked_sub(self.claimed_tokens_units)
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// Refuses unless the offering stands at `status`.
    pub fn require_status(&self, status: OfferingStatus) -> Result<()> {
        require!(
            self.status == status,
            match self.status {
                OfferingStatus::Open => ModelTokenError::OfferingNotSettled,
                OfferingStatus::Succeeded => ModelTokenError::OfferingSucceeded,
                OfferingStatus::Failed => ModelTokenError::OfferingFailed,
            }
        );
        Ok(())
    }
}
