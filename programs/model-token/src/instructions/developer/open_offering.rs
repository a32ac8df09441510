use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    constants::{
        ACCOUNT_VERSION, ALL_BPS, MAX_ALLOWLIST_LEN, MAX_OFFERING_DELAY_SECONDS, MAX_OFFERING_SECONDS, MIN_TAIL_BPS,
    },
    errors::ModelTokenError,
    events::OfferingOpened,
    state::{
        MINT_SEED, MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, PROTOCOL_SEED,
        Protocol, TOKEN_VAULT_SEED, Tranche, TrancheTerms, VestingTerms,
    },
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct OpenOfferingArgs {
    /// Tokens to be sold, in units of the token.
    pub sale_units: u64,
    /// Tokens of the developer, in units of the token; may be none. With those to be sold all there will ever be.
    pub developer_units: u64,
    /// Below this the offering fails, in units of the payment mint.
    pub min_raise_units: u64,
    /// Above this the excess goes back, in units of the payment mint.
    pub max_raise_units: u64,
    /// The most that one wallet may commit, in units of the payment mint; 0 for no cap.
    pub wallet_cap_units: u64,
    /// Root of the wallets that may commit; zero when everybody may.
    pub allowlist_root: [u8; 32],
    /// Wallets under the root.
    pub allowlist_count: u32,
    /// First moment at which one can commit, in Unix seconds.
    pub opens_unix: i64,
    /// First moment at which one can no longer commit and withdraw only once, in Unix seconds: at least a tenth of the whole before the close.
    pub tail_unix: i64,
    /// First moment at which anyone can settle, in Unix seconds.
    pub closes_unix: i64,
    /// When the buyers' tokens are free.
    pub buyer_vesting: VestingTerms,
    /// When the developer's tokens are free; all zero when there are none.
    pub developer_vesting: VestingTerms,
    /// What the proceeds are paid in: 1 to 4, together 10,000 basis points.
    pub tranches: Vec<TrancheTerms>,
}

/// Opens the model's one offering; nothing of its terms can change afterwards. The model's developer may. Refused while the
/// protocol is paused, before a version is live, while a later one waits to become so, and twice.
#[derive(Accounts)]
pub struct OpenOffering<'info> {
    pub developer: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
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
    /// Returns the tranches.
    fn validate(&self, args: &OpenOfferingArgs, now_unix: i64) -> Result<Vec<Tranche>> {
        self.protocol.require_not_paused(now_unix)?;
        require!(self.model.live_version > 0, ModelTokenError::NoLiveVersion);
        require!(
            self.model.live_version == self.model.version_count,
            ModelTokenError::VersionWaits
        );
        require!(args.sale_units > 0, ModelTokenError::SupplyIsZero);
        require!(
            args.sale_units.checked_add(args.developer_units).is_some(),
            ModelTokenError::ArithmeticOverflow
        );
        require!(
            (1..=args.max_raise_units).contains(&args.min_raise_units),
            ModelTokenError::InvalidRaise
        );
        let is_listed = args.allowlist_root != [0; 32];
        require!(
            is_listed == (args.allowlist_count > 0) && args.allowlist_count <= MAX_ALLOWLIST_LEN,
            ModelTokenError::InvalidAllowlist
        );
        Self::validate_times(args, now_unix)?;
        let tranches = Tranche::plan(&args.tranches, args.max_raise_units)?;
        args.buyer_vesting.validate()?;
        if args.developer_units > 0 {
            let due_seconds = tranches.iter().map(|tranche| tranche.condition.due_seconds()).max();
            args.developer_vesting
                .validate_for_developer(&args.buyer_vesting, due_seconds.unwrap_or(0))?;
        } else {
            require!(
                args.developer_vesting == VestingTerms::default(),
                ModelTokenError::InvalidVesting
            );
        }
        Ok(tranches)
    }

    fn validate_times(args: &OpenOfferingArgs, now_unix: i64) -> Result<()> {
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
            args.opens_unix < args.tail_unix && args.tail_unix < args.closes_unix,
            ModelTokenError::InvalidTail
        );
        // At most ninety days each: the products fit by far.
        let whole = args.closes_unix.saturating_sub(args.opens_unix);
        let tail = args.closes_unix.saturating_sub(args.tail_unix);
        require!(
            tail.saturating_mul(i64::from(ALL_BPS)) >= whole.saturating_mul(i64::from(MIN_TAIL_BPS)),
            ModelTokenError::InvalidTail
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, args: OpenOfferingArgs) -> Result<()> {
        let tranches = ctx.accounts.validate(&args, Clock::get()?.unix_timestamp)?;
        let OpenOfferingArgs {
            sale_units,
            developer_units,
            min_raise_units,
            max_raise_units,
            wallet_cap_units,
            allowlist_root,
            allowlist_count,
            opens_unix,
            tail_unix,
            closes_unix,
            buyer_vesting,
            developer_vesting,
            tranches: _,
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
            sale_units,
            developer_units,
            min_raise_units,
            max_raise_units,
            wallet_cap_units,
            allowlist_root,
            allowlist_count,
            opens_unix,
            tail_unix,
            closes_unix,
            settled_unix: 0,
            buyer_vesting,
            developer_vesting,
            tranches: tranches.clone(),
            committed_units: 0,
            accepted_units: 0,
            claimed_tokens_units: 0,
            burned_units: 0,
            refunded_units: 0,
            proceeds_paid_units: 0,
            commitment_count: 0,
            allotted_units: 0,
            allotted_vesting_units: 0,
            developer_released_units: 0,
            developer_burned_units: 0,
            dust_swept: false,
            reserved: [0; 64],
        });
        emit!(OfferingOpened {
            model,
            offering,
            mint,
            sale_units,
            developer_units,
            min_raise_units,
            max_raise_units,
            wallet_cap_units,
            allowlist_root,
            allowlist_count,
            opens_unix,
            tail_unix,
            closes_unix,
            buyer_vesting,
            developer_vesting,
            tranches,
        });
        Ok(())
    }
}
