//! What follows when an operator is proven wrong, or does not answer.

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
    reject(dispute.key(), report, operator)
}

/// Rejects a report whose operator did not answer to `silence`, which joins the end of the queue of whoever is paid from the bond. Returns its turn there. The
/// report stands until now.
pub fn reject_for_silence<'info>(
    silence: Pubkey,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
) -> Result<u32> {
    let order = report.enter_dispute(operator)?;
    reject(silence, report, operator)?;
    Ok(order)
}

fn reject<'info>(
    cause: Pubkey,
    report: &mut Account<'info, Report>,
    operator: &mut Account<'info, Operator>,
) -> Result<()> {
    if report.reject(operator)? {
        emit!(ReportRejected {
            report: report.key(),
            operator: operator.key(),
            dispute: cause,
            slashed_units: report.slashed_units,
        });
    }
    Ok(())
}
