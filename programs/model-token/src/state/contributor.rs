use anchor_lang::prelude::*;

use crate::{
    constants::MAX_CONTRIBUTORS,
    errors::ModelTokenError,
    state::{Model, RevenueSplit},
};

/// Somebody whose work is in a version: a data provider, an annotator, the author of the model that it is built on. Its share is part of the 10,000.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contributor {
    /// A wallet, an address that a program signs with, or a model.
    pub recipient: Pubkey,
    /// Its share of the version's revenue, in basis points.
    pub bps: u16,
    /// Whether the recipient is a model, whose holders are paid then.
    pub is_model: bool,
}

const _: () = assert!(Contributor::INIT_SPACE == 35);

impl Contributor {
    /// The contributors of a version of `model`. What each one is follows from its account: a model when it is one of this program's models, which must be paid
    /// in `payment_mint`; anything else owns a token account.
    pub fn list(
        model: &Pubkey,
        payment_mint: &Pubkey,
        split: &RevenueSplit,
        shares_bps: &[u16],
        recipients: &[AccountInfo],
    ) -> Result<Vec<Self>> {
        require!(
            shares_bps.len() <= MAX_CONTRIBUTORS,
            ModelTokenError::TooManyContributors
        );
        require!(
            shares_bps.len() == recipients.len(),
            ModelTokenError::ContributorsDoNotMatch
        );
        let sum = shares_bps
            .iter()
            .fold(0u32, |sum, bps| sum.saturating_add(u32::from(*bps)));
        require!(
            sum == u32::from(split.contributors_bps),
            ModelTokenError::WrongContributorsSum
        );
        let mut contributors: Vec<Self> = Vec::with_capacity(recipients.len());
        for (bps, account) in shares_bps.iter().zip(recipients) {
            let recipient = account.key();
            require!(*bps > 0, ModelTokenError::ContributorShareIsZero);
            let is_new = contributors.iter().all(|other| other.recipient != recipient);
            require!(
                is_new && recipient != *model && recipient != Pubkey::default(),
                ModelTokenError::InvalidContributor
            );
            let is_model = *account.owner == crate::ID;
            if is_model {
                let upstream = Model::try_deserialize(&mut &account.try_borrow_data()?[..])?;
                require_keys_eq!(
                    upstream.payment_mint,
                    *payment_mint,
                    ModelTokenError::WrongContributorMint
                );
            }
            contributors.push(Self {
                recipient,
                bps: *bps,
                is_model,
            });
        }
        Ok(contributors)
    }
}
