use anchor_lang::prelude::*;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::MetadataProposed,
    state::{
        METADATA_UPDATE_SEED, MODEL_SEED, Metadata, MetadataUpdate, Model, OFFERING_SEED, Offering, PROTOCOL_SEED,
        Protocol,
    },
};

/// Announces another name, symbol, model card or licence; `apply_metadata` makes it hold after the notice of a version. The model's developer may, one at a
/// time. Refused while the model's offering is open.
#[derive(Accounts)]
pub struct ProposeMetadata<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        init,
        payer = payer,
        space = 8 + MetadataUpdate::INIT_SPACE,
        seeds = [METADATA_UPDATE_SEED, model.key().as_ref()],
        bump,
    )]
    pub update: Box<Account<'info, MetadataUpdate>>,
    /// CHECK: the model's offering; empty when there is none.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl ProposeMetadata<'_> {
    fn validate(&self, metadata: &Metadata) -> Result<()> {
        Offering::require_none_open(&self.offering)?;
        metadata.validate()
    }

    pub fn handle(ctx: Context<Self>, metadata: Metadata) -> Result<()> {
        ctx.accounts.validate(&metadata)?;
        let notice_slots = ctx.accounts.protocol.terms.notice_slots;
        let notice_ends_slot = Clock::get()?.slot.saturating_add(notice_slots);
        let model = ctx.accounts.model.key();
        ctx.accounts.update.set_inner(MetadataUpdate {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.update,
            model,
            metadata: metadata.clone(),
            notice_ends_slot,
            rent_payer: ctx.accounts.payer.key(),
            reserved: [0; 32],
        });
        emit!(MetadataProposed {
            model,
            metadata,
            notice_ends_slot,
        });
        Ok(())
    }
}
