//! Operators that bond the same stake twice, or none.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use imo_client::{
    addresses,
    instructions::{
        model_token,
        opml_oracle::{self, ReportTerms},
        revenue_escrow,
    },
};
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, dense, honest, lying},
    world::{BOND, STAKE, terms, usdc, version_args},
};

/// Bonds all of its stake for a false report, and wants to bond it for a second one.
pub fn one_stake_for_many_reports(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let [watcher, authority] = [&arena.cast.watcher, &arena.cast.operator].map(solana_keypair::Keypair::insecure_clone);
    let operator: Operator = arena.read(&arena.operator());
    let published = case.service.published;
    let terms = arena.report_terms(&published, STAKE);
    let post = opml_oracle::post_report(authority.pubkey(), &operator, terms);
    arena
        .send(&[post], &[&authority])
        .expect_error(OracleError::NotEnoughFreeStake);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &authority, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
}

/// Collects more than its bond covers: the rest of the voucher goes under no second report at the same time.
pub fn overlapping_reports(arena: &mut Arena) {
    let model = chain(2);
    let Arena { world, cast, .. } = arena;
    let mut service = world.given_service(cast, &model);
    let [authority, payer] = [&cast.operator, &cast.payer].map(solana_keypair::Keypair::insecure_clone);
    arena.sides([authority.pubkey()], [payer.pubkey()]);
    let asked = [honest(&model, 0, usdc(50)), honest(&model, 1, usdc(1))];
    let reports = [0, 1].map(|_| arena.given_report(&authority, &service.published));
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &asked);
    for report in reports {
        // Fifty is what a bond of a hundred covers.
        let lane = arena.collected_lane(&authority, &service.customer, report);
        let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
        arena
            .send(&collect, &[&authority])
            .expect_error(RevenueEscrowError::BondExceeded);
    }
    // Nobody lost anything: the money is still in the lane.
}

/// Takes its stake out between the post and the proof. What is bonded does not leave, and nothing does while it is disputed or jailed.
pub fn early_withdrawal_of_stake(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let [watcher, authority] = [&arena.cast.watcher, &arena.cast.operator].map(solana_keypair::Keypair::insecure_clone);
    let mint = arena.usdc;
    let recipient = addresses::payment_account(&authority.pubkey(), &mint);
    let announce = opml_oracle::request_unbond(authority.pubkey(), mint, STAKE / 2);
    arena.send(&[announce], &[&authority]).expect_ok();
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &authority, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
    // Jailed as long as the stake takes to leave, from the rejection on.
    let announced = arena.read::<Operator>(&arena.operator()).unbonding;
    let now = arena.now().slot;
    arena.pass_slots((announced.due_slot + 4).saturating_sub(now));
    let withdraw = opml_oracle::withdraw_bond(authority.pubkey(), mint, recipient);
    let early = arena.send(&[withdraw], &[&authority]);
    assert!(early.is_ok() || early.is_err_and(|refused| refused.code() == Some(OracleError::Jailed.into())));
}

/// Reports on a cheap version that was published and never live.
pub fn stale_report(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let [developer, authority] =
        [&arena.cast.developer, &arena.cast.operator].map(solana_keypair::Keypair::insecure_clone);
    arena.attackers.push(developer.pubkey());
    let published = case.service.published;
    let key = developer.pubkey();
    let toy = model_token::publish_version(key, key, published.model, 2, version_args(&dense(&[8, 3])));
    arena.send(&[toy], &[&developer]).expect_ok();
    let operator: Operator = arena.read(&arena.operator());
    let terms = ReportTerms {
        version: 2,
        ..arena.report_terms(&published, terms().min_bond_units)
    };
    let post = opml_oracle::post_report(authority.pubkey(), &operator, terms);
    arena
        .send(&[post], &[&authority])
        .expect_error(OracleError::VersionNeverLive);
    let early = model_token::activate_version(key, published.model, 2);
    arena
        .send(&[early], &[&developer])
        .expect_error(::model_token::errors::ModelTokenError::NoticeNotOver);
    assert_eq!(arena.read::<Report>(&case.report).version_number, 1);
    arena.begin();
    arena.wind_up(&case);
    // The developer earns its share of what was served, and no more.
    let share = case.collected_units * 5_500 / 10_000;
    let earned = super::verdict::gain(&arena.world, &key);
    assert_eq!(
        earned,
        i128::from(share),
        "without a token holders' and redeem shares are the developer's"
    );
    arena.before.insert(key, earned);
}

/// Is caught, and goes on at once: posts again, takes its stake out, answers another of its reports with silence. The jail lasts as long as stake takes to leave.
pub fn jailed_liar_who_goes_on(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let cast = arena.cast.copy();
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
    let (authority, mint) = (cast.operator.pubkey(), arena.usdc);
    let announce = opml_oracle::request_unbond(authority, mint, STAKE - BOND);
    arena.send(&[announce], &[&cast.operator]).expect_ok();
    let jail = arena.read::<Operator>(&arena.operator()).jail;
    arena.pass_until_slot(jail.due_slot);
    let operator: Operator = arena.read(&arena.operator());
    let terms = arena.report_terms(&case.service.published, terms().min_bond_units);
    let post = opml_oracle::post_report(authority, &operator, terms);
    arena.send(&[post], &[&cast.operator]).expect_error(OracleError::Jailed);
    let recipient = addresses::payment_account(&authority, &mint);
    let withdraw = opml_oracle::withdraw_bond(authority, mint, recipient);
    arena
        .send(&[withdraw], &[&cast.operator])
        .expect_error(OracleError::StillUnbonding);
}
