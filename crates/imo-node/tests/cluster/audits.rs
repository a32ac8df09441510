//! Random audits: a watcher takes part by itself, is paid for what is right, and disputes a trace that is not.

use anchor_spl::token::{self, spl_token::instruction::transfer};
use imo_client::{addresses as at, instructions::audit as audits};
use imo_node::{chain::places, operator::Policy};
use opml_oracle::{
    audit_game::{AuditPhase, DRAW_LAG_SLOTS},
    state::{Audit, AuditEntry, AuditFund, Dispute, Report},
};
use opml_runtime::Model;
use solana_signer::Signer;

use crate::{
    cheats::{Liar, lie_within},
    process::{Process, Watching},
    world::{AUDITS, Node, ONE, STAKE, TERMS, World, key, policy, port, workspace},
};

#[test]
fn given_a_fund_when_a_watcher_audits_by_itself_then_paid_for_the_right_trace_and_a_wrong_or_missing_one_is_slashed() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let watcher_key = key("watcher").pubkey();
    let gift = transfer(
        &token::ID,
        &at::payment_account(&key("treasury").pubkey(), &world.mint),
        &at::opml_oracle::audit_tokens(&world.mint),
        &key("treasury").pubkey(),
        &[],
        10 * ONE,
    );
    let fund = audits::create_audit_fund(key("treasury").pubkey(), world.mint);
    world.send(&[fund, gift.unwrap()], &["treasury"]);

    let patient = Policy {
        report_seconds: 3,
        ..policy()
    };
    let (listener, url) = port();
    world.open_business(&url);
    let honest = Node::new();
    world.operate(&honest, listener, None, patient);
    let mut purse = world.purse();
    for seed in 0..3 {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    let (listener, url) = port();
    world.open_another_business("sloppy", &url, false);
    let (input, lie) = lie_within(&world, 0, 1);
    let sloppy = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    world.operate_as("sloppy", &sloppy, listener, Some(liar), patient, world.url());
    world.ask(&url, &mut world.purse_of("sloppy"), &input);
    let (listener, url) = port();
    world.open_another_business("mute", &url, false);
    let mute = Node::new();
    world.operate_as("mute", &mute, listener, None, patient, world.url());
    world.ask(&url, &mut world.purse_of("mute"), &world.input(9));
    for name in ["operator", "sloppy", "mute"] {
        world.sealed(name);
    }
    // It goes on giving out what it has, and shows no trace.
    mute.resign.cancel();

    // It picks nothing by itself: whatever it recomputes was drawn.
    let folder = tempfile::tempdir().unwrap();
    let watching = Watching {
        policy: "round_ms = 500, share = 0.0",
        ..Watching::new(&world)
    };
    let (config, _) = watching.configure(folder.path());
    let before = (world.dollars("watcher"), world.lamports("watcher"));
    let mut watcher = Process::start("watch", &config);
    world.advance(DRAW_LAG_SLOTS);
    let audit = |name: &str| world.find::<Audit>(&at::opml_oracle::audit(&world.report_of(name, 0), 0));
    let in_phase = |name: &str, wanted: AuditPhase| {
        world.until(&format!("the audit of {name} is {wanted:?}"), || {
            audit(name).filter(|audit| audit.game.phase == wanted)
        })
    };
    for name in ["operator", "sloppy", "mute"] {
        world.until("committed", || audit(name).filter(|audit| audit.game.committed == 1));
    }
    // What it committed to is not written down anywhere: it follows again.
    watcher.kill();
    let _watcher = Process::start("watch", &config);
    world.advance(TERMS.response_slots);
    in_phase("operator", AuditPhase::Traced);
    in_phase("sloppy", AuditPhase::Traced);
    world.until("the commitment is opened", || {
        audit("operator").filter(|audit| audit.game.matched == 1)
    });
    world.slashed("sloppy");
    in_phase("mute", AuditPhase::Asked);
    world.advance(TERMS.response_slots);
    world.slashed("mute");
    let report: Report = world.find(&world.report_of("operator", 0)).unwrap();
    assert_eq!(report.disputes_opened, 0);

    world.advance(TERMS.window_slots);
    world.until("the audits are closed", || {
        let entries: Vec<(_, AuditEntry)> = world.having(places::SECOND_KEY, &watcher_key);
        let drawn: Vec<(_, Audit)> = world.having(places::AUDIT_RENT_PAYER, &watcher_key);
        let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &watcher_key);
        (entries.is_empty() && drawn.is_empty() && disputes.is_empty()).then_some(())
    });
    let fund: AuditFund = world.find(&at::opml_oracle::audit_fund(&world.mint)).unwrap();
    assert_eq!(fund.owed_units, 0);
    let held = world.token_units(&at::opml_oracle::audit_tokens(&world.mint));
    assert_eq!(held, 10 * ONE - AUDITS.fee_units, "one audit is paid, and only one");
    assert!(world.dollars("watcher") > before.0 + AUDITS.fee_units);
    assert!(before.1 - world.lamports("watcher") < 2_000_000, "rent came back");
    let honest: opml_oracle::state::Operator = world.find(&world.operator()).unwrap();
    assert_eq!(honest.stake_units, STAKE);
}
