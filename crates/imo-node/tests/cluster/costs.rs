//! What an operator pays to the cluster for a report, from its posting until everything about it is closed, by the number of answers, and how long it takes until it is sealed. For the bench:
//! `IMO_FIGURES` names a file for it, `IMO_ANSWERS` says how many the largest has.
//!
//! The answers are put into the store as if they had been given: true ones, to questions that each lane's voucher covers. Everything from there on is the operator's own loop. Vouchers are signed
//! with the payers' session keys, collected and checked by the programs as ever.

use std::{cell::RefCell, time::Instant};

use anchor_spl::{
    associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    token::{self, spl_token},
};
use imo_client::{addresses as at, instructions::revenue_escrow as escrow, trees::RequestTree, voucher::SignedVoucher};
use imo_node::chain::{Accounts, Rpc};
use imo_protocol::{Collection, PUBLIC_SALT, Request, Session, Voucher, ids};
use opml::Hash;
use opml_oracle::state::{Operator, Report, ReportStatus};
use opml_runtime::{Model, execute};
use revenue_escrow::{instructions::GrantSessionArgs, state::Lane};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use sqlx::{Connection, SqliteConnection};

use crate::world::{Node, ONE, TERMS, World, key, policy, port, workspace};

/// So many payers' lanes take a million answers, of which a Collection has 65,536 at most.
const LANES: u64 = 16;

/// What each answer costs, in units: enough for everybody's share of one.
const UNIT: u64 = 1_000;

/// What each payer brings.
const PURSE: u64 = 100 * ONE;

/// Lamports of a signature.
const SIGNATURE: u64 = 5_000;

#[test]
fn given_reports_of_few_and_many_answers_when_all_is_closed_then_the_operator_paid_fees_for_its_lanes_and_no_rent() {
    let shop = Shop::open();
    // Accounts that stay, such as those of its earnings, are made by the first report.
    shop.report(0, 1, 1);
    let one = shop.report(1, 1, 1);
    let thousand = shop.report(2, 1, 1_000);
    // As many lanes as a million answers need.
    let answers = std::env::var("IMO_ANSWERS").map_or(16_000, |answers| answers.parse().unwrap());
    let million = shop.report(3, LANES, answers);
    let (one, thousand, million, seconds) = (one.0, thousand.0, million.0, million.1);
    assert_eq!(
        one, thousand,
        "what a report costs does not depend on how many answers a lane has"
    );
    for (lamports, lanes) in [(one, 1), (million, LANES)] {
        assert_eq!(lamports % SIGNATURE, 0, "nothing but fees");
        // Each lane: a transaction at most to collect it, with the voucher's signature, and one to close it.
        assert!(
            lamports <= SIGNATURE * (3 * lanes + 8),
            "{lamports} lamports for {lanes} lanes"
        );
    }
    if let Ok(file) = std::env::var("IMO_FIGURES") {
        let mut figures = serde_json::json!({
            "node.lamports_per_inference.1": one,
            "node.lamports_per_inference.1000": thousand as f64 / 1e3,
            "node.lamports_per_inference.1000000": million as f64 / 1e6,
        });
        if answers == 1_000_000 {
            figures["node.report_post_1m_s"] = seconds.into();
        }
        std::fs::write(file, figures.to_string()).unwrap();
    }
}

/// An operator at work, and payers with a lane each.
struct Shop {
    world: World,
    node: Node,
    /// What each payer has asked.
    asked: RefCell<Vec<RequestTree>>,
}

fn payer(lane: u64) -> String {
    format!("payer {lane}")
}

impl Shop {
    fn open() -> Self {
        let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
        let (listener, url) = port();
        world.open_business(&url);
        let node = Node::new();
        world.operate(&node, listener, None, policy());
        let asked = RefCell::new(vec![RequestTree::default(); LANES as usize]);
        let shop = Self { world, node, asked };
        (0..LANES).for_each(|lane| shop.open_lane(lane));
        shop
    }

    fn open_lane(&self, lane: u64) {
        let world = &self.world;
        let name = payer(lane);
        let (protocol, payer) = (key("protocol").pubkey(), key(&name).pubkey());
        let account = at::payment_account(&payer, &world.mint);
        let fees = transfer(&protocol, &payer, 100_000_000);
        let open = create_associated_token_account_idempotent(&protocol, &payer, &world.mint, &token::ID);
        let mint = spl_token::instruction::mint_to(&token::ID, &world.mint, &account, &protocol, &[], PURSE).unwrap();
        world.send(&[fees, open, mint], &["protocol"]);
        let args = GrantSessionArgs {
            key: key("session").pubkey(),
            limit_units: PURSE,
            expires_unix: world.unix() + 30 * 86_400,
        };
        let (model, operator) = (world.model_address, world.operator());
        let credit = at::revenue_escrow::credit(&payer, &model);
        let instructions = [
            escrow::open_credit(payer, payer, model),
            escrow::deposit_credit(payer, credit, model, world.mint, PURSE),
            escrow::open_lane(payer, payer, model, operator, PURSE, false),
            escrow::grant_session(payer, payer, model, args),
        ];
        world.send(&instructions, &[&name]);
    }

    /// Lamports that a report over so many answers on so many lanes costs the operator, and seconds until it is posted, collected and sealed.
    fn report(&self, sequence: u64, lanes: u64, answers: u64) -> (u64, f64) {
        let world = &self.world;
        let before = self.lamports();
        world.runtime.block_on(self.answer(lanes, answers / lanes)).unwrap();
        let began = Instant::now();
        let address = world.report(sequence);
        world.until("it is posted", || world.find::<Report>(&address));
        let rpc = Rpc::new(world.url());
        let collected = world.until("all lanes are collected", || {
            let collected = world.runtime.block_on(rpc.of_report::<Collection>(&address));
            collected.ok().filter(|collected| collected.len() as u64 == lanes)
        });
        world.until("it is sealed", || {
            let report: Report = world.find(&address)?;
            (report.status == ReportStatus::Sealed).then_some(())
        });
        let seconds = began.elapsed().as_secs_f64();
        let counts = collected.iter().map(|(_, collection)| u64::from(collection.count));
        assert_eq!(counts.sum::<u64>(), answers);
        world.advance(TERMS.window_slots);
        world.until("all of it is closed", || {
            let operator: Operator = world.find(&world.operator())?;
            (operator.open_reports == 0 && world.find::<Report>(&address).is_none()).then_some(())
        });
        let operator: Operator = world.find(&world.operator()).unwrap();
        assert_eq!(operator.next_sequence, sequence + 1, "one report has all of them");
        (before - self.lamports(), seconds)
    }

    fn lamports(&self) -> u64 {
        let rpc = Rpc::new(self.world.url());
        let found = self.world.runtime.block_on(rpc.accounts(&[key("operator").pubkey()]));
        found.unwrap()[0].as_ref().unwrap().lamports
    }

    /// So many more answers on each lane, all at once.
    async fn answer(&self, lanes: u64, each: u64) -> Result<(), sqlx::Error> {
        let url = format!("sqlite://{}", self.node.folder.path().join("node.db").display());
        let mut connection = SqliteConnection::connect(&url).await?;
        let mut transaction = connection.begin().await?;
        for number in 0..lanes {
            let input = self.world.input(number);
            let output = execute(&self.world.model, &input).unwrap().output().root();
            let (credit, voucher, first) = self.voucher(number, each, input.root());
            let lane = voucher.voucher.lane.to_bytes().to_vec();
            let generation = voucher.voucher.lane_generation as i64;
            sqlx::query(
                "INSERT INTO lanes (lane, generation, credit, model, model_root, private, count, amount_units, collected_count, collected_units, expires_unix, \
                 first_owed_unix, voucher) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, 0, $8, 0, $9) ON CONFLICT (lane, generation) DO UPDATE SET \
                 count = excluded.count, amount_units = excluded.amount_units, expires_unix = excluded.expires_unix, voucher = excluded.voucher",
            )
            .bind(&lane)
            .bind(generation)
            .bind(credit.to_bytes().to_vec())
            .bind(self.world.model_address.to_bytes().to_vec())
            .bind(self.world.model.model_root().to_vec())
            .bind(voucher.voucher.cumulative_count as i64)
            .bind(voucher.voucher.cumulative_amount_units as i64)
            .bind(voucher.voucher.expires_unix)
            .bind(voucher.bytes().to_vec())
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "WITH RECURSIVE counted(sequence) AS (SELECT $1 UNION ALL SELECT sequence + 1 FROM counted WHERE sequence + 1 < $2) \
                 INSERT INTO requests (lane, generation, sequence, model_root, input_root, output_root, price_units, salt) \
                 SELECT $3, $4, sequence, $5, $6, $7, $8, $9 FROM counted",
            )
            .bind(first as i64)
            .bind((first + each) as i64)
            .bind(&lane)
            .bind(generation)
            .bind(self.world.model.model_root().to_vec())
            .bind(input.root().to_vec())
            .bind(output.to_vec())
            .bind(UNIT as i64)
            .bind(PUBLIC_SALT.to_vec())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        connection.close().await
    }

    /// A lane's credit, its voucher for so many answers more, and the first of their sequences.
    fn voucher(&self, number: u64, more: u64, input_root: Hash) -> (anchor_lang::prelude::Pubkey, SignedVoucher, u64) {
        let world = &self.world;
        let session_key = key("session");
        let credit = at::revenue_escrow::credit(&key(&payer(number)).pubkey(), &world.model_address);
        let address = at::revenue_escrow::lane(&credit, &world.operator());
        let lane: Lane = world.find(&address).unwrap();
        let session = at::revenue_escrow::session(&credit, &session_key.pubkey());
        let session: Session = world.find(&session).unwrap();
        let mut asked = self.asked.borrow_mut();
        let asked = &mut asked[number as usize];
        for sequence in lane.collected_count..lane.collected_count + more {
            let request = Request {
                lane: address,
                sequence,
                model_root: world.model.model_root(),
                input_root,
                price_units: UNIT,
                salt: PUBLIC_SALT,
            };
            asked.push(&request).unwrap();
        }
        let voucher = Voucher {
            cluster: *world.purse().lane().cluster.first_chunk().unwrap(),
            escrow: ids::REVENUE_ESCROW,
            lane: address,
            lane_generation: lane.generation,
            session: session.key,
            session_generation: session.generation,
            cumulative_amount_units: lane.collected_units + more * UNIT,
            cumulative_count: lane.collected_count + more,
            requests_root: asked.root(),
            expires_unix: world.unix() + 7 * 86_400,
        };
        let signature = session_key.sign_message(&voucher.message()).into();
        (credit, SignedVoucher { voucher, signature }, lane.collected_count)
    }
}
