use anchor_lang::prelude::*;
use opml::{ModelHeader, TensorSpec, model::HeaderError};

use crate::{
    constants::{ACCOUNT_VERSION, MAX_URI_LEN},
    errors::ModelTokenError,
    events::VersionPublished,
    state::{
        Checkable, Contributor, MODEL_SEED, MODEL_VERSION_SEED, Model, ModelVersion, OFFERING_SEED, Offering,
        PROTOCOL_SEED, Protocol, RevenueSplit,
    },
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct PublishVersionArgs {
    /// The arithmetic that judges this version.
    pub arithmetic_version: u16,
    /// Nodes of the graph.
    pub node_count: u32,
    /// Constants of the model.
    pub constant_count: u32,
    /// Root of the node records.
    pub graph_root: [u8; 32],
    /// Root of the constant records.
    pub weights_root: [u8; 32],
    /// The input's `TensorSpec` in its 18 bytes.
    pub input_spec: [u8; 18],
    /// Who gets which share of this version's revenue.
    pub split: RevenueSplit,
    /// List price of a request, in units of the payment mint.
    pub price_units: u64,
    /// Who can recompute an answer.
    pub checkable: Checkable,
    /// Where the weights are, at most 128 bytes.
    pub weights_uri: String,
    /// SHA-256 of what the weights uri points to.
    pub weights_uri_hash: [u8; 32],
    /// The contributors' shares, in basis points; who they are, the remaining accounts say, in the same order.
    pub contributors_bps: Vec<u16>,
}

/// Publishes the model's next version under the protocol's terms of today. The model's developer may. The first version is live at
/// once, because nobody relies on another; later ones become so by `activate_version` after their notice. The model root is
/// recomputed here, so that it always means its header. Refuses shares that do not sum to all, and an operator's share so small
/// that the bond does not deter. Refused while the model's offering is open, so that every notice leaves holders time to go.
///
/// After its own accounts come those of the contributors, at most eight.
#[derive(Accounts)]
pub struct PublishVersion<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        init,
        payer = payer,
        space = 8 + ModelVersion::INIT_SPACE,
        seeds = [MODEL_VERSION_SEED, model.key().as_ref(), &model.next_version_seed()],
        bump,
    )]
    pub model_version: Box<Account<'info, ModelVersion>>,
    /// CHECK: the model's offering; empty when there is none.
    #[account(seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl PublishVersion<'_> {
    /// Returns the model root.
    fn validate(&self, args: &PublishVersionArgs) -> Result<[u8; 32]> {
        Offering::require_none_open(&self.offering)?;
        require!(args.weights_uri.len() <= MAX_URI_LEN, ModelTokenError::UriTooLong);
        args.split.validate(self.protocol.protocol_bps)?;
        self.protocol.terms.validate_deterrence(args.split.operator_bps)?;
        let header = ModelHeader {
            arithmetic_version: args.arithmetic_version,
            node_count: args.node_count,
            constant_count: args.constant_count,
            graph_root: args.graph_root,
            weights_root: args.weights_root,
            input: TensorSpec::decode(&args.input_spec).map_err(|_| ModelTokenError::InvalidInputSpec)?,
        };
        header.validate().map_err(|refusal| match refusal {
            HeaderError::ArithmeticVersion => ModelTokenError::UnknownArithmeticVersion,
            HeaderError::NodeCount | HeaderError::ConstantCount => ModelTokenError::InvalidModelSize,
            HeaderError::Length | HeaderError::Input(_) => ModelTokenError::InvalidInputSpec,
        })?;
        Ok(header.model_root())
    }

    pub fn handle(ctx: Context<Self>, args: PublishVersionArgs) -> Result<()> {
        let model_root = ctx.accounts.validate(&args)?;
        let PublishVersionArgs {
            arithmetic_version,
            node_count,
            constant_count,
            graph_root,
            weights_root,
            input_spec,
            split,
            price_units,
            checkable,
            weights_uri,
            weights_uri_hash,
            contributors_bps,
        } = args;
        let now_slot = Clock::get()?.slot;
        let terms = ctx.accounts.protocol.terms;
        let number = ctx
            .accounts
            .model
            .version_count
            .checked_add(1)
            .ok_or(ModelTokenError::TooManyVersions)?;
        let is_first = ctx.accounts.model.version_count == 0;
        let notice_ends_slot = if is_first {
            now_slot
        } else {
            now_slot.saturating_add(terms.notice_slots)
        };
        let model = ctx.accounts.model.key();
        let contributors = Contributor::list(
            &model,
            &ctx.accounts.model.payment_mint,
            &split,
            &contributors_bps,
            ctx.remaining_accounts,
        )?;
        let version = ctx.accounts.model_version.key();
        ctx.accounts.model_version.set_inner(ModelVersion {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.model_version,
            model,
            number,
            model_root,
            arithmetic_version,
            node_count,
            constant_count,
            graph_root,
            weights_root,
            input_spec,
            split,
            price_units,
            checkable,
            terms,
            notice_ends_slot,
            live_since_slot: 0,
            weights_uri_hash,
            weights_uri,
            contributors: contributors.clone(),
            reserved: [0; 32],
        });
        ctx.accounts.model.version_count = number;
        emit!(VersionPublished {
            model,
            version,
            number,
            model_root,
            split,
            contributors,
            price_units,
            notice_ends_slot
        });
        if is_first {
            ctx.accounts
                .model
                .make_live(version, &mut ctx.accounts.model_version, now_slot)?;
        }
        Ok(())
    }
}
