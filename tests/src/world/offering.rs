//! A model's token.

use ::model_token::{
    instructions::OpenOfferingArgs,
    state::{Commitment, Offering, OfferingStatus, TrancheCondition, TrancheTerms, VestingTerms},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::{
        create_token_account,
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
/// When its last part begins, in seconds after it opens.
pub const TAIL_SECONDS: i64 = 900;
/// All proceeds, at settlement.
pub const AT_ONCE: TrancheTerms = TrancheTerms {
    share_bps: 10_000,
    condition: TrancheCondition::Time { unlocks_seconds: 0 },
};
/// What the two investors put in: half as much again as the maximum.
pub const ALICE_COMMITS: u64 = usdc(2_000);
pub const BOB_COMMITS: u64 = usdc(1_000);

impl World {
    /// What an offering that opens now is opened with: open to all, all tokens sold and free at once, all proceeds the developer's at once.
    pub fn offering_args(&self) -> OpenOfferingArgs {
        let opens_unix = self.now().unix;
        OpenOfferingArgs {
            sale_units: SUPPLY,
            developer_units: 0,
            min_raise_units: MIN_RAISE,
            max_raise_units: MAX_RAISE,
            wallet_cap_units: 0,
            allowlist_root: [0; 32],
            allowlist_count: 0,
            opens_unix,
            tail_unix: opens_unix + TAIL_SECONDS,
            closes_unix: opens_unix + OFFERING_SECONDS,
            buyer_vesting: VestingTerms::IMMEDIATE,
            developer_vesting: VestingTerms::default(),
            tranches: vec![AT_ONCE],
        }
    }

    /// An offering that is open from now on. Returns its address.
    pub fn given_offering(&mut self, cast: &Cast, published: &Published) -> Pubkey {
        self.given_offering_of(cast, published, self.offering_args())
    }

    /// An offering on other terms. Returns its address.
    pub fn given_offering_of(&mut self, cast: &Cast, published: &Published, args: OpenOfferingArgs) -> Pubkey {
        let developer = cast.developer.pubkey();
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

    /// Everything about an investor's claim, as the chain has it. Its token account is there, as clients make it before they claim.
    pub fn claimed(&mut self, published: &Published, investor: &Pubkey) -> ClaimedCommitment {
        let mint = addresses::model_token::mint(&published.model);
        if self.is_made(&mint) {
            self.given_token_account(investor, &mint);
        }
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
            let claim = model_token::claim_commitment(claimed);
            self.send(&[claim], &[&cast.stranger]).expect_ok();
        }
        self.given_pool(cast, published);
    }

    /// The pool of a model whose offering succeeded.
    pub fn given_pool(&mut self, cast: &Cast, published: &Published) {
        let create = self.create_pool_of(cast, published);
        self.send(&[create], &[&cast.stranger]).expect_ok();
    }

    /// What makes a model's pool.
    pub fn create_pool_of(&self, cast: &Cast, published: &Published) -> Instruction {
        yield_distributor::create_pool(cast.stranger.pubkey(), &self.offering(published))
    }

    /// A model's offering, as the chain has it.
    pub fn offering(&self, published: &Published) -> Offering {
        self.read(&addresses::model_token::offering(&published.model))
    }

    /// What pays the developer a tranche, whose account for it is there.
    pub fn withdraw_tranche_of(&mut self, cast: &Cast, published: &Published, index: u8) -> Instruction {
        let developer = cast.developer.pubkey();
        self.given_payment_account(cast, &developer);
        model_token::withdraw_tranche(developer, published.model, self.usdc, index)
    }

    /// Somebody's associated account for a model's token.
    pub fn given_token_account(&mut self, owner: &Pubkey, mint: &Pubkey) {
        let payer = self.mint_authority().insecure_clone();
        let make = create_token_account(payer.pubkey(), *owner, *mint);
        self.send(&[make], &[&payer]).expect_ok();
    }

    /// Units of a model's token in somebody's associated account.
    pub fn model_tokens_of(&self, published: &Published, owner: &Pubkey) -> u64 {
        let mint = addresses::model_token::mint(&published.model);
        self.tokens(&addresses::token_account(owner, &mint))
    }
}
