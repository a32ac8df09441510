use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
use imo_protocol::{BUCKET_SEED, Bucket, COLLECTION_SEED, Collection, Now};
use model_token::state::{Checkable, ModelVersion, PROTOCOL_SEED, Protocol};

use crate::{
    audit_game::{AuditGame, SlotHashes, audits_of, deciding_slot, drawn_receipt},
    constants::{ACCOUNT_VERSION, SLOT_HASHES},
    errors::OracleError,
    events::AuditDrawn,
    state::{AUDIT_FUND_SEED, AUDIT_SEED, Audit, AuditFund, REPORT_SEED, Report},
};

/// Draws a receipt of a sealed report, by the hash of a slot after the seal that nobody could know at the seal, and promises the fee for recomputing it.
///
/// Anyone may, each number once; whoever does finds the drawn Collection first, because only that one is accepted. Refuses while no slot decides, when the window is too
/// short for an answer and a dispute about it, a number that a report of this size does not have, a version that nobody can check, and a fund that does not hold
/// the fee.
#[derive(Accounts)]
#[instruction(number: u8)]
pub struct DrawAudit<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        has_one = model_version @ OracleError::WrongModelVersion,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        has_one = report @ OracleError::WrongBucket,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    #[account(
        has_one = report @ OracleError::WrongCollection,
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub collection: Box<Account<'info, Collection>>,
    #[account(
        mut,
        constraint = audit_fund.mint == report.mint @ OracleError::WrongMint,
        has_one = audit_tokens @ OracleError::WrongMint,
        seeds = [AUDIT_FUND_SEED, audit_fund.mint.as_ref()],
        bump = audit_fund.bump,
    )]
    pub audit_fund: Box<Account<'info, AuditFund>>,
    pub audit_tokens: Box<Account<'info, TokenAccount>>,
    /// CHECK: the sysvar at its address, read in place.
    #[account(address = SLOT_HASHES @ OracleError::NotSlotHashes)]
    pub slot_hashes: UncheckedAccount<'info>,
    #[account(
        init,
        payer = payer,
        space = Audit::DISCRIMINATOR.len() + Audit::INIT_SPACE,
        seeds = [AUDIT_SEED, report.key().as_ref(), &[number]],
        bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    pub system_program: Program<'info, System>,
}

impl DrawAudit<'_> {
    fn validate(&self, now: &Now, number: u8) -> Result<()> {
        self.report.require_disputable(now)?;
        require!(
            self.model_version.checkable != Checkable::Nobody,
            OracleError::NotAuditable
        );
        require!(number < audits_of(self.bucket.receipt_count), OracleError::NoSuchAudit);
        // A fee of nothing is no audit.
        require!(self.protocol.audits.fee_units > 0, OracleError::AuditFundShort);
        Ok(())
    }

    /// The slot that decides now, and the index of the drawn receipt in the Collection.
    fn draw(&self, now: &Now, number: u8) -> Result<(u64, u32)> {
        let data = self.slot_hashes.try_borrow_data()?;
        let hashes = SlotHashes::new(&data).ok_or(OracleError::NotSlotHashes)?;
        let (slot, hash) = deciding_slot(self.report.window.opened_slot, now.slot)
            .and_then(|slot| hashes.first_from(slot))
            .ok_or(OracleError::DrawTooEarly)?;
        let report = self.report.key().to_bytes();
        let receipt =
            drawn_receipt(&hash, &report, number, self.bucket.receipt_count).ok_or(OracleError::NoSuchAudit)?;
        let index = self
            .collection
            .index_of(receipt)
            .ok_or(OracleError::NotTheDrawnReceipt)?;
        Ok((slot, index))
    }

    pub fn handle(ctx: Context<Self>, number: u8) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now, number)?;
        let (deciding_slot, receipt_index) = ctx.accounts.draw(&now, number)?;
        let accounts = ctx.accounts;
        let report = &mut accounts.report;
        report.begin_audit(number)?;
        let game = AuditGame::draw(&now, report.terms.response_slots, &report.window).map_err(OracleError::from)?;
        let fee_units = accounts.protocol.audits.fee_units;
        accounts.audit_fund.promise(fee_units, accounts.audit_tokens.amount)?;
        let collection = &accounts.collection;
        accounts.audit.set_inner(Audit {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.audit,
            report: report.key(),
            number,
            operator: report.operator,
            mint: report.mint,
            deciding_slot,
            collection: collection.key(),
            receipt_index,
            by_permission: collection.private || accounts.model_version.checkable != Checkable::Anyone,
            fee_units,
            output_root: [0; 32],
            claim_hash: [0; 32],
            game,
            settled: false,
            auditor_units: 0,
            open_entries: 0,
            rent_payer: accounts.payer.key(),
            reserved: [0; 32],
        });
        emit!(AuditDrawn {
            audit: accounts.audit.key(),
            report: report.key(),
            operator: report.operator,
            number,
            deciding_slot,
            collection: collection.key(),
            receipt_index,
            by_permission: accounts.audit.by_permission,
            fee_units,
            due_slot: game.deadline.due_slot,
            due_unix: game.deadline.due_unix,
        });
        Ok(())
    }
}
