//! From four deployed programs to the current state, and nothing twice.

use std::{fs, process::Output};

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::{self, spl_token};
use imo_client::addresses as at;
use imo_protocol::ids;
use model_token::state::Protocol;
use serde_json::Value;
use solana_keypair::{Keypair, Signer, write_keypair_file};
use solana_program_pack::Pack;
use solana_rpc_client::rpc_client::RpcClient;
use surfpool_sdk::{Surfnet, cheatcodes::builders::DeployProgram};
use tokio::runtime::Runtime;

use crate::{TemporaryFile, assert_refused, imo, stdout, workspace};

/// A cluster with the programs, and the files that a user of the command has.
struct Site {
    surfnet: Surfnet,
    keypair: TemporaryFile,
    cluster: TemporaryFile,
    _runtime: Runtime,
}

fn key(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

fn cluster_file(authority: &Pubkey, more: &str) -> String {
    format!(
        "authority = \"{authority}\"\nguardian = \"{}\"\ntreasury = \"{}\"\npayment_mints = [\"{}\", \"{}\"]\n{more}",
        key(21),
        key(22),
        key(23),
        key(24)
    )
}

impl Site {
    fn new(name: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let authority = Keypair::new();
        let surfnet = runtime
            .block_on(
                Surfnet::builder()
                    .offline(true)
                    .slot_time_ms(400)
                    .airdrop_addresses(vec![authority.pubkey()])
                    .airdrop_sol(100_000_000_000)
                    .start(),
            )
            .unwrap();
        for (id, file) in [(ids::MODEL_TOKEN, "model_token"), (ids::OPML_ORACLE, "opml_oracle")] {
            let elf = fs::read(workspace(&format!("target/deploy/{file}.so"))).expect("run `cargo xtask build` first");
            let cheatcodes = surfnet.cheatcodes();
            cheatcodes.deploy(DeployProgram::new(id).so_bytes(elf)).unwrap();
        }
        let site = Self {
            keypair: TemporaryFile::new(&format!("{name}-key"), b""),
            cluster: TemporaryFile::new(
                &format!("{name}-cluster"),
                cluster_file(&authority.pubkey(), "").as_bytes(),
            ),
            surfnet,
            _runtime: runtime,
        };
        write_keypair_file(&authority, site.keypair.path()).unwrap();
        site.set_upgrade_authority(&authority.pubkey());
        let mut mint = vec![0; spl_token::state::Mint::LEN];
        spl_token::state::Mint {
            decimals: 6,
            is_initialized: true,
            ..Default::default()
        }
        .pack_into_slice(&mut mint);
        for address in [key(23), key(24)] {
            let cheatcodes = site.surfnet.cheatcodes();
            cheatcodes.set_account(&address, 10_000_000, &mint, &token::ID).unwrap();
        }
        site
    }

    fn rpc(&self) -> RpcClient {
        RpcClient::new(self.surfnet.rpc_url().to_owned())
    }

    fn set_upgrade_authority(&self, authority: &Pubkey) {
        let method = "surfnet_setProgramAuthority";
        let parameters = serde_json::json!([ids::MODEL_TOKEN.to_string(), authority.to_string()]);
        let request = solana_rpc_client_api::request::RpcRequest::Custom { method };
        self.rpc().send::<Value>(request, parameters).unwrap();
    }

    fn migrate(&self, more: &[&str]) -> Output {
        let mut arguments = vec![
            "migrate",
            "--url",
            self.surfnet.rpc_url(),
            "--cluster",
            self.cluster.path(),
            "--keypair",
            self.keypair.path(),
        ];
        arguments.extend(more);
        imo(&arguments)
    }

    /// Exit code, and what became of each step.
    fn states(&self, more: &[&str]) -> (Option<i32>, Vec<String>) {
        let output = self.migrate(&[more, &["--json"]].concat());
        let shown: Value = serde_json::from_str(stdout(&output)).unwrap_or_else(|_| panic!("{output:?}"));
        let steps = shown["steps"].as_array().unwrap();
        let states = steps.iter().map(|step| step["state"].as_str().unwrap().to_owned());
        (output.status.code(), states.collect())
    }

    fn protocol(&self) -> Protocol {
        let data = self.rpc().get_account_data(&at::model_token::protocol()).unwrap();
        anchor_lang::AccountDeserialize::try_deserialize(&mut data.as_slice()).unwrap()
    }
}

#[test]
fn given_deployed_programs_when_migrated_then_current_and_nothing_happens_again() {
    let site = Site::new("once");
    assert_eq!(site.states(&["--check"]), (Some(1), vec!["due".into(); 5]));
    assert_eq!(site.states(&[]), (Some(0), vec!["done".into(); 5]));
    let protocol = site.protocol();
    assert_eq!(protocol.terms, imo_economics::defaults::terms());
    assert_eq!((protocol.guardian, protocol.treasury), (key(21), key(22)));
    assert_eq!(protocol.allowed_payment_mints(), [key(23), key(24)]);
    assert_eq!(protocol.cluster, site.rpc().get_genesis_hash().unwrap().to_bytes());
    assert_eq!(site.states(&[]), (Some(0), vec!["current".into(); 5]));
    assert_eq!(site.states(&["--check"]), (Some(0), vec!["current".into(); 5]));
}

#[test]
fn given_other_settings_when_migrated_then_proposed_and_executed_after_the_timelock() {
    let site = Site::new("later");
    assert_eq!(site.states(&[]).0, Some(0));
    let folder = std::path::PathBuf::from(format!("{}.d", site.cluster.path()));
    fs::create_dir_all(&folder).unwrap();
    let first = fs::read_to_string(workspace("migrations/0001-settings.toml")).unwrap();
    fs::write(folder.join("0001-settings.toml"), &first).unwrap();
    fs::write(
        folder.join("0002-lower-share.toml"),
        first.replace("protocol_bps = 500", "protocol_bps = 400"),
    )
    .unwrap();
    let option = ["--migrations", folder.to_str().unwrap()];
    let waiting = (Some(1), vec!["waiting".to_owned()]);
    assert_eq!(site.states(&option), waiting, "proposed");
    assert_eq!(site.states(&option), waiting, "the timelock runs");
    assert_eq!(site.protocol().protocol_bps, 500);
    let slot = site.rpc().get_slot().unwrap();
    site.surfnet
        .cheatcodes()
        .time_travel_to_slot(slot + site.protocol().timelock_slots + 1_000)
        .unwrap();
    assert_eq!(site.states(&option), (Some(0), vec!["done".into()]));
    assert_eq!(site.protocol().protocol_bps, 400);
    assert_eq!(site.states(&option), (Some(0), vec!["current".into()]));
    fs::write(
        folder.join("0003-other-epochs.toml"),
        first.replace("epoch_slots = 432_000", "epoch_slots = 432_001"),
    )
    .unwrap();
    assert_refused(&site.migrate(&option), "never change");
    fs::write(folder.join("0003-again.toml"), &first).unwrap();
    assert_refused(&site.migrate(&option), "have the same number");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn given_an_authority_that_does_not_sign_here_when_migrated_then_its_message_is_printed() {
    let site = Site::new("multisig");
    site.set_upgrade_authority(&key(9));
    let output = site.migrate(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let shown: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(shown["steps"][0]["state"], "unsigned");
    assert!(
        shown["steps"][0]["what"]
            .as_str()
            .unwrap()
            .contains(&key(9).to_string())
    );
    assert!(shown["steps"][0]["message"].as_str().unwrap().len() > 100);
    assert_eq!(shown["steps"][1]["state"], "due", "a vault needs the protocol");
}

#[test]
fn given_wrong_files_when_migrated_then_one_sentence() {
    let site = Site::new("wrong");
    let authority = key(8);
    for (text, about) in [
        (String::new(), "authority"),
        (cluster_file(&authority, "genesis_hash = \"x\""), "x is not a hash"),
        (
            cluster_file(&authority, &format!("genesis_hash = \"{}\"", key(1))),
            "is for another cluster",
        ),
    ] {
        fs::write(site.cluster.path(), text).unwrap();
        assert_refused(&site.migrate(&[]), about);
    }
    fs::write(site.cluster.path(), cluster_file(&authority, "")).unwrap();
    fs::write(site.keypair.path(), "[1, 2]").unwrap();
    assert_refused(&site.migrate(&[]), "is not a key file");
    assert_refused(
        &imo(&[
            "migrate",
            "--url",
            "http://127.0.0.1:9",
            "--cluster",
            "/nowhere",
            "--keypair",
            "/nowhere",
        ]),
        "cannot be read",
    );
}

#[test]
fn given_a_cluster_without_the_programs_when_migrated_then_refused() {
    let site = Site::new("bare");
    let runtime = Runtime::new().unwrap();
    let bare = runtime.block_on(Surfnet::builder().offline(true).start()).unwrap();
    let output = imo(&[
        "migrate",
        "--url",
        bare.rpc_url(),
        "--cluster",
        site.cluster.path(),
        "--keypair",
        site.keypair.path(),
    ]);
    assert_refused(&output, "not deployed");
}
