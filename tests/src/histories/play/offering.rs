//! The model's token is sold.

use ::model_token::{
    instructions::OpenOfferingArgs,
    state::{Commitment, Offering, TrancheCondition, TrancheTerms, VestingTerms},
};
use imo_client::{
    addresses,
    instructions::{
        create_token_account,
        model_token::{self, ClaimedCommitment},
        yield_distributor,
    },
};
use solana_signer::Signer;

use super::{Attempt, of};
use crate::{
    histories::{
        kinds::Kind,
        ledger::{Listing, Sale},
        stage::Stage,
        step::Step,
    },
    world::{AT_ONCE, OFFERING_SECONDS, SUPPLY, TAIL_SECONDS, usdc},
};

const MIN_RAISE: u64 = usdc(12);
const MAX_RAISE: u64 = usdc(40);
/// What one wallet may commit where that is limited.
const CAP: u64 = usdc(25);
/// A quarter free at once, the rest after a while and little by little.
const BUYERS: VestingTerms = VestingTerms {
    immediate_bps: 2_500,
    cliff_seconds: 300,
    linear_seconds: 2_000,
};
const DEVELOPER: VestingTerms = VestingTerms {
    immediate_bps: 0,
    cliff_seconds: 900,
    linear_seconds: 1_700,
};
/// A third of the proceeds has to be earned.
const EARNED_BPS: u16 = 3_333;
const EARNED_UNITS: u64 = usdc(14);
const DEADLINE_SECONDS: u32 = 900;

impl Stage {
    pub(super) fn sell(&self, step: &Step) -> Option<Attempt> {
        self.ledger.founded.protocol.then_some(())?;
        if step.kind == Kind::OpenOffering {
            return self.open_offering(step);
        }
        let offering = self.ledger.offering.as_ref()?;
        let (who, index) = (step.person(), step.what % 4);
        let (model, mint, stranger) = (self.published.model, self.mint(), self.stranger());
        let key = stranger.pubkey();
        let holder = || self.keys.holders[who].insecure_clone();
        let holder_key = self.keys.holders[who].pubkey();
        Some(match step.kind {
            Kind::Commit => self.commit(step)?,
            Kind::WithdrawCommitment => {
                let committed = offering.commitments[who]?.units;
                let units = step.units(committed);
                let withdraw = model_token::withdraw_commitment(holder_key, holder_key, model, mint, units);
                of(holder(), withdraw, move |ledger| ledger.withdraw_commitment(who, units))
            }
            Kind::SettleOffering => of(stranger, model_token::settle_offering(key, model), |ledger| {
                ledger.settle_offering()
            }),
            Kind::ClaimCommitment => {
                offering.commitments[who]?;
                let address = addresses::model_token::commitment(&self.offering_account(), &holder_key);
                let commitment: Commitment = self.world.read(&address);
                let succeeded = offering.sale == Sale::Succeeded;
                let claim = model_token::claim_commitment(ClaimedCommitment {
                    model,
                    payment_mint: mint,
                    investor: holder_key,
                    rent_payer: commitment.rent_payer,
                    succeeded,
                });
                let account = create_token_account(key, holder_key, addresses::model_token::mint(&model));
                let claim = of(stranger, claim, move |ledger| ledger.claim_commitment(who));
                if succeeded { claim.after(account) } else { claim }
            }
            Kind::CreatePool => self.create_pool(step)?,
            Kind::WithdrawTranche => {
                let developer = self.developer();
                let withdraw = model_token::withdraw_tranche(developer.pubkey(), model, mint, index);
                of(developer, withdraw, move |ledger| ledger.withdraw_tranche(index.into()))
            }
            Kind::MissTranche => {
                self.ledger.pool.as_ref()?;
                let state: Offering = self.world.read(&self.offering_account());
                let miss = yield_distributor::miss_tranche(&state, index);
                of(stranger, miss, move |ledger| ledger.miss_tranche(index.into()))
            }
            _ => {
                self.ledger.pool.as_ref()?;
                let sweep = yield_distributor::sweep_dust(&self.world.pool(&self.published));
                of(stranger, sweep, |ledger| ledger.sweep_dust())
            }
        })
    }

    /// In four forms: everything free at once; with vesting and a tranche that has to be earned; the same to a list; the same with a cap for each wallet.
    fn open_offering(&self, step: &Step) -> Option<Attempt> {
        self.main().filter(|model| model.live > 0)?;
        let form = step.what % 4;
        let opens_unix = self.now().unix + [0, 0, 0, 40][usize::from(step.what / 4 % 4)];
        let plain = OpenOfferingArgs {
            sale_units: SUPPLY,
            developer_units: 0,
            min_raise_units: if step.amount % 16 == 5 { 0 } else { MIN_RAISE },
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
        };
        let list = self.allow_list();
        let args = match form {
            0 => plain,
            2 => OpenOfferingArgs {
                allowlist_root: list.root(),
                allowlist_count: list.count(),
                ..vesting(plain)
            },
            3 => OpenOfferingArgs {
                wallet_cap_units: CAP,
                ..vesting(plain)
            },
            _ => vesting(plain),
        };
        let developer = self.developer();
        let key = developer.pubkey();
        let open = model_token::open_offering(key, key, self.published.model, self.mint(), args.clone());
        Some(of(developer, open, move |ledger| ledger.open_offering(&args)))
    }

    /// Shows the place on the list where there is one; now and then it is the other way round.
    fn commit(&self, step: &Step) -> Option<Attempt> {
        let offering = self.ledger.offering.as_ref()?;
        let (who, model, mint) = (step.person(), self.published.model, self.mint());
        let holder = self.keys.holders[who].insecure_clone();
        let key = holder.pubkey();
        let units = step.units(self.ledger.wallets[&key]);
        let is_listed = offering.args.allowlist_count > 0;
        let (listing, commit) = if is_listed != (step.what % 8 == 5) {
            let allowance = self.allow_list().allowance(&key)?;
            let commit = model_token::commit_listed(key, key, model, mint, units, allowance);
            (Listing::Shown, commit)
        } else {
            (Listing::NotShown, model_token::commit(key, key, model, mint, units))
        };
        Some(of(holder, commit, move |ledger| ledger.commit(who, units, listing)))
    }

    /// The model's pool, or the one of the model upstream.
    fn create_pool(&self, step: &Step) -> Option<Attempt> {
        let stranger = self.stranger();
        let key = stranger.pubkey();
        if step.other() == 1 && self.ledger.upstream.has_token {
            let create = yield_distributor::create_pool(key, &self.world.offering(&self.upstream));
            return Some(of(stranger, create, |ledger| ledger.create_upstream_pool()));
        }
        let create = yield_distributor::create_pool(key, &self.world.offering(&self.published));
        Some(of(stranger, create, |ledger| ledger.create_pool()))
    }
}

fn vesting(plain: OpenOfferingArgs) -> OpenOfferingArgs {
    let developer_units = SUPPLY / 5;
    let condition = TrancheCondition::Revenue {
        others_units: EARNED_UNITS,
        deadline_seconds: DEADLINE_SECONDS,
    };
    OpenOfferingArgs {
        sale_units: SUPPLY - developer_units,
        developer_units,
        buyer_vesting: BUYERS,
        developer_vesting: DEVELOPER,
        tranches: vec![
            TrancheTerms {
                share_bps: 10_000 - EARNED_BPS,
                condition: TrancheCondition::Time { unlocks_seconds: 60 },
            },
            TrancheTerms {
                share_bps: EARNED_BPS,
                condition,
            },
        ],
        ..plain
    }
}
