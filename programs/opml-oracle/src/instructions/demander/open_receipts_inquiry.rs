use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now, SESSION_SEED, Session};

use crate::{
    data_game::Geometry,
    errors::OracleError,
    instructions::permission::require_permission,
    state::{INQUIRY_SEED, Inquiry, REPORT_SEED, Report, Subject},
};

/// Opens an inquiry about the receipts of a Collection, whose root is on chain since it was collected.
///
/// Anyone may while the report can be disputed, at no cost but the rent; of a private Collection with the payer's signature or that of a live session key of its
/// credit, which is good for this inquiry to its end. Refuses a Collection of another report.
#[derive(Accounts)]
#[instruction(nonce: u64)]
pub struct OpenReceiptsInquiry<'info> {
    #[account(mut)]
    pub demander: Signer<'info>,
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
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

impl OpenReceiptsInquiry<'_> {
    fn validate(&self, now: &Now) -> Result<()> {
        self.report.require_disputable(now)?;
        let session = self.session.as_ref().map(|session| &***session);
        require_permission(
            &self.collection,
            &self.report.model,
            self.permission.as_ref(),
            session,
            now,
        )
    }

    pub fn handle(ctx: Context<Self>, nonce: u64) -> Result<()> {
        ctx.accounts.validate(&Now::read()?)?;
        let accounts = ctx.accounts;
        let collection = &accounts.collection;
        let opened = Inquiry::open(
            (accounts.report.key(), &mut accounts.report),
            ctx.bumps.inquiry,
            accounts.demander.key(),
            nonce,
            Subject::Receipts {
                collection: collection.key(),
            },
            collection.receipts_root,
            Geometry::Receipts {
                lane: collection.lane,
                first_sequence: collection.first_sequence,
                count: collection.count,
            },
        )?;
        accounts.inquiry.set_inner(opened);
        emit!(accounts.inquiry.opened(accounts.inquiry.key()));
        Ok(())
    }
}
