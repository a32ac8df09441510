//! What watching costs and how long a lie lives, for the bench: written to `target/bench/node-watch.json` as names and numbers.

use model_token::state::DisputeTerms;
use serde::Deserialize;

use crate::world::workspace;

/// What the watcher counts that is a transaction.
pub const SENT: [&str; 9] = [
    "open_dispute",
    "point",
    "demand",
    "demand_node",
    "stage_witness",
    "prove",
    "close_witness",
    "settle_dispute",
    "withdraw_payout",
];

/// The terms that `migrations` bring onto a cluster.
pub fn shipped_terms() -> DisputeTerms {
    #[derive(Deserialize)]
    struct Terms {
        window_slots: u64,
        seal_slots: u64,
        response_slots: u64,
        clock_slots: u64,
        bond_ratio_bps: u16,
        min_bond_units: u64,
        challenger_bond_units: u64,
        open_fee_units: u64,
        move_cost_units: u64,
        prover_share_bps: u16,
        cost_cap_bps: u16,
        unbonding_slots: u64,
        notice_slots: u64,
        epoch_slots: u64,
        byte_fee_units: u64,
    }
    let text = std::fs::read_to_string(workspace("migrations/0001-settings.toml")).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    let terms: Terms = find_table(&file, "terms").unwrap().clone().try_into().unwrap();
    DisputeTerms {
        window_slots: terms.window_slots,
        seal_slots: terms.seal_slots,
        response_slots: terms.response_slots,
        clock_slots: terms.clock_slots,
        bond_ratio_bps: terms.bond_ratio_bps.into(),
        min_bond_units: terms.min_bond_units,
        challenger_bond_units: terms.challenger_bond_units,
        open_fee_units: terms.open_fee_units,
        move_cost_units: terms.move_cost_units,
        prover_share_bps: terms.prover_share_bps,
        cost_cap_bps: terms.cost_cap_bps,
        unbonding_slots: terms.unbonding_slots,
        notice_slots: terms.notice_slots,
        epoch_slots: terms.epoch_slots,
        byte_fee_units: terms.byte_fee_units,
    }
}

fn find_table<'a>(table: &'a toml::Table, name: &str) -> Option<&'a toml::Value> {
    table.get(name).or_else(|| {
        let below = table.values().filter_map(toml::Value::as_table);
        below.filter_map(|table| find_table(table, name)).next()
    })
}

/// What was measured.
pub struct Figures {
    pub slots_from_lie_to_slash: u64,
    pub seconds_from_seal_to_slash: f64,
    pub watcher_transactions: u64,
    pub watcher_bytes: u64,
    pub watcher_lamports: u64,
    pub watcher_bond_units: u64,
    pub watcher_fee_units: u64,
    pub watcher_reward_units: u64,
}

impl Figures {
    pub fn write(&self) {
        let figures = serde_json::json!({
            "node.slots_from_lie_to_slash": self.slots_from_lie_to_slash,
            "node.seconds_from_seal_to_slash": self.seconds_from_seal_to_slash,
            "node.watcher_transactions": self.watcher_transactions,
            "node.watcher_bytes": self.watcher_bytes,
            "node.watcher_lamports": self.watcher_lamports,
            "node.watcher_bond_units": self.watcher_bond_units,
            "node.watcher_fee_units": self.watcher_fee_units,
            "node.watcher_reward_units": self.watcher_reward_units,
        });
        let folder = workspace("target/bench");
        std::fs::create_dir_all(&folder).unwrap();
        let text = serde_json::to_string_pretty(&figures).unwrap();
        println!("{text}");
        std::fs::write(folder.join("node-watch.json"), text).unwrap();
    }
}

/// Sum of a metric, of all of it or of some outcomes.
pub fn sum(text: &str, metric: &str, outcomes: &[&str]) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(metric));
    let counted = lines.filter(|line| {
        outcomes.is_empty()
            || outcomes
                .iter()
                .any(|outcome| line.contains(&format!("outcome=\"{outcome}\"")))
    });
    counted
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}
