//! Addresses of model-token.

use anchor_lang::prelude::Pubkey;
use model_token::{
    ID,
    state::{
        APPOINTMENT_SEED, COMMITMENT_SEED, METADATA_UPDATE_SEED, MINT_SEED, MODEL_SEED, MODEL_VERSION_SEED,
        OFFERING_SEED, PAYMENT_VAULT_SEED, PROTOCOL_SEED, PROTOCOL_UPDATE_SEED, TOKEN_VAULT_SEED,
    },
};

use super::find;

/// What holds for all models.
pub fn protocol() -> Pubkey {
    find(&[PROTOCOL_SEED], &ID)
}

/// What the authority has proposed.
pub fn protocol_update() -> Pubkey {
    find(&[PROTOCOL_UPDATE_SEED], &ID)
}

/// A model that `creator` registered, whoever is its developer now.
pub fn model(creator: &Pubkey, index: u32) -> Pubkey {
    find(&[MODEL_SEED, creator.as_ref(), &index.to_le_bytes()], &ID)
}

/// What the developer wants a model to be called.
pub fn metadata_update(model: &Pubkey) -> Pubkey {
    find(&[METADATA_UPDATE_SEED, model.as_ref()], &ID)
}

/// One version of a model, numbered from 1.
pub fn model_version(model: &Pubkey, number: u16) -> Pubkey {
    find(&[MODEL_VERSION_SEED, model.as_ref(), &number.to_le_bytes()], &ID)
}

/// An operator's admission to a model that has a list.
pub fn appointment(model: &Pubkey, operator_authority: &Pubkey) -> Pubkey {
    find(&[APPOINTMENT_SEED, model.as_ref(), operator_authority.as_ref()], &ID)
}

/// The sale of a model's token.
pub fn offering(model: &Pubkey) -> Pubkey {
    find(&[OFFERING_SEED, model.as_ref()], &ID)
}

/// What one investor put into an offering.
pub fn commitment(offering: &Pubkey, investor: &Pubkey) -> Pubkey {
    find(&[COMMITMENT_SEED, offering.as_ref(), investor.as_ref()], &ID)
}

/// A model's token.
pub fn mint(model: &Pubkey) -> Pubkey {
    find(&[MINT_SEED, model.as_ref()], &ID)
}

/// The token account that holds the commitments.
pub fn payment_vault(offering: &Pubkey) -> Pubkey {
    find(&[PAYMENT_VAULT_SEED, offering.as_ref()], &ID)
}

/// The token account that holds the tokens not yet claimed.
pub fn token_vault(offering: &Pubkey) -> Pubkey {
    find(&[TOKEN_VAULT_SEED, offering.as_ref()], &ID)
}

/// Where the loader keeps the program's code and upgrade authority.
pub fn program_data() -> Pubkey {
    find(&[ID.as_ref()], &solana_sdk_ids::bpf_loader_upgradeable::ID)
}
