//! Every instruction of the four programs, in an order in which people use them. What uses these stories measures or attacks all instructions.

use ::model_token::{
    instructions::OpenOfferingArgs,
    state::{Appointment, Metadata, OperatorAccess, ProtocolUpdate},
};
use ::opml_oracle::{
    game::Phase,
    state::{Equivocation, Trace},
};
use ::revenue_escrow::state::{Credit, Lane, Session};
use ::yield_distributor::state::ClaimDelegation;
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    challenge::evidence::{reported, wrong_question},
    data::Source,
    instructions::{
        audit, model_token,
        opml_oracle::{self, OperatorProfile},
        revenue_escrow, yield_distributor,
    },
    trees::AllowList,
};
use imo_protocol::{Bucket, Collection, Request, question_hash};
use opml_runtime::{Claim, Model, execute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    cast::Cast,
    landed::Outcome,
    models::{chain, claimed, dense, digits, honest, lying, malformed},
    world::{
        ALICE_COMMITS, AT_ONCE, AUDITS, BOB_COMMITS, CREDIT, Case, Duel, Published, STAKE, SUPPLY, Sampling, Search,
        Service, TRANCHE_SECONDS, World, answer_key, profile, sign_answer, terms, usdc, version_args,
    },
};

/// A model from its registration to the last closed account, without a dispute.
pub fn business(world: &mut World, cast: &Cast) {
    let [developer, stranger, payer, operator_key, treasury] = [
        &cast.developer,
        &cast.stranger,
        &cast.payer,
        &cast.operator,
        &cast.treasury,
    ]
    .map(Signer::pubkey);
    let mint = world.usdc;
    configure(world, cast);

    let runtime = dense(&[8, 6, 3]);
    let service = world.given_service(cast, &runtime);
    let published = service.published;
    world.given_token(cast, &published);
    let withdraw = world.withdraw_tranche_of(cast, &published, 0);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    let second = model_token::publish_version(developer, developer, published.model, 2, version_args(&dense(&[8, 3])));
    world.send(&[second], &[&cast.developer]).expect_ok();
    world.pass_slots(terms().notice_slots);
    let activate = model_token::activate_version(developer, published.model, 2);
    world.send(&[activate], &[&cast.developer]).expect_ok();
    let update = opml_oracle::update_operator(operator_key, mint, profile(&stranger));
    world.send(&[update], &[&cast.operator]).expect_ok();

    // From now on, the developer says who serves the model: this operator and another one, to which the payer opens a lane.
    let rival = world.given_operator(&cast.rival, &stranger);
    for key in [operator_key, cast.rival.pubkey()] {
        let appoint = model_token::appoint_operator(developer, developer, published.model, key);
        world.send(&[appoint], &[&cast.developer]).expect_ok();
    }
    let list = model_token::set_operator_access(developer, published.model, OperatorAccess::Listed);
    world.send(&[list], &[&cast.developer]).expect_ok();
    let second_lane = revenue_escrow::open_lane_to_appointed(
        payer,
        payer,
        published.model,
        rival,
        cast.rival.pubkey(),
        usdc(1),
        false,
    );
    world.send(&[second_lane], &[&cast.payer]).expect_ok();

    // Stake in two epochs, so that a split finds stake that is due, and a second staker finds a mark that is there.
    world.given_stake(&published, &cast.alice, SUPPLY / 4);
    world.given_stake(&published, &cast.bob, SUPPLY / 4);
    world.pass_epochs(&published, 1);
    world.given_stake(&published, &cast.alice, SUPPLY / 4);
    world.pass_epochs(&published, 2);

    let Service { operator, .. } = service;
    let case = world.given_sealed(
        cast,
        service,
        (0..3).map(|seed| honest(&runtime, seed, usdc(10))).collect(),
    );
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    claims_elsewhere(world, cast, &published);
    built_upon(world, cast, &published);
    for owner in [&cast.alice, &cast.bob] {
        let claim = world.claim_of(&published, &stranger, &owner.pubkey());
        world.send(&[claim], &[&cast.stranger]).expect_ok();
        let position = world
            .position(&published, &owner.pubkey())
            .expect("a claim closes nothing");
        let units = position.active_units;
        let unstake = yield_distributor::unstake(&world.pool(&published), &position, units);
        world.send(&[unstake], &[owner]).expect_ok();
        let position = world
            .position(&published, &owner.pubkey())
            .expect("neither does unstaking");
        world
            .send(&[yield_distributor::close_position(&position)], &[&cast.stranger])
            .expect_ok();
    }
    let pool = addresses::yield_distributor::pool(&published.model);
    let now_epoch = world.epoch(&published);
    for mark in (0..=now_epoch).map(|epoch| addresses::yield_distributor::epoch_mark(&pool, epoch)) {
        if world.is_made(&mark) {
            let close = yield_distributor::close_epoch_mark(&world.read(&mark));
            world.send(&[close], &[&cast.stranger]).expect_ok();
        }
    }
    let redeem = yield_distributor::redeem(
        cast.bob.pubkey(),
        cast.bob.pubkey(),
        &world.pool(&published),
        SUPPLY / 4,
    );
    world.send(&[redeem], &[&cast.bob]).expect_ok();
    for recipient in [operator_key, developer, treasury] {
        world.given_payment_account(cast, &recipient);
        let withdraw = revenue_escrow::withdraw_earnings(stranger, published.model, recipient, mint);
        world.send(&[withdraw], &[&cast.stranger]).expect_ok();
    }
    close_case(world, cast, &case.collection, &case.report);

    let service = retraction(world, cast, case.service, &runtime);

    // The payer leaves.
    let (model, notice) = (published.model, terms().notice_slots);
    let fund = revenue_escrow::fund_lane(payer, model, operator, usdc(1));
    world.send(&[fund], &[&cast.payer]).expect_ok();
    let lanes: [(Pubkey, Lane); 2] = [operator, rival].map(|operator| {
        let lane = addresses::revenue_escrow::lane(&service.customer.credit, &operator);
        (operator, world.read(&lane))
    });
    for (operator, lane) in &lanes {
        let release = revenue_escrow::request_release(payer, model, *operator, lane.reserved_units);
        world.send(&[release], &[&cast.payer]).expect_ok();
    }
    let dismiss = model_token::dismiss_operator(developer, model, operator_key);
    world.send(&[dismiss], &[&cast.developer]).expect_ok();
    let revoke = revenue_escrow::revoke_session(payer, model, cast.session.pubkey());
    world.send(&[revoke], &[&cast.payer]).expect_ok();
    world.pass_slots(notice + 2);
    for (operator, lane) in &lanes {
        world
            .send(&[revenue_escrow::release_lane(payer, model, *operator)], &[&cast.payer])
            .expect_ok();
        world
            .send(&[revenue_escrow::close_lane(payer, lane)], &[&cast.payer])
            .expect_ok();
    }
    let appointment: Appointment = world.read(&addresses::model_token::appointment(&model, &operator_key));
    world
        .send(&[model_token::close_appointment(&appointment)], &[&cast.stranger])
        .expect_ok();
    let session = addresses::revenue_escrow::session(&service.customer.credit, &cast.session.pubkey());
    let close = revenue_escrow::close_session(&world.read::<Session>(&session));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let credit: Credit = world.read(&service.customer.credit);
    let request = revenue_escrow::request_withdraw(payer, model, credit.available_units);
    world.send(&[request], &[&cast.payer]).expect_ok();
    world.pass_slots(notice + 2);
    let destination = addresses::payment_account(&payer, &mint);
    let withdraw = revenue_escrow::withdraw_credit(payer, model, mint, destination);
    world.send(&[withdraw], &[&cast.payer]).expect_ok();
    world
        .send(&[revenue_escrow::close_credit(&credit)], &[&cast.payer])
        .expect_ok();
    assert_eq!(world.usdc_of(&payer), CREDIT - case.collected_units);

    // So does the operator.
    let unbond = opml_oracle::request_unbond(operator_key, mint, usdc(1));
    world.send(&[unbond], &[&cast.operator]).expect_ok();
    world.pass_slots(terms().unbonding_slots + 1);
    let recipient = addresses::payment_account(&operator_key, &mint);
    let withdraw = opml_oracle::withdraw_bond(operator_key, mint, recipient);
    world.send(&[withdraw], &[&cast.operator]).expect_ok();
}

/// Alice lets somebody claim for her, and takes that back; Bob has his yield paid to another account himself.
fn claims_elsewhere(world: &mut World, cast: &Cast, published: &Published) {
    let [alice, bob, claimer, elsewhere] = [&cast.alice, &cast.bob, &cast.rival, &cast.backup].map(Signer::pubkey);
    world.given_payment_account(cast, &elsewhere);
    let destination = addresses::payment_account(&elsewhere, &world.usdc);
    let pool = addresses::yield_distributor::pool(&published.model);
    // Setting it a second time changes it.
    for delegate in [elsewhere, claimer] {
        let set = yield_distributor::set_claim_delegate(alice, alice, pool, delegate, destination);
        world.send(&[set], &[&cast.alice]).expect_ok();
    }
    let delegation: ClaimDelegation = world.read(&addresses::yield_distributor::claim_delegation(&pool, &alice));
    let position = world.position(published, &alice).expect("Alice has staked");
    let claim = yield_distributor::claim_by_delegate(&world.pool(published), &position, &delegation);
    world.send(&[claim], &[&cast.rival]).expect_ok();
    let revoke = yield_distributor::revoke_claim_delegate(&delegation);
    world.send(&[revoke], &[&cast.alice]).expect_ok();
    let position = world.position(published, &bob).expect("Bob has staked");
    let claim = yield_distributor::claim_to(&world.pool(published), &position, destination);
    world.send(&[claim], &[&cast.bob]).expect_ok();
}

/// A model that is built on another one and on somebody's data: both are paid from its first report.
fn built_upon(world: &mut World, cast: &Cast, base: &Published) {
    let runtime = dense(&[8, 5, 3]);
    let [stranger, provider] = [&cast.stranger, &cast.watcher].map(Signer::pubkey);
    let contributors = [(provider, 200), (base.model, 500)];
    let published = world.given_model_of_contributors(cast, 13, &runtime, &contributors);
    world.given_vault(cast, &published);
    world.given_token(cast, &published);
    let authority = world.actor();
    let service = given_operator_of(world, cast, &authority, published);
    let case = world.given_sealed_by(&authority, service, vec![honest(&runtime, 0, usdc(10))]);
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    world.given_payment_account(cast, &provider);
    let mint = world.usdc;
    let withdraw =
        revenue_escrow::withdraw_contribution(stranger, published.model, published.version, 0, provider, mint);
    world.send(&[withdraw], &[&cast.stranger]).expect_ok();
    // Stake of the base model that is due becomes active with the payment.
    world.given_stake(base, &cast.alice, SUPPLY / 100);
    world.pass_epochs(base, 2);
    let payment = world.upstream_payment(cast, &published, 1, base);
    let pay = revenue_escrow::pay_upstream(payment);
    world.send(&[pay], &[&cast.stranger]).expect_ok();
    close_case(world, cast, &case.collection, &case.report);
}

/// Settings proposed, cancelled, proposed again and executed; a pause that is lifted; the authority handed over and back.
fn configure(world: &mut World, cast: &Cast) {
    let [authority, alice, guardian] = [&cast.authority, &cast.alice, &cast.guardian].map(Signer::pubkey);
    let settings = world.settings(cast);
    let update: ProtocolUpdate = world.given_proposal(cast, settings.clone());
    world
        .send(&[model_token::cancel_update(authority, &update)], &[&cast.authority])
        .expect_ok();
    world.given_settings(cast, settings);
    let until = world.now().unix + 1;
    for until in [until, 0] {
        world
            .send(&[model_token::set_pause(guardian, until)], &[&cast.guardian])
            .expect_ok();
    }
    for (from, to, old, new) in [
        (authority, alice, &cast.authority, &cast.alice),
        (alice, authority, &cast.alice, &cast.authority),
    ] {
        world
            .send(&[model_token::propose_authority(from, to)], &[old])
            .expect_ok();
        world.send(&[model_token::accept_authority(to)], &[new]).expect_ok();
    }
}

/// A report whose only collection is retracted: its payer is refunded, and the fee split in place of the amount.
fn retraction(world: &mut World, cast: &Cast, service: Service, runtime: &Model) -> Service {
    world.given_usdc(&cast.operator.pubkey(), usdc(10));
    let case = world.given_collected(cast, service, vec![honest(runtime, 9, usdc(10))]);
    world.retract(&cast.operator, &case.collection);
    world.seal(cast, &case.report);
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    world.refund(cast, &case);
    close_bucket_and_report(world, cast, &case.report);
    case.service
}

/// An offering in which everything waits for something, from the handing over of the model to the last closed account: an allow-list, withdrawals, vesting
/// with yield, tranches of which one is missed.
pub fn launch(world: &mut World, cast: &Cast) {
    let [developer, rival, alice, bob] = [&cast.developer, &cast.rival, &cast.alice, &cast.bob].map(Signer::pubkey);
    let mint = world.usdc;
    let runtime = dense(&[8, 6, 3]);
    let service = world.given_service(cast, &runtime);
    let published = service.published;
    let model = published.model;
    for (from, to, old, new) in [
        (developer, rival, &cast.developer, &cast.rival),
        (rival, developer, &cast.rival, &cast.developer),
    ] {
        world
            .send(&[model_token::propose_developer(from, model, to)], &[old])
            .expect_ok();
        world
            .send(&[model_token::accept_developer(to, model)], &[new])
            .expect_ok();
    }

    let metadata = Metadata {
        name: "Handwritten digits".to_owned(),
        ..world.read::<::model_token::state::Model>(&model).metadata
    };
    let propose = model_token::propose_metadata(developer, developer, model, metadata);
    let update = addresses::model_token::metadata_update(&model);
    world
        .send(std::slice::from_ref(&propose), &[&cast.developer])
        .expect_ok();
    let cancel = model_token::cancel_metadata(developer, &world.read(&update));
    world.send(&[cancel], &[&cast.developer]).expect_ok();
    world.send(&[propose], &[&cast.developer]).expect_ok();
    world.pass_slots(terms().notice_slots);
    let apply = model_token::apply_metadata(developer, developer, &world.read(&update));
    world.send(&[apply], &[&cast.developer]).expect_ok();

    let list = AllowList::over(&[(alice, 0), (bob, 0), (cast.watcher.pubkey(), 0)]).expect("three wallets are a list");
    let args = OpenOfferingArgs {
        allowlist_root: list.root(),
        allowlist_count: list.count(),
        ..world.vesting_args()
    };
    let tail_unix = args.tail_unix;
    world.given_offering_of(cast, &published, args);
    for (investor, units) in [(&cast.alice, ALICE_COMMITS + 1), (&cast.bob, BOB_COMMITS)] {
        let key = investor.pubkey();
        world.given_usdc(&key, units);
        let allowance = list.allowance(&key).expect("the investor is on the list");
        let commit = model_token::commit_listed(key, key, model, mint, units, allowance);
        world.send(&[commit], &[investor]).expect_ok();
    }
    world
        .send(
            &[model_token::withdraw_commitment(bob, bob, model, mint, BOB_COMMITS / 2)],
            &[&cast.bob],
        )
        .expect_ok();
    world.pass_until_unix(tail_unix);
    world
        .send(
            &[model_token::withdraw_commitment(alice, alice, model, mint, 2)],
            &[&cast.alice],
        )
        .expect_ok();
    world.given_settled(cast, &published);
    world.given_pool(cast, &published);
    world.given_claimed(cast, &published, &[&cast.alice, &cast.bob]);
    let withdraw = world.withdraw_tranche_of(cast, &published, 0);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();

    // Revenue comes while everything vests.
    let case = world.given_sealed(cast, service, vec![honest(&runtime, 0, usdc(20))]);
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    close_case(world, cast, &case.collection, &case.report);
    let sweep = yield_distributor::sweep_dust(&world.pool(&published));
    world.send(&[sweep], &[&cast.stranger]).expect_ok();
    for (investor, seconds) in [(alice, 5_000), (bob, 6_000), (alice, 11_000), (bob, 11_000)] {
        world.pass_until_settled(&published, seconds);
        let release = world.release_of(&published, &investor);
        world.send(&[release], &[&cast.stranger]).expect_ok();
    }
    for investor in [alice, bob] {
        let claim = world.claim_vesting_of(cast, &published, &investor);
        world.send(&[claim], &[&cast.stranger]).expect_ok();
        let close = yield_distributor::close_vesting(&world.vesting(&published, &investor));
        world.send(&[close], &[&cast.stranger]).expect_ok();
    }
    world.pass_until_settled(&published, i64::from(TRANCHE_SECONDS) + 1);
    let miss = world.miss_of(&published, 1);
    world.send(&[miss], &[&cast.stranger]).expect_ok();
    close_developer_vesting(world, cast, &published);

    // Another model's developer keeps its tokens.
    let kept = world.given_model_number(cast, 1, &runtime);
    let args = OpenOfferingArgs {
        tranches: vec![AT_ONCE],
        ..world.vesting_args()
    };
    world.given_offering_of(cast, &kept, args);
    world.given_commitment(&kept, &cast.alice, ALICE_COMMITS);
    world.given_settled(cast, &kept);
    world.given_pool(cast, &kept);
    world.given_claimed(cast, &kept, &[&cast.alice]);
    world.pass_until_settled(&kept, 40_000);
    let release = world.release_of(&kept, &alice);
    world.send(&[release], &[&cast.stranger]).expect_ok();
    let close = yield_distributor::close_vesting(&world.vesting(&kept, &alice));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let release = world.release_developer_of(&kept, &developer);
    world.send(&[release], &[&cast.stranger]).expect_ok();
    close_developer_vesting(world, cast, &kept);
}

/// Pays the yield of the developer's tokens, of which none is left, and closes their account.
fn close_developer_vesting(world: &mut World, cast: &Cast, published: &Published) {
    let claim = world.claim_developer_of(cast, published, &cast.developer.pubkey());
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    let close = yield_distributor::close_vesting(&world.vesting(published, &published.model));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

/// An offering that misses its minimum.
pub fn failure(world: &mut World, cast: &Cast) {
    let published = world.given_model_number(cast, 7, &dense(&[4, 3]));
    world.given_offering(cast, &published);
    world.given_commitment(&published, &cast.alice, usdc(1));
    world.given_settled(cast, &published);
    let claimed = world.claimed(&published, &cast.alice.pubkey());
    let claim = model_token::claim_commitment(claimed);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
}

/// Rejected reports: a wrong answer of the digits model, proven; one of a model of forty nodes, with a walk down the trace and a second challenger who uses
/// the same trace and wins by silence; and every fraud that one transaction shows.
pub fn disputes(world: &mut World, cast: &Cast) {
    walks(world, cast);
    evidence(world, cast);
    equivocation(world, cast);
}

fn walks(world: &mut World, cast: &Cast) {
    let runtime = digits();
    let published = world.given_model_number(cast, 8, &runtime);
    world.given_vault(cast, &published);
    let operator = world.given_operator(&cast.backup, &cast.stranger.pubkey());
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let case = world.given_sealed_by(&cast.backup, service, vec![lying(&runtime, 0, usdc(10), 2)]);
    let own = execute(&runtime, &case.asked[0].input).expect("the input fits the model");
    let answer = &case.asked[0].answer;
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, &runtime, &own);
    duel.play_until(world, &cast.backup, answer, Phase::TileKnown);
    let witness = duel.challenger_moves(world).expect("the last move proves");
    let close = opml_oracle::close_witness(cast.watcher.pubkey(), witness);
    world.send(&[close], &[&cast.watcher]).expect_ok();
    duel.settle(world, &cast.stranger);
    world.refund(cast, &case);
    duel.pay_out(world, &cast.stranger);
    close_trace(world, cast, &duel);
    close_bucket_and_report(world, cast, &case.report);

    // The rejection jailed the operator.
    world.pass_slots(terms().unbonding_slots + 1);
    let runtime = chain(40);
    let published = world.given_model_number(cast, 9, &runtime);
    world.given_vault(cast, &published);
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let case = world.given_sealed_by(&cast.backup, service, vec![lying(&runtime, 0, usdc(10), 17)]);
    let own = execute(&runtime, &case.asked[0].input).expect("the input fits the model");
    let answer = &case.asked[0].answer;
    let mut first = Duel::open(world, &cast.watcher, &case, 0, &runtime, &own);
    let mut second = Duel::open(world, &cast.rival, &case, 0, &runtime, &own);
    second.play_until(world, &cast.backup, answer, Phase::Pointed);
    first.play_until(world, &cast.backup, answer, Phase::TileKnown);
    second.play_until(world, &cast.backup, answer, Phase::Demanded);
    second.time_out(world, &cast.stranger);
    first.time_out(world, &cast.stranger);
    world.refund(cast, &case);
    first.settle(world, &cast.stranger);
    second.settle(world, &cast.stranger);
    first.pay_out(world, &cast.stranger);
    second.pay_out(world, &cast.stranger);
    close_trace(world, cast, &first);
    close_case(world, cast, &case.collection, &case.report);
}

/// Data of every kind, demanded and shown; and some that is withheld, for which the report is rejected.
pub fn inquiries(world: &mut World, cast: &Cast) {
    let model = dense(&[200, 100, 3]);
    let service = world.given_service(cast, &model);
    let asked = (0..9).map(|seed| honest(&model, seed, usdc(1))).collect();
    let case = world.given_sealed(cast, service, asked);
    let receipts = case.all_receipts();
    let search = Search::receipts(world, &cast.watcher, &case, 0);
    search.walk(world, &cast.operator, 5, Source::Receipts(&case.receipts, &receipts));
    let input = Search::input(world, &cast.watcher, &case, 5, 1);
    input.walk(world, &cast.stranger, 0, Source::Tensor(&case.asked[5].input));
    let weights = model
        .constants()
        .iter()
        .position(|constant| constant.spec().depth() > 4);
    let weights = weights.expect("a layer of forty tiles is a tree of more than four levels");
    let constant = Search::constant(world, &cast.rival, &case, &model, weights as u32, 0);
    constant.walk(world, &cast.operator, 17, Source::Tensor(&model.constants()[weights]));
    world.finalise(cast, &case.report);
    for search in [search, input, constant] {
        search.settle(world, &cast.stranger);
        search.pay_out(world, &cast.stranger);
    }
    world.split(cast, &case.report);
    close_case(world, cast, &case.collection, &case.report);

    let case = world.given_sealed(cast, case.service, vec![honest(&model, 9, usdc(1))]);
    let search = Search::input(world, &cast.watcher, &case, 0, 0);
    search.demand(world, 0);
    search.time_out(world, &cast.stranger);
    search.settle(world, &cast.stranger);
    search.pay_out(world, &cast.stranger);
    world.refund(cast, &case);
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    world
        .send(&[revenue_escrow::close_bucket(&bucket)], &[&cast.stranger])
        .expect_ok();
    let close = opml_oracle::close_report(&world.read(&case.report));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

/// Random audits: one that two auditors share, one of a model too large for a whole trace, one whose trace a dispute has brought, and one that is not answered.
pub fn audits(world: &mut World, cast: &Cast) {
    world.given_audits(cast, 4 * AUDITS.fee_units);
    let model = dense(&[8, 6, 3]);
    let published = world.given_model(cast, &model);
    world.given_vault(cast, &published);
    let service = given_operator_of(world, cast, &cast.bob, published);
    let asked = (0..5).map(|seed| honest(&model, seed, usdc(2))).collect();
    let case = world.given_sealed_by(&cast.bob, service, asked);
    let audit = given_asked(world, cast, &case, &[&cast.watcher, &cast.rival]);
    audit.answer(world, &cast.bob, &case);
    for auditor in [&cast.watcher, &cast.rival] {
        audit.reveal(world, auditor);
        world.given_payment_account(cast, &auditor.pubkey());
    }
    close_audited(world, cast, &case, audit, &[&cast.watcher, &cast.rival]);
    let pay = revenue_escrow::pay_audit_share(published.model, cast.treasury.pubkey(), world.usdc);
    world.send(&[pay], &[&cast.stranger]).expect_ok();

    let model = chain(40);
    let published = world.given_model_number(cast, 1, &model);
    world.given_vault(cast, &published);
    let customer = world.given_customer(&cast.payer, &cast.session, &published, case.service.operator);
    let service = Service {
        published,
        operator: case.service.operator,
        customer,
    };
    let case = world.given_sealed_by(&cast.bob, service, vec![honest(&model, 0, usdc(2))]);
    let audit = given_asked(world, cast, &case, &[&cast.watcher]);
    audit.answer(world, &cast.backup, &case);
    audit.reveal(world, &cast.watcher);
    close_audited(world, cast, &case, audit, &[&cast.watcher]);

    let service = given_operator_of(world, cast, &cast.backup, published);
    let case = world.given_sealed_by(&cast.backup, service, vec![honest(&model, 1, usdc(2))]);
    let audit = given_asked(world, cast, &case, &[&cast.watcher]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(world, &cast.rival, &case, 0, &model, &own);
    duel.play_until(world, &cast.backup, &case.asked[0].answer, Phase::Traced);
    let attach = audit::attach_audit_trace(&audit.state(world));
    world.send(&[attach], &[&cast.stranger]).expect_ok();
    duel.time_out(world, &cast.stranger);
    duel.settle(world, &cast.stranger);
    duel.pay_out(world, &cast.stranger);
    // The auditor never opens its commitment.
    close_audited(world, cast, &case, audit, &[&cast.watcher]);

    let service = given_operator_of(world, cast, &cast.guardian, published);
    let case = world.given_sealed_by(&cast.guardian, service, vec![honest(&model, 2, usdc(2))]);
    let audit = given_asked(world, cast, &case, &[&cast.watcher]);
    audit.time_out(world, &cast.stranger);
    world.refund(cast, &case);
    audit.settle(world, &cast.stranger);
    audit.pay_out(world, &cast.stranger, &cast.watcher.pubkey());
    audit.close(world, &cast.stranger);
    close_bucket_and_report(world, cast, &case.report);
    assert_eq!(world.audit_fund().owed_units, 0);
}

/// A drawn audit of a sealed case to which these have committed, and for whose trace somebody has asked.
fn given_asked(world: &mut World, cast: &Cast, case: &Case, auditors: &[&Keypair]) -> Sampling {
    let audit = Sampling::draw(world, cast, case, 0);
    for auditor in auditors {
        audit.commit_honestly(world, auditor, case);
    }
    audit.ask(world, &cast.stranger, case);
    audit
}

/// The report of an audit that was answered, from its window's end to the last closed account.
fn close_audited(world: &mut World, cast: &Cast, case: &Case, audit: Sampling, auditors: &[&Keypair]) {
    let receipt = audit.state(world).receipt_index as usize;
    world.finalise(cast, &case.report);
    audit.settle(world, &cast.stranger);
    for auditor in auditors {
        audit.pay_out(world, &cast.stranger, &auditor.pubkey());
    }
    audit.close(world, &cast.stranger);
    world.split(cast, &case.report);
    let trace = addresses::opml_oracle::trace(&case.report, &case.asked[receipt].claim.claim_hash());
    let close = opml_oracle::close_trace(&world.read::<Trace>(&trace));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    close_case(world, cast, &case.collection, &case.report);
}

/// The wrong question, a second answer to a reported one, and a malformed model.
fn evidence(world: &mut World, cast: &Cast) {
    let runtime = dense(&[8, 6, 3]);
    let own = execute(&runtime, &honest(&runtime, 0, 1).input).expect("the input fits the model");
    let published = world.given_model_number(cast, 10, &runtime);
    world.given_vault(cast, &published);
    let asked = || vec![honest(&runtime, 0, usdc(10))];

    let service = given_operator_of(world, cast, &cast.alice, published);
    let mut question = asked()[0].question();
    question.input_root = [1; 32];
    let case = world.given_sealed_to(&cast.alice, service, &[question], asked());
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, &runtime, &own);
    let request = Request {
        lane: case.service.customer.lane,
        sequence: 0,
        model_root: question.model_root,
        input_root: question.input_root,
        price_units: usdc(10),
        salt: question.salt,
    };
    let witness = duel.stage_evidence(world, &wrong_question(&duel.place.clone(), &request, &[]));
    let state = duel.state(world);
    let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
    world.send(&[prove], &[&cast.watcher]).expect_ok();
    close_shown(world, cast, &mut duel, &case);

    let service = given_operator_of(world, cast, &cast.bob, published);
    let case = world.given_sealed_by(&cast.bob, service, asked());
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, &runtime, &own);
    let witness = duel.stage_evidence(world, &reported(&duel.place.clone()));
    let other = Claim {
        output_root: [1; 32],
        ..case.asked[0].claim
    };
    let answer = sign_answer(case.service.operator, other, &answer_key());
    let state = duel.state(world);
    let prove = opml_oracle::prove_equivocation(&state, state.game.digest, case.collection, witness, &answer);
    world.send(&prove, &[&cast.watcher]).expect_ok();
    close_shown(world, cast, &mut duel, &case);

    let records = malformed();
    let published = world.given_header(cast, 11, records.header());
    world.given_vault(cast, &published);
    let service = given_operator_of(world, cast, &cast.operator, published);
    let case = world.given_sealed(cast, service, vec![claimed(&records, usdc(10))]);
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, &runtime, &own);
    let (node, _) = records.first_fault().expect("a node breaks a rule");
    let witness = duel.stage_evidence(world, &records.witness(node).expect("the model has that node"));
    let state = duel.state(world);
    let prove = opml_oracle::prove_malformed(&state, state.game.digest, witness, node);
    world.send(&[prove], &[&cast.watcher]).expect_ok();
    close_shown(world, cast, &mut duel, &case);
}

/// One question answered in two ways, from the evidence to the last closed account. At first half of what it costs is locked.
fn equivocation(world: &mut World, cast: &Cast) {
    let runtime = dense(&[4, 3]);
    let published = world.given_model_number(cast, 12, &runtime);
    let operator = world.given_operator(&cast.treasury, &cast.backup.pubkey());
    let due = terms().min_bond_units;
    let report = world.given_report_with_bond(&cast.treasury, &published, STAKE - due / 2);
    let claim = honest(&runtime, 0, 1).claim;
    let other = Claim {
        output_root: [1; 32],
        ..claim
    };
    let answers = [claim, other].map(|claim| sign_answer(operator, claim, &answer_key()));
    let punish = opml_oracle::punish_equivocation(cast.watcher.pubkey(), world.usdc, &answers);
    world.send(&punish, &[&cast.watcher]).expect_ok();
    let seal = opml_oracle::seal_report(cast.treasury.pubkey(), &world.read(&report));
    world.send(&[seal], &[&cast.treasury]).expect_ok();
    world.finalise(cast, &report);
    let address = addresses::opml_oracle::equivocation(&operator, &question_hash(&claim));
    let equivocation: Equivocation = world.read(&address);
    world.given_payment_account(cast, &cast.watcher.pubkey());
    for instruction in [
        opml_oracle::settle_equivocation(&equivocation),
        opml_oracle::withdraw_reward(cast.stranger.pubkey(), &equivocation),
    ] {
        world.send(&[instruction], &[&cast.stranger]).expect_ok();
    }
    let profile = OperatorProfile {
        endpoint_key_hash: [1; 32],
        ..profile(&cast.backup.pubkey())
    };
    let change = opml_oracle::update_operator(cast.treasury.pubkey(), world.usdc, profile);
    world.send(&[change], &[&cast.treasury]).expect_ok();
    world.pass_slots(terms().unbonding_slots + 1);
    let close = opml_oracle::close_equivocation(&equivocation);
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

/// A new operator of a model, with the payer as its customer.
fn given_operator_of(world: &mut World, cast: &Cast, authority: &Keypair, published: Published) -> Service {
    let operator = world.given_operator(authority, &cast.backup.pubkey());
    let payer = world.actor();
    let customer = world.given_customer(&payer, &cast.session, &published, operator);
    Service {
        published,
        operator,
        customer,
    }
}

/// What follows when fraud was shown at once: there is no trace.
fn close_shown(world: &mut World, cast: &Cast, duel: &mut Duel, case: &Case) {
    duel.settle(world, &cast.stranger);
    world.refund(cast, case);
    duel.pay_out(world, &cast.stranger);
    let close = revenue_escrow::close_bucket(&world.read(&addresses::revenue_escrow::bucket(&case.report)));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let close = opml_oracle::close_report(&world.read(&case.report));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

fn close_trace(world: &mut World, cast: &Cast, duel: &Duel) {
    let trace = addresses::opml_oracle::trace(&duel.report, &duel.place.claim.claim_hash());
    let close = opml_oracle::close_trace(&world.read::<Trace>(&trace));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

fn close_case(world: &mut World, cast: &Cast, collection: &Pubkey, report: &Pubkey) {
    let close = revenue_escrow::close_collection(&world.read::<Collection>(collection));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    close_bucket_and_report(world, cast, report);
}

fn close_bucket_and_report(world: &mut World, cast: &Cast, report: &Pubkey) {
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(report));
    world
        .send(&[revenue_escrow::close_bucket(&bucket)], &[&cast.stranger])
        .expect_ok();
    let close = opml_oracle::close_report(&world.read(report));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}
