use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now, Receipt, SESSION_SEED, Session};
use model_token::state::ModelVersion;
use opml::{Claim, TensorSpec, merkle};

use crate::{
    data_game::Geometry,
    errors::OracleError,
    instructions::permission::require_permission,
    state::{INQUIRY_SEED, Inquiry, REPORT_SEED, Report, Subject},
};

/// A receipt and where it is.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct ShownReceipt {
    /// Index in the Collection.
    pub index: u32,
    pub input_root: [u8; 32],
    pub output_root: [u8; 32],
    pub salt: [u8; 32],
    /// Siblings on the way up.
    pub path: Vec<[u8; 32]>,
}

impl ShownReceipt {
    /// Refuses a receipt that the Collection does not hold. It is rebuilt here, so that nothing in it can be stated wrongly. Returns its claim.
    pub fn require_in(&self, collection: &Collection, model_root: &[u8; 32]) -> Result<Claim> {
        require!(self.index < collection.count, OracleError::ReceiptOutOfRange);
        let claim = Claim {
            model_root: *model_root,
            input_root: self.input_root,
            output_root: self.output_root,
        };
        let receipt = Receipt {
            lane: collection.lane,
            sequence: collection
                .first_sequence
                .checked_add(self.index.into())
                .ok_or(OracleError::ReceiptOutOfRange)?,
            claim,
            salt: self.salt,
        };
        let leaf = receipt.leaf(collection.first_sequence)?;
        let path = self.path.as_flattened();
        require!(
            merkle::verify_path(&collection.receipts_root, &leaf, self.index, collection.count, path),
            OracleError::WrongReceiptPath
        );
        Ok(claim)
    }
}

/// Opens an inquiry about the input that one receipt names, which is shown by its path. The tree's geometry is that of the version's input.
///
/// Anyone may who knows the receipt, while the report can be disputed, at no cost but the rent; of a private Collection with the payer's signature or that of a
/// live session key of its credit, which is good for this inquiry to its end. Refuses a Collection or version of another report, and a receipt that the tree does
/// not hold.
#[derive(Accounts)]
#[instruction(nonce: u64)]
pub struct OpenInputInquiry<'info> {
    #[account(mut)]
    pub demander: Signer<'info>,
    #[account(
        mut,
        has_one = model_version @ OracleError::WrongModelVersion,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        has_one = report @ OracleError::WrongCollection,
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub collection: Box<Account<'info, Collection>>,
    /// Of a private Collection: its payer, or the key of `session`.
    pub permission: Option<Signer<'info>>,
    /// The session whose key signs instead of the payer.
    #[account(
        seeds = [SESSION_SEED, session.credit.as_ref(), session.key.as_ref()],
        bump = session.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub session: Option<Box<Account<'info, Session>>>,
    #[account(
        init,
        payer = demander,
        space = Inquiry::DISCRIMINATOR.len() + Inquiry::INIT_SPACE,
        seeds = [INQUIRY_SEED, report.key().as_ref(), demander.key().as_ref(), &nonce.to_le_bytes()],
        bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
    pub system_program: Program<'info, System>,
}

impl OpenInputInquiry<'_> {
    fn validate(&self, now: &Now, receipt: &ShownReceipt) -> Result<()> {
        self.report.require_disputable(now)?;
        let session = self.session.as_ref().map(|session| &***session);
        require_permission(
            &self.collection,
            &self.report.model,
            self.permission.as_ref(),
            session,
            now,
        )?;
        receipt.require_in(&self.collection, &self.report.model_root)?;
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, nonce: u64, receipt: ShownReceipt) -> Result<()> {
        ctx.accounts.validate(&Now::read()?, &receipt)?;
        let accounts = ctx.accounts;
        let spec = accounts.model_version.input_spec;
        TensorSpec::decode(&spec).map_err(|_| OracleError::Inconsistent)?;
        let opened = Inquiry::open(
            (accounts.report.key(), &mut accounts.report),
            ctx.bumps.inquiry,
            accounts.demander.key(),
            nonce,
            Subject::Input {
                collection: accounts.collection.key(),
                receipt_index: receipt.index,
            },
            receipt.input_root,
            Geometry::Tensor { spec },
        )?;
        accounts.inquiry.set_inner(opened);
        emit!(accounts.inquiry.opened(accounts.inquiry.key()));
        Ok(())
    }
}
