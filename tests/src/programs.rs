//! The compiled programs, as an upgradeable deployment leaves them.

use std::{env, error::Error, fmt, fs, path::PathBuf};

use anchor_lang::prelude::Pubkey;
use serde_json::Value;
use solana_account::Account;
use solana_sdk_ids::bpf_loader_upgradeable;
use solana_sysvar::rent::Rent;

/// A program of this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// As in figures, file names and Rust paths.
    pub name: &'static str,
    pub id: Pubkey,
}

pub const PROGRAMS: [Program; 4] = [
    Program {
        name: "model_token",
        id: model_token::ID,
    },
    Program {
        name: "opml_oracle",
        id: opml_oracle::ID,
    },
    Program {
        name: "revenue_escrow",
        id: revenue_escrow::ID,
    },
    Program {
        name: "yield_distributor",
        id: yield_distributor::ID,
    },
];

/// A program that is not in `target/deploy`.
#[derive(Debug)]
pub struct NotCompiled {
    file: PathBuf,
}

impl fmt::Display for NotCompiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not there: run `cargo xtask build` first.",
            self.file.display()
        )
    }
}

impl Error for NotCompiled {}

/// The repository. Cargo says where this package is when it runs it; who starts the binary itself gets where it was compiled.
pub fn workspace() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.parent().map_or_else(PathBuf::new, PathBuf::from)
}

/// Where the results of `cargo xtask` are.
pub fn target_dir() -> PathBuf {
    workspace().join("target")
}

/// The compiled program.
pub fn elf(program: &Program) -> Result<Vec<u8>, NotCompiled> {
    let file = target_dir().join("deploy").join(format!("{}.so", program.name));
    fs::read(&file).map_err(|_| NotCompiled { file })
}

/// The program's interface, as Anchor describes it.
pub fn interface(program: &Program) -> Result<Value, NotCompiled> {
    let file = target_dir().join("idl").join(format!("{}.json", program.name));
    let text = fs::read(&file).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok())
        .ok_or(NotCompiled { file })
}

/// The names of all instructions in an interface.
pub fn instructions(interface: &Value) -> Vec<String> {
    let instructions = interface["instructions"].as_array().into_iter().flatten();
    let name = |instruction: &Value| instruction["name"].as_str().map(str::to_owned);
    instructions.filter_map(name).collect()
}

/// The accounts that deploying all programs under `upgrade_authority` makes.
pub(crate) fn accounts(upgrade_authority: &Pubkey) -> Vec<(Pubkey, Account)> {
    PROGRAMS
        .iter()
        .flat_map(|program| deployed(program, upgrade_authority))
        .collect()
}

/// The program's own account, which names the second, which holds slot, authority and code: the loader's layout.
fn deployed(program: &Program, upgrade_authority: &Pubkey) -> [(Pubkey, Account); 2] {
    const PROGRAM: u32 = 2;
    const PROGRAM_DATA: u32 = 3;
    const SOME: u8 = 1;
    let slot = 0u64;
    let (data_address, _) = Pubkey::find_program_address(&[program.id.as_ref()], &bpf_loader_upgradeable::ID);
    let pointer = [PROGRAM.to_le_bytes().as_slice(), data_address.as_ref()].concat();
    let code = [
        PROGRAM_DATA.to_le_bytes().as_slice(),
        &slot.to_le_bytes(),
        &[SOME],
        upgrade_authority.as_ref(),
        &elf(program).unwrap_or_else(|missing| panic!("{missing}")),
    ]
    .concat();
    [
        (program.id, owned_by_loader(pointer, true)),
        (data_address, owned_by_loader(code, false)),
    ]
}

fn owned_by_loader(data: Vec<u8>, executable: bool) -> Account {
    Account {
        lamports: Rent::default().minimum_balance(data.len()),
        data,
        owner: bpf_loader_upgradeable::ID,
        executable,
        rent_epoch: u64::MAX,
    }
}
