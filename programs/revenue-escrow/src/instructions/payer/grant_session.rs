use anchor_lang::prelude::*;
use imo_protocol::Deadline;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::RevenueEscrowError,
    events::SessionGranted,
    state::{CREDIT_SEED, Credit, SESSION_SEED, Session},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct GrantSessionArgs {
    /// The Ed25519 key that will sign vouchers. It never signs a transaction.
    pub key: Pubkey,
    /// Most that may be collected with its signatures, in units of the revenue mint.
    pub limit_units: u64,
    /// Latest expiry that its vouchers may have, in Unix seconds.
    pub expires_unix: i64,
}

/// Appoints a key that signs vouchers for the credit. The payer may; a key that is appointed must be closed before it is appointed again.
#[derive(Accounts)]
#[instruction(args: GrantSessionArgs)]
pub struct GrantSession<'info> {
    pub payer: Signer<'info>,
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + Session::INIT_SPACE,
        seeds = [SESSION_SEED, credit.key().as_ref(), args.key.as_ref()],
        bump,
    )]
    pub session: Box<Account<'info, Session>>,
    pub system_program: Program<'info, System>,
}

impl GrantSession<'_> {
    pub fn handle(ctx: Context<Self>, args: GrantSessionArgs) -> Result<()> {
        let GrantSessionArgs {
            key,
            limit_units,
            expires_unix,
        } = args;
        let clock = Clock::get()?;
        require!(limit_units > 0, RevenueEscrowError::AmountIsZero);
        require!(expires_unix > clock.unix_timestamp, RevenueEscrowError::ExpiryInThePast);
        let accounts = ctx.accounts;
        let credit = &mut accounts.credit;
        credit.open_sessions = credit
            .open_sessions
            .checked_add(1)
            .ok_or(RevenueEscrowError::Overflow)?;
        let (credit, generation) = (credit.key(), clock.slot);
        accounts.session.set_inner(Session {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.session,
            key,
            credit,
            generation,
            limit_units,
            spent_units: 0,
            expires_unix,
            revoke_deadline: Deadline::default(),
            rent_payer: accounts.rent_payer.key(),
            reserved: [0; 32],
        });
        emit!(SessionGranted {
            session: accounts.session.key(),
            credit,
            key,
            generation,
            limit_units,
            expires_unix
        });
        Ok(())
    }
}
