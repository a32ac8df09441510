//! A cluster with the programs, a model, and people who want something of each other.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anchor_lang::{AccountDeserialize, prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::{
    associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    token::{self, spl_token},
};
use imo_client::{
    addresses as at, instructions as send,
    payer::{Entry, PayingLane, Purse},
    voucher::SignedVoucher,
};
use imo_node::{
    chain::{Cache, Rpc, follow},
    gateway::{Gateway, Identity, Limits, pay::payment_header, serve},
    metrics::Metrics,
    model::{Executor, Fast, ServedModel},
    operator::{OperatorLoop, Policy},
    store::{Blobs, Store},
    watcher::{WatchPolicy, WatchedModel, WatcherLoop},
};
use imo_protocol::{Session, answer_key_hash, ids};
use model_token::{
    instructions::{InitProtocolArgs, PublishVersionArgs, RegisterModelArgs},
    state::{AuditTerms, Checkable, DisputeTerms, Metadata, RevenueSplit, Settings},
};
use opml::hashv;
use opml_runtime::{Model, Tensor};
use revenue_escrow::{instructions::GrantSessionArgs, state::Lane};
use send::opml_oracle::OperatorProfile;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;
use solana_transaction::Transaction;
use sqlx::Connection;
use surfpool_sdk::{Surfnet, cheatcodes::builders::DeployProgram};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub const ONE: u64 = 1_000_000;
pub const PRICE: u64 = 333_333;
pub const STAKE: u64 = 5_000 * ONE;
pub const POCKET: u64 = 10_000 * ONE;
pub const DEPOSIT: u64 = 3_000 * ONE;
pub const LANE: u64 = 2_000 * ONE;

pub const SPLIT: RevenueSplit = RevenueSplit {
    holders_bps: 4_000,
    redeem_bps: 1_000,
    developer_bps: 2_000,
    operator_bps: 2_500,
    protocol_bps: 500,
    contributors_bps: 0,
};

pub const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 9_000,
    seal_slots: 9_000,
    response_slots: 1_000,
    clock_slots: 13_500,
    bond_ratio_bps: 20_000,
    min_bond_units: 50 * ONE,
    challenger_bond_units: 20 * ONE,
    open_fee_units: ONE / 2,
    move_cost_units: ONE,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 36_000,
    notice_slots: 18_000,
    epoch_slots: 36_000,
    byte_fee_units: 10,
};

/// A key that follows from a name.
pub fn key(name: &str) -> Keypair {
    Keypair::new_from_array(hashv(&[b"imo-node tests", name.as_bytes()]))
}

pub fn workspace(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

pub struct World {
    pub runtime: Runtime,
    surfnet: Surfnet,
    rpc: RpcClient,
    pub model: Model,
    pub mint: Pubkey,
    pub model_address: Pubkey,
}

const PEOPLE: [&str; 6] = ["protocol", "developer", "payer", "operator", "watcher", "treasury"];

impl World {
    pub fn new(model: Model) -> Self {
        const SOL: u64 = 1_000_000_000;
        let runtime = Runtime::new().unwrap();
        let funded: Vec<Pubkey> = PEOPLE.iter().map(|name| key(name).pubkey()).collect();
        let starting = Surfnet::builder()
            .offline(true)
            .slot_time_ms(400)
            .airdrop_addresses(funded)
            .airdrop_sol(100 * SOL)
            .start();
        let surfnet = runtime.block_on(starting).unwrap();
        let rpc = RpcClient::new_with_commitment(surfnet.rpc_url(), CommitmentConfig::confirmed());
        let world = Self {
            runtime,
            surfnet,
            rpc,
            model,
            mint: key("dollars").pubkey(),
            model_address: at::model_token::model(&key("developer").pubkey(), 0),
        };
        world.deploy();
        world.make_money();
        world.publish();
        world
    }

    pub fn url(&self) -> &str {
        self.surfnet.rpc_url()
    }

    fn deploy(&self) {
        for (name, id) in [
            ("model_token.so", ids::MODEL_TOKEN),
            ("yield_distributor.so", ids::YIELD_DISTRIBUTOR),
            ("opml_oracle.so", ids::OPML_ORACLE),
            ("revenue_escrow.so", ids::REVENUE_ESCROW),
        ] {
            let elf = std::fs::read(workspace("target/deploy").join(name)).expect("the programs are built first");
            self.surfnet
                .cheatcodes()
                .deploy(DeployProgram::new(id).so_bytes(elf))
                .unwrap();
            let method = "surfnet_setProgramAuthority";
            let parameters = serde_json::json!([id.to_string(), key("protocol").pubkey().to_string()]);
            self.rpc
                .send::<serde_json::Value>(RpcRequest::Custom { method }, parameters)
                .unwrap();
        }
    }

    fn make_money(&self) {
        let protocol = key("protocol").pubkey();
        let rent = self
            .rpc
            .get_minimum_balance_for_rent_exemption(spl_token::state::Mint::LEN)
            .unwrap();
        let create = create_account(
            &protocol,
            &self.mint,
            rent,
            spl_token::state::Mint::LEN as u64,
            &token::ID,
        );
        let initialise = spl_token::instruction::initialize_mint2(&token::ID, &self.mint, &protocol, None, 6).unwrap();
        self.send(&[create, initialise], &["protocol", "dollars"]);
        for name in PEOPLE {
            let owner = key(name).pubkey();
            let account = at::payment_account(&owner, &self.mint);
            let open = create_associated_token_account_idempotent(&protocol, &owner, &self.mint, &token::ID);
            let mint =
                spl_token::instruction::mint_to(&token::ID, &self.mint, &account, &protocol, &[], POCKET).unwrap();
            self.send(&[open, mint], &["protocol"]);
        }
    }

    fn publish(&self) {
        let protocol = key("protocol").pubkey();
        let args = InitProtocolArgs {
            authority: protocol,
            cluster: self.rpc.get_genesis_hash().unwrap().to_bytes(),
            settings: Settings {
                guardian: protocol,
                treasury: key("treasury").pubkey(),
                payment_mints: vec![self.mint],
                protocol_bps: SPLIT.protocol_bps,
                terms: TERMS,
                timelock_slots: 90_000,
                audits: AuditTerms {
                    share_bps: 0,
                    fee_units: ONE,
                },
            },
        };
        self.send(
            &[send::model_token::init_protocol(protocol, protocol, args)],
            &["protocol"],
        );
        self.send(
            &[send::opml_oracle::create_stake_vault(protocol, self.mint)],
            &["protocol"],
        );
        let developer = key("developer").pubkey();
        let header = *self.model.header();
        let register = send::model_token::register_model(
            developer,
            developer,
            self.mint,
            RegisterModelArgs {
                index: 0,
                metadata: Metadata {
                    name: "Model".into(),
                    symbol: "MODEL".into(),
                    licence: "Apache-2.0".into(),
                    uri: "model".into(),
                    uri_hash: hashv(&[b"model"]),
                },
            },
        );
        let publish = send::model_token::publish_version(
            developer,
            developer,
            self.model_address,
            1,
            PublishVersionArgs {
                arithmetic_version: header.arithmetic_version,
                node_count: header.node_count,
                constant_count: header.constant_count,
                graph_root: header.graph_root,
                weights_root: header.weights_root,
                input_spec: header.input.encode(),
                split: SPLIT,
                price_units: PRICE,
                checkable: Checkable::Anyone,
                weights_uri: "weights".into(),
                weights_uri_hash: hashv(&[b"weights"]),
                contributors_bps: Vec::new(),
            },
        );
        let vault = send::revenue_escrow::open_vault(developer, self.model_address, self.mint);
        self.send(&[register, publish, vault], &["developer"]);
    }

    /// The operator with an endpoint, and a payer with a lane to it.
    pub fn open_business(&self, endpoint: &str) {
        let authority = key("operator").pubkey();
        let profile = OperatorProfile {
            backup: key("backup").pubkey(),
            endpoint: endpoint.into(),
            endpoint_key_hash: answer_key_hash(&key("answers").pubkey()),
        };
        let register = send::opml_oracle::register_operator(authority, authority, self.mint, profile);
        let stake = send::opml_oracle::stake_bond(authority, self.operator(), self.mint, STAKE);
        self.send(&[register, stake], &["operator"]);

        let payer = key("payer").pubkey();
        let open = send::revenue_escrow::open_credit(payer, payer, self.model_address);
        let deposit =
            send::revenue_escrow::deposit_credit(payer, self.credit(), self.model_address, self.mint, DEPOSIT);
        let lane = send::revenue_escrow::open_lane(payer, payer, self.model_address, self.operator(), LANE, false);
        let grant = send::revenue_escrow::grant_session(
            payer,
            payer,
            self.model_address,
            GrantSessionArgs {
                key: key("session").pubkey(),
                limit_units: LANE,
                expires_unix: self.unix() + 30 * 86_400,
            },
        );
        self.send(&[open, deposit, lane, grant], &["payer"]);
    }

    pub fn operator(&self) -> Pubkey {
        at::opml_oracle::operator(&key("operator").pubkey(), &self.mint)
    }

    pub fn report(&self, sequence: u64) -> Pubkey {
        at::opml_oracle::report(&self.operator(), sequence)
    }

    pub fn credit(&self) -> Pubkey {
        at::revenue_escrow::credit(&key("payer").pubkey(), &self.model_address)
    }

    pub fn lane(&self) -> Pubkey {
        at::revenue_escrow::lane(&self.credit(), &self.operator())
    }

    pub fn unix(&self) -> i64 {
        self.clock().1
    }

    fn clock(&self) -> (u64, i64) {
        let data = self.rpc.get_account_data(&solana_sdk_ids::sysvar::clock::ID).unwrap();
        let number = |at: usize| u64::from_le_bytes(*data[at..].first_chunk().unwrap());
        (number(0), number(32).cast_signed())
    }

    pub fn data(&self, address: &Pubkey) -> Vec<u8> {
        self.rpc.get_account_data(address).unwrap()
    }

    pub fn slot(&self) -> u64 {
        self.clock().0
    }

    /// Moves the clock to where a deadline of so many slots is surely past.
    pub fn advance(&self, slots: u64) {
        let slot = self.clock().0 + slots + 10;
        self.surfnet.cheatcodes().time_travel_to_slot(slot).unwrap();
    }

    pub fn send(&self, instructions: &[Instruction], signers: &[&str]) {
        let keys: Vec<Keypair> = signers.iter().map(|name| key(name)).collect();
        let blockhash = self.rpc.get_latest_blockhash().unwrap();
        let mut transaction = Transaction::new_with_payer(instructions, Some(&keys[0].pubkey()));
        transaction.sign(&keys.iter().collect::<Vec<_>>(), blockhash);
        self.rpc.send_and_confirm_transaction(&transaction).unwrap();
    }

    pub fn find<T: AccountDeserialize>(&self, address: &Pubkey) -> Option<T> {
        let found = self
            .rpc
            .get_account_with_commitment(address, CommitmentConfig::confirmed());
        let account = found.unwrap().value?;
        Some(T::try_deserialize(&mut account.data.as_slice()).unwrap())
    }

    /// Dollars of somebody, in units.
    pub fn dollars(&self, name: &str) -> u64 {
        let account = at::payment_account(&key(name).pubkey(), &self.mint);
        let data = self.rpc.get_account_data(&account).unwrap();
        spl_token::state::Account::unpack(&data).unwrap().amount
    }

    /// Waits for something that the daemons do.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(120), "never: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn purse(&self) -> Purse {
        let lane: Lane = self.find(&self.lane()).unwrap();
        let session = at::revenue_escrow::session(&self.credit(), &key("session").pubkey());
        let session: Session = self.find(&session).unwrap();
        Purse::new(PayingLane {
            cluster: self.rpc.get_genesis_hash().unwrap().to_bytes(),
            lane: self.lane(),
            lane_generation: lane.generation,
            session: session.key,
            session_generation: session.generation,
            operator: self.operator(),
            answer_key_hash: answer_key_hash(&key("answers").pubkey()),
        })
    }

    pub fn input(&self, seed: u64) -> Tensor {
        let spec = *self.model.input_spec();
        let bytes: Vec<u8> = (0..spec.byte_len())
            .map(|i| ((i * 7 + seed * 13) % 127) as u8)
            .collect();
        Tensor::new(spec, bytes).unwrap()
    }

    pub fn entry(&self, input: &Tensor) -> Entry {
        Entry {
            model_root: self.model.model_root(),
            input_root: input.root(),
            price_units: PRICE,
            salt: [0; 32],
        }
    }

    /// The next question: its payment header and body.
    pub fn question(&self, purse: &mut Purse, input: &Tensor) -> (String, String) {
        let question = purse.ask(self.entry(input), self.unix() + 7 * 86_400).unwrap();
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: key("session").sign_message(&question.voucher.message()).into(),
        };
        let body = serde_json::json!({ "input": { "values": input.values() } });
        (payment_header(&voucher, &question.request.salt), body.to_string())
    }

    pub fn post(&self, url: &str, header: &str, body: &str) -> Result<(u16, serde_json::Value), reqwest::Error> {
        self.runtime.block_on(async {
            let response = reqwest::Client::new()
                .post(format!("{url}/v1/infer"))
                .timeout(Duration::from_secs(20))
                .header("x-payment", header)
                .body(body.to_owned())
                .send()
                .await?;
            let status = response.status().as_u16();
            Ok((
                status,
                serde_json::from_str(&response.text().await?).unwrap_or_default(),
            ))
        })
    }

    /// Asks and expects an answer.
    pub fn ask(&self, url: &str, purse: &mut Purse, input: &Tensor) -> serde_json::Value {
        let (header, body) = self.question(purse, input);
        let (status, answer) = self.post(url, &header, &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// An operator's daemons inside this process.
    pub fn operate(
        &self,
        node: &Node,
        listener: std::net::TcpListener,
        executor: Option<Arc<dyn Executor>>,
        policy: Policy,
    ) {
        self.runtime.block_on(async {
            let rpc = Arc::new(Rpc::new(self.url()));
            let executor = executor.unwrap_or_else(|| Arc::new(Fast::new(&self.model, 1)));
            let served = ServedModel::with_executor(&rpc, "model", self.model_address, self.model.clone(), executor);
            let models = vec![Arc::new(served.await.unwrap())];
            let store = node.store().await;
            let blobs = node.blobs();
            let metrics = Arc::new(Metrics::default());
            let identity = Identity {
                cluster: rpc.genesis_hash().await.unwrap(),
                authority: key("operator").pubkey(),
                operator: self.operator(),
                mint: self.mint,
                answer_key: key("answers"),
            };
            let gateway = Gateway::new(
                identity,
                models.clone(),
                store.clone(),
                blobs.clone(),
                Cache::new(rpc.clone(), Duration::from_millis(200), 64),
                Limits::default(),
                metrics.clone(),
            );
            let operator = OperatorLoop::new(
                rpc,
                store,
                blobs,
                models,
                key("operator"),
                self.mint,
                policy,
                metrics.clone(),
            );
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::spawn(serve(gateway, listener, node.stop.clone()));
            let [wake] = follow(
                self.surfnet.ws_url().into(),
                [operator.follows()],
                metrics,
                node.stop.clone(),
            );
            tokio::spawn(operator.run(wake, node.stop.clone()));
        });
    }

    /// A watcher's daemon inside this process.
    pub fn watch(&self, node: &Node, policy: WatchPolicy) {
        self.runtime.block_on(async {
            let rpc = Arc::new(Rpc::new(self.url()));
            let models = vec![WatchedModel::new(self.model.clone())];
            let metrics = Arc::new(Metrics::default());
            let store = node.store().await;
            let watcher = WatcherLoop::new(
                rpc,
                store,
                node.blobs(),
                models,
                key("watcher"),
                policy,
                metrics.clone(),
            );
            let watcher = watcher.await.unwrap();
            let wakes = follow(
                self.surfnet.ws_url().into(),
                watcher.follows(),
                metrics,
                node.stop.clone(),
            );
            tokio::spawn(watcher.run(wakes, node.stop.clone()));
        });
    }
}

/// Where a daemon keeps its things, and how it is told to stop.
pub struct Node {
    pub folder: tempfile::TempDir,
    pub stop: CancellationToken,
}

impl Node {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            stop: CancellationToken::new(),
        }
    }

    fn database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("node.db").display())
    }

    async fn store(&self) -> Store {
        Store::open(&self.database()).await.unwrap()
    }

    /// Gives an input out no more.
    pub async fn withhold(&self, input: &Tensor) {
        let mut connection = sqlx::SqliteConnection::connect(&self.database()).await.unwrap();
        let changed = sqlx::query("UPDATE inputs SET public = 0 WHERE root = $1")
            .bind(input.root().to_vec())
            .execute(&mut connection)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
    }

    fn blobs(&self) -> Blobs {
        Blobs::in_folder(&self.folder.path().join("blobs")).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A port of this machine, and how it is reached.
pub fn port() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Prompt daemons.
pub fn policy() -> Policy {
    Policy {
        report_seconds: 0,
        round_ms: 300,
        ..Policy::default()
    }
}

pub fn watch_policy() -> WatchPolicy {
    WatchPolicy {
        round_ms: 300,
        ..WatchPolicy::default()
    }
}

/// An operator that tells the truth but for some questions, and stands by every lie.
pub struct Liar {
    pub fast: Fast,
    pub lies: Mutex<HashMap<[u8; 32], imo_client::challenge::Answer>>,
}

impl Executor for Liar {
    fn output(&self, input: &Tensor) -> Result<Tensor, opml_runtime::execute::ExecuteError> {
        match self.lies.lock().unwrap().get(&input.root()) {
            Some(lie) => Ok(lie.output().clone()),
            None => self.fast.output(input),
        }
    }

    fn answer(&self, input: &Tensor) -> Result<imo_client::challenge::Answer, opml_runtime::execute::ExecuteError> {
        match self.lies.lock().unwrap().get(&input.root()) {
            Some(lie) => Ok(lie.clone()),
            None => self.fast.answer(input),
        }
    }
}
