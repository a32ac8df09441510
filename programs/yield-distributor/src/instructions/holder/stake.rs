use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount, TransferChecked, transfer_checked},
};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::YieldError,
    events::Staked,
    instructions::roll::roll,
    state::{EPOCH_MARK_SEED, EpochMark, POOL_SEED, POSITION_SEED, Pool, Position, STAKE_VAULT_SEED},
};

/// Stakes tokens, which earn from `activation_epoch`, the next epoch but one. The owner may; refused while the protocol is paused.
///
/// Stake that is due becomes active first. Besides the mark of the new epoch, pass each mark once: those of the pool's due epochs as
/// `mark_a` and `mark_b`, and that of the position's pending stake as `position_mark` unless it is already among the others.
#[derive(Accounts)]
#[instruction(amount_units: u64, activation_epoch: u64)]
pub struct Stake<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = token_mint @ YieldError::WrongTokenMint,
    )]
    pub pool: Box<Account<'info, Pool>>,
    // A second stake adds to the first: the handler writes the identity only while the version is still zero.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + Position::INIT_SPACE,
        seeds = [POSITION_SEED, pool.key().as_ref(), owner.key().as_ref()],
        bump,
    )]
    pub position: Box<Account<'info, Position>>,
    // As above: all who stake in an epoch share a mark.
    #[account(
        init_if_needed,
        payer = payer,
        space = 8 + EpochMark::INIT_SPACE,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &activation_epoch.to_le_bytes()],
        bump,
    )]
    pub mark: Box<Account<'info, EpochMark>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &mark_a.epoch.to_le_bytes()],
        bump = mark_a.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub mark_a: Option<Box<Account<'info, EpochMark>>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &mark_b.epoch.to_le_bytes()],
        bump = mark_b.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub mark_b: Option<Box<Account<'info, EpochMark>>>,
    #[account(
        mut,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &position_mark.epoch.to_le_bytes()],
        bump = position_mark.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub position_mark: Option<Box<Account<'info, EpochMark>>>,
    #[account(mint::token_program = token_program)]
    pub token_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut, token::mint = token_mint, token::authority = owner, token::token_program = token_program)]
    pub owner_tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        mut,
        seeds = [STAKE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.stake_vault_bump,
        token::mint = token_mint,
        token::authority = pool,
        token::token_program = token_program,
    )]
    pub stake_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl Stake<'_> {
    /// Returns the current epoch.
    fn validate(&self, amount_units: u64, activation_epoch: u64) -> Result<u64> {
        let clock = Clock::get()?;
        self.protocol.require_not_paused(clock.unix_timestamp)?;
        require!(amount_units > 0, YieldError::AmountIsZero);
        require!(amount_units <= self.owner_tokens.amount, YieldError::NotEnoughTokens);
        let now_epoch = self.pool.epoch_at(clock.slot)?;
        require!(
            activation_epoch == Pool::activation_epoch(now_epoch)?,
            YieldError::WrongActivationEpoch
        );
        Ok(now_epoch)
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64, activation_epoch: u64) -> Result<()> {
        let now_epoch = ctx.accounts.validate(amount_units, activation_epoch)?;
        let accounts = ctx.accounts;
        let pool_address = accounts.pool.key();
        let owner = accounts.owner.key();
        if accounts.position.version == 0 {
            accounts.position.set_inner(Position {
                version: ACCOUNT_VERSION,
                bump: ctx.bumps.position,
                pool: pool_address,
                owner,
                active_units: 0,
                pending_units: 0,
                pending_epoch: 0,
                accumulator_snapshot: accounts.pool.accumulator,
                owed_units: 0,
                rent_payer: accounts.payer.key(),
                reserved: [0; 16],
            });
        }
        if accounts.mark.version == 0 {
            accounts.mark.set_inner(EpochMark {
                version: ACCOUNT_VERSION,
                bump: ctx.bumps.mark,
                pool: pool_address,
                epoch: activation_epoch,
                units: 0,
                accumulator_at_start: 0,
                rolled: false,
                open_positions: 0,
                rent_payer: accounts.payer.key(),
                reserved: [0; 16],
            });
        }

        let pool = &mut accounts.pool;
        let position = &mut accounts.position;
        let mut marks = [&mut accounts.mark_a, &mut accounts.mark_b, &mut accounts.position_mark];
        for mark in marks.iter_mut().filter_map(|mark| mark.as_mut()) {
            roll(pool_address, pool, mark, now_epoch)?;
        }
        pool.require_rolled(now_epoch)?;
        let mut waiting = marks
            .into_iter()
            .flatten()
            .find(|mark| mark.epoch == position.pending_epoch);
        position.settle(pool, waiting.as_mut().map(|mark| &mut ****mark), now_epoch)?;
        position.stake(pool, &mut accounts.mark, waiting.map(|mark| &mut ***mark), amount_units)?;

        transfer_checked(
            CpiContext::new(
                accounts.token_program.key(),
                TransferChecked {
                    from: accounts.owner_tokens.to_account_info(),
                    mint: accounts.token_mint.to_account_info(),
                    to: accounts.stake_vault.to_account_info(),
                    authority: accounts.owner.to_account_info(),
                },
            ),
            amount_units,
            accounts.token_mint.decimals,
        )?;
        accounts.stake_vault.reload()?;
        require!(accounts.stake_vault.amount >= pool.staked_units, YieldError::VaultShort);
        emit!(Staked {
            pool: pool_address,
            owner,
            amount_units,
            pending_units: position.pending_units,
            pending_epoch: position.pending_epoch,
        });
        Ok(())
    }
}
