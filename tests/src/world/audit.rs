//! A random audit, from the draw on.

use ::model_token::state::{AuditTerms, Settings};
use ::opml_oracle::{
    audit_game::{DRAW_LAG_SLOTS, audit_commitment},
    constants::SLOT_HASHES,
    state::{Audit, AuditEntry, AuditFund, Report},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses, audit,
    instructions::{audit as send, data::Permission},
};
use imo_protocol::{Bucket, Collection};
use opml_runtime::{Hash, execute::trace_tree};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Case, World, usdc};
use crate::{
    cast::Cast,
    landed::{Landed, Outcome},
};

/// A fifth of the protocol's share, and what an audit costs.
pub const AUDITS: AuditTerms = AuditTerms {
    share_bps: 2_000,
    fee_units: usdc(1),
};

/// The salt of every auditor's commitment.
const SALT: [u8; 32] = [0xA5; 32];

/// One audit of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    pub audit: Pubkey,
    pub number: u8,
}

impl World {
    /// The protocol pays audits, and the fund is there with this much in it.
    pub fn given_audits(&mut self, cast: &Cast, units: u64) {
        let settings = Settings {
            audits: AUDITS,
            ..self.settings(cast)
        };
        self.given_settings(cast, settings);
        let create = send::create_audit_fund(cast.stranger.pubkey(), self.usdc);
        self.send(&[create], &[&cast.stranger]).expect_ok();
        let tokens = addresses::opml_oracle::audit_tokens(&self.usdc);
        if units > 0 {
            self.given_usdc_at(&tokens, units);
        }
    }

    pub fn audit_fund(&self) -> AuditFund {
        self.read(&addresses::opml_oracle::audit_fund(&self.usdc))
    }

    /// Units that the fund's token account holds.
    pub fn audit_tokens(&self) -> u64 {
        self.tokens(&addresses::opml_oracle::audit_tokens(&self.usdc))
    }

    /// Waits until the first slot after the seal that can decide a draw is over.
    pub fn pass_draw(&mut self, report: &Pubkey) {
        let report: Report = self.read(report);
        self.pass_until_slot(report.window.opened_slot + DRAW_LAG_SLOTS + 1);
        self.set_slot_hashes(|_| false);
    }

    /// Number of the receipt that a draw would give now.
    pub fn drawn(&self, report: &Pubkey, number: u8) -> Option<u64> {
        let sysvar = self.account(&SLOT_HASHES).expect("the chain keeps its hashes");
        let bucket: Bucket = self.read(&addresses::revenue_escrow::bucket(report));
        audit::drawn(&sysvar.data, self.now().slot, &self.read(report), &bucket, number)
    }
}

impl Sampling {
    /// The audit of a case with this number, drawn or not.
    pub fn of(case: &Case, number: u8) -> Self {
        let audit = addresses::opml_oracle::audit(&case.report, number);
        Self { audit, number }
    }

    /// What draws it.
    pub fn draw_of(world: &World, payer: &Pubkey, case: &Case, number: u8) -> Instruction {
        let (report, collection): (Report, Collection) = (world.read(&case.report), world.read(&case.collection));
        send::draw_audit(*payer, &report, &collection, number)
    }

    /// A stranger draws it as soon as that is possible.
    pub fn draw(world: &mut World, cast: &Cast, case: &Case, number: u8) -> Self {
        world.pass_draw(&case.report);
        let draw = Self::draw_of(world, &cast.stranger.pubkey(), case, number);
        world.send(&[draw], &[&cast.stranger]).expect_ok();
        Self::of(case, number)
    }

    /// The audit as the chain has it.
    pub fn state(&self, world: &World) -> Audit {
        world.read(&self.audit)
    }

    /// An auditor's entry.
    pub fn entry(&self, world: &World, auditor: &Pubkey) -> AuditEntry {
        world.read(&addresses::opml_oracle::audit_entry(&self.audit, auditor))
    }

    /// What commits an auditor to a trace of these nodes.
    pub fn commit_of(&self, world: &World, auditor: &Pubkey, roots: &[Hash], by: Option<Permission>) -> Instruction {
        let commitment = audit_commitment(&self.audit, auditor, &trace_tree(roots).root(), &SALT);
        self.commitment_of(world, auditor, commitment, by)
    }

    /// What makes an auditor's commitment.
    pub fn commitment_of(
        &self,
        world: &World,
        auditor: &Pubkey,
        commitment: Hash,
        by: Option<Permission>,
    ) -> Instruction {
        let state = self.state(world);
        send::commit_audit(*auditor, &state, &world.read(&state.collection), by, commitment)
    }

    /// An auditor commits to a trace of these nodes.
    pub fn commit(&self, world: &mut World, auditor: &Keypair, roots: &[Hash]) -> Landed {
        let commit = self.commit_of(world, &auditor.pubkey(), roots, None);
        world.send(&[commit], &[auditor]).expect_ok()
    }

    /// An auditor recomputes the drawn receipt and commits to what it gets. The operator's trace is the same when it is honest.
    pub fn commit_honestly(&self, world: &mut World, auditor: &Keypair, case: &Case) -> Landed {
        let index = self.state(world).receipt_index as usize;
        let roots = case.asked[index].answer.roots().to_vec();
        self.commit(world, auditor, &roots)
    }

    /// Waits until the deadline of the present phase is past.
    pub fn wait(&self, world: &mut World) {
        let due_slot = self.state(world).game.deadline.due_slot;
        let slot = world.now().slot;
        world.pass_slots((due_slot + 1).saturating_sub(slot));
    }

    /// What shows the drawn receipt.
    pub fn ask_of(&self, world: &World, case: &Case) -> Instruction {
        let state = self.state(world);
        send::ask_audit(&state, case.shown(state.receipt_index))
    }

    /// The time to commit passes, and somebody shows the drawn receipt.
    pub fn ask(&self, world: &mut World, caller: &Keypair, case: &Case) -> Landed {
        self.wait(world);
        let ask = self.ask_of(world, case);
        world.send(&[ask], &[caller]).expect_ok()
    }

    /// What answers with the operator's trace.
    pub fn answer_of(&self, world: &World, signer: &Pubkey, case: &Case) -> Instruction {
        let state = self.state(world);
        let asked = &case.asked[state.receipt_index as usize];
        send::answer_audit(*signer, *signer, &state, asked.answer.roots())
    }

    /// The operator answers.
    pub fn answer(&self, world: &mut World, signer: &Keypair, case: &Case) -> Landed {
        let answer = self.answer_of(world, &signer.pubkey(), case);
        world.send(&[answer], &[signer]).expect_ok()
    }

    /// What opens an auditor's commitment.
    pub fn reveal_of(&self, world: &World, auditor: &Pubkey) -> Instruction {
        send::reveal_audit(*auditor, &self.state(world), SALT)
    }

    /// An auditor opens its commitment.
    pub fn reveal(&self, world: &mut World, auditor: &Keypair) -> Landed {
        let reveal = self.reveal_of(world, &auditor.pubkey());
        world.send(&[reveal], &[auditor]).expect_ok()
    }

    /// Nobody answers, and anyone says so.
    pub fn time_out(&self, world: &mut World, caller: &Keypair) -> Landed {
        self.wait(world);
        let time_out = send::time_out_audit(&self.state(world));
        world.send(&[time_out], &[caller]).expect_ok()
    }

    /// Anyone settles it.
    pub fn settle(&self, world: &mut World, caller: &Keypair) -> Landed {
        let settle = send::settle_audit(&self.state(world));
        world.send(&[settle], &[caller]).expect_ok()
    }

    /// Anyone has an auditor paid.
    pub fn pay_out(&self, world: &mut World, caller: &Keypair, auditor: &Pubkey) -> Landed {
        let pay = send::withdraw_audit_fee(caller.pubkey(), &self.state(world), &self.entry(world, auditor));
        world.send(&[pay], &[caller]).expect_ok()
    }

    /// Anyone closes it.
    pub fn close(&self, world: &mut World, caller: &Keypair) -> Landed {
        let close = send::close_audit(&self.state(world));
        world.send(&[close], &[caller]).expect_ok()
    }
}
