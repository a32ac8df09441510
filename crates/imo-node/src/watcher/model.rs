//! The models that a watcher has a copy of.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use imo_client::challenge::audit::{self, Finding};
use imo_protocol::Receipt;
use opml::{Claim, Hash};
use opml_runtime::{Execution, Model, Tensor, fast::Plan, malformed::Records};

use crate::text::hex;

/// A copy of a model.
pub struct WatchedModel {
    root: Hash,
    kind: Kind,
}

enum Kind {
    /// To recompute with.
    Sound { model: Box<Model>, plan: Box<Plan> },
    /// It breaks a rule of its arithmetic at a node: whatever is claimed of it is fraud.
    Malformed(Malformed),
}

/// What shows the chain that a model is malformed.
#[derive(Debug)]
pub struct Malformed {
    pub node: u32,
    pub witness: Vec<u8>,
}

impl WatchedModel {
    pub fn new(model: Model) -> Arc<Self> {
        let plan = Box::new(Plan::new(&model));
        Arc::new(Self {
            root: model.model_root(),
            kind: Kind::Sound {
                model: Box::new(model),
                plan,
            },
        })
    }

    /// Opens a model file. One that holds a model which breaks a rule is good for showing that.
    pub fn open(file: &Path) -> anyhow::Result<Arc<Self>> {
        let error = match Model::open(file) {
            Ok(model) => return Ok(Self::new(model)),
            Err(error) => error,
        };
        let malformed = std::fs::read(file).ok().and_then(|bytes| {
            let records = Records::from_bytes(&bytes).ok()?;
            let (node, fault) = records.first_fault()?;
            tracing::warn!(
                file = %file.display(), model_root = hex(&records.model_root()), node, ?fault,
                "a model breaks a rule: every report on it is disputed"
            );
            Some(Arc::new(Self {
                root: records.model_root(),
                kind: Kind::Malformed(Malformed {
                    node,
                    witness: records.witness(node)?,
                }),
            }))
        });
        malformed.with_context(|| format!("{} cannot be used: {error}", file.display()))
    }

    pub fn root(&self) -> Hash {
        self.root
    }

    /// The model, when it keeps all rules.
    pub fn sound(&self) -> anyhow::Result<&Model> {
        match &self.kind {
            Kind::Sound { model, .. } => Ok(model),
            Kind::Malformed(_) => anyhow::bail!("the model is malformed: nothing can be computed with it"),
        }
    }

    /// Why the model is none.
    pub fn malformed(&self) -> Option<&Malformed> {
        match &self.kind {
            Kind::Sound { .. } => None,
            Kind::Malformed(malformed) => Some(malformed),
        }
    }

    /// Judges a receipt by what the own copy makes of the payer's input. All outputs are kept only when the last one is wrong.
    pub(super) async fn judge(self: &Arc<Self>, input: Tensor, receipt: &Receipt) -> anyhow::Result<Finding> {
        let (own, receipt) = (self.clone(), *receipt);
        let judged = tokio::task::spawn_blocking(move || {
            let plan = own.plan()?;
            let truth = Claim {
                model_root: own.root,
                input_root: input.root(),
                output_root: plan.run(&input)?.root(),
            };
            match truth == receipt.claim {
                true => Ok(Finding::Correct),
                false => Ok(audit::judge(plan.execute(&input)?, &receipt)),
            }
        });
        judged.await?
    }

    /// What the own copy gives.
    pub(super) async fn execute(self: &Arc<Self>, input: Tensor) -> anyhow::Result<Execution> {
        let own = self.clone();
        let computed = tokio::task::spawn_blocking(move || Ok(own.plan()?.execute(&input)?));
        computed.await?
    }

    fn plan(&self) -> anyhow::Result<&Plan> {
        match &self.kind {
            Kind::Sound { plan, .. } => Ok(plan),
            Kind::Malformed(_) => anyhow::bail!("the model is malformed: nothing can be computed with it"),
        }
    }
}
