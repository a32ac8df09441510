//! The oracle's deadlines.

use ::opml_oracle::{
    errors::OracleError,
    game::{Phase, Side},
    state::{Equivocation, Operator, Report},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use imo_client::{
    addresses,
    challenge::evidence::{reported, wrong_question},
    data::Source,
    instructions::{
        data,
        opml_oracle::{self, OperatorProfile},
    },
};
use imo_protocol::{Request, answer_key_hash, question_hash};
use imo_tests::{
    Outcome, World,
    models::{chain, claimed, dense, honest, lying, malformed},
    world::{BOND, Duel, STAKE, Search, Service, answer_key, profile, sign_answer, terms, usdc},
};
use opml_runtime::{Claim, execute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Border, Try, When, attempt, given_voucher, send};

/// A report that is open: what is collected until it, who seals after it.
pub fn collecting() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let mut service = world.given_service(&cast, &chain(2));
    let (report, collect) = given_voucher(&mut world, &cast, &mut service, 100_000);
    let state: Report = world.read(&report);
    let seal = opml_oracle::seal_report(cast.stranger.pubkey(), &state);
    vec![Border {
        field: "Report.seal_by",
        name: "an open report's time",
        when: When::Both(state.seal_by),
        in_time: vec![attempt(collect, &[&cast.operator], RevenueEscrowError::ReportSealDue)],
        past: vec![attempt([seal], &[&cast.stranger], OracleError::SealNotYours)],
        world,
    }]
}

/// A sealed report: what is asked and disputed until it, when it is final.
pub fn window() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = dense(&[200, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let (rival, watcher) = (cast.rival.pubkey(), cast.watcher.pubkey());
    world.given_usdc(&rival, usdc(10));
    let search = Search::receipts(&mut world, &cast.watcher, &case, 0);
    let demand = data::demand_data(&search.state(&world), &search.next(&world, 0));
    let state: Report = world.read(&case.report);
    let dispute = opml_oracle::open_dispute(rival, rival, &state, 0, [1; 32]);
    let receipts = Search::receipts_of(&world, &watcher, &case, None, 1);
    let input = Search::input_of(&world, &watcher, &case, 0, None, 1);
    let constant = Search::constant_of(&world, &watcher, &case, &model, 0, 1);
    let closed = OracleError::WindowClosed;
    let finalise = opml_oracle::finalise_report(&state);
    vec![Border {
        field: "Report.window",
        name: "the challenge window",
        when: When::Both(state.window),
        in_time: vec![
            attempt([dispute], &[&cast.rival], closed),
            attempt([demand], &[&cast.watcher], closed),
            attempt([receipts], &[&cast.watcher], closed),
            attempt([input], &[&cast.watcher], closed),
            attempt([constant], &[&cast.watcher], closed),
        ],
        past: vec![attempt([finalise], &[&cast.stranger], OracleError::WindowOpen)],
        world,
    }]
}

/// Every turn of a dispute: the move until it, the timeout after it.
pub fn turns() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = chain(17);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(1), 3)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let mut borders = Vec::new();
    let mut before = Phase::Proven;
    while let Some(side) = duel.phase(&world).turn() {
        let state = duel.state(&world);
        let name = match state.game.phase {
            Phase::Opened => "naming the place",
            Phase::Pointed => "committing to the trace",
            Phase::Traced => "picking from the trace's root",
            Phase::Narrowed => "picking from what was shown",
            Phase::Demanded => "showing what was picked",
            Phase::TileKnown => "proving",
            Phase::Proven | Phase::Lost => unreachable!("nobody's turn"),
        };
        let (move_, signer) = match side {
            Side::Challenger => (duel.ready(&mut world), &cast.watcher),
            Side::Operator => {
                let answer = duel.planned_answer(&world, &cast.operator.pubkey(), &case.asked[0].answer);
                (vec![answer], &cast.operator)
            }
        };
        let timeout = opml_oracle::timeout(&state);
        borders.push(Border {
            field: "Clocks.deadline",
            name,
            world: world.fork().expect("the world is a light one"),
            when: When::Both(state.game.clocks.deadline),
            in_time: vec![attempt(move_.clone(), &[signer], OracleError::MoveTooLate)],
            past: vec![attempt([timeout], &[&cast.stranger], OracleError::TimeoutTooEarly)],
        });
        // The first proof stays in one witness: it is made from the same account.
        world.send(&move_, &[signer]).expect_ok();
        before = state.game.phase;
    }
    assert_eq!(before, Phase::TileKnown);
    borders
}

/// A trace that a sibling dispute brought.
pub fn shared_trace() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = chain(2);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(1), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut first = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let mut second = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    for duel in [&mut first, &mut second] {
        duel.challenger_moves(&mut world);
    }
    first.operator_answers(&mut world, &cast.operator, &case.asked[0].answer);
    let state = second.state(&world);
    let attach = opml_oracle::attach_trace(&state, state.game.digest);
    vec![Border {
        field: "Clocks.deadline",
        name: "attaching the trace",
        when: When::Both(state.game.clocks.deadline),
        in_time: vec![attempt([attach], &[&cast.stranger], OracleError::MoveTooLate)],
        past: vec![attempt(
            [opml_oracle::timeout(&state)],
            &[&cast.stranger],
            OracleError::TimeoutTooEarly,
        )],
        world,
    }]
}

/// What is shown at once instead of naming the place.
pub fn evidence() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = chain(2);
    let (asked, answered) = (honest(&model, 0, usdc(1)), honest(&model, 1, usdc(1)));
    let question = asked.question();
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed_to(&cast.operator, service, &[question], vec![answered]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let request = Request {
        lane: case.service.customer.lane,
        sequence: 0,
        model_root: question.model_root,
        input_root: question.input_root,
        price_units: usdc(1),
        salt: question.salt,
    };
    let place = duel.place.clone();
    let shown = duel.stage_evidence(&mut world, &wrong_question(&place, &request, &[]));
    let receipt = duel.stage_evidence(&mut world, &reported(&place));
    let state = duel.state(&world);
    let digest = state.game.digest;
    let other = Claim {
        output_root: [4; 32],
        ..case.asked[0].claim
    };
    let answer = sign_answer(case.service.operator, other, &answer_key());
    let late = OracleError::MoveTooLate;
    let wrong = opml_oracle::prove_wrong_question(&state, digest, case.collection, shown);
    let two = opml_oracle::prove_equivocation(&state, digest, case.collection, receipt, &answer);
    let deadline = state.game.clocks.deadline;
    let timeout = || {
        attempt(
            [opml_oracle::timeout(&state)],
            &[&cast.stranger],
            OracleError::TimeoutTooEarly,
        )
    };
    let first = Border {
        field: "Clocks.deadline",
        name: "showing another question or another answer",
        when: When::Both(deadline),
        in_time: vec![
            attempt([wrong], &[&cast.watcher], late),
            attempt(two, &[&cast.watcher], late),
        ],
        past: vec![timeout()],
        world,
    };
    vec![first, malformed_model()]
}

fn malformed_model() -> Border {
    let (mut world, cast) = World::light();
    let records = malformed();
    let published = world.given_header(&cast, 0, records.header());
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let case = world.given_sealed(&cast, service, vec![claimed(&records, usdc(1))]);
    let stand_in = dense(&[4, 4]);
    let own = execute(&stand_in, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &stand_in, &own);
    let (node, _) = records.first_fault().expect("a node breaks a rule");
    let witness = duel.stage_evidence(&mut world, &records.witness(node).expect("the model has that node"));
    let state = duel.state(&world);
    let prove = opml_oracle::prove_malformed(&state, state.game.digest, witness, node);
    Border {
        field: "Clocks.deadline",
        name: "showing a malformed node",
        when: When::Both(state.game.clocks.deadline),
        in_time: vec![attempt([prove], &[&cast.watcher], OracleError::MoveTooLate)],
        past: vec![attempt(
            [opml_oracle::timeout(&state)],
            &[&cast.stranger],
            OracleError::TimeoutTooEarly,
        )],
        world,
    }
}

/// A demand for data.
pub fn demand() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = dense(&[200, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    search.demand(&mut world, 0);
    let state = search.state(&world);
    let bytes = search.answer_of(&world, Source::Tensor(&case.asked[0].input));
    let serve = data::serve_data(&state, bytes);
    let time_out = data::time_out_demand(&state);
    let pending = state.game.pending.expect("something is demanded");
    vec![Border {
        field: "DemandedNode.deadline",
        name: "a demand's answer",
        when: When::Both(pending.deadline),
        in_time: vec![attempt([serve], &[&cast.stranger], OracleError::MoveTooLate)],
        past: vec![attempt([time_out], &[&cast.stranger], OracleError::TimeoutTooEarly)],
        world,
    }]
}

/// Stake that leaves.
pub fn unbonding() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let (key, mint) = (cast.operator.pubkey(), world.usdc);
    send(
        &mut world,
        opml_oracle::request_unbond(key, mint, STAKE),
        &cast.operator,
    );
    vec![Border {
        field: "Operator.unbonding",
        name: "leaving stake",
        when: When::Both(world.read::<Operator>(&operator).unbonding),
        in_time: vec![],
        past: vec![withdraw(&world, &cast.operator, OracleError::StillUnbonding)],
        world,
    }]
}

fn withdraw(world: &World, operator: &Keypair, refused: OracleError) -> Try {
    let recipient = addresses::payment_account(&operator.pubkey(), &world.usdc);
    let withdraw = opml_oracle::withdraw_bond(operator.pubkey(), world.usdc, recipient);
    attempt([withdraw], &[operator], refused)
}

/// An operator after a rejected report; its stake was announced to leave before, and would be due.
pub fn jail() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let model = dense(&[200, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let unbond = opml_oracle::request_unbond(cast.operator.pubkey(), world.usdc, BOND);
    send(&mut world, unbond, &cast.operator);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    search.demand(&mut world, 0);
    search.time_out(&mut world, &cast.stranger);
    search.settle(&mut world, &cast.stranger);
    let operator: Operator = world.read(&case.service.operator);
    let terms = world.report_terms(&case.service.published, BOND);
    let post = opml_oracle::post_report(cast.operator.pubkey(), &operator, terms);
    let posting = Border {
        field: "Operator.jail",
        name: "the jail: reports",
        when: When::Both(operator.jail),
        in_time: vec![],
        past: vec![attempt([post], &[&cast.operator], OracleError::Jailed)],
        world: world.fork().expect("the world is a light one"),
    };
    let leaving = Border {
        field: "Operator.jail",
        name: "the jail: stake",
        when: When::Plain(operator.jail),
        in_time: vec![],
        past: vec![withdraw(&world, &cast.operator, OracleError::Jailed)],
        world,
    };
    vec![posting, leaving]
}

/// An operator's key that was changed.
pub fn key_change() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let (key, mint, prover) = (cast.operator.pubkey(), world.usdc, cast.watcher.pubkey());
    let claims = |input: u8| {
        [[3; 32], [4; 32]].map(|output_root| Claim {
            model_root: [1; 32],
            input_root: [input; 32],
            output_root,
        })
    };
    let answers = |input| claims(input).map(|claim| sign_answer(operator, claim, &answer_key()));
    let punish = opml_oracle::punish_equivocation(prover, mint, &answers(2));
    world.send(&punish, &[&cast.watcher]).expect_ok();
    let address = addresses::opml_oracle::equivocation(&operator, &question_hash(&claims(2)[0]));
    let equivocation: Equivocation = world.read(&address);
    world.given_usdc(&prover, 0);
    let pay = opml_oracle::withdraw_reward(cast.stranger.pubkey(), &equivocation);
    send(&mut world, pay, &cast.stranger);
    let change = |to: &Keypair| {
        let changed = OperatorProfile {
            endpoint_key_hash: answer_key_hash(&to.pubkey()),
            ..profile(&cast.backup.pubkey())
        };
        opml_oracle::update_operator(key, mint, changed)
    };
    send(&mut world, change(&cast.bob), &cast.operator);
    let again = opml_oracle::punish_equivocation(prover, mint, &answers(7));
    let deadline = world.read::<Operator>(&operator).key_change;
    assert_eq!(deadline.length_slots(), terms().unbonding_slots);
    vec![Border {
        field: "Operator.key_change",
        name: "answers under the old key",
        when: When::Both(deadline),
        in_time: vec![attempt(again, &[&cast.watcher], OracleError::WrongAnswerKey)],
        past: vec![
            attempt([change(&cast.alice)], &[&cast.operator], OracleError::KeyChangesTooSoon),
            attempt(
                [opml_oracle::close_equivocation(&equivocation)],
                &[&cast.stranger],
                OracleError::EvidenceCounts,
            ),
        ],
        world,
    }]
}
