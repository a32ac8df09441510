mod claim;
mod claim_vesting;
mod close_epoch_mark;
mod close_position;
mod close_vesting;
mod create_pool;
mod miss_tranche;
mod open_vesting;
mod release_developer;
mod release_vested;
mod sweep_dust;

pub use {
    claim::*, claim_vesting::*, close_epoch_mark::*, close_position::*, close_vesting::*, create_pool::*,
    miss_tranche::*, open_vesting::*, release_developer::*, release_vested::*, sweep_dust::*,
};
