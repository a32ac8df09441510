//! The rules of a sale: who may commit how much, who may leave when, and what an offering cannot be opened with.

use ::model_token::{
    constants::{MAX_ALLOWLIST_LEN, MAX_LOCK_SECONDS},
    errors::ModelTokenError,
    instructions::{Allowance, OpenOfferingArgs},
    state::{OfferingStatus, TrancheCondition, TrancheTerms, VestingTerms},
};
use anchor_lang::{error::ErrorCode, solana_program::instruction::Instruction};
use imo_client::{addresses, instructions::model_token, trees::AllowList};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, swap_at, unsigned},
    models::dense,
    world::{
        ALICE_COMMITS, AT_ONCE, DEVELOPER_VESTING, MAX_RAISE, MIN_RAISE, OFFERING_SECONDS, Published, SUPPLY,
        TAIL_SECONDS, usdc, version_args,
    },
};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn given_model() -> (World, Cast, Published) {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    (world, cast, published)
}

fn withdraw_of(world: &World, published: &Published, investor: &Keypair, units: u64) -> Instruction {
    let key = investor.pubkey();
    model_token::withdraw_commitment(key, key, published.model, world.usdc, units)
}

#[test]
fn given_an_open_offering_when_an_investor_leaves_before_the_tail_then_as_often_and_as_much_as_it_likes() {
    let (mut world, cast, published) = given_model();
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, usdc(500));
    world.given_commitment(&published, &cast.bob, usdc(500));
    let alice = cast.alice.pubkey();
    for (units, committed) in [(usdc(100), usdc(900)), (1, usdc(900) - 1)] {
        let withdraw = withdraw_of(&world, &published, &cast.alice, units);
        world.send(&[withdraw], &[&cast.alice]).expect_ok();
        assert_eq!(world.offering(&published).committed_units, committed);
    }
    let left = usdc(400) - 1;
    let too_much = withdraw_of(&world, &published, &cast.alice, left + 1);
    world
        .send(&[too_much], &[&cast.alice])
        .expect_error(ModelTokenError::WithdrawalTooLarge);
    let nothing = withdraw_of(&world, &published, &cast.alice, 0);
    world
        .send(&[nothing], &[&cast.alice])
        .expect_error(ModelTokenError::CommitmentIsZero);

    // All of it: the commitment is gone and its rent is back; the money can come again.
    let tail_unix = world.offering(&published).tail_unix;
    world.pass_until_unix(tail_unix - 1);
    let commitment = addresses::model_token::commitment(&addresses::model_token::offering(&published.model), &alice);
    let (rent, lamports) = (world.lamports(&commitment), world.lamports(&alice));
    let withdraw = withdraw_of(&world, &published, &cast.alice, left);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.bob, &cast.alice])
        .expect_ok();
    assert_eq!(world.lamports(&alice), lamports + rent);
    assert_eq!(
        (world.usdc_of(&alice), world.offering(&published).commitment_count),
        (usdc(500), 1)
    );
    world
        .send(&[withdraw], &[&cast.alice])
        .expect_error(ErrorCode::AccountNotInitialized);
    let again = model_token::commit(alice, alice, published.model, world.usdc, usdc(300));
    world.send(&[again], &[&cast.alice]).expect_ok();
    assert_eq!(world.offering(&published).price(), (0, SUPPLY), "below the minimum");
    world.given_commitment(&published, &cast.watcher, MIN_RAISE);
    assert_eq!(world.offering(&published).price(), (usdc(1_800), SUPPLY));
}

#[test]
fn given_a_commitment_when_somebody_else_withdraws_it_then_refused() {
    let (mut world, cast, published) = given_model();
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    for published in [&published, &other] {
        world.given_offering(&cast, published);
        world.given_commitment(published, &cast.alice, usdc(500));
    }
    world.given_commitment(&published, &cast.bob, usdc(500));
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    let withdraw = withdraw_of(&world, &published, &cast.alice, usdc(1));
    let [offering, other_offering] =
        [&published, &other].map(|published| addresses::model_token::offering(&published.model));
    let [of_alice, of_bob] = [alice, bob].map(|owner| addresses::model_token::commitment(&offering, &owner));
    let [to_alice, to_bob] = [alice, bob].map(|owner| addresses::payment_account(&owner, &world.usdc));
    for (changed, code) in [
        (unsigned(&withdraw, &alice), ErrorCode::AccountNotSigner.into()),
        (
            swap(&swap_at(&withdraw, 1, &bob), &of_alice, &of_bob),
            ErrorCode::ConstraintSeeds.into(),
        ),
        (
            swap(&withdraw, &to_alice, &to_bob),
            ErrorCode::ConstraintTokenOwner.into(),
        ),
        (swap_at(&withdraw, 1, &bob), ModelTokenError::WrongRentPayer.into()),
        (
            swap(&withdraw, &offering, &other_offering),
            ErrorCode::ConstraintSeeds.into(),
        ),
    ] {
        let code: u32 = code;
        world.send(&[changed], &[&cast.bob, &cast.alice]).expect_error(code);
    }
    world.send(&[withdraw], &[&cast.alice]).expect_ok();
}

#[test]
fn given_the_tail_when_time_passes_then_one_withdrawal_up_to_a_falling_part() {
    // Seconds after the beginning of the tail, and what can be withdrawn of 1,000,003 units then.
    for (seconds, most) in [(0, 1_000_003), (1, 990_002), (50, 500_001), (99, 10_000)] {
        let (mut world, cast, published) = given_model();
        world.given_offering(&cast, &published);
        world.given_commitment(&published, &cast.alice, 1_000_003);
        world.given_commitment(&published, &cast.bob, MIN_RAISE);
        let tail_unix = world.offering(&published).tail_unix;
        world.pass_until_unix(tail_unix + seconds);
        let too_much = withdraw_of(&world, &published, &cast.alice, most + 1);
        world
            .send(&[too_much], &[&cast.alice])
            .expect_error(ModelTokenError::WithdrawalTooLarge);
        let half = withdraw_of(&world, &published, &cast.alice, most / 2);
        world.send(&[half], &[&cast.alice]).expect_ok();
        assert_eq!(world.usdc_of(&cast.alice.pubkey()), most / 2);
        let second = withdraw_of(&world, &published, &cast.alice, 1);
        world
            .send(&[second], &[&cast.alice])
            .expect_error(ModelTokenError::TailWithdrawalUsed);
        let all = withdraw_of(&world, &published, &cast.bob, 1);
        world.send(&[all], &[&cast.bob]).expect_ok();
    }
    let (mut world, cast, published) = given_model();
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, MIN_RAISE);
    let closes_unix = world.offering(&published).closes_unix;
    world.pass_until_unix(closes_unix);
    let late = withdraw_of(&world, &published, &cast.alice, 1);
    world
        .send(&[late], &[&cast.alice])
        .expect_error(ModelTokenError::OfferingClosed);
}

#[test]
fn given_withdrawals_in_the_tail_when_the_minimum_is_missed_then_the_rest_goes_back_too() {
    let (mut world, cast, published) = given_model();
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, MIN_RAISE);
    let tail_unix = world.offering(&published).tail_unix;
    world.pass_until_unix(tail_unix);
    let withdraw = withdraw_of(&world, &published, &cast.alice, 1);
    world.send(&[withdraw], &[&cast.alice]).expect_ok();
    assert_eq!(world.given_settled(&cast, &published).status, OfferingStatus::Failed);
    let claim = model_token::claim_commitment(world.claimed(&published, &cast.alice.pubkey()));
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&cast.alice.pubkey()), MIN_RAISE);
}

#[test]
fn given_a_cap_for_each_wallet_when_one_commits_more_in_any_number_of_steps_then_refused() {
    let (mut world, cast, published) = given_model();
    let args = OpenOfferingArgs {
        wallet_cap_units: usdc(600),
        ..world.offering_args()
    };
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, usdc(400));
    let alice = cast.alice.pubkey();
    world.given_usdc(&alice, usdc(1_000));
    let usdc_mint = world.usdc;
    let commit = |units| model_token::commit(alice, alice, published.model, usdc_mint, units);
    world
        .send(&[commit(usdc(200) + 1)], &[&cast.alice])
        .expect_error(ModelTokenError::WalletCapExceeded);
    world.send(&[commit(usdc(200))], &[&cast.alice]).expect_ok();
    world
        .send(&[commit(1)], &[&cast.alice])
        .expect_error(ModelTokenError::WalletCapExceeded);
    // What was withdrawn may come again; another wallet has a cap of its own, which the documentation says.
    let withdraw = withdraw_of(&world, &published, &cast.alice, 1);
    world.send(&[withdraw], &[&cast.alice]).expect_ok();
    world.send(&[commit(1)], &[&cast.alice]).expect_ok();
    world.given_commitment(&published, &cast.bob, usdc(600));
}

#[test]
fn given_an_allow_list_when_a_wallet_shows_anything_but_its_own_place_then_refused() {
    let (mut world, cast, published) = given_model();
    let [alice, bob, watcher, stranger] = [&cast.alice, &cast.bob, &cast.watcher, &cast.stranger].map(Signer::pubkey);
    let list = AllowList::over(&[(alice, usdc(300)), (bob, usdc(900)), (watcher, 0)]).expect("three are a list");
    let args = OpenOfferingArgs {
        wallet_cap_units: usdc(600),
        allowlist_root: list.root(),
        allowlist_count: list.count(),
        ..world.offering_args()
    };
    world.given_offering_of(&cast, &published, args);
    for wallet in [&alice, &bob, &watcher, &stranger] {
        world.given_usdc(wallet, usdc(2_000));
    }
    let [of_alice, of_bob, of_watcher] =
        [&alice, &bob, &watcher].map(|wallet| list.allowance(wallet).expect("it is on the list"));
    let (model, mint) = (published.model, world.usdc);
    let listed = |wallet, units, allowance: &Allowance| {
        model_token::commit_listed(wallet, wallet, model, mint, units, allowance.clone())
    };
    let refused = [
        (model_token::commit(alice, alice, model, mint, 1), &cast.alice),
        (listed(stranger, 1, &of_alice), &cast.stranger),
        (listed(alice, 1, &of_bob), &cast.alice),
        (
            listed(
                alice,
                1,
                &Allowance {
                    cap_units: usdc(301),
                    ..of_alice.clone()
                },
            ),
            &cast.alice,
        ),
        (
            listed(
                alice,
                1,
                &Allowance {
                    index: 1,
                    ..of_alice.clone()
                },
            ),
            &cast.alice,
        ),
    ];
    for (instruction, signer) in refused {
        world
            .send(&[instruction], &[signer])
            .expect_error(ModelTokenError::NotOnAllowlist);
    }
    // The lower of both caps counts; who has none on the list has the offering's.
    for (signer, allowance, cap) in [
        (&cast.alice, of_alice, usdc(300)),
        (&cast.bob, of_bob, usdc(600)),
        (&cast.watcher, of_watcher, usdc(600)),
    ] {
        let over = listed(signer.pubkey(), cap + 1, &allowance);
        world
            .send(&[over], &[signer])
            .expect_error(ModelTokenError::WalletCapExceeded);
        let exact = listed(signer.pubkey(), cap, &allowance);
        world.send(&[exact], &[signer]).expect_ok();
    }
}

#[test]
fn given_an_offering_without_a_list_when_a_place_is_shown_then_refused() {
    let (mut world, cast, published) = given_model();
    world.given_offering(&cast, &published);
    let alice = cast.alice.pubkey();
    world.given_usdc(&alice, 1);
    let allowance = Allowance {
        index: 0,
        cap_units: 0,
        path: Vec::new(),
    };
    let commit = model_token::commit_listed(alice, alice, published.model, world.usdc, 1, allowance);
    world
        .send(&[commit], &[&cast.alice])
        .expect_error(ModelTokenError::NotOnAllowlist);
}

/// What a test does to sound arguments.
type Change = fn(&mut OpenOfferingArgs);

#[test]
fn given_arguments_beyond_a_border_when_an_offering_is_opened_then_their_own_error() {
    use ModelTokenError::*;
    const EARNED: TrancheTerms = TrancheTerms {
        share_bps: 5_000,
        condition: TrancheCondition::Revenue {
            others_units: MAX_RAISE / 2,
            deadline_seconds: 20_000,
        },
    };
    const HALF: TrancheTerms = TrancheTerms {
        share_bps: 5_000,
        ..AT_ONCE
    };
    let (mut world, cast, published) = given_model();
    let developer = cast.developer.pubkey();
    let sound = OpenOfferingArgs {
        tranches: vec![HALF, EARNED],
        ..world.vesting_args()
    };
    let cases: [(Change, ModelTokenError); 30] = [
        (|args| args.sale_units = 0, SupplyIsZero),
        (|args| args.developer_units = u64::MAX, ArithmeticOverflow),
        (|args| args.min_raise_units = 0, InvalidRaise),
        (|args| args.max_raise_units = MIN_RAISE - 1, InvalidRaise),
        (|args| args.opens_unix -= 1, InvalidOpening),
        (|args| args.closes_unix = args.opens_unix, InvalidClose),
        (|args| args.tail_unix = args.opens_unix, InvalidTail),
        (|args| args.tail_unix = args.closes_unix, InvalidTail),
        (|args| args.tail_unix += 1, InvalidTail),
        (|args| args.allowlist_count = 1, InvalidAllowlist),
        (|args| args.allowlist_root = [1; 32], InvalidAllowlist),
        (
            |args| (args.allowlist_root, args.allowlist_count) = ([1; 32], MAX_ALLOWLIST_LEN + 1),
            InvalidAllowlist,
        ),
        (|args| args.buyer_vesting.immediate_bps = 10_001, InvalidVesting),
        (|args| args.buyer_vesting.immediate_bps = 10_000, InvalidVesting),
        (|args| args.buyer_vesting = VestingTerms::default(), InvalidVesting),
        (
            |args| args.buyer_vesting.linear_seconds = MAX_LOCK_SECONDS + 1,
            InvalidVesting,
        ),
        (|args| args.buyer_vesting.cliff_seconds = u32::MAX, InvalidVesting),
        (|args| args.developer_units = 0, InvalidVesting),
        (|args| args.developer_vesting.immediate_bps = 1, DeveloperVestsTooSoon),
        (
            |args| args.developer_vesting.cliff_seconds = 19_999,
            DeveloperVestsTooSoon,
        ),
        (
            |args| args.buyer_vesting.cliff_seconds = DEVELOPER_VESTING.cliff_seconds + 1,
            DeveloperVestsTooSoon,
        ),
        // Both would be done after 40,000 seconds.
        (|args| args.buyer_vesting.linear_seconds = 39_000, DeveloperVestsTooSoon),
        (|args| args.tranches.clear(), InvalidTranches),
        (
            |args| {
                args.tranches = vec![
                    TrancheTerms {
                        share_bps: 2_000,
                        ..AT_ONCE
                    };
                    5
                ]
            },
            InvalidTranches,
        ),
        (|args| args.tranches[0].share_bps = 5_001, InvalidTranches),
        (
            |args| (args.tranches[0].share_bps, args.tranches[1].share_bps) = (0, 10_000),
            InvalidTranches,
        ),
        (
            |args| {
                args.tranches[0].condition = TrancheCondition::Time {
                    unlocks_seconds: MAX_LOCK_SECONDS + 1,
                }
            },
            InvalidTranches,
        ),
        (
            |args| {
                args.tranches[1].condition = TrancheCondition::Revenue {
                    others_units: MAX_RAISE / 2 - 1,
                    deadline_seconds: 1,
                }
            },
            TrancheTooCheap,
        ),
        (
            |args| {
                args.tranches[1].condition = TrancheCondition::Revenue {
                    others_units: MAX_RAISE,
                    deadline_seconds: 20_001,
                }
            },
            DeveloperVestsTooSoon,
        ),
        (
            |args| {
                args.tranches[0].condition = TrancheCondition::Time {
                    unlocks_seconds: 20_001,
                }
            },
            DeveloperVestsTooSoon,
        ),
    ];
    for (position, (change, error)) in cases.into_iter().enumerate() {
        let mut args = sound.clone();
        change(&mut args);
        let open = model_token::open_offering(developer, developer, published.model, world.usdc, args);
        let refused = world.send(&[open], &[&cast.developer]).expect_err("refused");
        assert_eq!(refused.code(), Some(error.into()), "case {position}");
    }
    // The borders themselves are sound.
    let args = OpenOfferingArgs {
        tail_unix: sound.opens_unix + TAIL_SECONDS,
        closes_unix: sound.opens_unix + OFFERING_SECONDS,
        ..sound
    };
    world.given_offering_of(&cast, &published, args);
}

#[test]
fn given_an_open_offering_when_the_model_would_change_then_refused_until_it_is_settled() {
    let (mut world, cast, published) = given_model();
    let developer = cast.developer.pubkey();
    let publish = |number, layers: &[u32]| {
        model_token::publish_version(
            developer,
            developer,
            published.model,
            number,
            version_args(&dense(layers)),
        )
    };
    world.send(&[publish(2, &[4, 5, 3])], &[&cast.developer]).expect_ok();
    let args = world.offering_args();
    let open = model_token::open_offering(developer, developer, published.model, world.usdc, args);
    world
        .send(&[open], &[&cast.developer])
        .expect_error(ModelTokenError::VersionWaits);
    world.pass_slots(imo_tests::world::terms().notice_slots);
    let activate = model_token::activate_version(developer, published.model, 2);
    world.send(&[activate], &[&cast.developer]).expect_ok();

    world.given_offering(&cast, &published);
    world
        .send(&[publish(3, &[4, 6, 3])], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingRuns);
    let activate = model_token::activate_version(developer, published.model, 2);
    world
        .send(&[activate], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingRuns);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_settled(&cast, &published);
    world.send(&[publish(3, &[4, 6, 3])], &[&cast.developer]).expect_ok();
}
