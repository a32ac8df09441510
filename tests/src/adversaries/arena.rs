//! A world in which everybody knows who attacks.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use ::opml_oracle::state::{Dispute, Inquiry, Report, ReportStatus};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    accounts::Account,
    addresses,
    instructions::{data, opml_oracle, revenue_escrow},
};
use imo_protocol::{Collection, Deadline};
use opml_runtime::{Execution, Model, execute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::verdict::gain;
use crate::{
    cast::Cast,
    landed::Outcome,
    world::{Asked, BOND, Case, Duel, SPLIT, Service, World, terms},
};

/// The world, the people, and what each side may lose.
pub struct Arena {
    pub world: World,
    pub cast: Cast,
    pub attackers: Vec<Pubkey>,
    /// The honest, and what it costs each at most, in units: what it knew when it began. Less than zero where it is owed something.
    pub honest: BTreeMap<Pubkey, i128>,
    /// What everybody had gained or lost before the attack began, in units.
    pub before: BTreeMap<Pubkey, i128>,
}

impl Arena {
    pub fn open() -> Self {
        let (world, cast) = World::light();
        Self::of(world, cast)
    }

    pub fn of(world: World, cast: Cast) -> Self {
        Self {
            world,
            cast,
            attackers: Vec::new(),
            honest: BTreeMap::new(),
            before: BTreeMap::new(),
        }
    }

    /// Names the attackers; and the honest, whom it may cost nothing.
    pub fn sides<const A: usize, const H: usize>(&mut self, attackers: [Pubkey; A], honest: [Pubkey; H]) {
        self.attackers.extend(attackers);
        self.honest.extend(honest.map(|whom| (whom, 0)));
    }

    /// From now on counts what anybody gains or loses: what was bought or earned before is no part of the attack.
    pub fn begin(&mut self) {
        let everybody: Vec<Pubkey> = self.attackers.iter().chain(self.honest.keys()).copied().collect();
        self.before = everybody
            .into_iter()
            .map(|whom| (whom, gain(&self.world, &whom)))
            .collect();
    }

    /// The operator attacks with `asked`, which is sealed; payer and watcher are honest. The watcher pays the fee of each dispute.
    pub fn given_false_report(&mut self, model: &Model, asked: Vec<Asked>) -> Case {
        let Self { world, cast, .. } = self;
        let service = world.given_service(cast, model);
        let case = world.given_sealed(cast, service, asked);
        let [operator, payer, watcher] = [&cast.operator, &cast.payer, &cast.watcher].map(Signer::pubkey);
        self.sides([operator], [payer, watcher]);
        case
    }

    /// The operator is honest, and so is its payer.
    pub fn given_true_report(&mut self, model: &Model, asked: Vec<Asked>) -> Case {
        let Self { world, cast, .. } = self;
        let service: Service = world.given_service(cast, model);
        let case = world.given_sealed(cast, service, asked);
        self.expect_paid(&case);
        case
    }

    /// An honest operator is owed its share of what it served, and its payer got what it paid for.
    pub fn expect_paid(&mut self, case: &Case) {
        let [operator, payer] = [&self.cast.operator, &self.cast.payer].map(Signer::pubkey);
        self.honest
            .insert(operator, -i128::from(operators_share(case.collected_units)));
        self.honest.insert(payer, case.collected_units.into());
    }

    /// What the watcher computes itself for a receipt.
    pub fn own(&self, model: &Model, case: &Case, receipt: usize) -> Execution {
        execute(model, &case.asked[receipt].input).expect("the input fits the model")
    }

    /// Everything that anyone can call until nothing of a case is left: what is overdue is timed out, everything settled in its order and paid out, the report ends, its money
    /// is refunded or split.
    pub fn wind_up(&mut self, case: &Case) {
        let stranger = self.cast.stranger.insecure_clone();
        for dispute in self.disputes_of(&case.report) {
            if dispute.game.phase.turn().is_some() {
                self.pass_deadline(&dispute.game.clocks.deadline);
                self.send(&[opml_oracle::timeout(&dispute)], &[&stranger]).expect_ok();
            }
        }
        for inquiry in self.inquiries_of(&case.report) {
            let Some(demanded) = inquiry.game.pending else { continue };
            self.pass_deadline(&demanded.deadline);
            // Of a report that has ended nothing is owed any more.
            let _owed = self.send(&[data::time_out_demand(&inquiry)], &[&stranger]);
        }
        let mut queue: Vec<(u32, Instruction)> = Vec::new();
        for dispute in self.disputes_of(&case.report).iter().filter(|dispute| !dispute.settled) {
            queue.push((dispute.order, opml_oracle::settle_dispute(dispute)));
        }
        for inquiry in self
            .inquiries_of(&case.report)
            .iter()
            .filter(|inquiry| !inquiry.settled)
        {
            queue.extend(inquiry.order.map(|order| (order, data::settle_inquiry(inquiry))));
        }
        queue.sort_by_key(|(order, _)| *order);
        for (_, settle) in queue {
            self.send(&[settle], &[&stranger]).expect_ok();
        }
        let report: Report = self.read(&case.report);
        if report.status == ReportStatus::Sealed {
            self.pass_deadline(&report.window);
            self.send(&[opml_oracle::finalise_report(&report)], &[&stranger])
                .expect_ok();
        }
        for inquiry in self
            .inquiries_of(&case.report)
            .iter()
            .filter(|inquiry| !inquiry.settled)
        {
            self.send(&[data::settle_inquiry(inquiry)], &[&stranger]).expect_ok();
        }
        // A recipient that is frozen names another account itself.
        for dispute in self.disputes_of(&case.report) {
            let pay = opml_oracle::withdraw_payout(stranger.pubkey(), &dispute);
            let _paid = self.send(&[pay], &[&stranger]);
        }
        for inquiry in self.inquiries_of(&case.report) {
            let pay = data::withdraw_inquiry(stranger.pubkey(), &inquiry);
            let _paid = self.send(&[pay], &[&stranger]);
        }
        let is_rejected = self.read::<Report>(&case.report).status == ReportStatus::Rejected;
        for collection in self.collections_of(&case.report) {
            if is_rejected || collection.retracted {
                self.send(&[revenue_escrow::refund(&collection)], &[&stranger])
                    .expect_ok();
            }
        }
        if is_rejected {
            return;
        }
        self.world.split(&self.cast, &case.report);
        for collection in self.collections_of(&case.report) {
            let close = revenue_escrow::close_collection(&collection);
            self.send(&[close], &[&stranger]).expect_ok();
        }
    }

    /// Lets time pass until a deadline is past, a restart included.
    pub fn pass_deadline(&mut self, deadline: &Deadline) {
        let now = self.now();
        if deadline.is_past(&now) {
            return;
        }
        let (due_slot, due_unix) = deadline.effective(now.last_restart_slot);
        // A slot can be reached before its second.
        let seconds = u64::try_from(due_unix - now.unix).unwrap_or(0);
        let slots = due_slot.saturating_sub(now.slot).max((seconds * 5).div_ceil(2));
        self.pass_slots(slots + 3);
    }

    fn all<T>(&self, wanted: impl Fn(Account) -> Option<T>) -> Vec<T> {
        let accounts = self.touched().iter().filter_map(|address| {
            let account = self.account(address)?;
            Account::decode(&account.owner, &account.data).ok()
        });
        accounts.filter_map(wanted).collect()
    }

    /// The disputes of a report that are not closed, as they were opened.
    pub fn disputes_of(&self, report: &Pubkey) -> Vec<Dispute> {
        let mut disputes = self.all(|account| match account {
            Account::Dispute(dispute) if dispute.report == *report => Some(*dispute),
            _ => None,
        });
        disputes.sort_by_key(|dispute| dispute.order);
        disputes
    }

    fn inquiries_of(&self, report: &Pubkey) -> Vec<Inquiry> {
        self.all(|account| match account {
            Account::Inquiry(inquiry) if inquiry.report == *report => Some(*inquiry),
            _ => None,
        })
    }

    fn collections_of(&self, report: &Pubkey) -> Vec<Collection> {
        self.all(|account| match account {
            Account::Collection(collection) if collection.report == *report => Some(*collection),
            _ => None,
        })
    }

    /// Somebody opens a dispute about a receipt of a case; it has brought the money.
    pub fn open_dispute<'a>(
        &mut self,
        challenger: &'a Keypair,
        nonce: u64,
        case: &Case,
        receipt: u32,
        model: &'a Model,
        own: &'a Execution,
    ) -> Duel<'a> {
        Duel::open_with_nonce(&mut self.world, challenger, nonce, case, receipt, model, own)
    }

    /// The account of the cast's operator.
    pub fn operator(&self) -> Pubkey {
        addresses::opml_oracle::operator(&self.cast.operator.pubkey(), &self.world.usdc)
    }
}

impl Deref for Arena {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Arena {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

/// What an operator earns of `units` that stand.
pub fn operators_share(units: u64) -> u64 {
    units * u64::from(SPLIT.operator_bps) / 10_000
}

/// What the first to catch an operator that bonded [`BOND`] gets of the bond.
pub fn provers_share() -> u64 {
    BOND * u64::from(terms().prover_share_bps) / 10_000
}
