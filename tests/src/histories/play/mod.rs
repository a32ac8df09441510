//! What a step does, on the chain and in the ledger.

mod audits;
mod credit;
mod disputes;
mod equivocations;
mod evidence;
mod founding;
mod inquiries;
mod offering;
mod places;
mod proofs;
mod reports;
mod revenue;
mod roles;
mod vesting;
mod yields;

use std::collections::BTreeSet;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::addresses;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    agreement,
    kinds::{Kind, Theme},
    ledger::{Code, Ledger},
    run::Totals,
    stage::Stage,
    step::Step,
};
use crate::{
    landed::{Landed, Refused, instruction_units},
    programs::PROGRAMS,
};

/// What a call does to the ledger, or is refused with.
type Effect = Box<dyn Fn(&mut Ledger) -> Result<(), Code>>;

/// What somebody sends, and what the ledger makes of it.
struct Attempt {
    instructions: Vec<Instruction>,
    signer: Keypair,
    effect: Effect,
    /// Whether the very same can be sent twice.
    repeatable: bool,
}

impl Attempt {
    /// The same with an instruction before it.
    fn after(mut self, first: Instruction) -> Self {
        self.instructions.insert(0, first);
        self
    }
}

impl Stage {
    /// Plays one step. Panics when the chain and the ledger disagree.
    pub fn play(&mut self, step: &Step, totals: &mut Totals) {
        totals.steps += 1;
        match step.kind {
            Kind::Wait => return self.pass(u64::from(step.amount % 64)),
            Kind::WaitUntilDue => return self.pass_until_due(step),
            Kind::Restart => return self.restart(),
            Kind::Ask => return self.ask(step),
            _ => {}
        }
        // These take more than one transaction.
        let is_played = match step.kind {
            Kind::Prove | Kind::NextMove => self.play_proof(step, totals),
            Kind::ProveEquivocation | Kind::ProveWrongQuestion | Kind::ProveMalformed => {
                self.play_evidence(step, totals)
            }
            _ => false,
        };
        if is_played {
            return;
        }
        let (step, attempt) = match step.legal {
            true => match self.possible(step) {
                Some(found) => found,
                // Something may be possible when something has come due.
                None => return self.pass_until_due(step),
            },
            false => match self.attempt(step) {
                Some(attempt) => (*step, attempt),
                // Nobody has anything to try here.
                None => return self.pass(1),
            },
        };
        let step = &step;
        if step.kind == Kind::DrawAudit {
            self.world.set_slot_hashes(|_| false);
        }
        let times = if step.again && attempt.repeatable { 2 } else { 1 };
        for _ in 0..times {
            self.send(step, &attempt, totals);
        }
    }

    /// The first variation of a step that the ledger allows.
    fn possible(&self, step: &Step) -> Option<(Step, Attempt)> {
        step.variations().find_map(|step| {
            let attempt = self.attempt(&step)?;
            let mut next = self.ledger.clone();
            (attempt.effect)(&mut next).is_ok().then_some((step, attempt))
        })
    }

    fn attempt(&self, step: &Step) -> Option<Attempt> {
        match step.kind.theme() {
            Theme::Time => None,
            Theme::Founding => self.found(step),
            Theme::Roles => self.decide(step),
            Theme::Offering => self.sell(step),
            Theme::Vesting => self.vest(step),
            Theme::Credit => self.keep_credit(step),
            Theme::Revenue => self.move_revenue(step),
            Theme::Reports => self.operate(step),
            Theme::Disputes => self.dispute_step(step),
            Theme::Evidence => self.equivocate(step),
            Theme::Inquiries => self.inquire(step),
            Theme::Audits => self.audit_step(step),
            Theme::Yield => self.hold(step),
        }
    }

    /// Whether the protocol, the model and its vault are there: what people need to be served.
    fn require_business(&self) -> Option<()> {
        let founded = &self.ledger.founded;
        let is_live = self.main().is_some_and(|model| model.live > 0);
        (founded.protocol && founded.stake_vault && founded.model_vault && is_live).then_some(())
    }

    fn require_operator(&self, operator: usize) -> Option<()> {
        self.ledger.operators[operator].registered.then_some(())
    }

    fn send(&mut self, step: &Step, attempt: &Attempt, totals: &mut Totals) -> bool {
        let mut next = self.ledger.clone();
        let foreseen = (attempt.effect)(&mut next);
        let named = attempt
            .instructions
            .iter()
            .flat_map(|instruction| &instruction.accounts);
        let mut touched: BTreeSet<Pubkey> = named.map(|meta| meta.pubkey).collect();
        touched.insert(attempt.signer.pubkey());
        let before = agreement::Lamports::count(&self.world, &touched);
        let sent = self.world.send(&attempt.instructions, &[&attempt.signer]);
        let mint = addresses::model_token::mint(&self.published.model);
        before.assert_only_fees(&self.world, &touched, &attempt.signer.pubkey(), &mint);
        count(step, attempt, &sent, totals);
        match (foreseen, sent) {
            (Ok(()), Ok(_)) => {
                self.ledger = next;
                self.note(step);
                totals.landed += 1;
                agreement::assert_agrees(self);
                true
            }
            (Err(code), Err(refused)) if refused.code() == Some(code.0) => {
                totals.refused += 1;
                false
            }
            (foreseen, sent) => panic!(
                "{step:?}: the ledger says {foreseen:?}, the programs {:?}\n{}",
                sent.as_ref().map(|_| ()).map_err(|refused| &refused.error),
                sent.as_ref()
                    .map_or_else(|refused| refused.logs.join("\n"), |landed| landed.logs.join("\n"))
            ),
        }
    }

    /// What the books of the people themselves note about a transaction that landed.
    fn note(&mut self, step: &Step) {
        match step.kind {
            Kind::OpenDispute => self.note_dispute(step),
            Kind::OpenReceiptsInquiry | Kind::OpenInputInquiry | Kind::OpenConstantInquiry => self.note_inquiry(step),
            Kind::Collect => self.note_collection(step),
            _ => {}
        }
    }
}

/// Counts the instructions of a transaction, and those that they called. Panics when a step played nothing of what its kind says.
fn count(step: &Step, attempt: &Attempt, sent: &Result<Landed, Refused>, totals: &mut Totals) {
    match sent {
        Ok(landed) => {
            for used in &landed.instructions {
                totals.tally.land(used.program, &used.instruction);
            }
            let plays = step.kind.instructions();
            let is_one_of_them = |(program, name): &(&str, &str)| {
                let mut ran = landed.instructions.iter();
                ran.any(|used| used.program == *program && used.instruction == *name)
            };
            assert!(
                plays.is_empty() || plays.iter().any(is_one_of_them),
                "{step:?} played {:?}",
                landed.instructions
            );
        }
        Err(refused) => {
            // What was refused before the program began to log is known by what was sent.
            let ran = instruction_units(&refused.logs);
            let (program, name) = match (ran.first(), attempt.instructions.last()) {
                (Some(used), _) => (used.program, used.instruction.clone()),
                (None, Some(last)) => {
                    let program = PROGRAMS.iter().find(|program| program.id == last.program_id);
                    let Some(program) = program else { return };
                    (
                        program.name,
                        step.kind
                            .instructions()
                            .first()
                            .map_or(String::new(), |(_, name)| (*name).to_owned()),
                    )
                }
                (None, None) => return,
            };
            totals.tally.refuse(program, &name);
        }
    }
}

fn of(
    signer: Keypair,
    instruction: Instruction,
    effect: impl Fn(&mut Ledger) -> Result<(), Code> + 'static,
) -> Attempt {
    Attempt {
        instructions: vec![instruction],
        signer,
        effect: Box::new(effect),
        repeatable: true,
    }
}

fn once(
    signer: Keypair,
    instruction: Instruction,
    effect: impl Fn(&mut Ledger) -> Result<(), Code> + 'static,
) -> Attempt {
    Attempt {
        repeatable: false,
        ..of(signer, instruction, effect)
    }
}
