//! A cluster with the programs, a model, and people who want something of each other.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anchor_lang::{AccountDeserialize, Discriminator, prelude::Pubkey, solana_program::instruction::Instruction};
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
use opml::{ModelHeader, hashv};
use opml_oracle::state::{Operator, Report, ReportStatus};
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
use surfpool_sdk::{BlockProductionMode, Surfnet, cheatcodes::builders::DeployProgram};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub const ONE: u64 = 1_000_000;
pub const PRICE: u64 = 333_333;
pub const STAKE: u64 = 5_000 * ONE;
pub const POCKET: u64 = 10_000 * ONE;
pub const DEPOSIT: u64 = 9_000 * ONE;
pub const LANE: u64 = 1_000 * ONE;

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

/// The key that an operator's answers are signed with.
pub fn answer_key(operator: &str) -> Keypair {
    match operator {
        "operator" => key("answers"),
        name => key(&format!("{name}'s answers")),
    }
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

/// Everybody who has SOL and dollars from the start. Others are enrolled when they come.
const PEOPLE: [&str; 6] = ["protocol", "developer", "payer", "operator", "watcher", "treasury"];

/// A fee that audits pay where there is a fund.
pub const AUDITS: AuditTerms = AuditTerms {
    share_bps: 0,
    fee_units: ONE,
};

const SOL: u64 = 1_000_000_000;

impl World {
    /// A block for every transaction, so that nobody waits.
    pub fn new(model: Model) -> Self {
        Self::build(model, TERMS, BlockProductionMode::Transaction)
    }

    /// A block every 400 milliseconds, and other terms of disputes.
    pub fn in_real_time(model: Model, terms: DisputeTerms) -> Self {
        Self::build(model, terms, BlockProductionMode::Clock)
    }

    fn build(model: Model, terms: DisputeTerms, blocks: BlockProductionMode) -> Self {
        let runtime = Runtime::new().unwrap();
        let funded: Vec<Pubkey> = PEOPLE.iter().map(|name| key(name).pubkey()).collect();
        let starting = Surfnet::builder()
            .offline(true)
            .block_production_mode(blocks)
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
        world.publish(terms);
        world
    }

    pub fn url(&self) -> &str {
        self.surfnet.rpc_url()
    }

    pub fn websocket(&self) -> &str {
        self.surfnet.ws_url()
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
        PEOPLE.iter().for_each(|name| self.give_dollars(name));
    }

    fn give_dollars(&self, name: &str) {
        let (owner, protocol) = (key(name).pubkey(), key("protocol").pubkey());
        let account = at::payment_account(&owner, &self.mint);
        let open = create_associated_token_account_idempotent(&protocol, &owner, &self.mint, &token::ID);
        let mint = spl_token::instruction::mint_to(&token::ID, &self.mint, &account, &protocol, &[], POCKET).unwrap();
        self.send(&[open, mint], &["protocol"]);
    }

    /// Somebody else who has SOL and dollars.
    pub fn enrol(&self, name: &str) {
        let key = key(name).pubkey();
        self.surfnet.cheatcodes().fund_sol(&key, 100 * SOL).unwrap();
        self.give_dollars(name);
    }

    fn publish(&self, terms: DisputeTerms) {
        let protocol = key("protocol").pubkey();
        let args = InitProtocolArgs {
            authority: protocol,
            cluster: self.cluster(),
            settings: Settings {
                guardian: protocol,
                treasury: key("treasury").pubkey(),
                payment_mints: vec![self.mint],
                protocol_bps: SPLIT.protocol_bps,
                terms,
                timelock_slots: terms.window_slots + 2 * terms.clock_slots + terms.notice_slots,
                audits: AUDITS,
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
        let register = self.register_model(0);
        let publish = self.publish_version(self.model_address, 1, &header);
        let vault = send::revenue_escrow::open_vault(developer, self.model_address, self.mint);
        self.send(&[register, publish, vault], &["developer"]);
    }

    /// One more model of the developer.
    pub fn register_model(&self, index: u32) -> Instruction {
        let developer = key("developer").pubkey();
        let metadata = Metadata {
            name: "Model".into(),
            symbol: "MODEL".into(),
            licence: "Apache-2.0".into(),
            uri: "model".into(),
            uri_hash: hashv(&[b"model"]),
        };
        let args = RegisterModelArgs { index, metadata };
        send::model_token::register_model(developer, developer, self.mint, args)
    }

    /// The developer publishes a version that anyone can check.
    pub fn publish_version(&self, model: Pubkey, number: u16, header: &ModelHeader) -> Instruction {
        let developer = key("developer").pubkey();
        let args = PublishVersionArgs {
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
        };
        send::model_token::publish_version(developer, developer, model, number, args)
    }

    /// The operator with an endpoint, and a payer with a lane to it.
    pub fn open_business(&self, endpoint: &str) {
        self.register("operator", endpoint);
        self.open_credit();
        self.open_lane("operator", false);
    }

    /// One more operator, to whom the payer opens a lane.
    pub fn open_another_business(&self, name: &str, endpoint: &str, private: bool) {
        self.enrol(name);
        self.register(name, endpoint);
        self.open_lane(name, private);
    }

    pub fn register(&self, name: &str, endpoint: &str) {
        let authority = key(name).pubkey();
        let profile = OperatorProfile {
            backup: key("backup").pubkey(),
            endpoint: endpoint.into(),
            endpoint_key_hash: answer_key_hash(&answer_key(name).pubkey()),
        };
        let register = send::opml_oracle::register_operator(authority, authority, self.mint, profile);
        let stake = send::opml_oracle::stake_bond(authority, self.operator_of(name), self.mint, STAKE);
        self.send(&[register, stake], &[name]);
    }

    pub fn open_credit(&self) {
        let payer = key("payer").pubkey();
        let open = send::revenue_escrow::open_credit(payer, payer, self.model_address);
        let deposit =
            send::revenue_escrow::deposit_credit(payer, self.credit(), self.model_address, self.mint, DEPOSIT);
        let grant = send::revenue_escrow::grant_session(
            payer,
            payer,
            self.model_address,
            GrantSessionArgs {
                key: key("session").pubkey(),
                limit_units: DEPOSIT,
                expires_unix: self.unix() + 30 * 86_400,
            },
        );
        self.send(&[open, deposit, grant], &["payer"]);
    }

    fn open_lane(&self, name: &str, private: bool) {
        let (payer, operator) = (key("payer").pubkey(), self.operator_of(name));
        let lane = send::revenue_escrow::open_lane(payer, payer, self.model_address, operator, LANE, private);
        self.send(&[lane], &["payer"]);
    }

    pub fn operator(&self) -> Pubkey {
        self.operator_of("operator")
    }

    pub fn operator_of(&self, name: &str) -> Pubkey {
        at::opml_oracle::operator(&key(name).pubkey(), &self.mint)
    }

    pub fn report(&self, sequence: u64) -> Pubkey {
        self.report_of("operator", sequence)
    }

    pub fn report_of(&self, name: &str, sequence: u64) -> Pubkey {
        at::opml_oracle::report(&self.operator_of(name), sequence)
    }

    pub fn credit(&self) -> Pubkey {
        at::revenue_escrow::credit(&key("payer").pubkey(), &self.model_address)
    }

    pub fn lane(&self) -> Pubkey {
        self.lane_of("operator")
    }

    pub fn lane_of(&self, name: &str) -> Pubkey {
        at::revenue_escrow::lane(&self.credit(), &self.operator_of(name))
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

    /// All accounts of a kind that have a key at a place.
    pub fn having<T: AccountDeserialize + Discriminator + anchor_lang::Owner>(
        &self,
        place: usize,
        key: &Pubkey,
    ) -> Vec<(Pubkey, T)> {
        let rpc = Rpc::new(self.url());
        self.runtime.block_on(rpc.having::<T>(place, key)).unwrap()
    }

    pub fn lamports(&self, name: &str) -> u64 {
        self.rpc.get_balance(&key(name).pubkey()).unwrap()
    }

    /// The first report of an operator, once it is sealed.
    pub fn sealed(&self, name: &str) -> Report {
        self.until(&format!("{name} seals"), || {
            let report: Report = self.find(&self.report_of(name, 0))?;
            (report.status != ReportStatus::Open).then_some(report)
        })
    }

    /// Waits until a report of an operator was rejected.
    pub fn slashed(&self, name: &str) -> Operator {
        self.until(&format!("{name} is slashed"), || {
            let operator: Operator = self.find(&self.operator_of(name))?;
            (operator.stake_units < STAKE).then_some(operator)
        })
    }

    /// Dollars of somebody, in units.
    pub fn dollars(&self, name: &str) -> u64 {
        self.token_units(&at::payment_account(&key(name).pubkey(), &self.mint))
    }

    /// What is in a token account.
    pub fn token_units(&self, account: &Pubkey) -> u64 {
        let data = self.rpc.get_account_data(account).unwrap();
        spl_token::state::Account::unpack(&data).unwrap().amount
    }

    pub fn cluster(&self) -> [u8; 32] {
        self.rpc.get_genesis_hash().unwrap().to_bytes()
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
        self.purse_of("operator")
    }

    pub fn purse_of(&self, name: &str) -> Purse {
        let lane: Lane = self.find(&self.lane_of(name)).unwrap();
        let session = at::revenue_escrow::session(&self.credit(), &key("session").pubkey());
        let session: Session = self.find(&session).unwrap();
        Purse::new(PayingLane {
            cluster: self.cluster(),
            lane: self.lane_of(name),
            lane_generation: lane.generation,
            session: session.key,
            session_generation: session.generation,
            operator: self.operator_of(name),
            answer_key_hash: answer_key_hash(&answer_key(name).pubkey()),
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

    /// What is at an address, if anything answers.
    pub fn get(&self, url: &str) -> Option<String> {
        self.runtime
            .block_on(async { reqwest::get(url).await.ok()?.text().await.ok() })
    }

    /// Posts bytes: the status, and what was said.
    pub fn post_bytes(&self, url: &str, bytes: Vec<u8>) -> (u16, String) {
        self.runtime.block_on(async {
            let response = reqwest::Client::new().post(url).body(bytes).send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
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
        self.operate_as("operator", node, listener, executor, policy, self.url());
    }

    /// The same for any operator, through any RPC.
    pub fn operate_as(
        &self,
        name: &str,
        node: &Node,
        listener: std::net::TcpListener,
        executor: Option<Arc<dyn Executor>>,
        policy: Policy,
        rpc: &str,
    ) {
        self.runtime.block_on(async {
            let rpc = Arc::new(Rpc::new(rpc));
            let executor = executor.unwrap_or_else(|| Arc::new(Fast::new(&self.model, 1)));
            let look_up = Rpc::new(self.url());
            let served =
                ServedModel::with_executor(&look_up, "model", self.model_address, self.model.clone(), executor);
            let models = vec![Arc::new(served.await.unwrap())];
            let store = node.store().await;
            let blobs = node.blobs();
            let metrics = Arc::new(Metrics::default());
            let identity = Identity {
                cluster: look_up.genesis_hash().await.unwrap(),
                authority: key(name).pubkey(),
                operator: self.operator_of(name),
                mint: self.mint,
                answer_key: answer_key(name),
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
            let operator = OperatorLoop::new(rpc, store, blobs, models, key(name), self.mint, policy, metrics.clone());
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::spawn(serve(gateway, listener, node.stop.clone()));
            let [wake] = follow(
                self.websocket().into(),
                [operator.follows()],
                metrics,
                node.resign.clone(),
            );
            tokio::spawn(operator.run(wake, node.resign.clone()));
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
            let wakes = follow(self.websocket().into(), watcher.follows(), metrics, node.stop.clone());
            tokio::spawn(watcher.run(wakes, node.stop.clone()));
        });
    }
}

/// Where a daemon keeps its things, and how it is told to stop.
pub struct Node {
    pub folder: tempfile::TempDir,
    pub stop: CancellationToken,
    /// Ends the loops alone: the gateway goes on giving out what is stored.
    pub resign: CancellationToken,
}

impl Node {
    pub fn new() -> Self {
        let stop = CancellationToken::new();
        Self {
            folder: tempfile::tempdir().unwrap(),
            resign: stop.child_token(),
            stop,
        }
    }

    pub fn database(&self) -> String {
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

    pub fn blobs(&self) -> Blobs {
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
