use anchor_lang::prelude::*;

use crate::{errors::OracleError, events::WitnessWritten, state::Witness};

/// Writes a piece of a witness, in place. Pieces may be written in any order and any number of times.
///
/// The challenger of the witness may, nobody else. Refuses a write beyond the end of the account.
#[derive(Accounts)]
pub struct WriteWitness<'info> {
    pub challenger: Signer<'info>,
    #[account(mut, has_one = challenger @ OracleError::NotTheChallenger)]
    pub witness: Box<Account<'info, Witness>>,
}

impl WriteWitness<'_> {
    pub fn handle(ctx: Context<Self>, offset: u32, bytes: Vec<u8>) -> Result<()> {
        let witness = &ctx.accounts.witness;
        let info = witness.to_account_info();
        let mut data = info.try_borrow_mut_data()?;
        data.get_mut(Witness::BYTES_OFFSET..)
            .and_then(|data| data.get_mut(usize::try_from(offset).ok()?..))
            .and_then(|data| data.get_mut(..bytes.len()))
            .ok_or(OracleError::WitnessOutOfRange)?
            .copy_from_slice(&bytes);
        emit!(WitnessWritten {
            witness: witness.key(),
            offset,
            len: u32::try_from(bytes.len()).map_err(|_| OracleError::WitnessOutOfRange)?,
        });
        Ok(())
    }
}
