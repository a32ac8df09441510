use anchor_lang::prelude::*;
use opml::{ModelHeader, TensorSpec};

use super::{Contributor, DisputeTerms, RevenueSplit};
use crate::{constants::MAX_CONTRIBUTORS, errors::ModelTokenError};

/// Seeds: `"version", model, number u16`.
pub const MODEL_VERSION_SEED: &[u8] = b"version";

/// Who can recompute an answer of a version.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkable {
    /// The weights are public.
    Anyone,
    /// The weights are given to payers with access.
    WithAccess,
    /// Only the operators have the weights.
    Nobody,
}

/// One version of a model. Nothing of it changes after it is published, except that it becomes live once.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct ModelVersion {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// Number of this version, from 1.
    pub number: u16,
    /// What a claim on this version names; recomputed on chain from the fields below.
    pub model_root: [u8; 32],
    /// The arithmetic that judges this version; its rules never change.
    pub arithmetic_version: u16,
    /// Nodes of the graph.
    pub node_count: u32,
    /// Constants of the model.
    pub constant_count: u32,
    /// Root of the node records.
    pub graph_root: [u8; 32],
    /// Root of the constant records.
    pub weights_root: [u8; 32],
    /// The input's `TensorSpec` in its 18 bytes.
    pub input_spec: [u8; 18],
    /// Who gets which share of this version's revenue.
    pub split: RevenueSplit,
    /// List price of a request, in units of the payment mint.
    pub price_units: u64,
    /// Who can recompute an answer.
    pub checkable: Checkable,
    /// The terms that every report on this version is under.
    pub terms: DisputeTerms,
    /// Earliest slot at which this version may become live.
    pub notice_ends_slot: u64,
    /// Slot at which this version became live; 0 when it never was. Only a version that was live can be reported on.
    pub live_since_slot: u64,
    /// SHA-256 of what the weights uri points to.
    pub weights_uri_hash: [u8; 32],
    /// Where the weights are.
    #[max_len(128)]
    pub weights_uri: String,
    /// Who shares the split's part for contributors.
    #[max_len(MAX_CONTRIBUTORS)]
    pub contributors: Vec<Contributor>,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(ModelVersion::INIT_SPACE == 781);

impl ModelVersion {
    /// The header that `model_root` commits to.
    pub fn header(&self) -> Result<ModelHeader> {
        Ok(ModelHeader {
            arithmetic_version: self.arithmetic_version,
            node_count: self.node_count,
            constant_count: self.constant_count,
            graph_root: self.graph_root,
            weights_root: self.weights_root,
            input: TensorSpec::decode(&self.input_spec).map_err(|_| ModelTokenError::InvalidInputSpec)?,
        })
    }

    /// Whether this version serves or once served requests, so that a report may name it.
    pub fn was_live(&self) -> bool {
        self.live_since_slot > 0
    }
}
