use anchor_lang::prelude::*;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::ProtocolSet,
    program::ModelToken,
    state::{DisputeTerms, PROTOCOL_SEED, Protocol},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct InitProtocolArgs {
    /// May change what holds for versions and models to come.
    pub authority: Pubkey,
    /// May pause new entries.
    pub guardian: Pubkey,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Owner of the accounts that get the protocol's share.
    pub treasury: Pubkey,
    /// Mints that a new model may be paid in, 1 to 8.
    pub payment_mints: Vec<Pubkey>,
    /// The protocol's share of revenue, in basis points.
    pub protocol_bps: u16,
    /// Terms of reports and disputes.
    pub terms: DisputeTerms,
}

/// Sets the protocol up, once. Only the program's upgrade authority may, so that nobody can do it first.
#[derive(Accounts)]
pub struct InitProtocol<'info> {
    pub upgrade_authority: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(init, payer = payer, space = 8 + Protocol::INIT_SPACE, seeds = [PROTOCOL_SEED], bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(constraint = program.programdata_address()? == Some(program_data.key()) @ ModelTokenError::NotUpgradeAuthority)]
    pub program: Program<'info, ModelToken>,
    #[account(
        constraint = program_data.upgrade_authority_address == Some(upgrade_authority.key()) @ ModelTokenError::NotUpgradeAuthority,
    )]
    pub program_data: Account<'info, ProgramData>,
    pub system_program: Program<'info, System>,
}

impl InitProtocol<'_> {
    pub fn handle(ctx: Context<Self>, args: InitProtocolArgs) -> Result<()> {
        let InitProtocolArgs {
            authority,
            guardian,
            cluster,
            treasury,
            payment_mints,
            protocol_bps,
            terms,
        } = args;
        let protocol = &mut ctx.accounts.protocol;
        protocol.version = ACCOUNT_VERSION;
        protocol.bump = ctx.bumps.protocol;
        protocol.authority = authority;
        protocol.guardian = guardian;
        protocol.cluster = cluster;
        protocol.treasury = treasury;
        protocol.set_payment_mints(&payment_mints)?;
        protocol.set_terms(protocol_bps, terms)?;
        emit!(ProtocolSet {
            authority,
            guardian,
            treasury,
            payment_mints,
            protocol_bps,
            terms
        });
        Ok(())
    }
}
