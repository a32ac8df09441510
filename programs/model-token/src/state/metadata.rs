use anchor_lang::prelude::*;

use crate::{
    constants::{MAX_LICENCE_LEN, MAX_NAME_LEN, MAX_SYMBOL_LEN, MAX_URI_LEN},
    errors::ModelTokenError,
};

/// What a model is called and where it is described. Name, symbol and uri are its token's, too.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Name of the model and of its token, 1 to 32 bytes.
    #[max_len(32)]
    pub name: String,
    /// Symbol of its token, 1 to 10 bytes.
    #[max_len(10)]
    pub symbol: String,
    /// Where the model card is, at most 128 bytes.
    #[max_len(128)]
    pub uri: String,
    /// SHA-256 of the model card.
    pub uri_hash: [u8; 32],
    /// The licence that the model is under, as an SPDX expression, 1 to 32 bytes.
    #[max_len(32)]
    pub licence: String,
}

const _: () = assert!(Metadata::INIT_SPACE == 250);

impl Metadata {
    /// Bytes of what the token's mint repeats.
    pub fn token_text_len(&self) -> usize {
        [&self.name, &self.symbol, &self.uri]
            .into_iter()
            .fold(0, |sum, text| sum.saturating_add(text.len()))
    }

    /// Checks the lengths.
    pub fn validate(&self) -> Result<()> {
        let Self {
            name,
            symbol,
            uri,
            uri_hash: _,
            licence,
        } = self;
        require!((1..=MAX_NAME_LEN).contains(&name.len()), ModelTokenError::InvalidName);
        require!(
            (1..=MAX_SYMBOL_LEN).contains(&symbol.len()),
            ModelTokenError::InvalidSymbol
        );
        require!(uri.len() <= MAX_URI_LEN, ModelTokenError::UriTooLong);
        require!(
            (1..=MAX_LICENCE_LEN).contains(&licence.len()),
            ModelTokenError::InvalidLicence
        );
        Ok(())
    }
}
