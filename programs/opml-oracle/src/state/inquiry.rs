use anchor_lang::prelude::*;

use super::{Operator, Report, StakeVault};
use crate::{
    constants::ACCOUNT_VERSION,
    data_game::{DataGame, Geometry},
    errors::OracleError,
    events::InquiryOpened,
    math::settlement::{Finished, Settlement},
};

/// Seeds: `"inquiry", report, demander, nonce u64`.
pub const INQUIRY_SEED: &[u8] = b"inquiry";

/// What is asked about.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The receipts of a Collection.
    Receipts {
        /// The Collection.
        collection: Pubkey,
    },
    /// The input that one receipt names.
    Input {
        /// The Collection.
        collection: Pubkey,
        /// Index of the receipt in it.
        receipt_index: u32,
    },
    /// A constant of the report's version.
    Constant {
        /// Index in the weights tree.
        index: u32,
    },
}

/// One demander's walk below one root of a report, to see what the operator committed to. Nothing of the demander's is at risk but the fees, and those
/// come back when the report is rejected.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Inquiry {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report.
    pub report: Pubkey,
    /// Who demands, pays, and gets back what comes back; paid this account's rent, too.
    pub demander: Pubkey,
    /// The demander's own number for this inquiry.
    pub nonce: u64,
    /// The operator account of the report.
    pub operator: Pubkey,
    /// The mint of fees and payout.
    pub mint: Pubkey,
    /// What it is about.
    pub subject: Subject,
    /// The root that every demand is below.
    pub root: [u8; 32],
    /// The tree of that root.
    pub geometry: Geometry,
    /// What was demanded and shown.
    pub game: DataGame,
    /// Paid for all demands so far, waiting for the report's end, in units.
    pub fees_units: u64,
    /// Its turn among the report's disputes to be settled, once a demand was not answered.
    pub order: Option<u32>,
    /// Whether what it is owed is decided.
    pub settled: bool,
    /// What the demander gets once it is settled, in units.
    pub payout_units: u64,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Inquiry::INIT_SPACE == 925);

impl Inquiry {
    /// An inquiry that begins now, about the tree of `geometry` below `root`; the report, at `address`, counts it. The caller has checked that this is what the subject
    /// commits to, and that the report can be disputed.
    pub fn open(
        (address, report): (Pubkey, &mut Report),
        bump: u8,
        demander: Pubkey,
        nonce: u64,
        subject: Subject,
        root: [u8; 32],
        geometry: Geometry,
    ) -> Result<Self> {
        report.begin_inquiry()?;
        Ok(Self {
            version: ACCOUNT_VERSION,
            bump,
            report: address,
            demander,
            nonce,
            operator: report.operator,
            mint: report.mint,
            subject,
            root,
            geometry,
            game: DataGame::default(),
            fees_units: 0,
            order: None,
            settled: false,
            payout_units: 0,
            reserved: [0; 64],
        })
    }

    /// What is told when it is opened at `address`.
    pub fn opened(&self, address: Pubkey) -> InquiryOpened {
        InquiryOpened {
            inquiry: address,
            report: self.report,
            operator: self.operator,
            demander: self.demander,
            nonce: self.nonce,
            subject: self.subject,
            root: self.root,
        }
    }

    /// Decides what becomes of the fees, and of the slashed bond's shares when it was this inquiry that no one answered. Returns the fees that the operator
    /// earned, and what was left of the slashed bond for the insurance pool when this was the last to be settled of a rejected report, in units.
    pub fn settle(
        &mut self,
        report: &mut Report,
        operator: &mut Operator,
        stake_vault: &mut StakeVault,
    ) -> Result<(u64, Settlement, Option<u64>)> {
        require!(!self.settled, OracleError::AlreadySettled);
        require!(report.is_terminal(), OracleError::ReportNotEnded);
        let mut earned_units = 0;
        let mut settlement = Settlement::default();
        let mut remainder_units = None;
        match (report.slash().is_some(), self.order) {
            (true, Some(order)) => {
                let finished = Finished {
                    proven: true,
                    bond_units: 0,
                    challenger_moves: u16::try_from(self.game.demands).unwrap_or(u16::MAX),
                    operator_moves: 0,
                    move_cost_units: report.terms.move_cost_units,
                };
                (settlement, remainder_units) = report.settle_next(order, &finished, operator, stake_vault)?;
            }
            (true, None) => {}
            (false, None) => {
                earned_units = self.fees_units;
                operator.credit(earned_units)?;
            }
            // A demand that was not answered rejects the report.
            (false, Some(_)) => return err!(OracleError::Inconsistent),
        }
        self.payout_units = settlement
            .payout_units()
            .and_then(|units| units.checked_add(self.fees_units.checked_sub(earned_units)?))
            .ok_or(OracleError::AmountOverflow)?;
        // The report is rejected while it was to be answered: it need not be any more.
        if self.game.pending.take().is_some() {
            report.end_demand()?;
        }
        self.settled = true;
        report.end_inquiry()?;
        Ok((earned_units, settlement, remainder_units))
    }
}
