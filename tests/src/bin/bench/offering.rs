//! `offering.*`: a sale to many investors, from the first commitment to the last unit released, with every unit accounted for.

use std::time::Instant;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::token_interface::Mint;
use anyhow::{Result, ensure};
use imo_client::{
    addresses,
    instructions::{create_token_account, model_token, yield_distributor},
};
use imo_tests::{
    Cast, Outcome, World,
    models::{dense, honest},
    world::{BUYER_VESTING, DEVELOPER_TOKENS, MAX_RAISE, Published, SUPPLY, TRANCHE_ASKS, usdc},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::figures::Figures;

const INVESTORS: u64 = 500;
/// How often the maximum is committed.
const OVERSUBSCRIPTION: u64 = 3;
/// What a report of 20 USDC brings the pool: 45 percent.
const POOL_SHARE: u64 = usdc(9);

/// A world that counts what is sent to it.
struct Sale {
    world: World,
    cast: Cast,
    published: Published,
    investors: Vec<(Keypair, u64)>,
    transactions: u64,
}

pub fn measure(figures: &mut Figures) -> Result<()> {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    let investors = (0..INVESTORS).map(|_| world.actor()).collect();
    let mut sale = Sale {
        world,
        cast,
        published,
        investors: uneven(investors),
        transactions: 0,
    };
    let began = Instant::now();
    sale.commit();
    sale.world.given_settled(&sale.cast, &published);
    sale.world.given_pool(&sale.cast, &published);
    sale.claim();
    sale.world.given_paid_to_others(&published, TRANCHE_ASKS);
    let mut service = service;
    for (seed, seconds) in [(0, 6_000), (1, 40_000)] {
        let case = sale
            .world
            .given_sealed(&sale.cast, service, vec![honest(&runtime, seed, usdc(20))]);
        sale.world.finalise(&sale.cast, &case.report);
        sale.world.split(&sale.cast, &case.report);
        service = case.service;
        sale.world.pass_until_settled(&published, seconds);
        sale.pay();
    }
    sale.end();
    let seconds = began.elapsed().as_secs_f64();
    let unaccounted = sale.unaccounted();
    figures.set("offering.investors", INVESTORS);
    figures.set("offering.transactions", sale.transactions);
    figures.set("offering.unaccounted", unaccounted);
    figures.set_rounded("offering.seconds", seconds)?;
    ensure!(unaccounted == 0, "{unaccounted} units are not accounted for");
    Ok(())
}

/// Who commits how much: each a little more than the one before, together as often the maximum as the sale is oversubscribed.
fn uneven(investors: Vec<Keypair>) -> Vec<(Keypair, u64)> {
    let total = OVERSUBSCRIPTION * MAX_RAISE;
    let parts: u64 = (1..=INVESTORS).sum();
    let mut left = total;
    (1..=INVESTORS)
        .zip(investors)
        .map(|(part, investor)| {
            let units = if part == INVESTORS { left } else { total / parts * part };
            left -= units;
            (investor, units)
        })
        .collect()
}

impl Sale {
    fn send(&mut self, instructions: &[Instruction], signer: &Keypair) {
        self.world.send(instructions, &[signer]).expect_ok();
        self.transactions += 1;
    }

    fn keys(&self) -> Vec<Pubkey> {
        self.investors.iter().map(|(investor, _)| investor.pubkey()).collect()
    }

    fn commit(&mut self) {
        let (model, mint) = (self.published.model, self.world.usdc);
        for index in 0..self.investors.len() {
            let (investor, units) = &self.investors[index];
            let (investor, units) = (investor.insecure_clone(), *units);
            let key = investor.pubkey();
            self.world.given_usdc(&key, units);
            self.send(&[model_token::commit(key, key, model, mint, units)], &investor);
        }
    }

    /// Anybody claims for everybody, and opens the accounts for what vests.
    fn claim(&mut self) {
        let stranger = self.cast.stranger.insecure_clone();
        let payer = stranger.pubkey();
        let mint = addresses::model_token::mint(&self.published.model);
        let pool = self.world.pool(&self.published);
        for key in self.keys() {
            let commitment = self.world.commitment(&self.published, &key);
            let claimed = model_token::ClaimedCommitment {
                model: self.published.model,
                payment_mint: self.world.usdc,
                investor: key,
                rent_payer: commitment.rent_payer,
                succeeded: true,
            };
            let instructions = [
                create_token_account(payer, key, mint),
                model_token::claim_commitment(claimed),
                yield_distributor::open_vesting(payer, &pool, key),
            ];
            self.send(&instructions, &stranger);
        }
    }

    /// Everybody's free tokens and yield.
    fn pay(&mut self) {
        let stranger = self.cast.stranger.insecure_clone();
        let pool = self.world.pool(&self.published);
        for key in self.keys() {
            let release = self.world.release_of(&self.published, &key);
            let vesting = self.world.vesting(&self.published, &key);
            let claim = yield_distributor::claim_vesting(&pool, &vesting, key);
            self.send(&[release, claim], &stranger);
        }
    }

    /// The developer's tranches, tokens and yield, the dust, and the accounts in which nothing is left.
    fn end(&mut self) {
        let (stranger, developer) = (
            self.cast.stranger.insecure_clone(),
            self.cast.developer.insecure_clone(),
        );
        for index in [0, 1] {
            let withdraw = self.world.withdraw_tranche_of(&self.cast, &self.published, index);
            self.send(&[withdraw], &developer);
        }
        let release = self.world.release_developer_of(&self.published, &developer.pubkey());
        let claim = self
            .world
            .claim_developer_of(&self.cast, &self.published, &developer.pubkey());
        let sweep = yield_distributor::sweep_dust(&self.world.pool(&self.published));
        self.send(&[release, claim, sweep], &stranger);
        for owner in [self.keys(), vec![self.published.model]].concat() {
            let close = yield_distributor::close_vesting(&self.world.vesting(&self.published, &owner));
            self.send(&[close], &stranger);
        }
    }

    /// Units of either mint that are not where they belong: each investor's tokens and money, told by the terms of the sale alone, and the sums of all.
    fn unaccounted(&self) -> u64 {
        let (world, published) = (&self.world, &self.published);
        let total = OVERSUBSCRIPTION * MAX_RAISE;
        let share = |whole: u64, units: u64| (u128::from(whole) * u128::from(units) / u128::from(total)) as u64;
        let mut missing = 0;
        let (mut tokens, mut money) = (0, 0);
        for (investor, units) in &self.investors {
            let key = investor.pubkey();
            let (has, paid) = (world.model_tokens_of(published, &key), world.usdc_of(&key));
            let bought = share(SUPPLY - DEVELOPER_TOKENS, *units);
            let part = |bps: u16| (u128::from(bought) * u128::from(bps) / 10_000) as u64;
            let vests = part(10_000 - BUYER_VESTING.immediate_bps);
            missing += (part(BUYER_VESTING.immediate_bps) + vests).abs_diff(has);
            // All that vests earned in the first report, half of it in the second: a token's part of six USDC each, rounded down four times at most.
            let earned = (u128::from(vests) * u128::from(usdc(9)) / u128::from(SUPPLY)) as u64;
            let refund = share(total - MAX_RAISE, *units);
            let expected = refund + earned;
            missing += if (expected.saturating_sub(4)..=expected).contains(&paid) {
                0
            } else {
                expected.abs_diff(paid)
            };
            tokens += has;
            money += paid;
        }
        let developer = self.cast.developer.pubkey();
        let mint: Mint = world.read(&addresses::model_token::mint(&published.model));
        let offering = addresses::model_token::offering(&published.model);
        tokens += world.model_tokens_of(published, &developer) + (SUPPLY - mint.supply);
        missing += SUPPLY.abs_diff(tokens) + world.tokens(&addresses::model_token::token_vault(&offering));
        let pool = addresses::yield_distributor::pool(&published.model);
        money += world.usdc_of(&developer) + world.tokens(&addresses::yield_distributor::revenue_vault(&pool));
        missing += (total + 2 * POOL_SHARE).abs_diff(money);
        missing + world.tokens(&addresses::model_token::payment_vault(&offering))
    }
}
