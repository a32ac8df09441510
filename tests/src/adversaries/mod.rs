//! Attackers. Each is a strategy of its own in a file of its own, played against the compiled programs with honest people beside it, and all are judged alike
//! by what everybody owns in the end ([`verdict`]).

mod arena;
pub mod crowd;
mod verdict;

mod bonds;
mod cluster;
mod disputers;
mod holders;
mod liars;
mod payers;
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
    liars: liar_in_the_first_operator liar_in_the_last_operator liar_about_the_result liar_in_the_last_slot liar_who_withdraws_early;
    withholders: silent_operator withholder_of_one_tile withholder_of_the_trace silent_behind_a_restart;
    disputers: silent_challenger spammer_of_disputes copier_of_a_proof self_disputer_in_advance overtaking_friend
        farmer_of_refunds framer_by_a_strangers_trace reopener_of_a_closed_dispute disputer_after_the_window;
    payers: reopener_of_a_lane replayer_of_a_voucher voucher_of_another_cluster;
    bonds: one_stake_for_many_reports overlapping_reports early_withdrawal_of_stake stale_report;
    holders: just_in_time_staker lone_staker;
    cluster: pre_funder freezer_of_accounts pauser_in_the_middle;
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
