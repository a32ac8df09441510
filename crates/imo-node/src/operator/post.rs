//! When to report.

use imo_client::{
    addresses,
    instructions::{
        opml_oracle::{self as oracle, ReportTerms},
        revenue_escrow,
    },
};
use imo_protocol::Now;
use model_token::state::{DisputeTerms, Model, OperatorAccess};
use opml_oracle::state::Operator;
use solana_signer::Signer;

use super::{OperatorLoop, collect::Collectable};
use crate::clock;

impl OperatorLoop {
    /// Posts a report on the version whose answers wait longest, when they have waited long enough.
    pub(super) async fn post_if_due(&self, operator: &Operator, now: &Now) -> anyhow::Result<()> {
        let collectable = self.collectable_lanes(now).await?;
        let Some(Collectable { stored: first, .. }) = collectable.first() else {
            return Ok(());
        };
        let lanes: Vec<&Collectable> = collectable
            .iter()
            .filter(|lane| (lane.stored.model, lane.stored.model_root) == (first.model, first.model_root))
            .collect();
        let owed = lanes.iter().map(|lane| lane.stored.owed_units());
        let owed_units = owed.fold(0u64, u64::saturating_add);
        if !self.is_due(&lanes, owed_units, now) {
            return Ok(());
        }
        let Some(served) = self.served(&first.model_root) else {
            anyhow::bail!(
                "answers of a model wait to be reported whose file is not configured any more: {}",
                first.model
            );
        };
        if operator.require_not_jailed(now).is_err() {
            anyhow::bail!("the operator is jailed until {:?}", operator.jail);
        }
        let free_units = operator.free_units().map_err(|error| anyhow::anyhow!("{error}"))?;
        let bond_units = bond(&served.terms, owed_units, self.policy.bond_margin_bps, free_units).ok_or_else(|| {
            anyhow::anyhow!(
                "{free_units} units of free stake are less than the smallest bond of {}",
                served.terms.min_bond_units
            )
        })?;
        let model: Model = self.rpc.get(&first.model).await?;
        let authority = self.authority.pubkey();
        let terms = ReportTerms {
            model: first.model,
            version: served.version,
            bond_units,
            // A period has a length.
            period_start_unix: first.first_owed_unix.min(clock::unix().saturating_sub(1)),
            period_end_unix: clock::unix(),
        };
        let post = match model.operators {
            OperatorAccess::Open => oracle::post_report(authority, operator, terms),
            OperatorAccess::Listed => oracle::post_report_as_appointed(authority, operator, terms),
        };
        // The address names the sequence: a second posting of the same one is refused, whenever it lands.
        let report = addresses::opml_oracle::report(&self.operator(), operator.next_sequence);
        let bucket = revenue_escrow::open_bucket(authority, report);
        tracing::info!(%report, owed_units, bond_units, lanes = lanes.len(), "a report is due");
        self.send("post_report", &[post, bucket]).await?;
        Ok(())
    }

    fn is_due(&self, lanes: &[&Collectable], owed_units: u64, now: &Now) -> bool {
        let late = clock::unix().saturating_sub(self.policy.report_seconds);
        let soon = now.unix.saturating_add(self.policy.report_seconds);
        let presses = |lane: &&Collectable| {
            let stored = &lane.stored;
            stored.first_owed_unix <= late || stored.voucher.voucher.expires_unix <= soon || lane.leaving
        };
        owed_units >= self.policy.exposure_units || lanes.iter().any(presses)
    }
}

/// What to lock for `owed_units`, with the margin as far as the free stake allows. `None` when not even the smallest bond is there.
fn bond(terms: &DisputeTerms, owed_units: u64, margin_bps: u16, free_units: u64) -> Option<u64> {
    let with_margin = u128::from(owed_units) * (10_000 + u128::from(margin_bps)) / 10_000;
    let bond = (with_margin * u128::from(terms.bond_ratio_bps)).div_ceil(10_000);
    let bond = u64::try_from(bond)
        .unwrap_or(u64::MAX)
        .max(terms.min_bond_units)
        .min(free_units);
    (bond >= terms.min_bond_units).then_some(bond)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: DisputeTerms = DisputeTerms {
        window_slots: 1_000,
        seal_slots: 1_000,
        response_slots: 100,
        clock_slots: 500,
        bond_ratio_bps: 20_000,
        min_bond_units: 50,
        challenger_bond_units: 1,
        open_fee_units: 0,
        move_cost_units: 1,
        prover_share_bps: 3_000,
        cost_cap_bps: 1_000,
        unbonding_slots: 2_000,
        notice_slots: 1_000,
        epoch_slots: 2_000,
        byte_fee_units: 0,
    };

    #[test]
    fn given_what_is_owed_when_bonded_then_the_ratio_and_the_margin_within_the_free_stake() {
        assert_eq!(bond(&TERMS, 1_000, 0, u64::MAX), Some(2_000));
        assert_eq!(bond(&TERMS, 1_000, 2_500, u64::MAX), Some(2_500));
        assert_eq!(bond(&TERMS, 1, 2_500, u64::MAX), Some(50), "the smallest bond");
        assert_eq!(
            bond(&TERMS, 1_000, 2_500, 2_100),
            Some(2_100),
            "as far as the stake goes"
        );
        assert_eq!(bond(&TERMS, 1_000, 2_500, 49), None);
        assert_eq!(bond(&TERMS, u64::MAX, 2_500, u64::MAX), Some(u64::MAX));
    }
}
