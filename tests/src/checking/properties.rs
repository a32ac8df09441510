//! What must hold in every state.

use opml_oracle::{game::Phase, state::ReportStatus};
use stateright::{Model, Property};

use super::{
    scene::{BOND, Honest, Scene},
    table::{Closed, Table, first_slot_past},
};

/// The properties of a scene in which `honest` plays well.
pub fn all(honest: Honest) -> Vec<Property<Scene>> {
    let mut all = vec![
        Property::always("a stranger can end everything that is over in time", has_an_exit),
        Property::always("the vault owes what everybody in it is owed", is_accounted_for),
        Property::always("no dispute is longer than its clocks", |scene: &Scene, _: &Table| {
            scene.longest_slots() <= scene.longest_bound_slots()
        }),
        Property::always("the report ends within the window and one dispute", ends_in_time),
        Property::sometimes("everything is closed", |_, table: &Table| table.is_over()),
    ];
    all.extend(match honest {
        Honest::Operator => vec![
            Property::sometimes("a challenger loses", a_challenger_loses),
            Property::always("the honest operator keeps its stake", |_, table: &Table| {
                table.report.status != ReportStatus::Rejected && table.operator.stake_units >= BOND
            }),
            Property::eventually("the honest operator's report is final", |_, table: &Table| {
                table.report.status == ReportStatus::Final
            }),
        ],
        Honest::Challenger => vec![
            Property::always("the honest challenger does not lose", |_, table: &Table| {
                !table.seat(0).is_some_and(|dispute| dispute.game.phase == Phase::Lost)
            }),
            Property::always(
                "the honest challenger gets its bond back and what it is promised",
                is_rewarded,
            ),
            Property::eventually("the false report is rejected", |_, table: &Table| {
                table.report.status == ReportStatus::Rejected
            }),
            Property::sometimes("the honest challenger proves it", |_, table: &Table| {
                table.seat(0).is_some_and(|dispute| dispute.game.phase == Phase::Proven)
            }),
        ],
        Honest::Nobody => vec![
            Property::sometimes("a challenger loses", a_challenger_loses),
            Property::sometimes("the false report is rejected", |_, table: &Table| {
                table.report.status == ReportStatus::Rejected
            }),
            Property::sometimes("the false report becomes final", |_, table: &Table| {
                table.report.status == ReportStatus::Final
            }),
        ],
    });
    all
}

/// Nothing is left, or a call that anyone can make is accepted, or a deadline is still to come.
fn has_an_exit(scene: &Scene, table: &Table) -> bool {
    let mut actions = Vec::new();
    scene.actions(table, &mut actions);
    table.is_over()
        || table.deadlines().any(|deadline| !deadline.is_past(&table.now))
        || actions
            .into_iter()
            .any(|action| action.is_anyones() && scene.next_state(table, action).is_some())
}

fn a_challenger_loses(_: &Scene, table: &Table) -> bool {
    let mut disputes = table.seats.iter().filter_map(|seat| seat.dispute.as_ref());
    disputes.any(|dispute| dispute.game.phase == Phase::Lost)
}

fn is_accounted_for(scene: &Scene, table: &Table) -> bool {
    let disputes = (0..scene.seats).filter_map(|seat| table.seat(seat));
    let theirs: u64 = disputes.map(|dispute| dispute.bond_units).sum();
    let slashed = table.report.slash().filter(|_| !table.report.is_settled());
    // Without disputes nothing rejects a report, so that one that is settled has given everything away.
    let undecided = slashed.map_or(0, |slash| {
        slash.remainder_units().expect("the shares are less than all")
    });
    table.stake_vault.owed_units == table.operator.stake_units + theirs + undecided + table.stake_vault.insurance_units
}

fn ends_in_time(scene: &Scene, table: &Table) -> bool {
    let latest = first_slot_past(&table.report.window) + scene.longest_bound_slots();
    table.deadlines().all(|deadline| first_slot_past(&deadline) <= latest)
}

/// The first to open has all that a prover gets; whoever opens later at least its bond.
fn is_rewarded(scene: &Scene, table: &Table) -> bool {
    let Some(Closed {
        order,
        challenger_moves,
        payout_units,
    }) = table.seats[0].closed
    else {
        return true;
    };
    let terms = &scene.terms;
    let bond = terms.challenger_bond_units;
    let cap = BOND * u64::from(terms.cost_cap_bps) / 10_000;
    let costs = (terms.move_cost_units * u64::from(challenger_moves)).min(cap);
    let share = BOND * u64::from(terms.prover_share_bps) / 10_000;
    match order {
        0 => payout_units == bond + costs + share,
        _ => payout_units >= bond,
    }
}
