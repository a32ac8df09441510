//! `imo migrate`: numbered steps that bring a cluster to the current state. Nothing is remembered: each step looks at the chain.

mod files;
mod plan;

use std::process::ExitCode;

use anchor_lang::{
    AccountDeserialize,
    prelude::{ProgramData, Pubkey},
    solana_program::instruction::Instruction,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use imo_client::{addresses as at, instructions as send};
use model_token::{
    instructions::InitProtocolArgs,
    state::{Protocol, ProtocolUpdate, Settings},
};
use opml_oracle::state::{AuditFund, StakeVault};
use serde::Serialize;
use solana_keypair::{Keypair, Signer, read_keypair_file};
use solana_rpc_client::rpc_client::RpcClient;
use solana_transaction::Transaction;

use crate::{
    cli::MigrateArgs,
    error::{OrUserError, UserError},
    rpc,
};
use files::{Cluster, Migration, Step};
use plan::Next;

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The chain was as the step wants it.
    Current,
    /// It is now.
    Done,
    /// It is not, and nothing was sent because of `--check`.
    Due,
    /// A timelock runs.
    Waiting,
    /// Somebody else has to sign.
    Unsigned,
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Outcome {
    migration: String,
    state: State,
    what: String,
    /// Of the transaction that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// What somebody else has to sign, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Something to send.
struct Action {
    what: String,
    /// Has to sign; anyone may when there is none.
    authority: Option<Pubkey>,
    instructions: Vec<Instruction>,
}

pub fn run(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let cluster = Cluster::read(&args.cluster)?;
    let migrations = files::migrations(args.migrations.as_deref())?;
    let keypair = read_keypair_file(&args.keypair)
        .or_user_error_with(|error| format!("{} is not a key file: {error}.", args.keypair.display()))?;
    let rpc = rpc::connect(&args.url)?;
    let genesis_hash = rpc.get_genesis_hash()?;
    if cluster.genesis_hash.is_some_and(|expected| expected != genesis_hash) {
        return Err(UserError::new(format!(
            "{} is for another cluster: the genesis hash at {} is {genesis_hash}.",
            args.cluster.display(),
            args.url
        ))
        .into());
    }
    let migrator = Migrator {
        rpc,
        cluster,
        keypair,
        genesis_hash: genesis_hash.to_bytes(),
        check: args.check,
    };
    let mut outcomes = Vec::new();
    for migration in &migrations {
        migrator.play(migration, &mut outcomes)?;
    }
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({ "steps": outcomes }))?
        );
    } else {
        tell(&outcomes);
    }
    let current = outcomes
        .iter()
        .all(|outcome| matches!(outcome.state, State::Current | State::Done));
    Ok(if current { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(outcomes: &[Outcome]) {
    for Outcome {
        migration,
        state,
        what,
        signature,
        message,
    } in outcomes
    {
        let state = match state {
            State::Current => "current",
            State::Done => "done",
            State::Due => "to do",
            State::Waiting => "waiting",
            State::Unsigned => "to sign",
        };
        println!("{migration:<24} {state:<8} {what}");
        if let Some(signature) = signature {
            println!("{:33} {signature}", "");
        }
        if let Some(message) = message {
            println!("{:33} {message}", "");
        }
    }
}

struct Migrator {
    rpc: RpcClient,
    cluster: Cluster,
    keypair: Keypair,
    genesis_hash: [u8; 32],
    check: bool,
}

impl Migrator {
    fn play(&self, migration: &Migration, outcomes: &mut Vec<Outcome>) -> anyhow::Result<()> {
        match &migration.step {
            Step::Settings(file) => {
                let settings = file.settings(&self.cluster);
                settings
                    .validate()
                    .or_user_error_with(|error| format!("{} does not hold together: {error}.", migration.name))?;
                outcomes.push(self.settings(migration, settings)?);
            }
            Step::StakeVaults {} => {
                for mint in &self.cluster.payment_mints {
                    let address = at::opml_oracle::stake_vault(mint);
                    let create = send::opml_oracle::create_stake_vault(self.keypair.pubkey(), *mint);
                    outcomes.push(self.account::<StakeVault>(migration, "vault", mint, &address, create)?);
                }
            }
            Step::AuditFunds {} => {
                for mint in &self.cluster.payment_mints {
                    let address = at::opml_oracle::audit_fund(mint);
                    let create = send::audit::create_audit_fund(self.keypair.pubkey(), *mint);
                    outcomes.push(self.account::<AuditFund>(migration, "audit fund", mint, &address, create)?);
                }
            }
        }
        Ok(())
    }

    fn settings(&self, migration: &Migration, wanted: Settings) -> anyhow::Result<Outcome> {
        let Some(protocol) = self.protocol()? else {
            return self.act(migration, self.set_up(wanted)?);
        };
        if protocol.cluster != self.genesis_hash {
            return Err(UserError::new("The protocol was set up for a cluster with another genesis hash.").into());
        }
        let update: Option<ProtocolUpdate> = rpc::find_account(&self.rpc, &at::model_token::protocol_update())?;
        // Whoever has to sign pays, too, so that one signature is enough.
        let authority = protocol.authority;
        let propose = || send::model_token::propose_update(authority, authority, wanted.clone());
        let by_authority = |what: &str, instructions| Action {
            what: what.into(),
            authority: Some(authority),
            instructions,
        };
        let action = match plan::next(&protocol, update.as_ref(), &wanted, &rpc::now(&self.rpc)?) {
            Next::Nothing => return Ok(outcome(migration, State::Current, "the protocol has these settings")),
            Next::Wait(due) => {
                let what = format!(
                    "proposed; can be executed after slot {} and {} (Unix seconds)",
                    due.due_slot, due.due_unix
                );
                return Ok(outcome(migration, State::Waiting, &what));
            }
            Next::Blocked => {
                let what = "other settings are proposed: cancel them, or wait until they lapse";
                return Ok(outcome(migration, State::Waiting, what));
            }
            Next::Forbidden => {
                return Err(UserError::new(format!(
                    "{} changes epoch, notice or unbonding time, which never change once the protocol is set up.",
                    migration.name
                ))
                .into());
            }
            Next::Propose => by_authority("proposes these settings", vec![propose()]),
            Next::ProposeAgain(lapsed) => by_authority(
                "proposes these settings in place of a proposal that lapsed",
                vec![send::model_token::cancel_update(authority, lapsed), propose()],
            ),
            Next::Execute(update) => Action {
                what: "executes the proposal: these settings are in force".into(),
                authority: None,
                instructions: vec![send::model_token::execute_update(update)],
            },
        };
        let proposes = action.authority.is_some();
        let mut outcome = self.act(migration, action)?;
        if proposes && outcome.state == State::Done {
            // The timelock runs now.
            outcome.state = State::Waiting;
        }
        Ok(outcome)
    }

    fn protocol(&self) -> anyhow::Result<Option<Protocol>> {
        rpc::find_account(&self.rpc, &at::model_token::protocol())
    }

    fn set_up(&self, settings: Settings) -> anyhow::Result<Action> {
        let program_data: Option<ProgramData> = rpc::find_account(&self.rpc, &at::model_token::program_data())?;
        let upgrade_authority = program_data
            .ok_or_else(|| UserError::new("The programs are not deployed on this cluster."))?
            .upgrade_authority_address
            .ok_or_else(|| {
                UserError::new("model-token has no upgrade authority, which alone can set the protocol up.")
            })?;
        let args = InitProtocolArgs {
            authority: self.cluster.authority,
            cluster: self.genesis_hash,
            settings,
        };
        Ok(Action {
            what: "sets the protocol up".into(),
            authority: Some(upgrade_authority),
            instructions: vec![send::model_token::init_protocol(
                upgrade_authority,
                upgrade_authority,
                args,
            )],
        })
    }

    /// Makes an account that anyone may make, once, for a mint of the protocol's list.
    fn account<T: AccountDeserialize>(
        &self,
        migration: &Migration,
        name: &str,
        mint: &Pubkey,
        address: &Pubkey,
        create: Instruction,
    ) -> anyhow::Result<Outcome> {
        if rpc::find_account::<T>(&self.rpc, address)?.is_some() {
            return Ok(outcome(migration, State::Current, &format!("{mint} has its {name}")));
        }
        if !self.check && self.protocol()?.is_none() {
            let what = format!("the {name} of {mint} needs the protocol");
            return Ok(outcome(migration, State::Due, &what));
        }
        self.act(
            migration,
            Action {
                what: format!("opens the {name} of {mint}"),
                authority: None,
                instructions: vec![create],
            },
        )
    }

    fn act(&self, migration: &Migration, action: Action) -> anyhow::Result<Outcome> {
        let Action {
            what,
            authority,
            instructions,
        } = action;
        let own = self.keypair.pubkey();
        if let Some(authority) = authority.filter(|authority| *authority != own) {
            let message = Transaction::new_with_payer(&instructions, Some(&authority)).message_data();
            return Ok(Outcome {
                message: Some(BASE64_STANDARD.encode(message)),
                ..outcome(migration, State::Unsigned, &format!("{authority} {what}"))
            });
        }
        if self.check {
            return Ok(outcome(migration, State::Due, &what));
        }
        let signature = rpc::send(&self.rpc, &instructions, &self.keypair)?;
        Ok(Outcome {
            signature: Some(signature),
            ..outcome(migration, State::Done, &what)
        })
    }
}

fn outcome(migration: &Migration, state: State, what: &str) -> Outcome {
    Outcome {
        migration: migration.name.clone(),
        state,
        what: what.into(),
        signature: None,
        message: None,
    }
}
