//! Whether the chain is what the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use ::model_token::state::{Appointment, Model, Offering, OperatorAccess, Protocol, ProtocolUpdate};
use ::opml_oracle::{
    game::Phase as ChainPhase,
    state::{Dispute, Equivocation, Inquiry, Operator, Report, ReportStatus, StakeVault},
};
use ::revenue_escrow::state::{Credit, Earnings, Lane, ModelVault, Session};
use anchor_lang::prelude::Pubkey;
use imo_client::{accounts::Account, addresses};
use imo_protocol::{Bucket, Collection, Deadline};

use super::{
    ledger::{Phase, Status},
    stage::Stage,
};
use crate::{
    books,
    cluster::{Cluster, LAMPORTS_PER_SIGNATURE},
};

/// Everybody's lamports, with the rent of what they pay for.
pub struct Lamports(BTreeMap<Pubkey, u64>);

impl Lamports {
    /// Whose lamports are where, of these accounts. Rent is still whose it was.
    pub fn count(cluster: &Cluster, addresses: &BTreeSet<Pubkey>) -> Self {
        let mut owned = BTreeMap::new();
        for address in addresses {
            let Some(account) = cluster.account(address) else {
                continue;
            };
            let whose = Account::decode(&account.owner, &account.data)
                .ok()
                .and_then(|account| books::rent_payer(&account))
                .unwrap_or(*address);
            *owned.entry(whose).or_default() += account.lamports;
        }
        Self(owned)
    }

    /// Panics when anybody has more or less than before, but for the fee.
    pub fn assert_only_fees(&self, cluster: &Cluster, addresses: &BTreeSet<Pubkey>, payer: &Pubkey) {
        let Self(after) = Self::count(cluster, addresses);
        let Self(before) = self;
        let everybody: BTreeSet<&Pubkey> = before.keys().chain(after.keys()).collect();
        let mut fee = 0;
        for whom in everybody {
            let [had, has] = [before, &after].map(|owned| owned.get(whom).copied().unwrap_or(0));
            if whom == payer {
                fee = had.checked_sub(has).expect("nobody earns lamports");
            } else {
                // Accounts that nobody pays for are there for good: what a stranger paid for one is counted as its own.
                let is_new = had == 0 || has == 0;
                assert!(had == has || is_new, "{whom} had {had} lamports and has {has}");
            }
        }
        let total = |owned: &BTreeMap<Pubkey, u64>| owned.values().sum::<u64>();
        let lost = total(before) - total(&after);
        assert!(
            lost > 0 && lost.is_multiple_of(LAMPORTS_PER_SIGNATURE),
            "{lost} lamports are gone"
        );
        assert!(fee >= lost, "{payer} paid {fee} lamports, and {lost} are gone");
    }
}

/// Panics when an account of the chain is not what the ledger says.
pub fn assert_agrees(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let model = stage.published.model;
    for payer in 0..ledger.credits.len() {
        let address = stage.credit_account(payer);
        let Some(credit) = &ledger.credits[payer] else {
            assert!(!world.is_made(&address), "a credit that is closed");
            continue;
        };
        let chain: Credit = world.read(&address);
        assert_eq!(
            (
                chain.generation,
                chain.available_units,
                chain.withdrawing_units,
                chain.reserved_units
            ),
            (
                credit.generation,
                credit.funds.counted,
                credit.funds.leaving,
                credit.reserved()
            )
        );
        assert_due(&chain.withdraw_deadline, credit.funds.due.map(|due| due.slot));
        let lanes = credit.lanes.iter().flatten().count();
        assert_eq!(
            (chain.open_lanes as usize, chain.open_sessions, chain.open_collections),
            (lanes, u32::from(credit.session.is_some()), credit.collections)
        );
        for (operator, lane) in credit.lanes.iter().enumerate() {
            let address = stage.lane_account(payer, operator);
            let Some(lane) = lane else {
                assert!(!world.is_made(&address), "a lane that is closed");
                continue;
            };
            let chain: Lane = world.read(&address);
            assert_eq!(
                (chain.generation, chain.reserved_units, chain.releasing_units),
                (lane.generation, lane.funds.counted, lane.funds.leaving)
            );
            assert_eq!(
                (chain.collected_units, chain.collected_count),
                (lane.collected_units, lane.collected_count)
            );
            assert_due(&chain.release_deadline, lane.funds.due.map(|due| due.slot));
        }
        if let Some(session) = &credit.session {
            use solana_signer::Signer;
            let key = stage.sessions[payer].pubkey();
            let chain: Session = world.read(&addresses::revenue_escrow::session(&address, &key));
            assert_eq!(
                (
                    chain.generation,
                    chain.limit_units,
                    chain.spent_units,
                    chain.expires_unix
                ),
                (session.generation, session.limit, session.spent, session.expires_unix)
            );
            assert_due(&chain.revoke_deadline, session.revoked.map(|due| due.slot));
        }
    }
    for (operator, staked) in ledger.operators.iter().enumerate() {
        let chain: Operator = world.read(&stage.operator_account(operator));
        assert_eq!(
            (
                chain.stake_units,
                chain.locked_units,
                chain.unbonding_units,
                chain.open_disputes
            ),
            (staked.stake, staked.locked, staked.unbonding, staked.open_disputes)
        );
        assert_due(&chain.jail, staked.jail.map(|due| due.slot));
        let reports = ledger
            .reports
            .iter()
            .filter(|report| report.operator == operator && !report.has_ended());
        assert_eq!(chain.open_reports as usize, reports.count());
    }
    for report in 0..ledger.reports.len() {
        assert_report(stage, report);
    }
    for dispute in 0..ledger.disputes.len() {
        assert_dispute(stage, dispute);
    }
    for inquiry in 0..ledger.inquiries.len() {
        assert_inquiry(stage, inquiry);
    }
    for ((operator, question), shown) in &ledger.equivocations {
        let chain: Equivocation = world.read(&stage.equivocation_account(*operator, *question));
        assert_eq!(
            (chain.due_units, chain.slashed_units, chain.payout_units),
            (shown.due, shown.slashed, shown.payout),
            "an equivocation"
        );
    }
    assert_roles(stage);

    let vault: ModelVault = world.read(&addresses::revenue_escrow::vault(&model));
    assert_eq!(
        (vault.owed_units, vault.paid_to_others_units),
        (ledger.vault_owes(), ledger.paid_to_others),
        "what the model's vault owes and paid"
    );
    let held = world.tokens(&addresses::revenue_escrow::vault_tokens(&model));
    assert_eq!(held, ledger.vault_owes(), "what the model's vault holds");
    for (whom, owed) in &ledger.earnings {
        let address = addresses::revenue_escrow::vault(&model);
        let chain: Earnings = world.read(&addresses::revenue_escrow::earnings(&address, whom));
        assert_eq!(chain.owed_units, *owed, "earnings");
    }
    let stakes: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(
        (stakes.owed_units, stakes.insurance_units),
        (ledger.stakes_owe(), ledger.insurance),
        "what the vault of stakes owes"
    );
    let held = world.tokens(&addresses::opml_oracle::stake_tokens(&world.usdc));
    assert_eq!(held, ledger.stakes_owe(), "what the vault of stakes holds");

    let pool = world.pool(&stage.published);
    let address = addresses::yield_distributor::pool(&model);
    assert_eq!(
        (pool.accumulator, pool.owed_units, pool.redeem_units, pool.staked_units),
        (
            ledger.pool.rate,
            ledger.pool.owed,
            ledger.pool.redeem,
            ledger.pool.staked()
        ),
        "the pool"
    );
    let held = world.tokens(&addresses::yield_distributor::revenue_vault(&address));
    assert_eq!(
        held,
        ledger.pool.owed + ledger.pool.redeem,
        "what the pool holds of revenue"
    );
    let held = world.tokens(&addresses::yield_distributor::stake_vault(&address));
    assert_eq!(held, ledger.pool.staked(), "what the pool holds of stake");
    for (whom, position) in ledger.people.holders.iter().zip(&ledger.pool.positions) {
        let chain = world.position(&stage.published, whom);
        assert_eq!(
            chain.map(|chain| (chain.active_units, chain.pending_units, chain.owed_units)),
            position
                .as_ref()
                .map(|position| (position.active, position.pending, position.owed)),
            "a position"
        );
    }
    for (whom, units) in &ledger.wallets {
        assert_eq!(world.usdc_of(whom), *units, "the wallet of {whom}");
    }
    for (whom, units) in &ledger.tokens {
        assert_eq!(
            world.model_tokens_of(&stage.published, whom),
            *units,
            "the tokens of {whom}"
        );
    }
}

fn assert_report(stage: &Stage, report: usize) {
    let (world, reported) = (&stage.world, &stage.ledger.reports[report]);
    let address = stage.report_account(report);
    if reported.closed {
        assert!(!world.is_made(&address), "a report that is closed");
        return;
    }
    let chain: Report = world.read(&address);
    let status = match chain.status {
        ReportStatus::Open => Status::Open,
        ReportStatus::Sealed => Status::Sealed,
        ReportStatus::Final => Status::Final,
        ReportStatus::Rejected => Status::Rejected,
    };
    assert_eq!(
        (
            status,
            chain.bond_units,
            chain.max_collect_units,
            chain.slashed_units,
            chain.costs_paid_units
        ),
        (
            reported.status,
            reported.bond,
            reported.max_collect,
            reported.slashed,
            reported.costs
        )
    );
    assert_eq!(
        (
            chain.disputes_opened,
            chain.disputes_settled,
            chain.share_paid,
            chain.open_traces as usize
        ),
        (
            reported.disputes,
            reported.settled,
            reported.share_given,
            reported.traces.len()
        )
    );
    assert_eq!(
        (chain.open_inquiries, chain.demands_made, chain.demands_pending),
        (reported.inquiries, reported.demands_made, reported.demands_pending)
    );
    assert_due(&chain.window, reported.window.map(|due| due.slot));
    let bucket = addresses::revenue_escrow::bucket(&address);
    let Some(filled) = &reported.bucket else {
        assert!(!world.is_made(&bucket), "a bucket that is closed");
        return;
    };
    let chain: Bucket = world.read(&bucket);
    assert_eq!(
        (chain.collected_units, chain.retracted_units, chain.fee_units),
        (filled.units, filled.retracted, filled.fees)
    );
    assert_eq!(
        (chain.settled, chain.open_collections as usize),
        (filled.split, filled.collections.len())
    );
    for (payer, collection) in &filled.collections {
        let chain: Collection = world.read(&stage.collection_account(report, *payer));
        assert_eq!(
            (chain.amount_units, chain.first_sequence, u64::from(chain.count)),
            (collection.units, collection.first, collection.count)
        );
        assert_eq!(
            (chain.retracted, chain.retraction_fee_units),
            (collection.retracted, collection.fee)
        );
    }
}

fn assert_dispute(stage: &Stage, dispute: usize) {
    let (world, disputed) = (&stage.world, &stage.ledger.disputes[dispute]);
    let address = stage.dispute_account(dispute);
    if disputed.closed {
        assert!(!world.is_made(&address), "a dispute that is closed");
        return;
    }
    let chain: Dispute = world.read(&address);
    let phase = match chain.game.phase {
        ChainPhase::Opened => Phase::Opened,
        ChainPhase::Pointed => Phase::Pointed,
        ChainPhase::Traced | ChainPhase::Narrowed => Phase::Traced,
        ChainPhase::Demanded => Phase::Demanded,
        ChainPhase::TileKnown => Phase::TileKnown,
        ChainPhase::Proven => Phase::Proven,
        ChainPhase::Lost => Phase::Lost,
    };
    assert_eq!(
        (phase, chain.order, chain.bond_units, chain.settled, chain.payout_units),
        (
            disputed.phase,
            disputed.order,
            disputed.bond,
            disputed.settled,
            disputed.payout
        )
    );
    assert_eq!(
        (chain.game.clocks.challenger_slots, chain.game.clocks.operator_slots),
        (disputed.challenger_left, disputed.operator_left)
    );
    assert_eq!(
        (
            u64::from(chain.game.challenger_moves),
            u64::from(chain.game.operator_moves)
        ),
        (disputed.challenger_moves, disputed.operator_moves)
    );
    if disputed.is_running() {
        assert_due(&chain.game.clocks.deadline, Some(disputed.due.slot));
    }
}

fn assert_inquiry(stage: &Stage, inquiry: usize) {
    let (world, asked) = (&stage.world, &stage.ledger.inquiries[inquiry]);
    let address = stage.inquiry_account(inquiry);
    if asked.closed {
        assert!(!world.is_made(&address), "an inquiry that is closed");
        return;
    }
    let chain: Inquiry = world.read(&address);
    assert_eq!(
        (chain.fees_units, chain.order, chain.settled, chain.payout_units),
        (asked.fees, asked.order, asked.settled, asked.payout)
    );
    assert_eq!(u64::from(chain.game.demands), asked.demands);
    assert_eq!(
        chain.game.pending.map(|pending| pending.deadline.due_slot),
        asked.pending.map(|due| due.slot)
    );
}

/// Who may serve the model, and what waits for the timelock.
fn assert_roles(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let model: Model = world.read(&stage.published.model);
    assert_eq!(
        model.operators == OperatorAccess::Listed,
        ledger.access.listing.is_some(),
        "whether the model has a list"
    );
    assert_due(&model.listing, ledger.access.listing.map(|due| due.slot));
    for (operator, appointed) in ledger.access.appointments.iter().enumerate() {
        let address = stage.appointment_account(operator);
        let Some(appointed) = appointed else {
            assert!(!world.is_made(&address), "an appointment that is closed");
            continue;
        };
        let chain: Appointment = world.read(&address);
        assert_due(&chain.dismissal, appointed.dismissal.map(|due| due.slot));
    }
    let protocol: Protocol = world.read(&addresses::model_token::protocol());
    assert_eq!(protocol.terms.min_bond_units, ledger.least_bond);
    let update = addresses::model_token::protocol_update();
    match &ledger.update {
        Some(waiting) => {
            let chain: ProtocolUpdate = world.read(&update);
            assert_due(&chain.due, Some(waiting.due.slot));
        }
        None => assert!(!world.is_made(&update), "an update that is over"),
    }
}

#[track_caller]
fn assert_due(chain: &Deadline, due_slot: Option<u64>) {
    assert_eq!(chain.is_set().then_some(chain.due_slot), due_slot, "a deadline");
}

/// Lamports that were there when a history began, or came from nowhere since, and that are neither in an account nor a fee.
pub fn unaccounted_lamports(root: &Stage, stage: &Stage) -> u64 {
    let held = |world: &Cluster| -> u64 {
        let touched = stage.world.touched().iter();
        touched.map(|address| world.lamports(address)).sum()
    };
    let fees = stage.world.fees_lamports() - root.world.fees_lamports();
    held(&root.world).abs_diff(held(&stage.world) + fees)
}

/// Units of revenue and of the model's token that exist and that nobody has or is owed.
pub fn unaccounted_units(stage: &Stage) -> u64 {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let published = &stage.published;
    let offering: Offering = world.read(&addresses::model_token::offering(&published.model));
    let pool = world.pool(published);
    let stakes: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    let vault: ModelVault = world.read(&addresses::revenue_escrow::vault(&published.model));
    let wallets: u64 = ledger.wallets.keys().map(|whom| world.usdc_of(whom)).sum();
    let revenue = wallets
        + stakes.owed_units
        + vault.owed_units
        + pool.revenue_owed_units().expect("the counters fit")
        + offering.payment_owed_units().expect("the counters fit");
    let held: u64 = ledger
        .tokens
        .keys()
        .map(|whom| world.model_tokens_of(published, whom))
        .sum();
    let tokens = held + pool.staked_units + offering.tokens_owed_units().expect("the counters fit");
    let mint = addresses::model_token::mint(&published.model);
    supply(world, &world.usdc).abs_diff(revenue) + supply(world, &mint).abs_diff(tokens)
}

/// How much of a token there is, by its mint.
fn supply(cluster: &Cluster, mint: &Pubkey) -> u64 {
    let data = cluster.account(mint).expect("the mint is there").data;
    let supply = data.get(36..44).and_then(|bytes| bytes.try_into().ok());
    u64::from_le_bytes(supply.expect("a mint has a supply"))
}
