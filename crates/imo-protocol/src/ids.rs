//! Addresses of the four programs, so that each can check the others' accounts without depending on their crates.

use anchor_lang::prelude::{Pubkey, pubkey};

pub const MODEL_TOKEN: Pubkey = pubkey!("BzyHNgUq6QbxivcJVCd22feunwVEHricPjYJYi3TTCJo");
pub const OPML_ORACLE: Pubkey = pubkey!("4snJ87cRGtU3UMSfvKMrfKcL3VkQdaUQ146nquDjtCB2");
pub const REVENUE_ESCROW: Pubkey = pubkey!("kVC33AQRoNovgZCfDdaRw5dLzkHUJS8HjomAPUSGkKB");
pub const YIELD_DISTRIBUTOR: Pubkey = pubkey!("8zXmPbv9PE1qMmhbYpKV6b64rMt8Kyo75NyHtLmcaE1F");
