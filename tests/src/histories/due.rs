//! Waiting: a few slots, or until something comes due.

use imo_protocol::Now;

use super::{
    ledger::{AuditPhase, Sale, Status},
    stage::Stage,
    step::Step,
};

impl Stage {
    pub(super) fn pass(&mut self, slots: u64) {
        self.world.pass_slots(slots);
        self.ledger.now = self.world.now();
    }

    /// Waits until one slot before something comes due, until then, or until it is past: half of the time for what is next.
    pub(super) fn pass_until_due(&mut self, step: &Step) {
        let now = self.now();
        let mut slots = self.due_slots();
        slots.retain(|slot| *slot + 4 > now.slot);
        slots.sort_unstable();
        let any = step.one_of(slots.len());
        let next = (!slots.is_empty()).then_some(0);
        let Some(place) = (if step.amount & 0x100 == 0 { next } else { any }) else {
            return self.pass(1);
        };
        // A deadline is past with the second after its slot.
        let target = slots[place] + [0, 1, 2, 4][usize::from(step.amount % 4)] - 1;
        self.pass(target.saturating_sub(now.slot));
    }

    /// When something comes due.
    fn due_slots(&self) -> Vec<u64> {
        let ledger = &self.ledger;
        let credits = ledger.credits.iter().flatten();
        let funds = credits.flat_map(|credit| {
            let lanes = credit.lanes.iter().flatten().map(|lane| lane.funds);
            lanes.chain([credit.funds]).filter_map(|funds| funds.due)
        });
        let operators = ledger
            .operators
            .iter()
            .flat_map(|operator| [operator.due, operator.jail, operator.key_change])
            .flatten();
        let reports = ledger.reports.iter().filter(|report| !report.closed);
        let reports = reports.filter_map(|report| match report.status {
            Status::Open => Some(report.seal_by),
            Status::Sealed => report.window,
            Status::Final | Status::Rejected => None,
        });
        let turns = ledger
            .disputes
            .iter()
            .filter(|dispute| dispute.is_running())
            .map(|dispute| dispute.due);
        let demands = ledger.inquiries.iter().filter_map(|inquiry| inquiry.pending);
        let audits = ledger.audits.iter().filter(|audit| !audit.settled);
        let audits = audits
            .filter(|audit| audit.phase != AuditPhase::Silent)
            .map(|audit| audit.due);
        let appointments = ledger.access.appointments.iter().flatten();
        let roles = appointments
            .filter_map(|appointment| appointment.dismissal)
            .chain(ledger.access.listing)
            .chain(ledger.update.iter().flat_map(|update| [update.due, update.due.lapse()]));
        let deadlines = funds
            .chain(operators)
            .chain(reports)
            .chain(turns)
            .chain(demands)
            .chain(audits)
            .chain(roles);
        let mut slots: Vec<u64> = deadlines.map(|due| due.slot).collect();
        slots.extend(ledger.models.iter().flatten().map(|model| model.notice_ends));
        slots.extend(ledger.metadata_notice);
        if let Some(pool) = &ledger.pool {
            slots.push((ledger.now.slot / pool.epoch_slots + 1) * pool.epoch_slots);
        }
        slots.extend(self.offering_slots());
        slots
    }

    /// When the next part of the offering begins, and of what vests and is paid after it.
    fn offering_slots(&self) -> Vec<u64> {
        let Some(offering) = &self.ledger.offering else {
            return Vec::new();
        };
        let args = &offering.args;
        let since_sale = |seconds: u32| offering.settled_unix + i64::from(seconds);
        let moments = match offering.sale {
            Sale::Open => vec![args.opens_unix, args.tail_unix, args.closes_unix],
            Sale::Failed => Vec::new(),
            Sale::Succeeded => {
                let vesting = [args.buyer_vesting, args.developer_vesting];
                let vests = vesting.iter().flat_map(|terms| {
                    let end = terms.cliff_seconds + terms.linear_seconds;
                    [terms.cliff_seconds, (terms.cliff_seconds + end) / 2, end]
                });
                let tranches = args.tranches.iter().map(|tranche| tranche.condition.due_seconds());
                vests.chain(tranches).map(since_sale).collect()
            }
        };
        let Now { slot, unix, .. } = self.ledger.now;
        let ahead = moments.iter().filter_map(|moment| u64::try_from(moment - unix).ok());
        ahead.map(|seconds| slot + (seconds * 5).div_ceil(2)).collect()
    }

    /// The cluster comes back from a restart.
    pub(super) fn restart(&mut self) {
        self.pass(1);
        let now = self.now();
        self.set_now(Now {
            last_restart_slot: now.slot,
            ..now
        });
    }
}
