//! What follows when an operator is proven wrong, or does not answer.

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
    reject(dispute.key(), report, operator, now)
}

/// Rejects a report whose operator did not answer to `silence`, which joins the end of the queue of whoever is paid from the bond. Returns its turn there. The
/// report stands until now.
pub fn reject_for_silence<'info>(
    silence: Pubkey,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
    now: &Now,
) -> Result<u32> {
    let order = report.enter_dispute(operator)?;
    reject(silence, report, operator, now)?;
    Ok(order)
}

/// Rejects a report for what happened at `cause`, unless it is rejected already.
pub fn reject<'info>(
    cause: Pubkey,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
    now: &Now,
) -> Result<()> {
    if report.reject(operator, now)? {
        emit!(ReportRejected {
            report: report.key(),
            operator: operator.key(),
            dispute: cause,
            slashed_units: report.slashed_units,
        });
        emit!(OperatorJailed::of(operator));
    }
    Ok(())
}
