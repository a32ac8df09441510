//! Attackers. Each is a strategy of its own in a file of its own, played against the compiled programs with honest people beside it, and all are judged alike
//! by what everybody owns in the end ([`verdict`]).

mod arena;
pub mod crowd;
pub mod slowest;
mod verdict;

mod auditors;
mod bonds;
mod cluster;
mod demanders;
mod disputers;
mod equivocators;
mod framers;
mod holders;
mod insiders;
mod liars;
mod payers;
mod retractors;
mod withholders;

pub use {
    arena::Arena,
    verdict::{Verdict, judge},
};

/// A strategy, and what it is against.
#[derive(Clone, Copy)]
pub struct Attacker {
    pub name: &'static str,
    /// Plays it to the end: every dispute settled and paid out, the money refunded or split.
    pub attack: fn(&mut Arena),
}

macro_rules! attackers {
    ($($room:ident: $($name:ident)+;)+) => {
        /// All attackers.
        pub const ATTACKERS: &[Attacker] = &[
            $($(Attacker { name: stringify!($name), attack: $room::$name },)+)+
        ];

        /// One test for each attacker.
        #[macro_export]
        macro_rules! adversary_tests {
            () => {
                $($(
                    #[test]
                    fn $name() {
                        $crate::adversaries::assert_beaten(stringify!($name));
                    }
                )+)+
            };
        }
    };
}

attackers! {
    liars: liar_in_the_first_operator liar_in_the_last_operator liar_about_the_result liar_in_padding liar_under_padding liar_in_shape revealer_of_a_wrong_parent
        liar_in_the_last_slot liar_who_withdraws_early liar_against_two_challengers answerer_of_a_question_nobody_asked developer_of_a_malformed_model;
    withholders: silent_operator withholder_of_one_tile withholder_of_the_trace withholder_of_receipts withholder_of_an_input withholder_of_weights
        silent_behind_a_restart;
    disputers: silent_challenger challenger_in_the_last_slot spammer_of_disputes copier_of_a_proof self_disputer_in_advance overtaking_friend
        farmer_of_refunds reopener_of_a_closed_dispute disputer_after_the_window;
    framers: framer_by_a_strangers_trace framer_by_retries framer_by_two_gateways framer_by_forged_evidence;
    equivocators: equivocator_off_chain equivocator_in_a_report equivocator_shown_by_a_friend;
    demanders: demander_without_end demander_in_the_last_slot demander_of_private_data server_of_garbage friend_who_demands_behind_a_dispute;
    auditors: silent_in_an_audit lazy_auditor;
    retractors: retractor_under_dispute retractor_of_a_lie retractor_of_its_own_usage;
    payers: reopener_of_a_lane reopener_of_a_session replayer_of_a_voucher voucher_of_another_cluster keeper_of_a_matured_notice payer_who_revokes_after_the_answer;
    bonds: one_stake_for_many_reports overlapping_reports early_withdrawal_of_stake stale_report jailed_liar_who_goes_on;
    holders: just_in_time_staker lone_staker;
    insiders: operator_without_an_appointment developer_who_dismisses_before_the_report authority_who_changes_the_terms keeper_of_a_matured_update
        guardian_who_never_stops developer_of_a_taxed_mint;
    cluster: pre_funder freezer_of_accounts pauser_in_the_middle restart_in_the_middle;
}

/// Plays one attacker and judges it.
pub fn run(attacker: &Attacker) -> Verdict {
    let mut arena = Arena::open();
    (attacker.attack)(&mut arena);
    judge(&arena)
}

/// Panics unless the attacker with this name gains nothing and harms nobody.
pub fn assert_beaten(name: &str) {
    let attacker = ATTACKERS.iter().find(|attacker| attacker.name == name);
    let verdict = run(attacker.expect("the attacker is on the list"));
    println!("{name}: {verdict:?}");
    assert!(!verdict.won(), "{name} wins: {verdict:?}");
    assert!(verdict.harmed.is_empty(), "{name} harms the honest: {verdict:?}");
}
