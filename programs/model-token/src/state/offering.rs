use anchor_lang::prelude::*;
use imo_protocol::ModelVault;

use super::{Commitment, Tranche, TrancheState, VestingTerms};
use crate::{
    constants::MAX_TRANCHES,
    errors::ModelTokenError,
    math::{allocation::accepted_units, tail::withdrawable_units, tranches::tranche_units},
};

/// Seeds: `"offering", model`.
pub const OFFERING_SEED: &[u8] = b"offering";
/// Seeds of the model's token: `"mint", model`.
pub const MINT_SEED: &[u8] = b"mint";
/// Seeds of the account that holds the commitments: `"payment_vault", offering`.
pub const PAYMENT_VAULT_SEED: &[u8] = b"payment_vault";
/// Seeds of the account that holds the tokens not yet claimed or released: `"token_vault", offering`.
pub const TOKEN_VAULT_SEED: &[u8] = b"token_vault";

/// Where an offering stands.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferingStatus {
    /// Not settled.
    Open,
    /// The minimum was reached: tokens and excess can be claimed.
    Succeeded,
    /// The minimum was missed: everything goes back.
    Failed,
}

/// What floors left in the vaults, known once every commitment is claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dust {
    /// Tokens that nobody was allotted, in units of the token.
    pub tokens_units: u64,
    /// Those that the pool counts as vesting and that are no buyer's, in units of the token.
    pub vesting_units: u64,
    /// Money that is neither the developer's nor an investor's, in units of the payment mint.
    pub payment_units: u64,
}

/// The one sale of a model's token: the same price for all, known when it is settled.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Offering {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// The mint of the commitments.
    pub payment_mint: Pubkey,
    /// Address of the model's token; nothing is there before a successful settlement.
    pub mint: Pubkey,
    /// Canonical bump of the mint.
    pub mint_bump: u8,
    /// Canonical bump of the payment vault.
    pub payment_vault_bump: u8,
    /// Canonical bump of the token vault.
    pub token_vault_bump: u8,
    /// Where the offering stands.
    pub status: OfferingStatus,
    /// Tokens sold, in units of the token.
    pub sale_units: u64,
    /// Tokens of the developer, in units of the token. With the tokens sold all there will ever be.
    pub developer_units: u64,
    /// Below this the offering fails, in units of the payment mint.
    pub min_raise_units: u64,
    /// Above this the excess goes back, in units of the payment mint.
    pub max_raise_units: u64,
    /// The most that one wallet may commit, in units of the payment mint; 0 for no cap. Who has many wallets has many caps.
    pub wallet_cap_units: u64,
    /// Root of the wallets that may commit; zero when everybody may.
    pub allowlist_root: [u8; 32],
    /// Wallets under the root.
    pub allowlist_count: u32,
    /// First moment at which one can commit, in Unix seconds.
    pub opens_unix: i64,
    /// First moment at which one can no longer commit, and withdraw only once and in part, in Unix seconds.
    pub tail_unix: i64,
    /// First moment at which one can no longer withdraw and anyone can settle, in Unix seconds.
    pub closes_unix: i64,
    /// When it was settled, in Unix seconds; 0 before. Vesting and tranches count from here.
    pub settled_unix: i64,
    /// When the buyers' tokens are free.
    pub buyer_vesting: VestingTerms,
    /// When the developer's tokens are free.
    pub developer_vesting: VestingTerms,
    /// What the proceeds are paid in.
    #[max_len(4)]
    pub tranches: Vec<Tranche>,
    /// Sum of all commitments, in units of the payment mint.
    pub committed_units: u64,
    /// The part of it that buys tokens, in units of the payment mint; 0 before settlement and when the offering failed.
    pub accepted_units: u64,
    /// Tokens paid out, in units of the token.
    pub claimed_tokens_units: u64,
    /// Tokens burned in the token vault, in units of the token: dust, and the developer's after a missed tranche.
    pub burned_units: u64,
    /// Paid back to investors, and as dust to the redeem pool, in units of the payment mint.
    pub refunded_units: u64,
    /// Tranches paid to the developer or, missed, to the redeem pool, in units of the payment mint.
    pub proceeds_paid_units: u64,
    /// Commitments not yet claimed.
    pub commitment_count: u32,
    /// Tokens allotted by claims, in units of the token.
    pub allotted_units: u64,
    /// Those of them that vest, in units of the token.
    pub allotted_vesting_units: u64,
    /// The developer's tokens that were released, in units of the token.
    pub developer_released_units: u64,
    /// The developer's tokens that were burned, in units of the token.
    pub developer_burned_units: u64,
    /// Whether the dust was swept.
    pub dust_swept: bool,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(Offering::INIT_SPACE == 447);
const _: () = assert!(MAX_TRANCHES == 4);

impl Offering {
    /// All tokens that the settlement makes, in units of the token.
    pub fn supply_units(&self) -> Result<u64> {
        self.sale_units
            .checked_add(self.developer_units)
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// What everybody pays if it ends as it stands, as payment units for this many token units. Both are known while it is open, and final once it is settled;
    /// below the minimum nobody pays anything.
    pub fn price(&self) -> (u64, u64) {
        let accepted = match self.status {
            OfferingStatus::Open => {
                accepted_units(self.committed_units, self.min_raise_units, self.max_raise_units).unwrap_or(0)
            }
            OfferingStatus::Succeeded | OfferingStatus::Failed => self.accepted_units,
        };
        (accepted, self.sale_units)
    }

    /// Whether only wallets of the list may commit.
    pub fn has_allowlist(&self) -> bool {
        self.allowlist_root != [0; 32]
    }

    /// What the payment vault owes: before settlement and after a failure the commitments, after a success the tranches, the excess and the dust.
    pub fn payment_owed_units(&self) -> Result<u64> {
        self.committed_units
            .checked_sub(self.refunded_units)
            .and_then(|left| left.checked_sub(self.proceeds_paid_units))
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// What the token vault owes.
    pub fn tokens_owed_units(&self) -> Result<u64> {
        self.supply_units()?
            .checked_sub(self.claimed_tokens_units)
            .and_then(|left| left.checked_sub(self.burned_units))
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// Tokens that vest from the settlement on, the buyers' and the developer's, in units of the token. The sum of what each buyer is allotted is at most
    /// this and falls short by less than a unit for each.
    pub fn vesting_units(&self) -> Result<u64> {
        self.buyer_vesting
            .vesting_part(self.sale_units)?
            .checked_add(self.developer_units)
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// Seconds since the settlement.
    pub fn elapsed_seconds(&self, now_unix: i64) -> i64 {
        now_unix.saturating_sub(self.settled_unix)
    }

    /// What can be withdrawn of a commitment, the use of the tail's one withdrawal apart.
    pub fn withdrawable_units(&self, commitment_units: u64, now_unix: i64) -> u64 {
        withdrawable_units(commitment_units, now_unix, self.tail_unix, self.closes_unix)
    }

    /// Whether only withdrawals are possible, and of each commitment one.
    pub fn is_in_tail(&self, now_unix: i64) -> bool {
        now_unix >= self.tail_unix
    }

    /// What of a claimed commitment is free and not released yet, in units of the token.
    pub fn releasable_units(&self, commitment: &Commitment, now_unix: i64) -> Result<u64> {
        self.buyer_vesting
            .vested_units(commitment.vesting_units, self.elapsed_seconds(now_unix))
            .checked_sub(commitment.released_units)
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// The developer's tokens that are neither released nor burned, in units of the token.
    pub fn developer_left_units(&self) -> Result<u64> {
        self.developer_units
            .checked_sub(self.developer_released_units)
            .and_then(|left| left.checked_sub(self.developer_burned_units))
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// What of the developer's tokens is free and not released yet, in units of the token. Refused until every tranche that had to be earned is decided:
    /// a tranche that is missed later than its time finds all of them here to burn.
    pub fn developer_releasable_units(&self, now_unix: i64) -> Result<u64> {
        require!(
            !self.tranches.iter().any(Tranche::is_undecided),
            ModelTokenError::TranchesUndecided
        );
        if self.developer_burned_units > 0 {
            return Ok(0);
        }
        self.developer_vesting
            .vested_units(self.developer_units, self.elapsed_seconds(now_unix))
            .checked_sub(self.developer_released_units)
            .ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// One of the tranches.
    pub fn tranche(&self, index: u8) -> Result<&Tranche> {
        self.tranches
            .get(usize::from(index))
            .ok_or(error!(ModelTokenError::NoSuchTranche))
    }

    /// What a tranche is worth, in units of the payment mint. All together are exactly what was accepted.
    pub fn tranche_units(&self, index: u8) -> Result<u64> {
        let shares = self.tranches.iter().map(|tranche| tranche.share_bps);
        tranche_units(self.accepted_units, shares, usize::from(index)).ok_or(error!(ModelTokenError::NoSuchTranche))
    }

    /// Ends a tranche, which leaves the payment vault in the same instruction. Returns its amount.
    pub fn decide_tranche(&mut self, index: u8, state: TrancheState) -> Result<u64> {
        let units = self.tranche_units(index)?;
        let tranche = self
            .tranches
            .get_mut(usize::from(index))
            .ok_or(ModelTokenError::NoSuchTranche)?;
        tranche.state = state;
        self.proceeds_paid_units = self
            .proceeds_paid_units
            .checked_add(units)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        Ok(units)
    }

    /// What nobody was allotted. Refused until it is known, and once it is swept.
    pub fn dust(&self) -> Result<Dust> {
        self.require_status(OfferingStatus::Succeeded)?;
        require!(self.commitment_count == 0, ModelTokenError::CommitmentsUnclaimed);
        require!(!self.dust_swept, ModelTokenError::DustSwept);
        let left = || {
            let vesting = self.vesting_units().ok()?;
            Some(Dust {
                tokens_units: self.sale_units.checked_sub(self.allotted_units)?,
                vesting_units: vesting
                    .checked_sub(self.developer_units)?
                    .checked_sub(self.allotted_vesting_units)?,
                payment_units: self
                    .committed_units
                    .checked_sub(self.accepted_units)?
                    .checked_sub(self.refunded_units)?,
            })
        };
        left().ok_or(error!(ModelTokenError::ArithmeticOverflow))
    }

    /// Refuses unless the offering stands at `status`.
    pub fn require_status(&self, status: OfferingStatus) -> Result<()> {
        require!(
            self.status == status,
            match self.status {
                OfferingStatus::Open => ModelTokenError::OfferingNotSettled,
                OfferingStatus::Succeeded => ModelTokenError::OfferingSucceeded,
                OfferingStatus::Failed => ModelTokenError::OfferingFailed,
            }
        );
        Ok(())
    }

    /// Refuses while the offering at `account`, a model's one, is not settled: whoever commits must get what it looked at. There may be none.
    pub fn require_none_open(account: &AccountInfo) -> Result<()> {
        if *account.owner != crate::ID {
            return Ok(());
        }
        let offering = Self::try_deserialize(&mut &account.try_borrow_data()?[..])?;
        require!(offering.status != OfferingStatus::Open, ModelTokenError::OfferingRuns);
        Ok(())
    }
}

/// Revenue that was paid for good to others than the developer, as the escrow's vault of the model at `account` counts it. Nothing when there is no vault.
pub fn paid_to_others_units(account: &AccountInfo) -> Result<u64> {
    if *account.owner != imo_protocol::ids::REVENUE_ESCROW {
        return Ok(0);
    }
    Ok(ModelVault::try_deserialize(&mut &account.try_borrow_data()?[..])?.paid_to_others_units)
}
