//! What follows when a dispute is proven.

use anchor_lang::prelude::*;

use crate::{
    events::{DisputeProven, ReportRejected},
    state::{Dispute, Operator, Report},
};

/// Rejects the report of a proven dispute. The bond is slashed once, by whichever dispute comes first; who is paid is decided by the order of
/// opening, when they are settled.
pub fn reject_report<'info>(
    dispute: &Account<'info, Dispute>,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
    by_silence: bool,
) -> Result<()> {
    emit!(DisputeProven {
        dispute: dispute.key(),
        report: report.key(),
        challenger: dispute.challenger,
        by_silence,
    });
    if report.reject(operator)? {
        emit!(ReportRejected {
            report: report.key(),
            operator: operator.key(),
            dispute: dispute.key(),
            slashed_units: report.slashed_units,
        });
    }
    Ok(())
}
