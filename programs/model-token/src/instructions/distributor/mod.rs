mod miss_tranche;
mod release_commitment;
mod release_developer;
mod sweep_dust;

pub use {miss_tranche::*, release_commitment::*, release_developer::*, sweep_dust::*};
