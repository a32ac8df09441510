//! Instructions of opml-oracle about data: who wants to see what an operator committed to, and who shows it.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::Collection;
use opml::{ConstantRecord, Hash};
use opml_oracle::{
    ID, accounts, instruction,
    instructions::ShownReceipt,
    state::{Inquiry, Report},
};
use solana_sdk_ids::system_program;

use super::build;
use crate::{
    addresses::{self, opml_oracle as address, revenue_escrow},
    data::Demand,
};

/// Who permits a look at a private Collection.
#[derive(Clone, Copy, Debug)]
pub enum Permission {
    /// Its payer, who signs.
    Payer(Pubkey),
    /// A live session key of its credit, which signs.
    Session(Pubkey),
}

impl Permission {
    /// The signer, and the account that says that it may.
    pub(super) fn accounts(self, credit: &Pubkey) -> (Pubkey, Option<Pubkey>) {
        match self {
            Self::Payer(payer) => (payer, None),
            Self::Session(key) => (key, Some(revenue_escrow::session(credit, &key))),
        }
    }
}

/// Signed by the demander; about the receipts of a Collection, of a private one with permission.
pub fn open_receipts_inquiry(
    demander: Pubkey,
    report: &Report,
    collection: &Collection,
    permission: Option<Permission>,
    nonce: u64,
) -> Instruction {
    let report = report_address(report);
    let (permission, session) = permission
        .map(|permission| permission.accounts(&collection.credit))
        .unzip();
    let accounts = accounts::OpenReceiptsInquiry {
        demander,
        report,
        collection: revenue_escrow::collection(&collection.report, &collection.lane),
        permission,
        session: session.flatten(),
        inquiry: address::inquiry(&report, &demander, nonce),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenReceiptsInquiry { nonce })
}

/// Signed by the demander; about the input that a receipt names, of a private Collection with permission.
pub fn open_input_inquiry(
    demander: Pubkey,
    report: &Report,
    collection: &Collection,
    receipt: ShownReceipt,
    permission: Option<Permission>,
    nonce: u64,
) -> Instruction {
    let report_address = report_address(report);
    let (permission, session) = permission
        .map(|permission| permission.accounts(&collection.credit))
        .unzip();
    let accounts = accounts::OpenInputInquiry {
        demander,
        report: report_address,
        model_version: report.model_version,
        collection: revenue_escrow::collection(&collection.report, &collection.lane),
        permission,
        session: session.flatten(),
        inquiry: address::inquiry(&report_address, &demander, nonce),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenInputInquiry { nonce, receipt })
}

/// Signed by the demander; about constant `index` of the report's version. `path` is the record's in the weights tree.
pub fn open_constant_inquiry(
    demander: Pubkey,
    report: &Report,
    index: u32,
    record: &ConstantRecord,
    path: Vec<Hash>,
    nonce: u64,
) -> Instruction {
    let report_address = report_address(report);
    let accounts = accounts::OpenConstantInquiry {
        demander,
        report: report_address,
        model_version: report.model_version,
        inquiry: address::inquiry(&report_address, &demander, nonce),
        system_program: system_program::ID,
    };
    let data = instruction::OpenConstantInquiry {
        nonce,
        index,
        record: record.encode(),
        path,
    };
    build(ID, accounts, data)
}

/// Signed by the demander, whose associated account pays for the answer.
pub fn demand_data(inquiry: &Inquiry, demand: &Demand) -> Instruction {
    let Demand {
        level,
        index,
        hash,
        path,
    } = demand;
    let (demander, mint) = (inquiry.demander, inquiry.mint);
    let accounts = accounts::DemandData {
        demander,
        demander_tokens: addresses::payment_account(&demander, &mint),
        inquiry: inquiry_address(inquiry),
        report: inquiry.report,
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        mint,
        token_program: anchor_spl::token::ID,
    };
    let data = instruction::DemandData {
        level: *level,
        index: *index,
        hash: *hash,
        path: path.clone(),
    };
    build(ID, accounts, data)
}

/// Anyone. `bytes` is [`crate::data::answer`].
pub fn serve_data(inquiry: &Inquiry, bytes: Vec<u8>) -> Instruction {
    let accounts = accounts::ServeData {
        inquiry: inquiry_address(inquiry),
        report: inquiry.report,
    };
    build(ID, accounts, instruction::ServeData { bytes })
}

/// Anyone, once the deadline of the pending demand is past.
pub fn time_out_demand(inquiry: &Inquiry) -> Instruction {
    let accounts = accounts::TimeOutDemand {
        inquiry: inquiry_address(inquiry),
        report: inquiry.report,
        operator: inquiry.operator,
    };
    build(ID, accounts, instruction::TimeOutDemand {})
}

/// Anyone, once the report has ended; one that was not answered in its turn.
pub fn settle_inquiry(inquiry: &Inquiry) -> Instruction {
    let accounts = accounts::SettleInquiry {
        inquiry: inquiry_address(inquiry),
        report: inquiry.report,
        operator: inquiry.operator,
        stake_vault: address::stake_vault(&inquiry.mint),
    };
    build(ID, accounts, instruction::SettleInquiry {})
}

/// Anyone, once the inquiry is settled; pays the demander's associated account and closes the inquiry.
pub fn withdraw_inquiry(caller: Pubkey, inquiry: &Inquiry) -> Instruction {
    let accounts = accounts::WithdrawInquiry {
        caller,
        inquiry: inquiry_address(inquiry),
        demander: inquiry.demander,
        stake_vault: address::stake_vault(&inquiry.mint),
        stake_tokens: address::stake_tokens(&inquiry.mint),
        recipient: (inquiry.payout_units > 0).then(|| addresses::payment_account(&inquiry.demander, &inquiry.mint)),
        mint: inquiry.mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawInquiry {})
}

fn report_address(report: &Report) -> Pubkey {
    address::report(&report.operator, report.sequence)
}

fn inquiry_address(inquiry: &Inquiry) -> Pubkey {
    address::inquiry(&inquiry.report, &inquiry.demander, inquiry.nonce)
}
