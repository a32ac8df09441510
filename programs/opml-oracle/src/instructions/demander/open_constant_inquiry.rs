use anchor_lang::prelude::*;
use imo_protocol::Now;
use model_token::state::{Checkable, ModelVersion};
use opml::{
    ConstantRecord, Layout,
    model::{CONSTANT_BYTES, constant_leaf},
};

use crate::{
    data_game::Geometry,
    errors::OracleError,
    state::{INQUIRY_SEED, Inquiry, REPORT_SEED, Report, Subject},
};

/// Opens an inquiry about a constant of the report's version, whose record is shown by its path in the weights tree.
///
/// Anyone may while the report can be disputed, at no cost but the rent: an operator that reports on a version must have its weights. Refuses a version that
/// not anyone may check, another one than the report's, and a record that its weights tree does not hold.
#[derive(Accounts)]
#[instruction(nonce: u64)]
pub struct OpenConstantInquiry<'info> {
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
        init,
        payer = demander,
        space = Inquiry::DISCRIMINATOR.len() + Inquiry::INIT_SPACE,
        seeds = [INQUIRY_SEED, report.key().as_ref(), demander.key().as_ref(), &nonce.to_le_bytes()],
        bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
    pub system_program: Program<'info, System>,
}

impl OpenConstantInquiry<'_> {
    fn validate(
        &self,
        now: &Now,
        index: u32,
        record: &[u8; CONSTANT_BYTES],
        path: &[[u8; 32]],
    ) -> Result<ConstantRecord> {
        self.report.require_disputable(now)?;
        let version = &self.model_version;
        require!(version.checkable == Checkable::Anyone, OracleError::NotCheckable);
        let root =
            Layout::list(version.constant_count).root_from(index, &constant_leaf(index, record), path.as_flattened());
        require!(root == Some(version.weights_root), OracleError::WrongConstant);
        // A malformed one makes every claim on the model fraud, which is for a dispute to show.
        ConstantRecord::decode(record).map_err(|_| error!(OracleError::WrongConstant))
    }

    pub fn handle(
        ctx: Context<Self>,
        nonce: u64,
        index: u32,
        record: [u8; CONSTANT_BYTES],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        let constant = ctx.accounts.validate(&Now::read()?, index, &record, &path)?;
        let accounts = ctx.accounts;
        let opened = Inquiry::open(
            (accounts.report.key(), &mut accounts.report),
            ctx.bumps.inquiry,
            accounts.demander.key(),
            nonce,
            Subject::Constant { index },
            constant.root,
            Geometry::Tensor {
                spec: constant.spec.encode(),
            },
        )?;
        accounts.inquiry.set_inner(opened);
        emit!(accounts.inquiry.opened(accounts.inquiry.key()));
        Ok(())
    }
}
