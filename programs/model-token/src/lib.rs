use anchor_lang::prelude::*;

declare_id!("BzyHNgUq6QbxivcJVCd22feunwVEHricPjYJYi3TTCJo");

#[program]
pub mod model_token {}
