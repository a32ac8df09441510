//! A world in which everybody knows who attacks.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use ::opml_oracle::state::{Dispute, Report, ReportStatus};
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow},
};
use opml_runtime::{Execution, Model, execute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::verdict::gain;
use crate::{
    cast::Cast,
    landed::Outcome,
    world::{Asked, Case, Duel, Service, World},
};

/// The world, the people, and what each side may lose.
pub struct Arena {
    pub world: World,
    pub cast: Cast,
    pub attackers: Vec<Pubkey>,
    /// The honest, and what it costs each at most, in units: what it knew when it began.
    pub honest: BTreeMap<Pubkey, u64>,
    /// What everybody had gained or lost before the attack began, in units.
    pub before: BTreeMap<Pubkey, i128>,
}

impl Arena {
    pub fn open() -> Self {
        let (world, cast) = World::light();
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
        let [operator, payer] = [&cast.operator, &cast.payer].map(Signer::pubkey);
        self.sides([], [operator, payer]);
        // What it paid for it got.
        self.honest.insert(payer, case.collected_units);
        case
    }

    /// What the watcher computes itself for a receipt.
    pub fn own(&self, model: &Model, case: &Case, receipt: usize) -> Execution {
        execute(model, &case.asked[receipt].input).expect("the input fits the model")
    }

    /// Everything that anyone can call until nothing is left: disputes are timed out, settled in order and paid out, the report ends, its money is refunded or split.
    pub fn wind_up(&mut self, case: &Case, disputes: &[Pubkey]) {
        let Self { world, cast, .. } = self;
        let stranger = cast.stranger.insecure_clone();
        let live = |world: &World| -> Vec<Dispute> {
            let there = disputes.iter().filter(|dispute| world.is_made(dispute));
            let mut live: Vec<Dispute> = there.map(|dispute| world.read(dispute)).collect();
            live.sort_by_key(|dispute| dispute.order);
            live
        };
        for dispute in live(world).iter().filter(|dispute| dispute.game.phase.turn().is_some()) {
            let due = dispute.game.clocks.deadline;
            let (due_slot, _) = due.effective(world.now().last_restart_slot);
            let slot = world.now().slot;
            world.pass_slots((due_slot + 4).saturating_sub(slot));
            world.send(&[opml_oracle::timeout(dispute)], &[&stranger]).expect_ok();
        }
        for dispute in live(world).iter().filter(|dispute| !dispute.settled) {
            world
                .send(&[opml_oracle::settle_dispute(dispute)], &[&stranger])
                .expect_ok();
        }
        for dispute in live(world) {
            let pay = opml_oracle::withdraw_payout(stranger.pubkey(), &dispute);
            // A recipient that is frozen names another account itself.
            let _paid = world.send(&[pay], &[&stranger]);
        }
        let report: Report = world.read(&case.report);
        if report.status == ReportStatus::Rejected {
            world.refund(cast, case);
            return;
        }
        if report.status == ReportStatus::Sealed {
            let (due_slot, _) = report.window.effective(world.now().last_restart_slot);
            let slot = world.now().slot;
            world.pass_slots((due_slot + 4).saturating_sub(slot));
            world
                .send(&[opml_oracle::finalise_report(&report)], &[&stranger])
                .expect_ok();
        }
        world.split(cast, &case.report);
        let close = revenue_escrow::close_collection(&world.read(&case.collection));
        world.send(&[close], &[&stranger]).expect_ok();
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
