use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    constants::{ACCOUNT_VERSION, MAX_NAME_LEN, MAX_OFFERING_DELAY_SECONDS, MAX_OFFERING_SECONDS, MAX_SYMBOL_LEN},
    errors::ModelTokenError,
    events::OfferingOpened,
    state::{
        MINT_SEED, MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, PROTOCOL_SEED,
        Protocol, TOKEN_VAULT_SEED,
    },
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OpenOfferingArgs {
    /// Tokens to be sold, which is all there will ever be, in units of the token.
    pub supply_units: u64,
    /// Below this the offering fails, in units of the payment mint.
    pub min_raise_units: u64,
    /// Above this the excess goes back, in units of the payment mint.
    pub max_raise_units: u64,
    /// First moment at which one can commit, in Unix seconds.
    pub opens_unix: i64,
    /// First moment at which one can no longer commit, in Unix seconds.
    pub closes_unix: i64,
    /// Name of the token, 1 to 32 bytes.
    pub name: String,
    /// Symbol of the token, 1 to 10 bytes.
    pub symbol: String,
}

/// Opens the model's one offering; nothing of its terms can change afterwards. The model's developer may. Refused while the
/// protocol is paused, before a version is live, and twice.
#[derive(Accounts)]
pub struct OpenOffering<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [MODEL_SEED, model.developer.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub model: Box<Account<'info, Model>>,
    pub payment_mint: Box<Account<'info, Mint>>,
    #[account(init, payer = payer, space = 8 + Offering::INIT_SPACE, seeds = [OFFERING_SEED, model.key().as_ref()], bump)]
    pub offering: Box<Account<'info, Offering>>,
    #[account(
        init,
        payer = payer,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub payment_vault: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl OpenOffering<'_> {
    fn validate(&self, args: &OpenOfferingArgs, now_unix: i64) -> Result<()> {
        self.protocol.require_not_paused(now_unix)?;
        require!(self.model.live_version > 0, ModelTokenError::NoLiveVersion);
        require!(args.supply_units > 0, ModelTokenError::SupplyIsZero);
        require!(
            (1..=args.max_raise_units).contains(&args.min_raise_units),
            ModelTokenError::InvalidRaise
        );
        let latest_opening = now_unix.saturating_add(MAX_OFFERING_DELAY_SECONDS);
        require!(
            (now_unix..=latest_opening).contains(&args.opens_unix),
            ModelTokenError::InvalidOpening
        );
        let latest_close = args.opens_unix.saturating_add(MAX_OFFERING_SECONDS);
        require!(
            args.closes_unix > args.opens_unix && args.closes_unix <= latest_close,
            ModelTokenError::InvalidClose
        );
        require!(
            (1..=MAX_NAME_LEN).contains(&args.name.len()),
            ModelTokenError::InvalidName
        );
        require!(
            (1..=MAX_SYMBOL_LEN).contains(&args.symbol.len()),
            ModelTokenError::InvalidSymbol
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, args: OpenOfferingArgs) -> Result<()> {
        ctx.accounts.validate(&args, Clock::get()?.unix_timestamp)?;
        let OpenOfferingArgs {
            supply_units,
            min_raise_units,
            max_raise_units,
            opens_unix,
            closes_unix,
            name,
            symbol,
        } = args;
        let model = ctx.accounts.model.key();
        let offering = ctx.accounts.offering.key();
        let (mint, mint_bump) = Pubkey::find_program_address(&[MINT_SEED, model.as_ref()], ctx.program_id);
        let (_, token_vault_bump) =
            Pubkey::find_program_address(&[TOKEN_VAULT_SEED, offering.as_ref()], ctx.program_id);
        ctx.accounts.offering.set_inner(Offering {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.offering,
            model,
            payment_mint: ctx.accounts.payment_mint.key(),
            mint,
            mint_bump,
            payment_vault_bump: ctx.bumps.payment_vault,
            token_vault_bump,
            status: OfferingStatus::Open,
            supply_units,
            min_raise_units,
            max_raise_units,
            opens_unix,
            closes_unix,
            committed_units: 0,
            accepted_units: 0,
            claimed_tokens_units: 0,
            refunded_units: 0,
            proceeds_withdrawn_units: 0,
            commitment_count: 0,
            name,
            symbol,
            reserved: [0; 32],
        });
        emit!(OfferingOpened {
            model,
            offering,
            mint,
            supply_units,
            min_raise_units,
            max_raise_units,
            opens_unix,
            closes_unix,
        });
        Ok(())
    }
}
