use anchor_lang::prelude::*;
use imo_protocol::{Now, question_hash};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::{EquivocationPunished, EquivocationSlashed, OperatorJailed},
    instructions::answers::read_answer,
    state::{
        EQUIVOCATION_SEED, Equivocation, EquivocationSlash, OPERATOR_SEED, Operator, STAKE_VAULT_SEED, StakeVault,
    },
};

/// Shows two answers of an operator to one question: same model and input, different output. Jails the operator and takes the protocol's least bond out of the
/// stake that no report locks; the prover's share of it is owed to who shows it, the rest goes to the insurance pool. What is not unlocked now is taken later
/// (`settle_equivocation`). The signatures are checked by the Ed25519 program in the two instructions directly before.
///
/// Anyone may, once an operator and question. Refuses messages that are not answers of this operator on this cluster, keys that it does not answer with, answers
/// to different questions and equal answers.
#[derive(Accounts)]
#[instruction(question: [u8; 32])]
pub struct PunishEquivocation<'info> {
    #[account(mut)]
    pub prover: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        mut,
        constraint = stake_vault.mint == operator.mint @ OracleError::WrongMint,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(
        init,
        payer = prover,
        space = Equivocation::DISCRIMINATOR.len() + Equivocation::INIT_SPACE,
        seeds = [EQUIVOCATION_SEED, operator.key().as_ref(), &question],
        bump,
    )]
    pub equivocation: Box<Account<'info, Equivocation>>,
    /// CHECK: the reader of the sysvar checks its address.
    pub instructions_sysvar: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl PunishEquivocation<'_> {
    /// Returns the hashes of the keys that signed the two answers.
    fn judge(&self, question: &[u8; 32], now: &Now) -> Result<[[u8; 32]; 2]> {
        let read = |back| read_answer(&self.instructions_sysvar, back, &self.protocol, &self.operator, now);
        let (first, second) = (read(2)?, read(1)?);
        require!(
            question_hash(&first.claim) == *question && question_hash(&second.claim) == *question,
            OracleError::AnotherQuestion
        );
        require!(
            first.claim.output_root != second.claim.output_root,
            OracleError::NoEquivocation
        );
        Ok([first.key_hash, second.key_hash])
    }

    pub fn handle(ctx: Context<Self>, question: [u8; 32]) -> Result<()> {
        let now = Now::read()?;
        let key_hashes = ctx.accounts.judge(&question, &now)?;
        let accounts = ctx.accounts;
        let terms = accounts.protocol.terms;
        let operator = &mut accounts.operator;
        let prover = accounts.prover.key();
        let mut equivocation = Equivocation {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.equivocation,
            operator: operator.key(),
            mint: operator.mint,
            question,
            key_hashes,
            prover,
            due_units: terms.min_bond_units,
            slashed_units: 0,
            prover_share_bps: terms.prover_share_bps,
            payout_units: 0,
            reserved: [0; 64],
        };
        let EquivocationSlash {
            prover_units,
            insurance_units,
        } = equivocation.slash(operator, &mut accounts.stake_vault)?;
        operator.jail(&now, terms.unbonding_slots);
        accounts.equivocation.set_inner(equivocation);
        let address = accounts.equivocation.key();
        emit!(EquivocationPunished {
            equivocation: address,
            operator: operator.key(),
            prover,
            question,
            due_units: terms.min_bond_units,
        });
        emit!(EquivocationSlashed {
            equivocation: address,
            operator: operator.key(),
            prover_units,
            insurance_units,
        });
        emit!(OperatorJailed::of(operator));
        Ok(())
    }
}
