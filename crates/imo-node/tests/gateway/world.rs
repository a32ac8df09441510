//! A gateway on a port of this machine, with a chain that is a table.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use anchor_lang::{AccountSerialize, Owner, prelude::Pubkey};
use imo_client::{
    addresses,
    payer::{Entry, PaidQuestion, PayingLane, Purse},
    voucher::SignedVoucher,
};
use imo_node::{
    chain::{Accounts, Cache, ChainError, RawAccount},
    decoder::Layout,
    gateway::{Gateway, Identity, Limits, pay::payment_header, serve},
    metrics::Metrics,
    model::{Executor, Fast, ServedModel},
    store::{Blobs, Store},
};
use imo_protocol::{Deadline, Session, answer_key_hash};
use model_token::state::DisputeTerms;
use opml_oracle::state::Operator;
use opml_runtime::{Model, Tensor};
use revenue_escrow::state::{Credit, Lane};
use solana_keypair::Keypair;
use solana_sdk_ids::sysvar;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

pub const CLUSTER: [u8; 32] = [7; 32];
pub const PRICE: u64 = 100;
/// What the lane holds.
pub const LANE: u64 = 1_000;
pub const NOW: i64 = 1_700_000_000;
pub const EXPIRES: i64 = NOW + 100_000;

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 9_000,
    seal_slots: 9_000,
    response_slots: 4_500,
    clock_slots: 13_500,
    bond_ratio_bps: 20_000,
    min_bond_units: 50,
    challenger_bond_units: 20,
    open_fee_units: 1,
    move_cost_units: 1,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 36_000,
    notice_slots: 18_000,
    epoch_slots: 36_000,
    byte_fee_units: 1,
};

#[derive(Default)]
pub struct Table(Mutex<HashMap<Pubkey, RawAccount>>);

impl Table {
    pub fn put<T: AccountSerialize + Owner>(&self, address: Pubkey, account: &T) {
        let mut data = Vec::new();
        account.try_serialize(&mut data).unwrap();
        self.put_raw(address, T::owner(), data);
    }

    pub fn put_raw(&self, address: Pubkey, owner: Pubkey, data: Vec<u8>) {
        let account = RawAccount {
            owner,
            lamports: 1,
            data,
        };
        self.0.lock().unwrap().insert(address, account);
    }
}

#[async_trait::async_trait]
impl Accounts for Table {
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError> {
        let table = self.0.lock().unwrap();
        Ok(addresses.iter().map(|address| table.get(address).cloned()).collect())
    }
}

pub fn digits() -> Model {
    Model::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/digits/digits.imo")).unwrap()
}

pub struct World {
    pub chain: Arc<Table>,
    pub session: Keypair,
    pub answer_key: Keypair,
    pub model: Model,
    pub layout: Option<Layout>,
    pub model_address: Pubkey,
    pub operator: Pubkey,
    pub payer: Pubkey,
    pub folder: tempfile::TempDir,
    pub url: String,
    pub store: Store,
    stop: CancellationToken,
    serving: Option<tokio::task::JoinHandle<()>>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default(), None).await
    }

    pub async fn with(limits: Limits, executor: Option<Arc<dyn Executor>>) -> Self {
        Self::serving(digits(), None, limits, executor).await
    }

    pub async fn serving(
        model: Model,
        layout: Option<Layout>,
        limits: Limits,
        executor: Option<Arc<dyn Executor>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = |byte| Keypair::new_from_array([byte; 32]);
        let mut world = Self {
            chain: Arc::new(Table::default()),
            session: key(1),
            answer_key: key(2),
            model_address: key(3).pubkey(),
            operator: key(4).pubkey(),
            payer: key(5).pubkey(),
            url: String::new(),
            store: open(&folder).await,
            folder,
            model,
            layout,
            stop: CancellationToken::new(),
            serving: None,
        };
        world.chain.put(world.credit(), &world.credit_account());
        world.chain.put(world.lane(), &world.lane_account());
        world.chain.put(world.session_address(), &world.session_account());
        world.chain.put(world.operator, &world.operator_account());
        let mut clock = vec![0; 40];
        clock[..8].copy_from_slice(&1_000u64.to_le_bytes());
        clock[32..].copy_from_slice(&NOW.to_le_bytes());
        world.chain.put_raw(sysvar::clock::ID, sysvar::ID, clock);
        world.start(limits, executor).await;
        world
    }

    /// A gateway on the same store, as after a restart.
    pub async fn start(&mut self, limits: Limits, executor: Option<Arc<dyn Executor>>) {
        let served = ServedModel {
            name: "digits".into(),
            address: self.model_address,
            developer: self.payer,
            version: 1,
            price_units: PRICE,
            terms: TERMS,
            executor: executor.unwrap_or_else(|| Arc::new(Fast::new(&self.model, 1))),
            model: self.model.clone(),
            decoder: self.layout.clone(),
        };
        let identity = Identity {
            cluster: CLUSTER,
            authority: self.payer,
            operator: self.operator,
            mint: Pubkey::new_from_array([9; 32]),
            answer_key: self.answer_key.insecure_clone(),
        };
        let gateway = Gateway::new(
            identity,
            vec![Arc::new(served)],
            self.store.clone(),
            Blobs::in_folder(&self.folder.path().join("blobs")).unwrap(),
            Cache::new(self.chain.clone(), Duration::ZERO, 64),
            limits,
            Arc::new(Metrics::default()),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        self.stop = CancellationToken::new();
        self.serving = Some(tokio::spawn(serve(gateway, listener, self.stop.clone())));
    }

    pub async fn stop(&mut self) {
        self.stop.cancel();
        self.serving.take().unwrap().await.unwrap();
    }

    pub fn credit(&self) -> Pubkey {
        addresses::revenue_escrow::credit(&self.payer, &self.model_address)
    }

    pub fn lane(&self) -> Pubkey {
        addresses::revenue_escrow::lane(&self.credit(), &self.operator)
    }

    pub fn session_address(&self) -> Pubkey {
        addresses::revenue_escrow::session(&self.credit(), &self.session.pubkey())
    }

    pub fn credit_account(&self) -> Credit {
        Credit {
            version: 1,
            bump: 255,
            payer: self.payer,
            model: self.model_address,
            generation: 10,
            available_units: 0,
            reserved_units: LANE,
            withdrawing_units: 0,
            withdraw_deadline: Deadline::default(),
            open_lanes: 1,
            open_sessions: 1,
            open_collections: 0,
            rent_payer: self.payer,
            reserved: [0; 32],
        }
    }

    pub fn lane_account(&self) -> Lane {
        Lane {
            version: 1,
            bump: 255,
            credit: self.credit(),
            operator: self.operator,
            generation: 11,
            reserved_units: LANE,
            releasing_units: 0,
            release_deadline: Deadline::default(),
            collected_units: 0,
            collected_count: 0,
            rent_payer: self.payer,
            private: false,
            reserved: [0; 32],
        }
    }

    pub fn session_account(&self) -> Session {
        Session {
            version: 1,
            bump: 255,
            key: self.session.pubkey(),
            credit: self.credit(),
            generation: 12,
            limit_units: LANE,
            spent_units: 0,
            expires_unix: EXPIRES,
            revoke_deadline: Deadline::default(),
            rent_payer: self.payer,
            reserved: [0; 32],
        }
    }

    pub fn operator_account(&self) -> Operator {
        Operator {
            version: 1,
            bump: 255,
            authority: self.payer,
            backup: self.payer,
            mint: Pubkey::new_from_array([9; 32]),
            generation: 13,
            stake_units: 1_000_000,
            locked_units: 0,
            unbonding_units: 0,
            unbonding: Deadline::default(),
            next_sequence: 0,
            open_reports: 0,
            open_disputes: 0,
            endpoint_key_hash: answer_key_hash(&self.answer_key.pubkey()),
            endpoint: String::new(),
            jail: Deadline::default(),
            previous_key_hash: [0; 32],
            key_change: Deadline::default(),
            reserved: [0; 64],
        }
    }

    pub fn purse(&self) -> Purse {
        Purse::new(PayingLane {
            cluster: CLUSTER,
            lane: self.lane(),
            lane_generation: 11,
            session: self.session.pubkey(),
            session_generation: 12,
            operator: self.operator,
            answer_key_hash: answer_key_hash(&self.answer_key.pubkey()),
        })
    }

    pub fn input(&self, seed: i32) -> Tensor {
        let values: Vec<i8> = (0..64).map(|i| ((i * 7 + seed * 13) % 127) as i8).collect();
        Tensor::new(
            *self.model.input_spec(),
            values.iter().map(|value| *value as u8).collect::<Vec<_>>(),
        )
        .unwrap()
    }

    pub fn entry(&self, input: &Tensor) -> Entry {
        Entry {
            model_root: self.model.model_root(),
            input_root: input.root(),
            price_units: PRICE,
            salt: [0; 32],
        }
    }

    /// The next question of a purse.
    pub fn question(&self, purse: &mut Purse, input: &Tensor) -> PaidQuestion {
        purse.ask(self.entry(input), EXPIRES).unwrap()
    }

    pub fn sign(&self, question: &PaidQuestion) -> SignedVoucher {
        SignedVoucher {
            voucher: question.voucher,
            signature: self.session.sign_message(&question.voucher.message()).into(),
        }
    }

    pub fn header(&self, question: &PaidQuestion) -> String {
        payment_header(&self.sign(question), &question.request.salt)
    }

    pub fn values(&self, input: &Tensor) -> serde_json::Value {
        serde_json::json!({ "input": { "values": input.values() } })
    }

    pub async fn infer(&self, header: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
        let request = reqwest::Client::new().post(format!("{}/v1/infer", self.url));
        request.header("x-payment", header).body(body).send().await.unwrap()
    }

    /// Asks and expects an answer.
    pub async fn ask(&self, purse: &mut Purse, input: &Tensor) -> serde_json::Value {
        let question = self.question(purse, input);
        let response = self
            .infer(&self.header(&question), self.values(input).to_string())
            .await;
        let status = response.status();
        let body = response.text().await.unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

pub async fn open(folder: &tempfile::TempDir) -> Store {
    let url = format!("sqlite://{}", folder.path().join("node.db").display());
    Store::open(&url).await.unwrap()
}
