//! `yield.*`: what holders' instructions cost among ten holders and among a million.

use std::collections::BTreeMap;

use anchor_lang::{AccountSerialize, Space, prelude::Pubkey};
use anyhow::{Context, Result, ensure};
use imo_client::{addresses, instructions::yield_distributor as instructions};
use imo_tests::{
    Cast, Outcome, World,
    landed::Landed,
    models::{dense, honest},
    world::{Published, SUPPLY, usdc},
};
use solana_account::Account;
use solana_signer::Signer;
use solana_sysvar::rent::Rent;
use yield_distributor::state::Position;

use crate::figures::Figures;

const FEW: u64 = 10;
const MANY: u64 = 1_000_000;
/// What the crowd has staked together. The same for any number of holders, so that the pool's numbers are, too.
const STAKED: u64 = SUPPLY / 4;
/// Each instruction must stay below this.
const MOST_UNITS: u64 = 40_000;

/// Compute units by instruction.
type Units = BTreeMap<&'static str, u64>;

pub fn measure(figures: &mut Figures) -> Result<()> {
    let few = among(FEW)?;
    let many = among(MANY)?;
    let mut highest: f64 = 0.0;
    for (instruction, units) in &many {
        ensure!(*units < MOST_UNITS, "{instruction} uses {units} compute units");
        let before = few.get(instruction).context("both crowds do the same")?;
        highest = highest.max(*units as f64 / *before as f64);
        figures.set(format!("yield.{instruction}.compute_units_among_1m"), *units);
    }
    figures.set_rounded("yield.cu_ratio_1m_to_10_holders", highest)?;
    let rent = Rent::default().minimum_balance(8 + Position::INIT_SPACE);
    figures.set("yield.rent_per_holder_lamports", rent);
    Ok(())
}

/// What Bob's instructions, and a deposit, use when this many others have staked.
fn among(holders: u64) -> Result<Units> {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_token(&cast, &published);
    let alices = given_crowd(&mut world, &cast, &published, holders)?;

    let mut units = Units::new();
    let stake = world.stake_of(&published, &cast.bob.pubkey(), SUPPLY / 8);
    let landed = world.send(&[stake], &[&cast.bob]).expect_ok();
    keep(&mut units, "stake", &landed)?;
    world.pass_epochs(&published, 2);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    let landed = world.split(&cast, &case.report);
    keep(&mut units, "deposit", &landed)?;
    let claim = world.claim_of(&published, &cast.stranger.pubkey(), &cast.bob.pubkey());
    let landed = world.send(&[claim], &[&cast.stranger]).expect_ok();
    keep(&mut units, "claim", &landed)?;
    let position = world
        .position(&published, &cast.bob.pubkey())
        .context("Bob has staked")?;
    let unstake = instructions::unstake(&world.pool(&published), &position, SUPPLY / 8);
    let landed = world.send(&[unstake], &[&cast.bob]).expect_ok();
    keep(&mut units, "unstake", &landed)?;
    let bob = cast.bob.pubkey();
    let redeem = instructions::redeem(bob, bob, &world.pool(&published), SUPPLY / 8);
    let landed = world.send(&[redeem], &[&cast.bob]).expect_ok();
    keep(&mut units, "redeem", &landed)?;

    // The books are of the accounts that transactions named: the crowd's stake is Alice's again.
    put(&mut world, &published, &alices)?;
    Ok(units)
}

/// Alice stakes, and in her place there are `holders` positions with the same stake together. Returns hers.
fn given_crowd(world: &mut World, cast: &Cast, published: &Published, holders: u64) -> Result<Position> {
    let alice = cast.alice.pubkey();
    world.given_stake(published, &cast.alice, STAKED);
    world.pass_epochs(published, 2);
    let settle = world.claim_of(published, &cast.stranger.pubkey(), &alice);
    world.send(&[settle], &[&cast.stranger]).expect_ok();
    let alices = world.position(published, &alice).context("Alice has staked")?;
    ensure!(alices.active_units == STAKED, "Alice's stake is active");
    let each = STAKED / holders;
    for number in 0..holders {
        let owner = Pubkey::new_from_array(opml::hashv(&[b"holder", &number.to_le_bytes()]));
        let (address, bump) = Pubkey::find_program_address(
            &[
                yield_distributor::state::POSITION_SEED,
                alices.pool.as_ref(),
                owner.as_ref(),
            ],
            &yield_distributor::ID,
        );
        let position = Position {
            version: alices.version,
            bump,
            pool: alices.pool,
            owner,
            active_units: each,
            pending_units: 0,
            pending_epoch: 0,
            accumulator_snapshot: alices.accumulator_snapshot,
            owed_units: 0,
            rent_payer: owner,
            reserved: [0; 16],
        };
        put_at(world, &address, &position)?;
    }
    let address = addresses::yield_distributor::position(&alices.pool, &alice);
    world.set_account(&address, Account::default());
    Ok(alices)
}

fn put(world: &mut World, published: &Published, position: &Position) -> Result<()> {
    let pool = addresses::yield_distributor::pool(&published.model);
    put_at(
        world,
        &addresses::yield_distributor::position(&pool, &position.owner),
        position,
    )
}

fn put_at(world: &mut World, address: &Pubkey, position: &Position) -> Result<()> {
    let mut data = Vec::with_capacity(256);
    position
        .try_serialize(&mut data)
        .context("a position is written to memory")?;
    let account = Account {
        lamports: world.rent_of(data.len()),
        data,
        owner: yield_distributor::ID,
        executable: false,
        rent_epoch: u64::MAX,
    };
    world.set_account(address, account);
    Ok(())
}

fn keep(units: &mut Units, name: &'static str, landed: &Landed) -> Result<()> {
    let used = landed
        .instructions
        .iter()
        .find(|used| used.program == "yield_distributor" && used.instruction == name)
        .with_context(|| format!("the transaction runs {name}"))?;
    units.insert(name, used.compute_units);
    Ok(())
}
