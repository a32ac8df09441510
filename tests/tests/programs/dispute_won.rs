//! A watcher finds a wrong answer.

use ::opml_oracle::{
    game::Phase,
    state::{Operator, Report, ReportStatus, StakeVault},
};
use ::revenue_escrow::state::Credit;
use imo_client::addresses;
use imo_tests::{
    World,
    models::{digits, honest, lying},
    world::{BOND, Duel, STAKE, terms, usdc},
};
use opml_runtime::execute;
use solana_signer::Signer;

#[test]
fn given_one_wrong_element_when_the_watcher_proves_it_then_slashed_refunded_and_rewarded_to_the_unit() {
    let (mut world, cast) = World::with_protocol();
    let model = digits();
    let service = world.given_service(&cast, &model);
    let asked = vec![
        honest(&model, 0, usdc(10)),
        lying(&model, 1, usdc(10), 2),
        honest(&model, 2, usdc(10)),
    ];
    let case = world.given_sealed(&cast, service, asked);
    let own = execute(&model, &case.asked[1].input).expect("the input fits the model");

    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 1, &model, &own);
    let terms = terms();
    let paid_in = terms.challenger_bond_units + terms.open_fee_units;
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), usdc(10) - paid_in);
    duel.play_until(&mut world, &cast.operator, &case.asked[1].answer, Phase::Proven);
    println!("{:?}", duel.tally);

    let report: Report = world.read(&case.report);
    assert_eq!((report.status, report.slashed_units), (ReportStatus::Rejected, BOND));
    let operator: Operator = world.read(&case.service.operator);
    assert_eq!(
        (operator.stake_units, operator.locked_units, operator.open_reports),
        (STAKE - BOND, 0, 0)
    );

    let credit = |world: &World| world.read::<Credit>(&case.service.customer.credit);
    let before = credit(&world);
    world.refund(&cast, &case);
    assert_eq!(credit(&world).available_units - before.available_units, usdc(30));

    duel.settle(&mut world, &cast.stranger);
    // Point, demand, prove: three moves of the challenger's.
    let costs = 3 * terms.move_cost_units;
    let share = BOND * u64::from(terms.prover_share_bps) / 10_000;
    duel.pay_out(&mut world, &cast.stranger);
    assert_eq!(
        world.usdc_of(&cast.watcher.pubkey()),
        usdc(10) - terms.open_fee_units + costs + share
    );
    let vault: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(vault.insurance_units, terms.open_fee_units + BOND - costs - share);
    assert_eq!(vault.owed_units, STAKE - BOND + vault.insurance_units);
}
