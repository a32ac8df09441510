//! The test program, compiled with this crate and loaded into Solana's virtual machine.

use litesvm::{
    LiteSVM,
    types::{FailedTransactionMetadata, TransactionMetadata},
};
use sbf_tools::{Compiler, Version, target_dir};
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The most that one transaction may use.
const COMPUTE_UNITS: u32 = 1_400_000;

static V0: LazyLock<PathBuf> = LazyLock::new(|| compile(Version::V0, "cases_v0.so"));
static V3: LazyLock<PathBuf> = LazyLock::new(|| compile(Version::V3, "cases_v3.so"));

/// The test program as a `.so`.
pub fn program(version: Version) -> &'static Path {
    match version {
        Version::V0 => &V0,
        Version::V3 => &V3,
    }
}

fn compile(version: Version, name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = here.ancestors().nth(2).unwrap();
    let target = target_dir(workspace).unwrap();
    let out = target.join("sbf-tests").join(name);
    let compiler = Compiler::find(workspace, &target).unwrap();
    compiler
        .build(&here.join("tests/programs/cases"), &out, version)
        .unwrap();
    out
}

pub struct Svm {
    machine: LiteSVM,
    payer: Keypair,
    program: Address,
}

impl Svm {
    pub fn load(program: &Path) -> Self {
        let mut machine = LiteSVM::new().with_sigverify(false);
        let (payer, id) = (Keypair::new(), Address::new_unique());
        machine.airdrop(&payer.pubkey(), 1_000_000_000_000).unwrap();
        machine.add_program(id, &fs::read(program).unwrap()).unwrap();
        Self {
            machine,
            payer,
            program: id,
        }
    }

    /// The digest that the program returns for `count` runs of a case.
    pub fn run(&mut self, case: u8, seed: u64, count: u32) -> u64 {
        let done = self
            .send(case, seed, count)
            .unwrap_or_else(|failed| panic!("seed {seed}: {failed:?}"));
        // Trailing zeros are not returned.
        let mut digest = [0; 8];
        let data = &done.return_data.data;
        digest[..data.len()].copy_from_slice(data);
        u64::from_le_bytes(digest)
    }

    pub fn send(
        &mut self,
        case: u8,
        seed: u64,
        count: u32,
    ) -> Result<TransactionMetadata, Box<FailedTransactionMetadata>> {
        let data = [&[case][..], &seed.to_le_bytes(), &count.to_le_bytes()].concat();
        let call = Instruction {
            program_id: self.program,
            accounts: Vec::new(),
            data,
        };
        self.machine.expire_blockhash();
        let message = Message::new(&[compute_limit(), call], Some(&self.payer.pubkey()));
        let transaction = Transaction::new(&[&self.payer], message, self.machine.latest_blockhash());
        self.machine.send_transaction(transaction).map_err(Box::new)
    }
}

fn compute_limit() -> Instruction {
    let program_id = "ComputeBudget111111111111111111111111111111".parse().unwrap();
    let data = [&[2][..], &COMPUTE_UNITS.to_le_bytes()].concat();
    Instruction {
        program_id,
        accounts: Vec::new(),
        data,
    }
}
