use anchor_lang::prelude::*;

declare_id!("8zXmPbv9PE1qMmhbYpKV6b64rMt8Kyo75NyHtLmcaE1F");

#[program]
pub mod yield_distributor {}
