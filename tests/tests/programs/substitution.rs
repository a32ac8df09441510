//! Every instruction with another account in each place, and without each signature: refused, except where the choice is the caller's.

use std::collections::BTreeSet;

use imo_tests::{
    World,
    probe::{Probe, Substitute},
    programs::{PROGRAMS, instructions, interface},
    story,
};

/// Program, instruction and position where another account is as good.
type Choice = (&'static str, &'static str, usize);

/// Whoever signs pays the rent or the fee of something that anyone may do, and gains nothing.
const ANYBODY_PAYS: &[Choice] = &[
    ("model_token", "apply_metadata", 1),
    ("model_token", "appoint_operator", 1),
    ("model_token", "commit", 1),
    ("model_token", "init_protocol", 1),
    ("model_token", "open_offering", 1),
    ("model_token", "propose_metadata", 1),
    ("model_token", "propose_update", 1),
    ("model_token", "publish_version", 1),
    ("model_token", "register_model", 1),
    ("model_token", "settle_offering", 0),
    ("opml_oracle", "create_audit_fund", 0),
    ("opml_oracle", "create_stake_vault", 0),
    ("opml_oracle", "draw_audit", 0),
    ("opml_oracle", "open_dispute", 0),
    ("opml_oracle", "post_audit_trace", 0),
    ("opml_oracle", "post_audit_trace_root", 0),
    ("opml_oracle", "post_report", 0),
    ("opml_oracle", "post_trace", 0),
    ("opml_oracle", "post_trace_root", 0),
    ("opml_oracle", "register_operator", 0),
    ("opml_oracle", "withdraw_audit_fee", 0),
    ("opml_oracle", "withdraw_inquiry", 0),
    ("opml_oracle", "withdraw_payout", 0),
    ("opml_oracle", "withdraw_reward", 0),
    ("revenue_escrow", "collect", 1),
    ("revenue_escrow", "grant_session", 1),
    ("revenue_escrow", "open_bucket", 0),
    ("revenue_escrow", "open_credit", 1),
    ("revenue_escrow", "open_lane", 1),
    ("revenue_escrow", "open_vault", 0),
    ("revenue_escrow", "pay_upstream", 0),
    ("revenue_escrow", "split", 0),
    ("revenue_escrow", "withdraw_contribution", 0),
    ("revenue_escrow", "withdraw_earnings", 0),
    ("yield_distributor", "claim", 0),
    ("yield_distributor", "create_pool", 0),
    ("yield_distributor", "open_vesting", 0),
    ("yield_distributor", "redeem", 1),
    ("yield_distributor", "set_claim_delegate", 1),
    ("yield_distributor", "stake", 1),
];

/// Whom the developer names as contributors of a version, in the accounts after the instruction's own.
const DEVELOPER_NAMES: &[Choice] = &[
    ("model_token", "publish_version", 7),
    ("model_token", "publish_version", 8),
];

/// Whoever shows the evidence is its prover, and is paid as that.
const ANYBODY_PROVES: &[Choice] = &[("opml_oracle", "punish_equivocation", 0)];

/// Nobody's permission is needed for a Collection that is not private: who signs there gives nothing away.
const NO_PERMISSION_NEEDED: &[Choice] = &[
    ("opml_oracle", "commit_audit", 4),
    ("opml_oracle", "open_input_inquiry", 4),
    ("opml_oracle", "open_receipts_inquiry", 3),
];

/// An account of the same kind that is as right: another operator or credit that anyone may pay into, another version of the model, another finished dispute,
/// another inquiry of the same report, another mark that nobody needs, another account that the owner of the money chooses, another lane of the payer's own,
/// another operator of the developer's list.
const OWNERS_CHOICE: &[Choice] = &[
    ("model_token", "dismiss_operator", 3),
    ("opml_oracle", "post_report", 4),
    ("opml_oracle", "settle_inquiry", 0),
    ("opml_oracle", "stake_bond", 2),
    ("opml_oracle", "timeout", 0),
    ("opml_oracle", "withdraw_bond", 4),
    ("revenue_escrow", "deposit_credit", 3),
    ("revenue_escrow", "fund_lane", 2),
    ("revenue_escrow", "release_lane", 2),
    ("revenue_escrow", "request_release", 3),
    ("revenue_escrow", "withdraw_credit", 4),
    ("yield_distributor", "claim_to", 7),
    ("yield_distributor", "close_epoch_mark", 1),
];

#[track_caller]
fn assert_only_choices(probe: &Probe) {
    let all = ["model_token", "opml_oracle", "revenue_escrow", "yield_distributor"];
    assert_only_choices_of(&all, probe);
}

#[track_caller]
fn assert_only_choices_of(programs: &[&str], probe: &Probe) {
    assert!(probe.tried() > 500, "only {} substitutions were tried", probe.tried());
    let is_choice = |found: &&imo_tests::probe::Accepted| {
        let place = (found.program, found.instruction.as_str(), found.position);
        match found.substitute {
            Substitute::Stranger => [ANYBODY_PAYS, ANYBODY_PROVES, NO_PERMISSION_NEEDED, DEVELOPER_NAMES]
                .iter()
                .any(|choices| choices.contains(&place)),
            Substitute::SameKind => OWNERS_CHOICE.contains(&place) || DEVELOPER_NAMES.contains(&place),
            Substitute::Unsigned => false,
        }
    };
    let holes: Vec<_> = probe
        .accepted()
        .iter()
        .filter(|found| programs.contains(&found.program) && !is_choice(found))
        .collect();
    assert!(holes.is_empty(), "accepted, but should be refused: {holes:#?}");
}

#[test]
fn given_any_instruction_of_the_business_when_an_account_is_another_or_a_signature_is_missing_then_refused() {
    let (mut world, cast) = World::empty();
    world.probe_instructions();
    world.set_up(&cast);
    story::business(&mut world, &cast);
    story::failure(&mut world, &cast);
    assert_only_choices(world.probe());
}

#[test]
fn given_any_instruction_of_a_launch_when_an_account_is_another_or_a_signature_is_missing_then_refused() {
    let (mut world, cast) = World::empty();
    world.set_up(&cast);
    world.probe_instructions();
    story::launch(&mut world, &cast);
    assert_only_choices(world.probe());
}

#[test]
fn given_any_instruction_of_a_dispute_when_an_account_is_another_or_a_signature_is_missing_then_refused() {
    let (mut world, cast) = World::empty();
    world.set_up(&cast);
    world.probe_instructions();
    story::disputes(&mut world, &cast);
    assert_only_choices(world.probe());
}

#[test]
fn given_any_instruction_of_an_inquiry_when_an_account_is_another_or_a_signature_is_missing_then_refused() {
    let (mut world, cast) = World::empty();
    world.set_up(&cast);
    world.probe_instructions();
    story::inquiries(&mut world, &cast);
    assert_only_choices_of(&["opml_oracle"], world.probe());
}

#[test]
fn given_any_instruction_of_an_audit_when_an_account_is_another_or_a_signature_is_missing_then_refused() {
    let (mut world, cast) = World::empty();
    world.set_up(&cast);
    world.probe_instructions();
    story::audits(&mut world, &cast);
    // The model of this story has no token: a split looks at no pool there, and the story of the business has one.
    assert_only_choices_of(&["opml_oracle"], world.probe());
}

/// What no story uses would not be substituted either.
#[test]
fn given_the_programs_interfaces_when_the_stories_are_told_then_they_use_every_instruction() {
    let stories: [fn(&mut World, &imo_tests::Cast); 6] = [
        story::business,
        story::failure,
        story::launch,
        story::disputes,
        story::inquiries,
        story::audits,
    ];
    let mut used = BTreeSet::new();
    for story in stories {
        let (mut world, cast) = World::light();
        story(&mut world, &cast);
        used.extend(world.units().keys().cloned());
    }
    for program in &PROGRAMS {
        let interface = interface(program).expect("the programs are built");
        let names = instructions(&interface);
        assert!(!names.is_empty(), "{} has instructions", program.name);
        for name in names {
            assert!(
                used.contains(&(program.name, name.clone())),
                "no story uses {name} of {}",
                program.name
            );
        }
    }
}
