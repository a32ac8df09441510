//! The models that a node has a copy of.

use std::{path::Path, sync::Arc};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::{addresses, challenge::Answer};
use model_token::state::{DisputeTerms, ModelVersion};
use opml_runtime::{
    Model, Tensor,
    execute::ExecuteError,
    fast::{Plan, PlanOptions},
};

use crate::{chain::Rpc, decoder::Layout, text::hex};

/// Computes answers, and everything that an operator may be asked for about them.
pub trait Executor: Send + Sync {
    /// The model's output.
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError>;
    /// The output of every node.
    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError>;
}

/// The fast executor.
pub struct Fast(Plan);

impl Fast {
    /// `threads` is how many work on one question.
    pub fn new(model: &Model, threads: usize) -> Self {
        let options = PlanOptions {
            threads: Some(threads),
            ..PlanOptions::default()
        };
        Self(Plan::with_options(model, options))
    }
}

impl Executor for Fast {
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        self.0.run(input)
    }

    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError> {
        Ok(Answer::from(&self.0.execute(input)?))
    }
}

/// A version of a model with its file.
pub struct ServedModel {
    /// What clients may call it besides its address.
    pub name: String,
    pub address: Pubkey,
    pub developer: Pubkey,
    /// Number of the version.
    pub version: u16,
    pub price_units: u64,
    /// What reports on it are under.
    pub terms: DisputeTerms,
    pub model: Model,
    pub executor: Arc<dyn Executor>,
    /// Of the step of a decoder.
    pub decoder: Option<Layout>,
}

impl ServedModel {
    /// Opens a model file and finds its version on chain.
    pub async fn load(rpc: &Rpc, name: &str, address: Pubkey, file: &Path, threads: usize) -> anyhow::Result<Self> {
        let model = Model::open(file)?;
        let executor = Arc::new(Fast::new(&model, threads));
        Self::with_executor(rpc, name, address, model, executor).await
    }

    pub async fn with_executor(
        rpc: &Rpc,
        name: &str,
        address: Pubkey,
        model: Model,
        executor: Arc<dyn Executor>,
    ) -> anyhow::Result<Self> {
        let account: model_token::state::Model = rpc.get(&address).await?;
        // The newest first: a root may be published twice.
        for number in (1..=account.version_count).rev() {
            let version: ModelVersion = rpc
                .get(&addresses::model_token::model_version(&address, number))
                .await?;
            if version.model_root == model.model_root() && version.was_live() {
                return Ok(Self {
                    name: name.to_owned(),
                    address,
                    developer: account.developer,
                    version: number,
                    price_units: version.price_units,
                    terms: version.terms,
                    model,
                    executor,
                    decoder: None,
                });
            }
        }
        None.with_context(|| {
            format!(
                "No version of the model {address} that is or was live has the root {} of the file for {name}.",
                hex(&model.model_root())
            )
        })
    }

    /// Serves it as a decoder, too.
    pub fn as_decoder(mut self, layout: Option<Layout>) -> anyhow::Result<Self> {
        if let Some(layout) = &layout {
            let output = self.model.nodes().last().context("a model has a node")?.output;
            let checked = layout.check(self.model.input_spec(), &output);
            checked.with_context(|| format!("The model {} is no such decoder", self.name))?;
        }
        self.decoder = layout;
        Ok(self)
    }

    /// Whether a client that says `name` means this one.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.address.to_string() == name
    }
}
