use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::ProtocolSet,
    state::{DisputeTerms, PROTOCOL_SEED, Protocol},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct UpdateProtocolArgs {
    /// May pause new entries.
    pub guardian: Pubkey,
    /// Owner of the accounts that get the protocol's share.
    pub treasury: Pubkey,
    /// Mints that a new model may be paid in, 1 to 8. Models that exist keep theirs.
    pub payment_mints: Vec<Pubkey>,
    /// The protocol's share of revenue for versions to come, in basis points.
    pub protocol_bps: u16,
    /// Terms for versions to come; epoch, notice and unbonding must be those in force.
    pub terms: DisputeTerms,
}

/// Changes what holds for models and versions to come. The protocol's authority may. Published versions keep their terms and
/// their split. The length of an epoch never changes, because existing pools must stay slower than reports of later versions; nor do the
/// notice and the unbonding time, because money that is in already leaves by them: longer ones would trap it, shorter ones would let it
/// run from those who counted on it.
#[derive(Accounts)]
pub struct UpdateProtocol<'info> {
    pub authority: Signer<'info>,
    #[account(
        mut,
        seeds = [PROTOCOL_SEED],
        bump = protocol.bump,
        has_one = authority @ ModelTokenError::NotAuthority,
    )]
    pub protocol: Box<Account<'info, Protocol>>,
}

impl UpdateProtocol<'_> {
    fn validate(&self, args: &UpdateProtocolArgs) -> Result<()> {
        require!(
            args.terms.epoch_slots == self.protocol.terms.epoch_slots,
            ModelTokenError::EpochLengthIsFixed
        );
        require!(
            args.terms.notice_slots == self.protocol.terms.notice_slots
                && args.terms.unbonding_slots == self.protocol.terms.unbonding_slots,
            ModelTokenError::WaitIsFixed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, args: UpdateProtocolArgs) -> Result<()> {
        ctx.accounts.validate(&args)?;
        let UpdateProtocolArgs {
            guardian,
            treasury,
            payment_mints,
            protocol_bps,
            terms,
        } = args;
        let protocol = &mut ctx.accounts.protocol;
        protocol.guardian = guardian;
        protocol.treasury = treasury;
        protocol.set_payment_mints(&payment_mints)?;
        protocol.set_terms(protocol_bps, terms)?;
        emit!(ProtocolSet {
            authority: protocol.authority,
            guardian,
            treasury,
            payment_mints,
            protocol_bps,
            terms
        });
        Ok(())
    }
}
