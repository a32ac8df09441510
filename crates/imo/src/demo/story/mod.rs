//! What happens, in order. Each chapter performs transactions and enters the same into the ledger.

mod dispute;
mod launch;
mod payouts;
mod usage;

use std::path::{Path, PathBuf};

use anchor_lang::prelude::Pubkey;
use imo_client::addresses::{self, model_token, opml_oracle, revenue_escrow, yield_distributor};
use opml_runtime::Model;
use serde::Serialize;
use solana_signer::Signer;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{
    cast::{self, EVERYBODY, HOLDERS, OPERATORS, Role},
    history::{self, History},
    images::Image,
    ledger::Ledger,
    stage::Stage,
};
use crate::{format, node::free_port};

/// Where everything of the story is.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The mint of the play dollars.
    pub dollars: Pubkey,
    pub model: Pubkey,
    pub offering: Pubkey,
    /// The model's token.
    pub token: Pubkey,
    pub pool: Pubkey,
    pub vault: Pubkey,
    pub credit: Pubkey,
    pub stake_vault: Pubkey,
}

impl Places {
    fn new() -> Self {
        let dollars = cast::keypair(cast::DOLLARS).pubkey();
        let model = model_token::model(&Role::Developer.address(), 0);
        Self {
            dollars,
            model,
            offering: model_token::offering(&model),
            token: model_token::mint(&model),
            pool: yield_distributor::pool(&model),
            vault: revenue_escrow::vault(&model),
            credit: revenue_escrow::credit(&Role::Payer.address(), &model),
            stake_vault: opml_oracle::stake_vault(&dollars),
        }
    }

    /// An operator's account.
    pub fn operator(&self, role: Role) -> Pubkey {
        opml_oracle::operator(&role.address(), &self.dollars)
    }

    /// The only report of an operator.
    pub fn report(&self, role: Role) -> Pubkey {
        opml_oracle::report(&self.operator(role), 0)
    }

    /// The payer's lane to an operator.
    pub fn lane(&self, role: Role) -> Pubkey {
        revenue_escrow::lane(&self.credit, &self.operator(role))
    }

    pub fn dollars_of(&self, role: Role) -> Pubkey {
        addresses::payment_account(&role.address(), &self.dollars)
    }

    pub fn tokens_of(&self, role: Role) -> Pubkey {
        addresses::token_account(&role.address(), &self.token)
    }
}

/// What the dispute took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DisputeFigures {
    /// Answers of the operator that landed.
    pub operator_moves: u64,
    /// Moves of the challenger that landed, the opening and the staging of the witness not counted.
    #[serde(skip)]
    pub challenger_moves: u64,
    /// From the opening to the proof, both included.
    pub transactions: u64,
    pub compute_units: u64,
    /// On the wire.
    pub bytes: u64,
}

/// How it ended.
pub struct Ending {
    pub stage: Stage,
    pub places: Places,
    pub ledger: Ledger,
    pub dispute: DisputeFigures,
    /// The same as the index tells it.
    pub history: History,
}

/// What the story is about, and what it is played with.
pub struct Props<'a> {
    pub model: &'a Model,
    pub images: &'a [Image],
    /// The `imo-node` program.
    pub node: &'a Path,
    /// Where the daemons keep their things.
    pub folder: &'a Path,
}

/// The state that the chapters share.
struct Story<'a> {
    stage: Stage,
    places: Places,
    ledger: Ledger,
    model: &'a Model,
    images: &'a [Image],
    node: &'a Path,
    folder: &'a Path,
    /// The model's file.
    file: PathBuf,
    /// Of the operators' gateways, in the order of [`OPERATORS`].
    ports: [u16; 2],
    /// Of the watcher's metrics.
    metrics_port: u16,
    runtime: &'a Runtime,
    /// Ends operator B.
    stop: CancellationToken,
}

/// Tells all of it.
pub fn tell(stage: Stage, props: &Props) -> anyhow::Result<Ending> {
    let runtime = Runtime::new()?;
    let mut story = Story {
        stage,
        places: Places::new(),
        ledger: Ledger::opening(),
        model: props.model,
        images: props.images,
        node: props.node,
        folder: props.folder,
        file: usage::write_model(props.model, props.folder)?,
        ports: [free_port()?, free_port()?],
        metrics_port: free_port()?,
        runtime: &runtime,
        stop: CancellationToken::new(),
    };
    story.introduce();
    story.launch()?;
    story.usage()?;
    let dispute = story.dispute()?;
    story.payouts()?;
    let history = story.index()?;
    let Story {
        stage, places, ledger, ..
    } = story;
    Ok(Ending {
        stage,
        places,
        ledger,
        dispute,
        history,
    })
}

impl Story<'_> {
    /// Lets the index read everything.
    fn index(&mut self) -> anyhow::Result<History> {
        self.stage.chapter("The index reads all of it from the chain");
        let last = self.stage.steps().last().map_or("", |step| step.signature.as_str());
        let url = self.stage.cluster.url();
        let history = history::read(self.runtime, self.node, self.folder, url, &self.places, last)?;
        self.stage.aside(
            Role::Passerby,
            format_args!(
                "finds {} answers and {} dollars of revenue in it: imo-node index",
                history.answers,
                format::units(history.revenue)
            ),
        );
        Ok(history)
    }

    /// Gives the token accounts names to tell balances by.
    fn introduce(&mut self) {
        let Self { stage, places, .. } = self;
        for role in HOLDERS {
            stage.introduce(places.dollars_of(role), format!("{role}'s dollars"));
            stage.introduce(places.tokens_of(role), format!("{role}'s tokens"));
        }
        for (account, name) in [
            (model_token::payment_vault(&places.offering), "dollars in the offering"),
            (model_token::token_vault(&places.offering), "tokens in the offering"),
            (yield_distributor::stake_vault(&places.pool), "tokens staked"),
            (yield_distributor::revenue_vault(&places.pool), "dollars for holders"),
            (revenue_escrow::vault_tokens(&places.model), "dollars in escrow"),
            (opml_oracle::stake_tokens(&places.dollars), "dollars staked and bonded"),
        ] {
            stage.introduce(account, name);
        }
    }
}

/// Everybody who pays fees.
pub fn fee_payers() -> Vec<Pubkey> {
    EVERYBODY.iter().map(|role| role.address()).collect()
}

/// Index of an operator in what is kept per operator.
fn index_of(operator: Role) -> usize {
    usize::from(operator != OPERATORS[0])
}
