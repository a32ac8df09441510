use std::{fs, path::PathBuf};

use anchor_lang::{
    AccountDeserialize, AccountSerialize, Discriminator, Space, prelude::Pubkey, solana_program::program_pack::Pack,
};
use anchor_spl::token::spl_token;
use imo_client::{
    addresses::{
        model_token as of_model, opml_oracle as of_oracle, revenue_escrow as of_escrow, yield_distributor as of_pool,
    },
    instructions::revenue_escrow::{SplitReport, split},
};
use imo_protocol::Bucket;
use model_token::state::{Model, ModelVersion, Offering, OfferingStatus, Protocol, RevenueSplit};
use opml_oracle::state::{Operator, Report, ReportStatus};
use revenue_escrow::state::ModelVault;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_transaction::Transaction;
use surfpool_sdk::{Surfnet, cheatcodes::builders::DeployProgram};
use tokio::runtime::Runtime;
use yield_distributor::state::{Pool, Position};

use crate::{TemporaryFile, assert_refused, imo, stdout, workspace};

const LAMPORTS: u64 = 10_000_000;
const SUPPLY: u64 = 1_000_000_000_000;
const SPLIT: RevenueSplit = RevenueSplit {
    holders_bps: 3_000,
    redeem_bps: 1_500,
    developer_bps: 1_000,
    operator_bps: 4_000,
    protocol_bps: 500,
    contributors_bps: 0,
};

/// A cluster with a model that is sold, staked and used, put there account by account; the splits are transactions.
struct Place {
    _runtime: Runtime,
    cluster: Surfnet,
    payer: Keypair,
    mint: Pubkey,
    developer: Pubkey,
    holder: Pubkey,
    model: Pubkey,
    version: Pubkey,
    operator: Pubkey,
    vault: Pubkey,
}

/// An account whose fields are all zero, for the test to fill in.
fn zeroed<T: AccountDeserialize + Discriminator + Space>() -> T {
    let bytes = [T::DISCRIMINATOR, &vec![0; T::INIT_SPACE]].concat();
    T::try_deserialize(&mut bytes.as_slice()).unwrap()
}

fn bump(seeds: &[&[u8]], program: &Pubkey) -> u8 {
    Pubkey::find_program_address(seeds, program).1
}

impl Place {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let payer = Keypair::new_from_array([7; 32]);
        let start = Surfnet::builder()
            .offline(true)
            .airdrop_addresses(vec![payer.pubkey()])
            .airdrop_sol(10_000_000_000)
            .start();
        let cluster = runtime.block_on(start).unwrap();
        for (id, name) in [
            (model_token::ID, "model_token"),
            (opml_oracle::ID, "opml_oracle"),
            (revenue_escrow::ID, "revenue_escrow"),
            (yield_distributor::ID, "yield_distributor"),
        ] {
            let elf = fs::read(workspace("target/deploy").join(name).with_extension("so"))
                .expect("the programs are compiled: run `cargo xtask build` first");
            cluster
                .cheatcodes()
                .deploy(DeployProgram::new(id).so_bytes(elf))
                .unwrap();
        }
        let [mint, developer, holder, authority] = [1, 2, 3, 4].map(|number| Pubkey::new_from_array([number; 32]));
        let model = of_model::model(&developer, 0);
        let place = Self {
            _runtime: runtime,
            cluster,
            payer,
            mint,
            developer,
            holder,
            version: of_model::model_version(&model, 1),
            operator: of_oracle::operator(&authority, &mint),
            vault: of_escrow::vault(&model),
            model,
        };
        place.register(authority);
        place.sell_and_stake();
        place
    }

    fn put<T: AccountSerialize + Discriminator + Space>(&self, address: &Pubkey, owner: &Pubkey, account: &T) {
        let mut data = Vec::new();
        account.try_serialize(&mut data).unwrap();
        data.resize(8 + T::INIT_SPACE, 0);
        self.put_bytes(address, owner, &data);
    }

    fn put_bytes(&self, address: &Pubkey, owner: &Pubkey, data: &[u8]) {
        self.cluster
            .cheatcodes()
            .set_account(address, LAMPORTS, data, owner)
            .unwrap();
    }

    fn put_mint(&self, address: &Pubkey, program: &Pubkey, supply: u64) {
        let mut data = vec![0; spl_token::state::Mint::LEN];
        let mint = spl_token::state::Mint {
            mint_authority: None.into(),
            supply,
            decimals: 6,
            is_initialized: true,
            freeze_authority: None.into(),
        };
        mint.pack_into_slice(&mut data);
        self.put_bytes(address, program, &data);
    }

    fn put_tokens(&self, address: &Pubkey, program: &Pubkey, mint: Pubkey, owner: Pubkey, amount: u64) {
        let mut data = vec![0; spl_token::state::Account::LEN];
        let account = spl_token::state::Account {
            mint,
            owner,
            amount,
            state: spl_token::state::AccountState::Initialized,
            ..spl_token::state::Account::default()
        };
        account.pack_into_slice(&mut data);
        self.put_bytes(address, program, &data);
    }

    fn register(&self, authority: Pubkey) {
        self.put_mint(&self.mint, &anchor_spl::token::ID, 1_000_000_000_000);
        let mut protocol: Protocol = zeroed();
        protocol.bump = bump(&[b"protocol"], &model_token::ID);
        protocol.treasury = Pubkey::new_from_array([5; 32]);
        self.put(&of_model::protocol(), &model_token::ID, &protocol);
        let mut model: Model = zeroed();
        model.developer = self.developer;
        model.payment_mint = self.mint;
        model.version_count = 1;
        model.metadata.name = "Digits".to_owned();
        model.metadata.symbol = "DIGITS".to_owned();
        self.put(&self.model, &model_token::ID, &model);
        let mut version: ModelVersion = zeroed();
        version.model = self.model;
        version.split = SPLIT;
        self.put(&self.version, &model_token::ID, &version);
        let mut operator: Operator = zeroed();
        operator.authority = authority;
        self.put(&self.operator, &opml_oracle::ID, &operator);
        let mut vault: ModelVault = zeroed();
        vault.bump = bump(&[b"vault", self.model.as_ref()], &revenue_escrow::ID);
        vault.tokens_bump = bump(&[b"vault_tokens", self.model.as_ref()], &revenue_escrow::ID);
        vault.model = self.model;
        vault.mint = self.mint;
        vault.owed_units = 30_000_000;
        self.put(&self.vault, &revenue_escrow::ID, &vault);
        self.put_tokens(
            &of_escrow::vault_tokens(&self.model),
            &anchor_spl::token::ID,
            self.mint,
            self.vault,
            30_000_000,
        );
    }

    /// The holder has staked half of the supply and has a tenth besides.
    fn sell_and_stake(&self) {
        let (token, offering_address) = (of_model::mint(&self.model), of_model::offering(&self.model));
        self.put_mint(&token, &anchor_spl::token_2022::ID, SUPPLY);
        let mut offering: Offering = zeroed();
        offering.model = self.model;
        offering.payment_mint = self.mint;
        offering.mint = token;
        offering.status = OfferingStatus::Succeeded;
        offering.sale_units = SUPPLY;
        offering.min_raise_units = 1_000_000_000;
        offering.max_raise_units = 2_000_000_000;
        offering.committed_units = 3_000_000_000;
        offering.accepted_units = 2_000_000_000;
        self.put(&offering_address, &model_token::ID, &offering);
        let pool_address = of_pool::pool(&self.model);
        let mut pool: Pool = zeroed();
        pool.bump = bump(&[b"pool", self.model.as_ref()], &yield_distributor::ID);
        pool.model = self.model;
        pool.token_mint = token;
        pool.revenue_mint = self.mint;
        pool.revenue_vault_bump = bump(&[b"revenue_vault", pool_address.as_ref()], &yield_distributor::ID);
        pool.active_units = SUPPLY / 2;
        pool.staked_units = SUPPLY / 2;
        pool.epoch_slots = 3_000;
        self.put(&pool_address, &yield_distributor::ID, &pool);
        self.put_tokens(
            &of_pool::revenue_vault(&pool_address),
            &anchor_spl::token::ID,
            self.mint,
            pool_address,
            0,
        );
        let mut position: Position = zeroed();
        position.pool = pool_address;
        position.owner = self.holder;
        position.active_units = SUPPLY / 2;
        self.put(
            &of_pool::position(&pool_address, &self.holder),
            &yield_distributor::ID,
            &position,
        );
        self.put_tokens(
            &imo_client::addresses::token_account(&self.holder, &token),
            &anchor_spl::token_2022::ID,
            token,
            self.holder,
            SUPPLY / 10,
        );
    }

    /// A report that is final, split by a transaction.
    fn split(&self, sequence: u64, units: u64) {
        let address = of_oracle::report(&self.operator, sequence);
        let mut report: Report = zeroed();
        report.operator = self.operator;
        report.model = self.model;
        report.model_version = self.version;
        report.mint = self.mint;
        report.status = ReportStatus::Final;
        self.put(&address, &opml_oracle::ID, &report);
        let (bucket_address, bucket_bump) = Bucket::address(&address);
        let mut bucket: Bucket = zeroed();
        bucket.bump = bucket_bump;
        bucket.report = address;
        bucket.model = self.model;
        bucket.collected_units = units;
        self.put(&bucket_address, &revenue_escrow::ID, &bucket);
        let instruction = split(SplitReport {
            rent_payer: self.payer.pubkey(),
            report: address,
            operator: self.operator,
            operator_authority: Pubkey::new_from_array([4; 32]),
            model: self.model,
            developer: self.developer,
            model_version: self.version,
            treasury: Pubkey::new_from_array([5; 32]),
            mint: self.mint,
            due_marks: [None; 2],
        });
        let rpc = RpcClient::new(self.cluster.rpc_url());
        let hash = rpc.get_latest_blockhash().unwrap();
        let payer = self.payer.pubkey();
        let transaction = Transaction::new_signed_with_payer(&[instruction], Some(&payer), &[&self.payer], hash);
        rpc.send_and_confirm_transaction(&transaction).unwrap();
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = imo(&[arguments, &["--url", self.cluster.rpc_url(), "--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_str(stdout(&output)).unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = imo(&[arguments, &["--url", self.cluster.rpc_url()]].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        stdout(&output).to_owned()
    }
}

#[test]
fn given_a_model_that_was_sold_used_and_shared_when_it_is_looked_at_then_every_view_says_what_the_chain_does() {
    let place = Place::new();
    let model = place.model.to_string();
    let before = place.text(&["model", "earnings", &model]);
    assert!(before.contains("The RPC has no split of the model."), "{before}");
    assert!(before.contains("No projection"), "{before}");

    place.split(0, 20_000_000);
    place.split(1, 10_000_000);

    // Forty-five percent to holders and redeem pool and five to the protocol are paid to others.
    let svg = TemporaryFile::new("revenue.svg", b"");
    let earnings = place.json(&["model", "earnings", &model, "--plot", svg.path()]);
    assert_eq!(earnings["history"]["complete"], true, "{earnings}");
    assert_eq!(earnings["now"]["paid_to_others_units"], 15_000_000);
    let reports = earnings["history"]["reports"].as_array().unwrap();
    let parts = |report: &Value| {
        [
            "revenue_units",
            "holders_units",
            "redeem_units",
            "operator_units",
            "protocol_units",
        ]
        .map(|part| report[part].as_u64().unwrap())
    };
    assert_eq!(
        parts(&reports[0]),
        [20_000_000, 6_000_000, 3_000_000, 8_000_000, 1_000_000]
    );
    assert_eq!(
        parts(&reports[1]),
        [10_000_000, 3_000_000, 1_500_000, 4_000_000, 500_000]
    );
    assert_eq!(reports.len(), 2);
    assert!(earnings["projection"].is_null(), "two reports at once are no trend");
    assert!(
        fs::read_to_string(PathBuf::from(svg.path()))
            .unwrap()
            .starts_with("<svg")
    );
    let table = place.text(&["model", "earnings", &model]);
    assert!(table.contains("These are all splits"), "{table}");

    let portfolio = place.json(&["portfolio", &place.holder.to_string()]);
    let holding = &portfolio["holdings"][0];
    assert_eq!(holding["symbol"], "DIGITS");
    assert_eq!(
        ["free_units", "active_units", "pending_units"].map(|part| holding[part].as_u64().unwrap()),
        [SUPPLY / 10, SUPPLY / 2, 0]
    );
    // Half of nine, rounded down; and of the nine in the redeem pool sixty percent.
    assert_eq!(holding["claimable_units"], 4_499_999);
    assert_eq!(holding["redeemable_units"], 5_400_000);
    assert_eq!(holding["supply_percent"], 60.0);
    let developer = place.text(&["portfolio", &place.developer.to_string()]);
    assert!(developer.lines().last().unwrap().ends_with("  3"), "{developer}");
    let nobody = place.text(&["portfolio", &Pubkey::new_from_array([99; 32]).to_string()]);
    assert!(nobody.contains("holds no tokens of models"), "{nobody}");

    let offering = place.json(&["offering", "show", &model]);
    assert_eq!(offering["status"], "succeeded");
    // Two thousand for a million tokens.
    assert_eq!(offering["price"]["units_per_token"], 2_000.0);
    assert!(place.text(&["offering", "show", &model]).contains("Digits (DIGITS)"));
}

#[test]
fn given_a_history_that_does_not_add_up_when_earnings_are_shown_then_marked_incomplete() {
    let place = Place::new();
    place.split(0, 20_000_000);
    let mut vault: ModelVault = zeroed();
    vault.model = place.model;
    vault.mint = place.mint;
    vault.paid_to_others_units = 10_000_001;
    place.put(&place.vault, &revenue_escrow::ID, &vault);
    let model = place.model.to_string();
    let table = place.text(&["model", "earnings", &model]);
    assert!(table.contains("INCOMPLETE"), "{table}");
    let limited = place.json(&["model", "earnings", &model, "--limit", "0"]);
    assert_eq!(
        (&limited["history"]["limited"], &limited["history"]["complete"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn given_an_address_without_a_model_or_an_offering_when_looked_at_then_refused() {
    let place = Place::new();
    let nowhere = Pubkey::new_from_array([98; 32]).to_string();
    let url = place.cluster.rpc_url();
    assert_refused(
        &imo(&["offering", "show", &nowhere, "--url", url]),
        "There is no offering",
    );
    assert_refused(
        &imo(&["model", "earnings", &nowhere, "--url", url]),
        "There is no model",
    );
    let model = place.model.to_string();
    let unwritable = imo(&["model", "earnings", &model, "--url", url, "--plot", "/nowhere/plot.svg"]);
    assert_refused(&unwritable, "no report to draw");
    assert_refused(
        &imo(&["portfolio", &nowhere, "--url", "http://127.0.0.1:9"]),
        "does not answer",
    );
}
