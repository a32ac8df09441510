//! What executes transactions: a whole bank, or the virtual machine alone.

use anchor_lang::prelude::Pubkey;
use litesvm::{
    LiteSVM,
    types::{FailedTransactionMetadata, TransactionMetadata},
};
use solana_account::{Account, AccountSharedData};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_test::{ProgramTest, ProgramTestContext};
use solana_sysvar::{clock::Clock, last_restart_slot::LastRestartSlot, slot_hashes::SlotHashes};
use solana_transaction::{Transaction, versioned::VersionedTransaction};
use solana_transaction_error::TransactionError;
use tokio::runtime::{Builder, Runtime};

use crate::{multisig, programs};

/// Executes transactions and keeps accounts.
pub enum Bank {
    /// Agave's bank behind its server: signatures, blockhashes and all.
    Whole {
        // Dropped before the runtime that its tasks run on.
        context: Box<ProgramTestContext>,
        runtime: Runtime,
    },
    /// Agave's virtual machine on a map of accounts. Nothing is signed: who signs is whose keypair is given.
    Light(Box<LiteSVM>),
}

/// What became of a transaction.
pub struct Executed {
    pub result: Result<(), TransactionError>,
    pub logs: Vec<String>,
    pub compute_units: u64,
}

impl Bank {
    pub fn whole(upgrade_authority: &Pubkey) -> Self {
        let mut test = ProgramTest::default();
        // The program test switches on the runtime's logs, which cost more time than the tests.
        log::set_max_level(log::LevelFilter::Off);
        for (address, account) in programs::accounts(upgrade_authority) {
            test.add_genesis_account(address, account);
        }
        multisig::deploy(&mut test);
        // The bank's server runs beside the test, which waits for it.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a bank needs a thread");
        let context = Box::new(runtime.block_on(test.start_with_context()));
        Self::Whole { context, runtime }
    }

    pub fn light(upgrade_authority: &Pubkey) -> Self {
        let mut svm = LiteSVM::new()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        let mut accounts = programs::accounts(upgrade_authority);
        // A program is loaded when its account is set, from the other one that holds the code.
        accounts.sort_by_key(|(_, account)| account.executable);
        for (address, account) in accounts {
            svm.set_account(address, account).expect("the programs load");
        }
        Self::Light(Box::new(svm))
    }

    /// The same state once more. A whole bank has no second self.
    pub fn fork(&self) -> Option<Self> {
        match self {
            Self::Whole { .. } => None,
            Self::Light(svm) => Some(Self::Light(svm.clone())),
        }
    }

    pub fn set_time(&mut self, clock: &Clock, restart: &LastRestartSlot) {
        match self {
            Self::Whole { context, .. } => {
                context.set_sysvar(clock);
                context.set_sysvar(restart);
            }
            Self::Light(svm) => {
                svm.set_sysvar(clock);
                svm.set_sysvar(restart);
            }
        }
    }

    /// Replaces the hashes of the last slots.
    pub fn set_slot_hashes(&mut self, hashes: &SlotHashes) {
        match self {
            Self::Whole { context, .. } => context.set_sysvar(hashes),
            Self::Light(svm) => svm.set_sysvar(hashes),
        }
    }

    pub fn set_account(&mut self, address: &Pubkey, account: Account) {
        match self {
            Self::Whole { context, .. } => context.set_account(address, &AccountSharedData::from(account)),
            Self::Light(svm) => svm.set_account(*address, account).expect("any account can be set"),
        }
    }

    pub fn account(&self, address: &Pubkey) -> Option<Account> {
        match self {
            Self::Whole { context, runtime } => runtime
                .block_on(context.banks_client.get_account(*address))
                .expect("the bank answers"),
            Self::Light(svm) => svm.get_account(address),
        }
    }

    /// The transaction of a message. The whole bank makes a blockhash every few milliseconds, so that the same message can be sent again.
    pub fn transaction(&mut self, mut message: Message, signers: &[&Keypair]) -> Transaction {
        match self {
            Self::Whole { context, runtime } => {
                let latest = runtime.block_on(context.banks_client.get_latest_blockhash());
                context.last_blockhash = latest.expect("the bank answers");
                Transaction::new(signers, message, context.last_blockhash)
            }
            Self::Light(svm) => {
                message.recent_blockhash = svm.latest_blockhash();
                Transaction::new_unsigned(message)
            }
        }
    }

    /// Whether it looks at signatures.
    pub fn is_signed(&self) -> bool {
        matches!(self, Self::Whole { .. })
    }

    pub fn process(&mut self, transaction: VersionedTransaction) -> Executed {
        match self {
            Self::Whole { context, runtime } => {
                let outcome = runtime
                    .block_on(context.banks_client.process_transaction_with_metadata(transaction))
                    .expect("the bank answers");
                let (logs, compute_units) = outcome.metadata.map_or_else(Default::default, |metadata| {
                    (metadata.log_messages, metadata.compute_units_consumed)
                });
                Executed {
                    result: outcome.result,
                    logs,
                    compute_units,
                }
            }
            Self::Light(svm) => Executed::from(svm.send_transaction(transaction)),
        }
    }

    /// What would become of a transaction. Changes nothing.
    pub fn simulate(&mut self, transaction: VersionedTransaction) -> Executed {
        match self {
            Self::Whole { context, runtime } => {
                let outcome = runtime
                    .block_on(context.banks_client.simulate_transaction(transaction))
                    .expect("the bank answers");
                let (logs, compute_units) = outcome
                    .simulation_details
                    .map_or_else(Default::default, |details| (details.logs, details.units_consumed));
                Executed {
                    result: outcome.result.unwrap_or(Ok(())),
                    logs,
                    compute_units,
                }
            }
            Self::Light(svm) => Executed::from(svm.simulate_transaction(transaction).map(|info| info.meta)),
        }
    }
}

impl From<Result<TransactionMetadata, FailedTransactionMetadata>> for Executed {
    fn from(outcome: Result<TransactionMetadata, FailedTransactionMetadata>) -> Self {
        let (result, meta) = match outcome {
            Ok(meta) => (Ok(()), meta),
            Err(failed) => (Err(failed.err), failed.meta),
        };
        Self {
            result,
            logs: meta.logs,
            compute_units: meta.compute_units_consumed,
        }
    }
}
