//! A model's token.

use ::model_token::{
    instructions::OpenOfferingArgs,
    state::{Commitment, Offering, OfferingStatus},
};
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{
        model_token::{self, ClaimedCommitment},
        yield_distributor,
    },
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Published, World, usdc};
use crate::{cast::Cast, landed::Outcome};

/// Tokens sold: a million, of six decimals.
pub const SUPPLY: u64 = 1_000_000_000_000;
pub const MIN_RAISE: u64 = usdc(1_000);
pub const MAX_RAISE: u64 = usdc(2_000);
/// How long an offering is open, in seconds.
pub const OFFERING_SECONDS: i64 = 1_000;
/// What the two investors put in: half as much again as the maximum.
pub const ALICE_COMMITS: u64 = usdc(2_000);
pub const BOB_COMMITS: u64 = usdc(1_000);

impl World {
    /// What an offering that opens now is opened with.
    pub fn offering_args(&self) -> OpenOfferingArgs {
        let opens_unix = self.now().unix;
        OpenOfferingArgs {
            supply_units: SUPPLY,
            min_raise_units: MIN_RAISE,
            max_raise_units: MAX_RAISE,
            opens_unix,
            closes_unix: opens_unix + OFFERING_SECONDS,
            name: "Digits".to_owned(),
            symbol: "DIGITS".to_owned(),
        }
    }

    /// An offering that is open from now on. Returns its address.
    pub fn given_offering(&mut self, cast: &Cast, published: &Published) -> Pubkey {
        let developer = cast.developer.pubkey();
        let args = self.offering_args();
        let open = model_token::open_offering(developer, developer, published.model, self.usdc, args);
        self.send(&[open], &[&cast.developer]).expect_ok();
        addresses::model_token::offering(&published.model)
    }

    /// Gives an investor the money and has it commit all of it.
    pub fn given_commitment(&mut self, published: &Published, investor: &Keypair, units: u64) {
        let key = investor.pubkey();
        self.given_usdc(&key, units);
        let commit = model_token::commit(key, key, published.model, self.usdc, units);
        self.send(&[commit], &[investor]).expect_ok();
    }

    /// Waits for the close and settles.
    pub fn given_settled(&mut self, cast: &Cast, published: &Published) -> Offering {
        let offering = addresses::model_token::offering(&published.model);
        let closes_unix = self.read::<Offering>(&offering).closes_unix;
        self.pass_until_unix(closes_unix);
        let settle = model_token::settle_offering(cast.stranger.pubkey(), published.model);
        self.send(&[settle], &[&cast.stranger]).expect_ok();
        self.read(&offering)
    }

    /// Everything about an investor's claim, as the chain has it.
    pub fn claimed(&self, published: &Published, investor: &Pubkey) -> ClaimedCommitment {
        let offering = addresses::model_token::offering(&published.model);
        let commitment: Commitment = self.read(&addresses::model_token::commitment(&offering, investor));
        ClaimedCommitment {
            model: published.model,
            payment_mint: self.usdc,
            investor: *investor,
            rent_payer: commitment.rent_payer,
            succeeded: self.read::<Offering>(&offering).status == OfferingStatus::Succeeded,
        }
    }

    /// Alice and Bob bought the whole supply two to one and have it, and the pool is there.
    pub fn given_token(&mut self, cast: &Cast, published: &Published) {
        self.given_offering(cast, published);
        self.given_commitment(published, &cast.alice, ALICE_COMMITS);
        self.given_commitment(published, &cast.bob, BOB_COMMITS);
        self.given_settled(cast, published);
        for investor in [&cast.alice, &cast.bob] {
            let claimed = self.claimed(published, &investor.pubkey());
            let claim = model_token::claim_commitment(cast.stranger.pubkey(), claimed);
            self.send(&[claim], &[&cast.stranger]).expect_ok();
        }
        let create = yield_distributor::create_pool(cast.stranger.pubkey(), published.model, self.usdc);
        self.send(&[create], &[&cast.stranger]).expect_ok();
    }

    /// Units of a model's token in somebody's associated account.
    pub fn model_tokens_of(&self, published: &Published, owner: &Pubkey) -> u64 {
        let mint = addresses::model_token::mint(&published.model);
        self.tokens(&addresses::token_account(owner, &mint))
    }
}
