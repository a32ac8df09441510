//! What follows when a dispute is proven.

use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    events::{DisputeProven, OperatorJailed, ReportRejected},
    state::{Dispute, Operator, Report},
};

/// Rejects the report of a proven dispute and jails its operator. The bond is slashed once, by whichever dispute comes first; who is paid is decided by the order of
/// opening, when they are settled.
pub fn reject_report<'info>(
    dispute: &Account<'info, Dispute>,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
    now: &Now,
    by_silence: bool,
) -> Result<()> {
    emit!(DisputeProven {
        dispute: dispute.key(),
        report: report.key(),
        challenger: dispute.challenger,
        by_silence,
    });
    if report.reject(operator, now)? {
        emit!(ReportRejected {
            report: report.key(),
            operator: operator.key(),
            dispute: dispute.key(),
            slashed_units: report.slashed_units,
        });
        emit!(OperatorJailed::of(operator));
    }
    Ok(())
}
