//! Code that a wrong compiler would get wrong. The tests run every case on this machine and in Solana's virtual
//! machine and compare the results.
//!
//! A case is a function from a seed to a digest of everything it computed. It must not depend on anything else.

mod arguments;
mod collections;
mod copies;
mod failures;
mod floats;
mod integers;
mod returns;
mod sample;
mod wide_integers;

pub use failures::fail;
use sample::Digest;

/// A case's name and its code.
pub type Case = (&'static str, fn(u64) -> u64);

/// Instruction data names a case by its place here.
pub const CASES: &[Case] = &[
    ("wide_integers", wide_integers::case),
    ("integers", integers::case),
    ("floats", floats::case),
    ("returns", returns::case),
    ("arguments", arguments::case),
    ("copies", copies::case),
    ("collections", collections::case),
];

/// In the place of a case: panic in the way that the seed says.
pub const FAIL: u8 = 255;

/// One digest over `count` runs of a case with successive seeds.
pub fn run(case: u8, seed: u64, count: u32) -> u64 {
    let (_, code) = CASES[usize::from(case)];
    let mut digest = Digest::default();
    for step in 0..u64::from(count) {
        digest.add(code(seed.wrapping_add(step)));
    }
    digest.finish()
}

#[cfg(not(feature = "no-entrypoint"))]
mod entrypoint {
    use solana_account_info::AccountInfo;
    use solana_cpi::set_return_data;
    use solana_program_error::ProgramError;
    use solana_pubkey::Pubkey;

    #[cfg(target_os = "solana")]
    solana_program_entrypoint::entrypoint!(process);

    /// Instruction data: case (1 byte), seed (8), count (4). Returns the digest.
    #[cfg_attr(not(target_os = "solana"), allow(dead_code))]
    fn process(_program: &Pubkey, _accounts: &[AccountInfo], data: &[u8]) -> Result<(), ProgramError> {
        let (case, rest) = data.split_first().ok_or(ProgramError::InvalidInstructionData)?;
        let (seed, rest) = rest.split_first_chunk().ok_or(ProgramError::InvalidInstructionData)?;
        let (count, _) = rest.split_first_chunk().ok_or(ProgramError::InvalidInstructionData)?;
        let (seed, count) = (u64::from_le_bytes(*seed), u32::from_le_bytes(*count));
        let result = if *case == super::FAIL {
            super::fail(seed)
        } else {
            super::run(*case, seed, count)
        };
        set_return_data(&result.to_le_bytes());
        Ok(())
    }
}
