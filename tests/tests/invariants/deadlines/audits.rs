//! The deadlines of a random audit.

use ::opml_oracle::errors::OracleError;
use imo_client::instructions::audit as send;
use imo_tests::{
    Cast, World,
    models::{dense, honest},
    world::{AUDITS, Case, Sampling, usdc},
};
use solana_signer::Signer;

use super::{Border, When, attempt};

/// An audit that was just drawn.
fn given_draw() -> (World, Cast, Case, Sampling) {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, AUDITS.fee_units);
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let audit = Sampling::draw(&mut world, &cast, &case, 0);
    (world, cast, case, audit)
}

/// Each phase: who commits, asks, answers and opens, and what is over when nobody does.
pub fn phases() -> Vec<Border> {
    let (mut world, cast, case, audit) = given_draw();
    let roots = case.asked[0].answer.roots().to_vec();
    let commit = audit.commit_of(&world, &cast.watcher.pubkey(), &roots, None);
    let settle = send::settle_audit(&audit.state(&world));
    let drawn = Border {
        field: "AuditGame.deadline",
        name: "committing to a recomputation",
        world: world.fork().expect("the world is a light one"),
        when: When::Both(audit.state(&world).game.deadline),
        in_time: vec![attempt([commit], &[&cast.watcher], OracleError::MoveTooLate)],
        past: vec![attempt([settle], &[&cast.stranger], OracleError::AuditNotOver)],
    };

    audit.commit(&mut world, &cast.watcher, &roots);
    let ask = audit.ask_of(&world, &case);
    let asking = Border {
        field: "AuditGame.deadline",
        name: "asking for the trace",
        world: world.fork().expect("the world is a light one"),
        // The window has to hold the rest, whatever a restart gives.
        when: When::Plain(audit.state(&world).game.deadline),
        in_time: vec![],
        past: vec![attempt([ask], &[&cast.stranger], OracleError::TimeoutTooEarly)],
    };

    audit.ask(&mut world, &cast.stranger, &case);
    let answer = audit.answer_of(&world, &cast.operator.pubkey(), &case);
    let time_out = send::time_out_audit(&audit.state(&world));
    let asked = Border {
        field: "AuditGame.deadline",
        name: "answering with the trace",
        world: world.fork().expect("the world is a light one"),
        when: When::Both(audit.state(&world).game.deadline),
        in_time: vec![attempt([answer], &[&cast.operator], OracleError::MoveTooLate)],
        past: vec![attempt([time_out], &[&cast.stranger], OracleError::TimeoutTooEarly)],
    };

    world.pass_slots(1);
    audit.answer(&mut world, &cast.operator, &case);
    let reveal = audit.reveal_of(&world, &cast.watcher.pubkey());
    let traced = Border {
        field: "AuditGame.deadline",
        name: "opening a commitment",
        when: When::Both(audit.state(&world).game.deadline),
        in_time: vec![attempt([reveal], &[&cast.watcher], OracleError::MoveTooLate)],
        past: vec![],
        world,
    };
    vec![drawn, asking, asked, traced]
}
