//! Transactions.
//!
//! Nothing is sent because it was sent before: whoever has to repeat something reads the chain first. Every instruction that the node sends is refused by its program the
//! second time, by an account that is there already, a counter that has moved or a digest that is another, so that a transaction that lands late changes nothing.

use std::time::Duration;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    challenge::staging::{MAX_TRANSACTION_BYTES, transaction_bytes},
    errors::{self, Refusal},
};
use serde::{Deserialize, Serialize};
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    request::{RpcError, RpcResponseErrorData},
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use super::{ChainError, Rpc, rpc::unreachable};

/// How long after it the status of a transaction is asked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// What a priority fee may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeePolicy {
    /// Which of the fees that were paid lately for the same accounts to pay, in percent of those that paid less.
    pub percentile: u8,
    /// In millionths of a lamport for a compute unit.
    pub min_micro_lamports: u64,
    pub max_micro_lamports: u64,
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self {
            percentile: 60,
            min_micro_lamports: 0,
            max_micro_lamports: 200_000,
        }
    }
}

impl FeePolicy {
    /// What to pay when this was paid lately.
    fn choose(&self, mut paid: Vec<u64>) -> u64 {
        paid.sort_unstable();
        let place = paid.len() * usize::from(self.percentile.min(100)) / 100;
        let paid = paid.get(place.min(paid.len().saturating_sub(1))).copied().unwrap_or(0);
        paid.clamp(
            self.min_micro_lamports.min(self.max_micro_lamports),
            self.max_micro_lamports,
        )
    }
}

/// Why a transaction did not land.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("{0}")]
    Refused(Refusal),
    #[error("The cluster refuses it: {0}")]
    Failed(String),
    /// Whether it landed is not known.
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("It takes {0} bytes, {MAX_TRANSACTION_BYTES} fit.")]
    TooLarge(usize),
    #[error("A signature is missing.")]
    Unsigned,
}

impl SendError {
    /// Name of the error with which a program refused.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.name),
            _ => None,
        }
    }
}

impl Rpc {
    /// Sends one transaction with a compute limit, paid by the first signer, and waits until it is confirmed.
    pub async fn send(
        &self,
        instructions: &[Instruction],
        compute_units: u32,
        fees: &FeePolicy,
        signers: &[&Keypair],
    ) -> Result<Signature, SendError> {
        let writable: Vec<Pubkey> = instructions
            .iter()
            .flat_map(|instruction| &instruction.accounts)
            .filter(|account| account.is_writable)
            .map(|account| account.pubkey)
            .collect();
        // Without figures there is nothing to outbid.
        let paid = self
            .client
            .get_recent_prioritization_fees(&writable)
            .await
            .unwrap_or_default();
        let price = fees.choose(paid.iter().map(|fee| fee.prioritization_fee).collect());
        self.send_bare(&with_budget(compute_units, price, instructions), signers)
            .await
    }

    /// Sends one transaction of exactly these instructions, for those that leave no room for a budget.
    pub async fn send_bare(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Signature, SendError> {
        let payer = signers.first().ok_or(SendError::Unsigned)?.pubkey();
        let bytes = transaction_bytes(instructions, &payer);
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(SendError::TooLarge(bytes));
        }
        let blockhash = self.client.get_latest_blockhash().await.map_err(unreachable)?;
        let mut transaction = Transaction::new_with_payer(instructions, Some(&payer));
        transaction
            .try_sign(&signers.to_vec(), blockhash)
            .map_err(|_| SendError::Unsigned)?;
        match self.client.send_and_confirm_transaction(&transaction).await {
            Err(error) if is_processed_already(&error) => self.confirmed(&transaction).await,
            sent => sent.map_err(explain),
        }
    }

    /// Waits until a transaction that was processed is confirmed, or can no longer be.
    async fn confirmed(&self, transaction: &Transaction) -> Result<Signature, SendError> {
        let signature = transaction.signatures.first().copied().ok_or(SendError::Unsigned)?;
        loop {
            // Asked before the status: what is confirmed while its blockhash is valid is not missed.
            let valid = self
                .client
                .is_blockhash_valid(&transaction.message.recent_blockhash, CommitmentConfig::processed());
            let valid = valid.await.map_err(unreachable)?;
            let status = self.client.get_signature_status(&signature);
            match status.await.map_err(unreachable)? {
                Some(Ok(())) => return Ok(signature),
                Some(Err(failed)) => return Err(explain(failed.into())),
                None if !valid => return Err(unreachable("what it had processed is not there").into()),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Whether an RPC refuses a transaction because it has come before: a request that arrived twice, or that was sent on twice.
fn is_processed_already(error: &ClientError) -> bool {
    let refused = error.get_transaction_error();
    // Not all say it as a transaction's error.
    let said = match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { message, .. }) => message.as_str(),
        _ => "",
    };
    refused == Some(TransactionError::AlreadyProcessed) || said.contains("already been processed")
}

/// What a transaction begins with: its compute limit, and the price of a unit.
pub fn budget(compute_units: u32, price: u64) -> Vec<Instruction> {
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(compute_units);
    let price = (price > 0).then(|| ComputeBudgetInstruction::set_compute_unit_price(price));
    std::iter::once(limit).chain(price).collect()
}

fn with_budget(compute_units: u32, price: u64, instructions: &[Instruction]) -> Vec<Instruction> {
    [budget(compute_units, price).as_slice(), instructions].concat()
}

/// Groups of instructions that stay together, in as few transactions as they fit into. The budget's own instructions are counted.
pub fn pack(groups: &[Vec<Instruction>], payer: &Pubkey) -> Vec<Vec<Instruction>> {
    let mut transactions: Vec<Vec<Instruction>> = Vec::new();
    for group in groups {
        let joined = transactions
            .last()
            .map(|last| [last.as_slice(), group].concat())
            .filter(|joined| {
                transaction_bytes(&with_budget(u32::MAX, u64::MAX, joined), payer) <= MAX_TRANSACTION_BYTES
            });
        match (transactions.last_mut(), joined) {
            (Some(last), Some(joined)) => *last = joined,
            _ => transactions.push(group.clone()),
        }
    }
    transactions
}

/// A program's refusal in its own words.
fn explain(error: ClientError) -> SendError {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
            message,
            ..
        }) => match errors::from_logs(simulation.logs.as_deref().unwrap_or_default()) {
            Some(refusal) => SendError::Refused(refusal),
            None => SendError::Failed(message.clone()),
        },
        ErrorKind::TransactionError(failed) => SendError::Failed(failed.to_string()),
        _ => SendError::Chain(unreachable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(bytes: usize) -> Vec<Instruction> {
        vec![Instruction {
            program_id: Pubkey::new_from_array([9; 32]),
            accounts: Vec::new(),
            data: vec![0; bytes],
        }]
    }

    #[test]
    fn given_groups_when_packed_then_in_order_and_each_transaction_fits() {
        let payer = Pubkey::new_from_array([1; 32]);
        let groups: Vec<_> = [300, 300, 300, 300, 900, 10, 10].into_iter().map(group).collect();
        let packed = pack(&groups, &payer);
        assert_eq!(packed.len(), 3);
        assert_eq!(packed.concat(), groups.concat());
        for transaction in &packed {
            assert!(transaction_bytes(&with_budget(u32::MAX, u64::MAX, transaction), &payer) <= MAX_TRANSACTION_BYTES);
        }
    }

    #[test]
    fn given_refusals_when_a_transaction_has_come_before_then_told_from_others_however_it_is_said() {
        let said = |code, message: &str, data| {
            let message = message.to_owned();
            ClientError::from(RpcError::RpcResponseError { code, message, data })
        };
        let simulated = |error: TransactionError| {
            let message = format!("Transaction simulation failed: {error}");
            let result = serde_json::json!({ "err": error, "logs": [] });
            let result = serde_json::from_value(result).unwrap();
            said(
                -32002,
                &message,
                RpcResponseErrorData::SendTransactionPreflightFailure(result),
            )
        };
        assert!(is_processed_already(&simulated(TransactionError::AlreadyProcessed)));
        assert!(is_processed_already(&TransactionError::AlreadyProcessed.into()));
        let text = "Transaction verification failed: This transaction has already been processed";
        assert!(is_processed_already(&said(-32602, text, RpcResponseErrorData::Empty)));
        assert!(!is_processed_already(&simulated(TransactionError::BlockhashNotFound)));
        assert!(!is_processed_already(&said(
            -32005,
            "Node is behind",
            RpcResponseErrorData::Empty
        )));
    }

    #[test]
    fn given_fees_of_others_when_chosen_then_the_percentile_within_the_bounds() {
        let policy = FeePolicy {
            percentile: 50,
            min_micro_lamports: 10,
            max_micro_lamports: 100,
        };
        assert_eq!(policy.choose(vec![]), 10);
        assert_eq!(policy.choose(vec![0, 0, 50, 60]), 50);
        assert_eq!(policy.choose(vec![500, 600, 700]), 100);
        assert_eq!(policy.choose(vec![1, 2, 3]), 10);
    }
}
