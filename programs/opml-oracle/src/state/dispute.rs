use anchor_lang::prelude::*;
use imo_protocol::{Now, place_commitment};
use opml::Claim;

use super::{Operator, Report, StakeVault, Trace};
use crate::{
    errors::OracleError,
    game::{Game, Phase},
    math::settlement::{Finished, Settlement},
};

/// Seeds: `"dispute", report, challenger, nonce u64`.
pub const DISPUTE_SEED: &[u8] = b"dispute";

/// One challenger's case against one receipt of a report. Losing it changes nothing but this account.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Dispute {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report.
    pub report: Pubkey,
    /// Whose bond it is, and who makes the challenger's moves.
    pub challenger: Pubkey,
    /// The challenger's own number for this dispute.
    pub nonce: u64,
    /// How many disputes of the report were opened before this one: its turn to be settled.
    pub order: u32,
    /// The operator account of the report.
    pub operator: Pubkey,
    /// The mint of bond and payout.
    pub mint: Pubkey,
    /// The place that the challenger committed to before it named it.
    pub commitment: [u8; 32],
    /// The Collection that it is about; the default key until it is pointed out.
    pub collection: Pubkey,
    /// Index of the receipt in the Collection.
    pub receipt_index: u32,
    /// Root of the claim's input.
    pub input_root: [u8; 32],
    /// Root of the claim's output.
    pub output_root: [u8; 32],
    /// Hash of the claim.
    pub claim_hash: [u8; 32],
    /// The trace account in use; the default key until there is one.
    pub trace: Pubkey,
    /// The challenger's bond, in units.
    pub bond_units: u64,
    /// Whether what it is owed is decided.
    pub settled: bool,
    /// What the challenger gets once it is settled, in units.
    pub payout_units: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// The game itself: phase, clocks, digest, cursor.
    pub game: Game,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Dispute::INIT_SPACE == 1_640);

impl Dispute {
    /// What the operator claimed, on the model of the report.
    pub fn claim(&self, model_root: [u8; 32]) -> Claim {
        Claim {
            model_root,
            input_root: self.input_root,
            output_root: self.output_root,
        }
    }

    /// Refuses another place than the one that this dispute, at `address`, committed to.
    pub fn require_committed(
        &self,
        address: &Pubkey,
        collection: &Pubkey,
        receipt_index: u32,
        salt: &[u8; 32],
    ) -> Result<()> {
        let commitment = place_commitment(address, collection, receipt_index, salt);
        require!(commitment == self.commitment, OracleError::WrongPlace);
        Ok(())
    }

    /// Names the place, which fixes the claim. The caller has checked both.
    pub fn name_place(&mut self, collection: Pubkey, receipt_index: u32, claim: &Claim) {
        self.collection = collection;
        self.receipt_index = receipt_index;
        self.input_root = claim.input_root;
        self.output_root = claim.output_root;
        self.claim_hash = claim.claim_hash();
    }

    /// Uses a trace that is on chain already. The caller has checked that it is the one of this report and claim, at `address`.
    pub fn attach(&mut self, now: &Now, expected_digest: &[u8; 32], address: Pubkey, trace: &Trace) -> Result<()> {
        self.game
            .trace(now, expected_digest, false, &trace.trace_root, &trace.roots)
            .map_err(OracleError::from)?;
        self.trace = address;
        Ok(())
    }

    /// Decides what this dispute is owed, strictly in opening order, and books it. Returns the split, and what was left of the slashed bond for the
    /// insurance pool when this was the last dispute of a rejected report, in units.
    pub fn settle(
        &mut self,
        report: &mut Report,
        operator: &mut Operator,
        stake_vault: &mut StakeVault,
    ) -> Result<(Settlement, Option<u64>)> {
        require!(!self.settled, OracleError::AlreadySettled);
        require!(self.is_finished(), OracleError::DisputeNotFinished);
        let finished = Finished {
            proven: self.game.phase == Phase::Proven,
            bond_units: self.bond_units,
            challenger_moves: self.game.challenger_moves,
            operator_moves: self.game.operator_moves,
            move_cost_units: report.terms.move_cost_units,
        };
        let (settlement, remainder_units) = report.settle_next(self.order, &finished, operator, stake_vault)?;
        self.payout_units = settlement.payout_units().ok_or(OracleError::AmountOverflow)?;
        self.settled = true;
        Ok((settlement, remainder_units))
    }

    /// Whether the game is over.
    pub fn is_finished(&self) -> bool {
        matches!(self.game.phase, Phase::Proven | Phase::Lost)
    }
}
