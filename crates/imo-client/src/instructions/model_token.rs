//! Instructions of model-token.

use anchor_lang::{
    prelude::Pubkey,
    solana_program::instruction::{AccountMeta, Instruction},
};
use model_token::{
    ID, accounts, instruction,
    instructions::{Allowance, InitProtocolArgs, OpenOfferingArgs, PublishVersionArgs, RegisterModelArgs},
    state::{Appointment, Metadata, MetadataUpdate, OperatorAccess, ProtocolUpdate, Settings},
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
pub fn propose_update(authority: Pubkey, payer: Pubkey, settings: Settings) -> Instruction {
    let accounts = accounts::ProposeUpdate {
        authority,
        payer,
        protocol: address::protocol(),
        update: address::protocol_update(),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::ProposeUpdate { settings })
}

/// Anyone, once the proposal's timelock is over and until it lapses; the rent goes back to who paid it.
pub fn execute_update(update: &ProtocolUpdate) -> Instruction {
    let accounts = accounts::ExecuteUpdate {
        protocol: address::protocol(),
        update: address::protocol_update(),
        rent_payer: update.rent_payer,
    };
    build(ID, accounts, instruction::ExecuteUpdate {})
}

/// Signed by the protocol's authority, or by anyone once the proposal has lapsed; the rent goes back to who paid it.
pub fn cancel_update(caller: Pubkey, update: &ProtocolUpdate) -> Instruction {
    let accounts = accounts::CancelUpdate {
        caller,
        protocol: address::protocol(),
        update: address::protocol_update(),
        rent_payer: update.rent_payer,
    };
    build(ID, accounts, instruction::CancelUpdate {})
}

/// Signed by the protocol's authority.
pub fn propose_authority(authority: Pubkey, pending_authority: Pubkey) -> Instruction {
    let accounts = accounts::ProposeAuthority {
        authority,
        protocol: address::protocol(),
    };
    build(ID, accounts, instruction::ProposeAuthority { pending_authority })
}

/// Signed by the successor that the authority has named.
pub fn accept_authority(pending_authority: Pubkey) -> Instruction {
    let accounts = accounts::AcceptAuthority {
        pending_authority,
        protocol: address::protocol(),
    };
    build(ID, accounts, instruction::AcceptAuthority {})
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
        offering: address::offering(&model),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::PublishVersion { args })
}

/// The same for a version that others have contributed to; `contributors` are as many as the shares in `args` and in the same order.
pub fn publish_version_of_contributors(
    developer: Pubkey,
    payer: Pubkey,
    model: Pubkey,
    number: u16,
    args: PublishVersionArgs,
    contributors: &[Pubkey],
) -> Instruction {
    let mut publish = publish_version(developer, payer, model, number, args);
    let recipients = contributors.iter().map(|key| AccountMeta::new_readonly(*key, false));
    publish.accounts.extend(recipients);
    publish
}

/// Signed by the developer, after the version's notice.
pub fn activate_version(developer: Pubkey, model: Pubkey, number: u16) -> Instruction {
    let accounts = accounts::ActivateVersion {
        developer,
        model,
        model_version: address::model_version(&model, number),
        offering: address::offering(&model),
    };
    build(ID, accounts, instruction::ActivateVersion {})
}

/// Signed by the developer.
pub fn propose_metadata(developer: Pubkey, payer: Pubkey, model: Pubkey, metadata: Metadata) -> Instruction {
    let accounts = accounts::ProposeMetadata {
        developer,
        payer,
        protocol: address::protocol(),
        model,
        update: address::metadata_update(&model),
        offering: address::offering(&model),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::ProposeMetadata { metadata })
}

/// Signed by the developer, after the notice; the rent goes back to who paid it.
pub fn apply_metadata(developer: Pubkey, payer: Pubkey, update: &MetadataUpdate) -> Instruction {
    let model = update.model;
    let accounts = accounts::ApplyMetadata {
        developer,
        payer,
        model,
        update: address::metadata_update(&model),
        rent_payer: update.rent_payer,
        offering: address::offering(&model),
        mint: address::mint(&model),
        token_program: anchor_spl::token_2022::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::ApplyMetadata {})
}

/// Signed by the developer; the rent goes back to who paid it.
pub fn cancel_metadata(developer: Pubkey, update: &MetadataUpdate) -> Instruction {
    let accounts = accounts::CancelMetadata {
        developer,
        model: update.model,
        update: address::metadata_update(&update.model),
        rent_payer: update.rent_payer,
    };
    build(ID, accounts, instruction::CancelMetadata {})
}

/// Signed by the developer; the default key takes the offer back.
pub fn propose_developer(developer: Pubkey, model: Pubkey, pending_developer: Pubkey) -> Instruction {
    let accounts = accounts::ProposeDeveloper { developer, model };
    build(ID, accounts, instruction::ProposeDeveloper { pending_developer })
}

/// Signed by the successor that the developer has named, while no offering of the model is open.
pub fn accept_developer(pending_developer: Pubkey, model: Pubkey) -> Instruction {
    let accounts = accounts::AcceptDeveloper {
        pending_developer,
        model,
        offering: address::offering(&model),
    };
    build(ID, accounts, instruction::AcceptDeveloper {})
}

/// Signed by the developer.
pub fn set_operator_access(developer: Pubkey, model: Pubkey, operators: OperatorAccess) -> Instruction {
    let accounts = accounts::SetOperatorAccess {
        developer,
        protocol: address::protocol(),
        model,
    };
    build(ID, accounts, instruction::SetOperatorAccess { operators })
}

/// Signed by the developer; also takes a dismissal back.
pub fn appoint_operator(developer: Pubkey, payer: Pubkey, model: Pubkey, operator_authority: Pubkey) -> Instruction {
    let accounts = accounts::AppointOperator {
        developer,
        payer,
        model,
        appointment: address::appointment(&model, &operator_authority),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::AppointOperator { operator_authority })
}

/// Signed by the developer; takes effect after the notice for reports, at once for new lanes.
pub fn dismiss_operator(developer: Pubkey, model: Pubkey, operator_authority: Pubkey) -> Instruction {
    let accounts = accounts::DismissOperator {
        developer,
        protocol: address::protocol(),
        model,
        appointment: address::appointment(&model, &operator_authority),
    };
    build(ID, accounts, instruction::DismissOperator {})
}

/// Anyone, once the notice of a dismissal is over; the rent goes back to who paid it.
pub fn close_appointment(appointment: &Appointment) -> Instruction {
    let accounts = accounts::CloseAppointment {
        appointment: address::appointment(&appointment.model, &appointment.operator_authority),
        rent_payer: appointment.rent_payer,
    };
    build(ID, accounts, instruction::CloseAppointment {})
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

/// Signed by the investor, from whose associated account the money comes. For an offering that is open to all.
pub fn commit(investor: Pubkey, payer: Pubkey, model: Pubkey, payment_mint: Pubkey, amount_units: u64) -> Instruction {
    commit_with(investor, payer, model, payment_mint, amount_units, None)
}

/// The same for an offering with an allow-list, of which the investor's place is shown (`trees::AllowList`).
pub fn commit_listed(
    investor: Pubkey,
    payer: Pubkey,
    model: Pubkey,
    payment_mint: Pubkey,
    amount_units: u64,
    allowance: Allowance,
) -> Instruction {
    commit_with(investor, payer, model, payment_mint, amount_units, Some(allowance))
}

fn commit_with(
    investor: Pubkey,
    payer: Pubkey,
    model: Pubkey,
    payment_mint: Pubkey,
    amount_units: u64,
    allowance: Option<Allowance>,
) -> Instruction {
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
    build(
        ID,
        accounts,
        instruction::Commit {
            amount_units,
            allowance,
        },
    )
}

/// Signed by the investor, to whose associated account the money goes. `rent_payer` is the commitment's.
pub fn withdraw_commitment(
    investor: Pubkey,
    rent_payer: Pubkey,
    model: Pubkey,
    payment_mint: Pubkey,
    amount_units: u64,
) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::WithdrawCommitment {
        investor,
        rent_payer,
        offering,
        commitment: address::commitment(&offering, &investor),
        payment_mint,
        payment_vault: address::payment_vault(&offering),
        investor_payment: addresses::payment_account(&investor, &payment_mint),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawCommitment { amount_units })
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

/// Anyone, once the offering is settled. The investor's associated accounts must be there (`create_payment_account`, `create_token_account`).
pub fn claim_commitment(claimed: ClaimedCommitment) -> Instruction {
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
    };
    build(ID, accounts, instruction::ClaimCommitment {})
}

/// Signed by the developer, to whose associated account the tranche goes, which must be there; once it is unlocked.
pub fn withdraw_tranche(developer: Pubkey, model: Pubkey, payment_mint: Pubkey, index: u8) -> Instruction {
    let offering = address::offering(&model);
    let accounts = accounts::WithdrawTranche {
        developer,
        model,
        offering,
        payment_mint,
        payment_vault: address::payment_vault(&offering),
        developer_payment: addresses::payment_account(&developer, &payment_mint),
        model_vault: addresses::revenue_escrow::vault(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawTranche { index })
}
