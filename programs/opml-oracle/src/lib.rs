use anchor_lang::prelude::*;

declare_id!("4snJ87cRGtU3UMSfvKMrfKcL3VkQdaUQ146nquDjtCB2");

#[program]
pub mod opml_oracle {}
