use anchor_lang::prelude::*;

use crate::{
    events::EpochRolled,
    state::{EpochMark, Pool},
};

/// Makes the stake of `mark`'s epoch active if it is due, and says so.
pub fn roll(pool_address: Pubkey, pool: &mut Pool, mark: &mut EpochMark, now_epoch: u64) -> Result<()> {
    if pool.roll(mark, now_epoch)? {
        emit_rolled(pool_address, pool, mark);
    }
    Ok(())
}

/// Says that the stake of `mark`'s epoch became active.
pub fn emit_rolled(pool_address: Pubkey, pool: &Pool, mark: &EpochMark) {
    emit!(EpochRolled {
        pool: pool_address,
        epoch: mark.epoch,
        units: mark.units,
        active_units: pool.active_units,
    });
}
