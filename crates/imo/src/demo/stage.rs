//! Performs transactions, tells them as they land, and remembers them.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use serde::Serialize;
use solana_keypair::Keypair;

use super::cast::Role;
use crate::{
    cluster::{Cluster, Landed},
    format,
};

/// A transaction of the story.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Who signed and paid the fee.
    pub actor: String,
    /// What it did.
    pub action: String,
    /// Base58.
    pub signature: String,
    pub compute_units: u64,
}

/// The cluster with an audience.
pub struct Stage {
    pub cluster: Cluster,
    silent: bool,
    names: HashMap<Pubkey, String>,
    steps: Vec<Step>,
}

impl Stage {
    /// `silent` performances are remembered but not told.
    pub fn new(cluster: Cluster, silent: bool) -> Self {
        Self {
            cluster,
            silent,
            names: HashMap::new(),
            steps: Vec::new(),
        }
    }

    /// Lets balances of a token account be told by a name.
    pub fn introduce(&mut self, token_account: Pubkey, name: impl Into<String>) {
        self.names.insert(token_account, name.into());
    }

    /// Begins a chapter.
    pub fn chapter(&self, title: &str) {
        self.tell(format_args!("\n{title}"));
    }

    /// Something that happens off the chain.
    pub fn aside(&self, actor: Role, what: impl std::fmt::Display) {
        self.tell(format_args!("  {actor:<11} {what}"));
    }

    /// `actor` signs, pays for and sends one transaction.
    pub fn act(
        &mut self,
        actor: Role,
        action: impl Into<String>,
        instructions: &[Instruction],
    ) -> anyhow::Result<Landed> {
        self.act_with(actor, action, instructions, &[])
    }

    /// Like [`Stage::act`], with more signatures.
    pub fn act_with(
        &mut self,
        actor: Role,
        action: impl Into<String>,
        instructions: &[Instruction],
        others: &[&Keypair],
    ) -> anyhow::Result<Landed> {
        let action = action.into();
        let own = actor.keypair();
        let signers: Vec<&Keypair> = std::iter::once(&own).chain(others.iter().copied()).collect();
        let landed = self
            .cluster
            .send(instructions, &actor.address(), &signers)
            .with_context(|| format!("The demo stopped when {actor} {action}"))?;
        self.tell(format_args!(
            "  {actor:<11} {action:<58} {}  {:>7} CU{}",
            format::shortened(&landed.signature),
            format::thousands(landed.compute_units),
            self.movements(&landed),
        ));
        self.steps.push(Step {
            actor: actor.to_string(),
            action,
            signature: landed.signature.clone(),
            compute_units: landed.compute_units,
        });
        Ok(landed)
    }

    /// Everything performed so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The balances that a transaction moved.
    fn movements(&self, landed: &Landed) -> String {
        let mut text = String::new();
        for moved in &landed.moved {
            let Some(name) = self.names.get(&moved.token_account) else {
                continue;
            };
            let (sign, units) = match moved.after.checked_sub(moved.before) {
                Some(more) => ('+', more),
                None => ('-', moved.before - moved.after),
            };
            text.push_str(&format!("\n{:14}{name} {sign}{}", "", format::units(units)));
        }
        text
    }

    fn tell(&self, line: std::fmt::Arguments) {
        if !self.silent {
            // An audience that leaves does not stop the story.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
}
