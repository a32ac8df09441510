//! An inquiry, walked down by somebody who knows only what is shown.

use ::opml_oracle::state::{Inquiry, Report};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    data::{Demand, Source, answer, is_last, next_demand},
    instructions::data::{self, Permission},
};
use opml_runtime::Model;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Case, World, usdc};
use crate::landed::{Landed, Outcome};

/// One inquiry from its opening on.
pub struct Search<'a> {
    pub demander: &'a Keypair,
    pub inquiry: Pubkey,
}

impl<'a> Search<'a> {
    /// About the receipts of a case.
    pub fn receipts(world: &mut World, demander: &'a Keypair, case: &Case, nonce: u64) -> Self {
        let open = Self::receipts_of(world, &demander.pubkey(), case, None, nonce);
        Self::open(world, demander, case, nonce, open)
    }

    /// About the input of a case's receipt.
    pub fn input(world: &mut World, demander: &'a Keypair, case: &Case, receipt: u32, nonce: u64) -> Self {
        let open = Self::input_of(world, &demander.pubkey(), case, receipt, None, nonce);
        Self::open(world, demander, case, nonce, open)
    }

    /// About a constant of the model of a case.
    pub fn constant(
        world: &mut World,
        demander: &'a Keypair,
        case: &Case,
        model: &Model,
        index: u32,
        nonce: u64,
    ) -> Self {
        let open = Self::constant_of(world, &demander.pubkey(), case, model, index, nonce);
        Self::open(world, demander, case, nonce, open)
    }

    pub fn receipts_of(
        world: &World,
        demander: &Pubkey,
        case: &Case,
        permission: Option<Permission>,
        nonce: u64,
    ) -> Instruction {
        let (report, collection): (Report, _) = (world.read(&case.report), world.read(&case.collection));
        data::open_receipts_inquiry(*demander, &report, &collection, permission, nonce)
    }

    pub fn input_of(
        world: &World,
        demander: &Pubkey,
        case: &Case,
        receipt: u32,
        permission: Option<Permission>,
        nonce: u64,
    ) -> Instruction {
        let (report, collection): (Report, _) = (world.read(&case.report), world.read(&case.collection));
        data::open_input_inquiry(*demander, &report, &collection, case.shown(receipt), permission, nonce)
    }

    pub fn constant_of(
        world: &World,
        demander: &Pubkey,
        case: &Case,
        model: &Model,
        index: u32,
        nonce: u64,
    ) -> Instruction {
        let report: Report = world.read(&case.report);
        let record = &model.constant_records()[index as usize];
        data::open_constant_inquiry(*demander, &report, index, record, model.weights().path(0, index), nonce)
    }

    fn open(world: &mut World, demander: &'a Keypair, case: &Case, nonce: u64, open: Instruction) -> Self {
        world.given_usdc(&demander.pubkey(), usdc(1));
        world.send(&[open], &[demander]).expect_ok();
        Self {
            demander,
            inquiry: addresses::opml_oracle::inquiry(&case.report, &demander.pubkey(), nonce),
        }
    }

    /// The inquiry as the chain has it.
    pub fn state(&self, world: &World) -> Inquiry {
        world.read(&self.inquiry)
    }

    /// What the demander asks for next on its way to a leaf.
    pub fn next(&self, world: &World, leaf: u32) -> Demand {
        next_demand(&self.state(world), leaf).expect("the tree has that leaf, and nothing is pending")
    }

    /// Demands what comes next on the way to a leaf. Returns whether the answer will be the leaf.
    pub fn demand(&self, world: &mut World, leaf: u32) -> bool {
        let (state, demand) = (self.state(world), self.next(world, leaf));
        world
            .send(&[data::demand_data(&state, &demand)], &[self.demander])
            .expect_ok();
        is_last(&state, &demand)
    }

    /// What answers the pending demand.
    pub fn answer_of(&self, world: &World, source: Source) -> Vec<u8> {
        answer(&self.state(world), source).expect("who has the data can show it")
    }

    /// Somebody who has the data answers the pending demand.
    pub fn serve(&self, world: &mut World, server: &Keypair, source: Source) -> Landed {
        let serve = data::serve_data(&self.state(world), self.answer_of(world, source));
        world.send(&[serve], &[server]).expect_ok()
    }

    /// Walks down to a leaf, every demand answered. Returns what was shown last.
    pub fn walk(&self, world: &mut World, server: &Keypair, leaf: u32, source: Source) -> Vec<u8> {
        loop {
            let last = self.demand(world, leaf);
            let shown = self.answer_of(world, source);
            self.serve(world, server, source);
            if last {
                return shown;
            }
        }
    }

    /// Waits until the pending demand's deadline is past.
    pub fn wait(&self, world: &mut World) {
        let pending = self.state(world).game.pending.expect("something is demanded");
        let now = world.now().slot;
        world.pass_slots(pending.deadline.due_slot + 1 - now);
    }

    /// Nobody answers, and anyone says so.
    pub fn time_out(&self, world: &mut World, caller: &Keypair) -> Landed {
        self.wait(world);
        let time_out = data::time_out_demand(&self.state(world));
        world.send(&[time_out], &[caller]).expect_ok()
    }

    /// Anyone settles it.
    pub fn settle(&self, world: &mut World, caller: &Keypair) -> Landed {
        let settle = data::settle_inquiry(&self.state(world));
        world.send(&[settle], &[caller]).expect_ok()
    }

    /// Anyone has it paid out and closed.
    pub fn pay_out(&self, world: &mut World, caller: &Keypair) -> Landed {
        let pay = data::withdraw_inquiry(caller.pubkey(), &self.state(world));
        world.send(&[pay], &[caller]).expect_ok()
    }
}
