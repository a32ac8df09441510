use anchor_lang::prelude::*;
use anchor_spl::token::Mint;
use imo_protocol::Deadline;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::ModelRegistered,
    state::{MODEL_SEED, Metadata, Model, OperatorAccess, PROTOCOL_SEED, Protocol},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct RegisterModelArgs {
    /// The developer's own number for this model.
    pub index: u32,
    /// What it is called and where it is described.
    pub metadata: Metadata,
}

/// Registers a model under its developer's key, which is its creator's for ever, and a number of the developer's choice. Anyone may; refused while the protocol is
/// paused, and for a payment mint that is not on its list. Every operator may serve it until `set_operator_access` says otherwise.
#[derive(Accounts)]
#[instruction(args: RegisterModelArgs)]
pub struct RegisterModel<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        constraint = protocol.allowed_payment_mints().contains(&payment_mint.key()) @ ModelTokenError::PaymentMintNotAllowed,
    )]
    pub payment_mint: Account<'info, Mint>,
    #[account(
        init,
        payer = payer,
        space = 8 + Model::INIT_SPACE,
        seeds = [MODEL_SEED, developer.key().as_ref(), &args.index.to_le_bytes()],
        bump,
    )]
    pub model: Box<Account<'info, Model>>,
    pub system_program: Program<'info, System>,
}

impl RegisterModel<'_> {
    fn validate(&self, args: &RegisterModelArgs) -> Result<()> {
        self.protocol.require_not_paused(Clock::get()?.unix_timestamp)?;
        args.metadata.validate()
    }

    pub fn handle(ctx: Context<Self>, args: RegisterModelArgs) -> Result<()> {
        ctx.accounts.validate(&args)?;
        let RegisterModelArgs { index, metadata } = args;
        let developer = ctx.accounts.developer.key();
        let payment_mint = ctx.accounts.payment_mint.key();
        ctx.accounts.model.set_inner(Model {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.model,
            index,
            creator: developer,
            developer,
            pending_developer: Pubkey::default(),
            payment_mint,
            version_count: 0,
            live_version: 0,
            metadata: metadata.clone(),
            operators: OperatorAccess::Open,
            listing: Deadline::default(),
            reserved: [0; 32],
        });
        emit!(ModelRegistered {
            model: ctx.accounts.model.key(),
            developer,
            index,
            payment_mint,
            metadata,
        });
        Ok(())
    }
}
