use anchor_lang::prelude::*;

use crate::{constants::ALL_BPS, errors::ModelTokenError};

/// Who gets which share of a final report, in basis points. Dust goes to the holders.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevenueSplit {
    /// Holders of the model's token: the staked part as yield, the unstaked part to the redeem pool.
    pub holders_bps: u16,
    /// The redeem pool, which every token has a claim on.
    pub redeem_bps: u16,
    /// The developer of the model.
    pub developer_bps: u16,
    /// The operator of the report.
    pub operator_bps: u16,
    /// The protocol's treasury.
    pub protocol_bps: u16,
    /// The version's contributors together.
    pub contributors_bps: u16,
}

const _: () = assert!(RevenueSplit::INIT_SPACE == 12);

impl RevenueSplit {
    /// Checks that nothing is given twice or left over, and that the protocol's share is the one in force.
    pub fn validate(&self, protocol_bps: u16) -> Result<()> {
        let RevenueSplit {
            holders_bps,
            redeem_bps,
            developer_bps,
            operator_bps,
            protocol_bps: stated_bps,
            contributors_bps,
        } = *self;
        let shares = [
            holders_bps,
            redeem_bps,
            developer_bps,
            operator_bps,
            stated_bps,
            contributors_bps,
        ];
        let sum = shares
            .into_iter()
            .fold(0u32, |sum, bps| sum.saturating_add(u32::from(bps)));
        require!(sum == u32::from(ALL_BPS), ModelTokenError::SplitIsNotAll);
        require!(stated_bps == protocol_bps, ModelTokenError::WrongProtocolShare);
        Ok(())
    }
}
