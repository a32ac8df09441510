use anchor_lang::prelude::*;

use crate::{
    constants::{ALL_BPS, MAX_BOND_RATIO_BPS, MAX_TERM_SLOTS},
    errors::ModelTokenError,
    math::deterrence::bond_deters,
};

/// The terms of reports and disputes. The protocol holds the ones for versions to come; each version keeps the ones it was
/// published under, so that nothing in force can change.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisputeTerms {
    /// How long a sealed report can be disputed, in slots.
    pub window_slots: u64,
    /// How long an operator may leave a report open before anyone seals it, in slots.
    pub seal_slots: u64,
    /// How long a side has for one move, in slots.
    pub response_slots: u64,
    /// How long a side has for all its moves of one dispute together, in slots.
    pub clock_slots: u64,
    /// What an operator bonds for what it collects, in basis points of the collected amount.
    pub bond_ratio_bps: u32,
    /// The least bond of a report, in units of the revenue mint.
    pub min_bond_units: u64,
    /// What a challenger bonds, in units of the revenue mint.
    pub challenger_bond_units: u64,
    /// What opening a dispute costs for good, in units of the revenue mint.
    pub open_fee_units: u64,
    /// What the losing side pays for each move of the winning one, in units of the revenue mint.
    pub move_cost_units: u64,
    /// The prover's share of a slashed bond, in basis points.
    pub prover_share_bps: u16,
    /// The most that the costs of all challengers together take of a slashed bond, in basis points.
    pub cost_cap_bps: u16,
    /// How long free stake takes to leave, in slots.
    pub unbonding_slots: u64,
    /// How long a notice (of a payer or of a new version) takes to mature, in slots.
    pub notice_slots: u64,
    /// Length of a staking epoch, in slots. The same for ever: pools and windows have to agree.
    pub epoch_slots: u64,
    /// What whoever demands data pays the operator for each byte of the answer, in units of the revenue mint.
    pub byte_fee_units: u64,
}

const _: () = assert!(DisputeTerms::INIT_SPACE == 104);

impl DisputeTerms {
    /// The longest that a dispute can last, in slots: each side's clock bounds the sum of its moves.
    pub fn longest_dispute_slots(&self) -> u64 {
        self.clock_slots.saturating_mul(2)
    }

    /// The latest that a sealed report can become final, in slots after its seal.
    pub fn finality_slots(&self) -> u64 {
        self.window_slots.saturating_add(self.longest_dispute_slots())
    }

    /// Checks what does not depend on a version. Stake that leaves and stake that becomes active must both take longer than any
    /// report sealed before, otherwise a culprit runs and a latecomer earns what others worked for.
    pub fn validate(&self) -> Result<()> {
        let DisputeTerms {
            window_slots,
            seal_slots,
            response_slots,
            clock_slots,
            bond_ratio_bps,
            min_bond_units,
            challenger_bond_units,
            open_fee_units: _,
            move_cost_units,
            prover_share_bps,
            cost_cap_bps,
            unbonding_slots,
            notice_slots,
            epoch_slots,
            byte_fee_units: _,
        } = *self;
        for slots in [
            window_slots,
            seal_slots,
            response_slots,
            clock_slots,
            unbonding_slots,
            notice_slots,
            epoch_slots,
        ] {
            require!(
                (1..=MAX_TERM_SLOTS).contains(&slots),
                ModelTokenError::TermSlotsOutOfRange
            );
        }
        require!(clock_slots >= response_slots, ModelTokenError::ClockShorterThanResponse);
        require!(
            unbonding_slots >= self.finality_slots(),
            ModelTokenError::UnbondingTooShort
        );
        require!(epoch_slots >= self.finality_slots(), ModelTokenError::EpochTooShort);
        require!(
            (1..=MAX_BOND_RATIO_BPS).contains(&bond_ratio_bps),
            ModelTokenError::BondRatioOutOfRange
        );
        require!(
            u32::from(prover_share_bps).saturating_add(u32::from(cost_cap_bps)) <= u32::from(ALL_BPS),
            ModelTokenError::SlashSharesExceedAll
        );
        require!(
            min_bond_units > 0 && challenger_bond_units > 0,
            ModelTokenError::BondIsZero
        );
        require!(
            move_cost_units <= challenger_bond_units,
            ModelTokenError::MoveCostExceedsBond
        );
        Ok(())
    }

    /// Checks that no coalition of an operator with these shares and its payers gains by being caught.
    pub fn validate_deterrence(&self, operator_bps: u16) -> Result<()> {
        require!(
            bond_deters(
                self.bond_ratio_bps,
                self.prover_share_bps,
                self.cost_cap_bps,
                operator_bps
            ),
            ModelTokenError::BondDoesNotDeter
        );
        Ok(())
    }
}
