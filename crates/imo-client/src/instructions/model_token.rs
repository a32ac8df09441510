//! Instructions of model-token.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use model_token::{
    ID, accounts, instruction,
    instructions::{InitProtocolArgs, OpenOfferingArgs, PublishVersionArgs, RegisterModelArgs, UpdateProtocolArgs},
};
use solana_sdk_ids::system_program;

use super::build;
use crate::addresses::{self, model_token as address};

/// Signed by the program's upgrade authority.
pub fn init_protocol(upgrade_authority: Pubkey, payer: Pubkey, args: InitProtocolArgs) -> Instruction {
    let accounts = accounts::InitProtocol {
        upgrade_authority,
        payer,
        protocol: address::protocol(),
        program: ID,
        program_data: address::program_data(),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::InitProtocol { args })
}

/// Signed by the protocol's authority.
pub fn update_protocol(authority: Pubkey, args: UpdateProtocolArgs) -> Instruction {
    let accounts = accounts::UpdateProtocol {
        authority,
        protocol: address::protocol(),
    };
    build(ID, accounts, instruction::UpdateProtocol { args })
}

/// Signed by the guardian.
pub fn set_pause(guardian: Pubkey, until_unix: i64) -> Instruction {
    let accounts = accounts::SetPause {
        guardian,
        protocol: address::protocol(),
    };
    build(ID, accounts, instruction::SetPause { until_unix })
}

/// Signed by the developer.
pub fn register_model(developer: Pubkey, payer: Pubkey, payment_mint: Pubkey, args: RegisterModelArgs) -> Instruction {
    let accounts = accounts::RegisterModel {
        developer,
        payer,
        protocol: address::protocol(),
        payment_mint,
        model: address::model(&developer, args.index),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::RegisterModel { args })
}

/// Signed by the developer. `number` is one more than the model's versions so far.
pub fn publish_version(
    developer: Pubkey,
    payer: Pubkey,
    model: Pubkey,
    number: u16,
    args: PublishVersionArgs,
) -> Instruction {
    let accounts = accounts::PublishVersion {
        developer,
        payer,
        protocol: address::protocol(),
        model,
        model_version: address::model_version(&model, number),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::PublishVersion { args })
}

/// Signed by the developer, after the version's notice.
pub fn activate_version(developer: Pubkey, model: Pubkey, number: u16) -> Instruction {
    let accounts = accounts::ActivateVersion {
        developer,
        model,
        model_version: address::model_version(&model, number),
    };
    build(ID, accounts, instruction::ActivateVersion {})
}

/// Signed by the developer.
pub fn open_offering(
    developer: Pubkey,
    payer: Pubkey,
    model: Pubkey,
    payment_mint: Pubkey,
    args: OpenOfferingArgs,
) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::OpenOffering {
        developer,
        payer,
        protocol: address::protocol(),
        model,
        payment_mint,
        offering,
        payment_vault: address::payment_vault(&offering),
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenOffering { args })
}

/// Signed by the investor, from whose associated account the money comes.
pub fn commit(investor: Pubkey, payer: Pubkey, model: Pubkey, payment_mint: Pubkey, amount_units: u64) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::Commit {
        investor,
        payer,
        protocol: address::protocol(),
        offering,
        payment_mint,
        commitment: address::commitment(&offering, &investor),
        investor_payment: addresses::payment_account(&investor, &payment_mint),
        payment_vault: address::payment_vault(&offering),
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::Commit { amount_units })
}

/// Anyone, once the offering is closed.
pub fn settle_offering(payer: Pubkey, model: Pubkey) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::SettleOffering {
        payer,
        model,
        offering,
        mint: address::mint(&model),
        token_vault: address::token_vault(&offering),
        token_program: anchor_spl::token_2022::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::SettleOffering {})
}

/// What a claim needs to know from the chain.
#[derive(Clone, Copy, Debug)]
pub struct ClaimedCommitment {
    pub model: Pubkey,
    pub payment_mint: Pubkey,
    pub investor: Pubkey,
    /// Of the commitment's account.
    pub rent_payer: Pubkey,
    /// Whether the offering succeeded: a failed one has no tokens.
    pub succeeded: bool,
}

/// Anyone, once the offering is settled.
pub fn claim_commitment(payer: Pubkey, claimed: ClaimedCommitment) -> Instruction {
    let ClaimedCommitment {
        model,
        payment_mint,
        investor,
        rent_payer,
        succeeded,
    } = claimed;
    let offering = address::offering(&model);
    let mint = address::mint(&model);
    let accounts = accounts::ClaimCommitment {
        payer,
        investor,
        rent_payer,
        offering,
        commitment: address::commitment(&offering, &investor),
        payment_mint,
        payment_vault: address::payment_vault(&offering),
        investor_payment: addresses::payment_account(&investor, &payment_mint),
        mint: succeeded.then_some(mint),
        token_vault: succeeded.then(|| address::token_vault(&offering)),
        investor_tokens: succeeded.then(|| addresses::token_account(&investor, &mint)),
        payment_token_program: anchor_spl::token::ID,
        token_program: anchor_spl::token_2022::ID,
        associated_token_program: anchor_spl::associated_token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::ClaimCommitment {})
}

/// Signed by the developer, once the offering succeeded.
pub fn withdraw_proceeds(developer: Pubkey, model: Pubkey, payment_mint: Pubkey) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::WithdrawProceeds {
        developer,
        model,
        offering,
        payment_mint,
        payment_vault: address::payment_vault(&offering),
        developer_payment: addresses::payment_account(&developer, &payment_mint),
        token_program: anchor_spl::token::ID,
        associated_token_program: anchor_spl::associated_token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::WithdrawProceeds {})
}
