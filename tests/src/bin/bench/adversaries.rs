//! `adversaries.*`: every attacker played and judged, what crowds of them cost the honest, and `dispute.max_slots`: the longest that one can hold a report up.

use anyhow::{Result, ensure};
use imo_tests::adversaries::{
    ATTACKERS,
    crowd::{self, ChallengersCost, Crowd, OperatorsCost},
    run, slowest,
};

use crate::figures::Figures;

/// How many attack at once.
const CROWDS: [u64; 3] = [1, 10, 100];

pub fn measure(figures: &mut Figures) -> Result<()> {
    let mut won = 0u64;
    let mut harmed = 0u64;
    for attacker in ATTACKERS {
        let verdict = run(attacker);
        println!(
            "{}: {} units, {} lamports",
            attacker.name, verdict.gain_units, verdict.gain_lamports
        );
        for (whom, units) in &verdict.harmed {
            println!("  {whom} is {units} units short");
        }
        won += u64::from(verdict.won());
        harmed += verdict.harmed.len() as u64;
    }
    figures.set("adversaries.run", ATTACKERS.len());
    figures.set("adversaries.won", won);
    figures.set("adversaries.honest_harmed", harmed);
    crowds(figures)?;

    let terms = imo_economics::defaults::terms();
    let played = slowest::play(slowest::playable(terms));
    figures.set("dispute.max_slots", played.slots);
    figures.set("dispute.longest_slots", played.promised_slots);
    Ok(())
}

/// What 1, 10 and 100 attackers at once cost those who are honest.
fn crowds(figures: &mut Figures) -> Result<()> {
    let slow = CROWDS.map(|attackers| crowd::challengers_cost(attackers, Crowd::Slow));
    let proving = CROWDS.map(|attackers| crowd::challengers_cost(attackers, Crowd::Proving));
    let answered = CROWDS.map(crowd::operators_cost);
    for (place, attackers) in CROWDS.iter().enumerate() {
        let mut set = |figure: &str, value: i128| {
            figures.set(format!("adversaries.among_{attackers}.{figure}"), value as i64);
        };
        let ChallengersCost {
            tally,
            lamports,
            brought_units,
            gained_units,
            proven_after_slots,
            paid_after_slots,
        } = slow[place];
        set("challenger_transactions", tally.transactions.into());
        set("challenger_compute_units", tally.compute_units.into());
        set("challenger_bytes", tally.bytes.into());
        set("challenger_lamports", lamports.into());
        set("challenger_brought_units", brought_units.into());
        set("challenger_gained_units", gained_units);
        set("challenger_gained_behind_provers_units", proving[place].gained_units);
        set("proven_after_slots", proven_after_slots.into());
        set("paid_after_slots", paid_after_slots.into());
        let OperatorsCost {
            transactions,
            gained_units,
            final_after_slots,
        } = answered[place];
        set("operator_transactions", transactions.into());
        set("operator_gained_units", gained_units);
        set("final_after_slots", final_after_slots.into());
    }
    let [one, _, hundred] = slow;
    let parts = |cost: &ChallengersCost| {
        [
            cost.tally.transactions,
            cost.tally.compute_units,
            cost.tally.bytes,
            cost.lamports,
            cost.brought_units,
        ]
    };
    let ratios = parts(&one).into_iter().zip(parts(&hundred));
    let worst = ratios
        .map(|(alone, among)| among as f64 / alone as f64)
        .fold(0.0, f64::max);
    ensure!(worst > 0.0, "a dispute costs something");
    figures.set_rounded("dispute.honest_cost_ratio_100_to_1_attackers", worst)
}
