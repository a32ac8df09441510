//! Performs transactions, watches those of the daemons, tells all of them as they land, and remembers them.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use serde::Serialize;
use solana_keypair::{Keypair, Signature};

use super::{cast::Role, words};
use crate::{
    cluster::{Cluster, Landed},
    format,
    node::Daemon,
};

/// How long a daemon may take for something that it does by itself.
const PATIENCE: Duration = Duration::from_secs(120);

const GLANCE: Duration = Duration::from_millis(100);

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

/// A transaction that a daemon sent.
#[derive(Clone, Debug)]
pub struct Seen {
    pub role: Role,
    pub landed: Landed,
}

/// The cluster with an audience.
pub struct Stage {
    pub cluster: Cluster,
    silent: bool,
    names: HashMap<Pubkey, String>,
    steps: Vec<Step>,
    /// Signatures of all steps.
    known: HashSet<String>,
    /// Who acts without being told to, and their newest transaction.
    watched: Vec<(Role, Option<Signature>)>,
    daemons: Vec<Daemon>,
    seen: Vec<Seen>,
}

impl Stage {
    /// `silent` performances are remembered but not told.
    pub fn new(cluster: Cluster, silent: bool) -> Self {
        Self {
            cluster,
            silent,
            names: HashMap::new(),
            steps: Vec::new(),
            known: HashSet::new(),
            watched: Vec::new(),
            daemons: Vec::new(),
            seen: Vec::new(),
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
    pub fn aside(&self, actor: Role, what: impl fmt::Display) {
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
        self.remember(actor, action, &landed);
        Ok(landed)
    }

    /// From now on `actor` acts by itself.
    pub fn release(&mut self, actor: Role, daemon: Option<Daemon>) {
        self.watched.push((actor, None));
        self.daemons.extend(daemon);
    }

    /// Tells what the daemons have done since it was told last.
    fn watch(&mut self) -> anyhow::Result<()> {
        for daemon in &mut self.daemons {
            daemon.check()?;
        }
        let mut seen = Vec::new();
        for (role, last) in &mut self.watched {
            let transactions = self.cluster.transactions_since(&role.address(), *last)?;
            if let Some(newest) = transactions.last() {
                *last = Some(newest.signature.parse()?);
            }
            seen.extend(transactions.into_iter().map(|landed| Seen { role: *role, landed }));
        }
        seen.sort_by_key(|seen| seen.landed.slot);
        for seen in seen {
            // What somebody else sent may name a daemon's key as well, such as its registration.
            if !seen.landed.instructions.is_empty() && self.known.insert(seen.landed.signature.clone()) {
                let action = words::of(&seen.landed.instructions);
                self.remember(seen.role, action, &seen.landed);
                self.seen.push(seen);
            }
        }
        Ok(())
    }

    /// Waits for something that the daemons do, and tells what they do meanwhile.
    pub fn wait(&mut self, what: &str, mut look: impl FnMut(&Cluster) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let begin = Instant::now();
        loop {
            // Looked at first: what it depends on is told below in any case.
            let happened = look(&self.cluster).with_context(|| format!("Waiting until {what}"))?;
            self.watch()?;
            if happened {
                return Ok(());
            }
            anyhow::ensure!(begin.elapsed() < PATIENCE, "The demo waited in vain until {what}");
            thread::sleep(GLANCE);
        }
    }

    /// The daemons finish what they are doing.
    pub fn dismiss(&mut self) -> anyhow::Result<()> {
        for daemon in self.daemons.drain(..) {
            daemon.stop()?;
        }
        self.watch()
    }

    /// Everything performed so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the daemons have done so far.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    fn remember(&mut self, actor: Role, action: String, landed: &Landed) {
        self.tell(format_args!(
            "  {actor:<11} {action:<58} {}  {:>7} CU{}",
            format::shortened(&landed.signature),
            format::thousands(landed.compute_units),
            self.movements(landed),
        ));
        self.known.insert(landed.signature.clone());
        self.steps.push(Step {
            actor: actor.to_string(),
            action,
            signature: landed.signature.clone(),
            compute_units: landed.compute_units,
        });
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

    fn tell(&self, line: fmt::Arguments) {
        if !self.silent {
            // An audience that leaves does not stop the story.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
}
