use anchor_lang::prelude::*;

declare_id!("kVC33AQRoNovgZCfDdaRw5dLzkHUJS8HjomAPUSGkKB");

#[program]
pub mod revenue_escrow {}
