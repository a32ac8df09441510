//! What is bought and not free yet, and proceeds that wait.

use ::model_token::{
    instructions::OpenOfferingArgs,
    state::{Commitment, TrancheCondition, TrancheTerms, VestingTerms},
};
use ::yield_distributor::state::Vesting;
use anchor_lang::{
    AccountDeserialize, AccountSerialize, Space, prelude::Pubkey, solana_program::instruction::Instruction,
};
use imo_client::{
    addresses,
    instructions::{model_token, yield_distributor},
};
use imo_protocol::ModelVault;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{MAX_RAISE, Published, SUPPLY, World};
use crate::{cast::Cast, landed::Outcome};

/// A quarter free at once, the rest evenly over 10,000 seconds after a cliff of 1,000.
pub const BUYER_VESTING: VestingTerms = VestingTerms {
    immediate_bps: 2_500,
    cliff_seconds: 1_000,
    linear_seconds: 10_000,
};
/// Nothing before 20,000 seconds, then evenly over 20,000.
pub const DEVELOPER_VESTING: VestingTerms = VestingTerms {
    immediate_bps: 0,
    cliff_seconds: 20_000,
    linear_seconds: 20_000,
};
/// The developer's part of the supply: a fifth.
pub const DEVELOPER_TOKENS: u64 = SUPPLY / 5;
/// Until when a revenue tranche of [`World::vesting_args`] has to be earned, in seconds after the settlement.
pub const TRANCHE_SECONDS: u32 = 15_000;
/// What others must have been paid by then: as much as the tranche pays at most.
pub const TRANCHE_ASKS: u64 = MAX_RAISE / 2;

impl World {
    /// An offering that opens now, in which everything waits for something: buyers and developer vest, half of the proceeds is paid at once and half when others
    /// than the developer were paid as much.
    pub fn vesting_args(&self) -> OpenOfferingArgs {
        let condition = TrancheCondition::Revenue {
            others_units: TRANCHE_ASKS,
            deadline_seconds: TRANCHE_SECONDS,
        };
        OpenOfferingArgs {
            sale_units: SUPPLY - DEVELOPER_TOKENS,
            developer_units: DEVELOPER_TOKENS,
            buyer_vesting: BUYER_VESTING,
            developer_vesting: DEVELOPER_VESTING,
            tranches: vec![
                TrancheTerms {
                    share_bps: 5_000,
                    condition: TrancheCondition::Time { unlocks_seconds: 0 },
                },
                TrancheTerms {
                    share_bps: 5_000,
                    condition,
                },
            ],
            ..self.offering_args()
        }
    }

    /// The commitments of these investors are claimed, and their vesting accounts are open.
    pub fn given_claimed(&mut self, cast: &Cast, published: &Published, investors: &[&Keypair]) {
        for investor in investors {
            let claimed = self.claimed(published, &investor.pubkey());
            let claim = model_token::claim_commitment(claimed);
            self.send(&[claim], &[&cast.stranger]).expect_ok();
            self.given_vesting(cast, published, &investor.pubkey());
        }
    }

    /// An investor's account for the yield of what vests.
    pub fn given_vesting(&mut self, cast: &Cast, published: &Published, investor: &Pubkey) {
        let open = yield_distributor::open_vesting(cast.stranger.pubkey(), &self.pool(published), *investor);
        self.send(&[open], &[&cast.stranger]).expect_ok();
    }

    /// The vesting account of an investor or, when the owner is the model, of the developer.
    #[track_caller]
    pub fn vesting(&self, published: &Published, owner: &Pubkey) -> Vesting {
        let pool = addresses::yield_distributor::pool(&published.model);
        self.read(&addresses::yield_distributor::vesting(&pool, owner))
    }

    #[track_caller]
    pub fn commitment(&self, published: &Published, investor: &Pubkey) -> Commitment {
        let offering = addresses::model_token::offering(&published.model);
        self.read(&addresses::model_token::commitment(&offering, investor))
    }

    /// What pays an investor the tokens that are free.
    pub fn release_of(&self, published: &Published, investor: &Pubkey) -> Instruction {
        yield_distributor::release_vested(&self.pool(published), &self.commitment(published, investor))
    }

    /// What pays an investor the yield of what vests.
    pub fn claim_vesting_of(&mut self, cast: &Cast, published: &Published, owner: &Pubkey) -> Instruction {
        self.given_payment_account(cast, owner);
        yield_distributor::claim_vesting(&self.pool(published), &self.vesting(published, owner), *owner)
    }

    /// What pays this developer the yield of the developer's tokens.
    pub fn claim_developer_of(&mut self, cast: &Cast, published: &Published, developer: &Pubkey) -> Instruction {
        self.given_payment_account(cast, developer);
        let vesting = self.vesting(published, &published.model);
        yield_distributor::claim_vesting(&self.pool(published), &vesting, *developer)
    }

    /// What pays this developer the tokens that are free.
    pub fn release_developer_of(&mut self, published: &Published, developer: &Pubkey) -> Instruction {
        let mint = addresses::model_token::mint(&published.model);
        self.given_token_account(developer, &mint);
        yield_distributor::release_developer(&self.pool(published), *developer)
    }

    /// What gives the redeem pool a tranche.
    pub fn miss_of(&self, published: &Published, index: u8) -> Instruction {
        yield_distributor::miss_tranche(&self.offering(published), index)
    }

    /// The clock stands this many seconds after the settlement.
    pub fn pass_until_settled(&mut self, published: &Published, seconds: i64) {
        let unix = self.offering(published).settled_unix + seconds;
        self.pass_until_unix(unix);
    }

    /// The escrow's count of what others than the developer were paid, as it would be after many splits.
    pub fn given_paid_to_others(&mut self, published: &Published, units: u64) {
        let address = addresses::revenue_escrow::vault(&published.model);
        let size = 8 + ModelVault::INIT_SPACE;
        let made = self.account(&address).filter(|account| !account.data.is_empty());
        let mut vault = match &made {
            Some(account) => {
                let mut data = account.data.clone();
                data.resize(size, 0);
                ModelVault::try_deserialize(&mut data.as_slice()).expect("the vault is the escrow's")
            }
            None => ModelVault {
                version: 1,
                bump: ModelVault::address(&published.model).1,
                tokens_bump: 255,
                model: published.model,
                mint: self.usdc,
                owed_units: 0,
                rent_payer: Pubkey::default(),
                paid_to_others_units: 0,
                reserved: [0; 32],
            },
        };
        vault.paid_to_others_units = units;
        let mut data = Vec::with_capacity(size);
        vault.try_serialize(&mut data).expect("memory is there");
        let lamports = self.rent_of(size).max(made.map_or(0, |account| account.lamports));
        let owner = ::revenue_escrow::ID;
        self.set_account(
            &address,
            Account {
                lamports,
                data,
                owner,
                executable: false,
                rent_epoch: u64::MAX,
            },
        );
    }
}
