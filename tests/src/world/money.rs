//! The payment mint.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::{
    associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    token::spl_token::{self, native_mint},
};
use imo_client::addresses;
use solana_signer::Signer;

use super::World;
use crate::landed::Outcome;

const TOKEN_PROGRAM: &str = "the token program is the token program";

/// Whole USDC in units.
pub const fn usdc(whole: u64) -> u64 {
    whole * 1_000_000
}

impl World {
    /// Makes `units` for somebody's associated account.
    pub fn given_usdc(&mut self, owner: &Pubkey, units: u64) {
        let account = addresses::payment_account(owner, &self.usdc);
        let authority = self.mint_authority.pubkey();
        let mut instructions = vec![create_associated_token_account_idempotent(
            &authority,
            owner,
            &self.usdc,
            &spl_token::ID,
        )];
        if self.usdc == native_mint::ID {
            instructions.extend([
                solana_system_interface::instruction::transfer(&authority, &account, units),
                spl_token::instruction::sync_native(&spl_token::ID, &account).expect(TOKEN_PROGRAM),
            ]);
        } else {
            instructions.push(
                spl_token::instruction::mint_to(&spl_token::ID, &self.usdc, &account, &authority, &[], units)
                    .expect(TOKEN_PROGRAM),
            );
        }
        let Self {
            cluster,
            mint_authority,
            given,
            ..
        } = self;
        *given.entry(*owner).or_default() += units;
        cluster.send(&instructions, &[mint_authority]).expect_ok();
    }

    /// Makes `units` for a token account, as a donation.
    pub fn given_usdc_at(&mut self, token_account: &Pubkey, units: u64) {
        let authority = self.mint_authority.pubkey();
        let mint_to =
            spl_token::instruction::mint_to(&spl_token::ID, &self.usdc, token_account, &authority, &[], units)
                .expect("the token program is the token program");
        let Self {
            cluster,
            mint_authority,
            ..
        } = self;
        cluster.send(&[mint_to], &[mint_authority]).expect_ok();
    }

    /// Units of the payment mint in somebody's associated account.
    pub fn usdc_of(&self, owner: &Pubkey) -> u64 {
        self.tokens(&addresses::payment_account(owner, &self.usdc))
    }

    /// Freezes or thaws a token account, as the issuer may.
    pub fn set_frozen(&mut self, token_account: &Pubkey, frozen: bool) {
        let authority = self.mint_authority.pubkey();
        let make = if frozen {
            spl_token::instruction::freeze_account
        } else {
            spl_token::instruction::thaw_account
        };
        let instruction: Instruction = make(&spl_token::ID, token_account, &self.usdc, &authority, &[])
            .expect("the token program is the token program");
        let Self {
            cluster,
            mint_authority,
            ..
        } = self;
        cluster.send(&[instruction], &[mint_authority]).expect_ok();
    }
}
