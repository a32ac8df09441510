use anchor_lang::prelude::*;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::ProtocolSet,
    program::ModelToken,
    state::{PROTOCOL_SEED, Protocol, Settings},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct InitProtocolArgs {
    /// May propose updates and name its successor: a key, or an address that a multisig signs for.
    pub authority: Pubkey,
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// Everything that an update can change.
    pub settings: Settings,
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
            cluster,
            settings,
        } = args;
        let protocol = &mut ctx.accounts.protocol;
        protocol.version = ACCOUNT_VERSION;
        protocol.bump = ctx.bumps.protocol;
        protocol.authority = authority;
        protocol.cluster = cluster;
        protocol.apply(&settings)?;
        emit!(ProtocolSet { authority, settings });
        Ok(())
    }
}
