use anchor_lang::prelude::*;

use super::DisputeTerms;
use crate::{
    constants::{ALL_BPS, MAX_PAYMENT_MINTS},
    errors::ModelTokenError,
};

/// Seeds: `"protocol"`.
pub const PROTOCOL_SEED: &[u8] = b"protocol";

/// What holds for all models. Read-only in hot paths.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Protocol {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// May change what holds for versions and models to come.
    pub authority: Pubkey,
    /// May pause new entries.
    pub guardian: Pubkey,
    /// New entries are refused until after this time, in Unix seconds; 0 when nothing is paused.
    pub paused_until_unix: i64,
    /// Genesis hash of the cluster. A program cannot read it; vouchers name it, so that no signature is good on another cluster.
    pub cluster: [u8; 32],
    /// Owner of the accounts that get the protocol's share.
    pub treasury: Pubkey,
    /// Mints that a new model may be paid in; the first `payment_mint_count` count, the others are the default key.
    pub payment_mints: [Pubkey; 8],
    /// How many payment mints are allowed.
    pub payment_mint_count: u8,
    /// The protocol's share of revenue for versions to come, in basis points.
    pub protocol_bps: u16,
    /// Terms for versions to come.
    pub terms: DisputeTerms,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Protocol::INIT_SPACE == 565);
const _: () = assert!(MAX_PAYMENT_MINTS == 8);

impl Protocol {
    /// The mints that a new model may be paid in.
    pub fn allowed_payment_mints(&self) -> &[Pubkey] {
        self.payment_mints
            .get(..usize::from(self.payment_mint_count))
            .unwrap_or_default()
    }

    /// Refuses a new entry while the protocol is paused. Exits never ask.
    pub fn require_not_paused(&self, now_unix: i64) -> Result<()> {
        require!(self.paused_until_unix <= now_unix, ModelTokenError::Paused);
        Ok(())
    }

    /// Replaces the list of payment mints: at least one, each once.
    pub fn set_payment_mints(&mut self, mints: &[Pubkey]) -> Result<()> {
        require!(!mints.is_empty(), ModelTokenError::NoPaymentMint);
        require!(mints.len() <= MAX_PAYMENT_MINTS, ModelTokenError::TooManyPaymentMints);
        let mut slots = [Pubkey::default(); MAX_PAYMENT_MINTS];
        for (seen, (slot, mint)) in slots.iter_mut().zip(mints).enumerate() {
            let earlier = mints.get(..seen).unwrap_or_default();
            require!(!earlier.contains(mint), ModelTokenError::DuplicatePaymentMint);
            require_keys_neq!(*mint, Pubkey::default(), ModelTokenError::NoPaymentMint);
            *slot = *mint;
        }
        self.payment_mints = slots;
        self.payment_mint_count = u8::try_from(mints.len()).map_err(|_| ModelTokenError::TooManyPaymentMints)?;
        Ok(())
    }

    /// Sets what versions to come are published under.
    pub fn set_terms(&mut self, protocol_bps: u16, terms: DisputeTerms) -> Result<()> {
        require!(protocol_bps <= ALL_BPS, ModelTokenError::ProtocolShareExceedsAll);
        terms.validate()?;
        self.protocol_bps = protocol_bps;
        self.terms = terms;
        Ok(())
    }
}
