//! What the TypeScript client is compared with: `clients/ts/test/vectors.json`, made here by the Rust client.
//!
//! With `UPDATE_VECTORS=1` in the environment the test writes the file; commit it. Otherwise it is an error when the file differs.

use std::{env, fs, path::PathBuf};

use anchor_lang::{AccountSerialize, Discriminator, Event, prelude::Pubkey, solana_program::instruction::Instruction};
use base64::{Engine, prelude::BASE64_STANDARD};
use imo_client::{
    addresses::{self, model_token as model_token_address, opml_oracle, revenue_escrow, yield_distributor},
    errors,
    instructions::{
        model_token,
        opml_oracle::{OperatorProfile, register_operator},
        revenue_escrow::{self as escrow, CollectedLane},
    },
    payer::{Entry, PayingLane, Purse},
    trees::{AllowList, ReceiptTree},
    voucher::{SignedVoucher, verify_signature},
};
use imo_protocol::{Answer, Deadline, Receipt, Request, answer_key_hash, ids, question_hash};
use opml::Claim;
use opml_runtime::{
    Model, Tensor, execute,
    synthetic::{self, DecoderSizes},
};
use serde_json::{Value, json};
use solana_keypair::{Keypair, Signer, keypair_from_seed};

fn key(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn addresses() -> Value {
    let (a, b, hash) = (key(1), key(2), [3; 32]);
    let hash_text = hex(hash);
    let (a_text, b_text) = (a.to_string(), b.to_string());
    let model = |name: &str, seeds: Value, address: Pubkey| json!(["model-token", name, seeds, address.to_string()]);
    let oracle = |name: &str, seeds: Value, address: Pubkey| json!(["opml-oracle", name, seeds, address.to_string()]);
    let escrow =
        |name: &str, seeds: Value, address: Pubkey| json!(["revenue-escrow", name, seeds, address.to_string()]);
    let yields =
        |name: &str, seeds: Value, address: Pubkey| json!(["yield-distributor", name, seeds, address.to_string()]);
    json!([
        model("Protocol", json!({}), model_token_address::protocol()),
        model("ProtocolUpdate", json!({}), model_token_address::protocol_update()),
        model(
            "Model",
            json!({"creator": a_text, "index": 70_000}),
            model_token_address::model(&a, 70_000)
        ),
        model(
            "MetadataUpdate",
            json!({"model": a_text}),
            model_token_address::metadata_update(&a)
        ),
        model(
            "ModelVersion",
            json!({"model": a_text, "number": 300}),
            model_token_address::model_version(&a, 300)
        ),
        model(
            "Appointment",
            json!({"model": a_text, "operatorAuthority": b_text}),
            model_token_address::appointment(&a, &b)
        ),
        model("Offering", json!({"model": a_text}), model_token_address::offering(&a)),
        model(
            "Commitment",
            json!({"offering": a_text, "investor": b_text}),
            model_token_address::commitment(&a, &b)
        ),
        model("Mint", json!({"model": a_text}), model_token_address::mint(&a)),
        model(
            "PaymentVault",
            json!({"offering": a_text}),
            model_token_address::payment_vault(&a)
        ),
        model(
            "TokenVault",
            json!({"offering": a_text}),
            model_token_address::token_vault(&a)
        ),
        oracle("StakeVault", json!({"mint": a_text}), opml_oracle::stake_vault(&a)),
        oracle("StakeTokens", json!({"mint": a_text}), opml_oracle::stake_tokens(&a)),
        oracle(
            "Operator",
            json!({"authority": a_text, "mint": b_text}),
            opml_oracle::operator(&a, &b)
        ),
        oracle(
            "Report",
            json!({"operator": a_text, "sequence": 258}),
            opml_oracle::report(&a, 258)
        ),
        oracle(
            "Dispute",
            json!({"report": a_text, "challenger": b_text, "nonce": 259}),
            opml_oracle::dispute(&a, &b, 259)
        ),
        oracle(
            "Trace",
            json!({"report": a_text, "claimHash": {"hex": hash_text}}),
            opml_oracle::trace(&a, &hash)
        ),
        oracle(
            "Inquiry",
            json!({"report": a_text, "demander": b_text, "nonce": 260}),
            opml_oracle::inquiry(&a, &b, 260)
        ),
        oracle(
            "Equivocation",
            json!({"operator": a_text, "question": {"hex": hash_text}}),
            opml_oracle::equivocation(&a, &hash)
        ),
        oracle("AuditFund", json!({"mint": a_text}), opml_oracle::audit_fund(&a)),
        oracle("AuditTokens", json!({"mint": a_text}), opml_oracle::audit_tokens(&a)),
        oracle(
            "Audit",
            json!({"report": a_text, "number": 7}),
            opml_oracle::audit(&a, 7)
        ),
        oracle(
            "AuditEntry",
            json!({"audit": a_text, "auditor": b_text}),
            opml_oracle::audit_entry(&a, &b)
        ),
        escrow("Vault", json!({"model": a_text}), revenue_escrow::vault(&a)),
        escrow(
            "VaultTokens",
            json!({"model": a_text}),
            revenue_escrow::vault_tokens(&a)
        ),
        escrow(
            "Credit",
            json!({"payer": a_text, "model": b_text}),
            revenue_escrow::credit(&a, &b)
        ),
        escrow(
            "Session",
            json!({"credit": a_text, "key": b_text}),
            revenue_escrow::session(&a, &b)
        ),
        escrow(
            "Lane",
            json!({"credit": a_text, "operator": b_text}),
            revenue_escrow::lane(&a, &b)
        ),
        escrow("Bucket", json!({"report": a_text}), revenue_escrow::bucket(&a)),
        escrow(
            "Collection",
            json!({"report": a_text, "lane": b_text}),
            revenue_escrow::collection(&a, &b)
        ),
        escrow(
            "Earnings",
            json!({"vault": a_text, "recipient": b_text}),
            revenue_escrow::earnings(&a, &b)
        ),
        escrow(
            "Contributions",
            json!({"modelVersion": a_text}),
            revenue_escrow::contributions(&a)
        ),
        escrow("Depositor", json!({}), revenue_escrow::depositor()),
        yields("Pool", json!({"model": a_text}), yield_distributor::pool(&a)),
        yields(
            "StakeVault",
            json!({"pool": a_text}),
            yield_distributor::stake_vault(&a)
        ),
        yields(
            "RevenueVault",
            json!({"pool": a_text}),
            yield_distributor::revenue_vault(&a)
        ),
        yields(
            "Position",
            json!({"pool": a_text, "owner": b_text}),
            yield_distributor::position(&a, &b)
        ),
        yields(
            "ClaimDelegation",
            json!({"pool": a_text, "owner": b_text}),
            yield_distributor::claim_delegation(&a, &b)
        ),
        yields(
            "EpochMark",
            json!({"pool": a_text, "epoch": 261}),
            yield_distributor::epoch_mark(&a, 261)
        ),
        yields(
            "Vesting",
            json!({"pool": a_text, "owner": b_text}),
            yield_distributor::vesting(&a, &b)
        ),
    ])
}

fn token_accounts() -> Value {
    let (owner, mint) = (key(1), key(2));
    json!({
        "owner": owner.to_string(),
        "mint": mint.to_string(),
        "payment": addresses::payment_account(&owner, &mint).to_string(),
        "token": addresses::token_account(&owner, &mint).to_string(),
    })
}

fn session_key() -> Keypair {
    keypair_from_seed(&[21; 32]).unwrap()
}

fn paying_lane() -> PayingLane {
    PayingLane {
        cluster: [1; 32],
        lane: key(2),
        lane_generation: 3,
        session: session_key().pubkey(),
        session_generation: 4,
        operator: key(5),
        answer_key_hash: answer_key_hash(&answer_keypair().pubkey()),
    }
}

fn answer_keypair() -> Keypair {
    keypair_from_seed(&[22; 32]).unwrap()
}

fn entry(number: u8) -> Entry {
    Entry {
        model_root: [number; 32],
        input_root: [number + 1; 32],
        price_units: 250_000 + u64::from(number),
        salt: [number + 2; 32],
    }
}

/// Questions of a lane one after another, each with its voucher and its answer.
fn purse() -> Value {
    let lane = paying_lane();
    let mut purse = Purse::new(lane);
    let questions: Vec<Value> = (0..6)
        .map(|number| {
            let entry = entry(number);
            let paid = purse.ask(entry, 1_900_000_000 - i64::from(number)).unwrap();
            let Request { sequence, .. } = paid.request;
            let claim = Claim {
                model_root: entry.model_root,
                input_root: entry.input_root,
                output_root: [number + 100; 32],
            };
            let receipt = Receipt {
                lane: lane.lane,
                sequence,
                claim,
                salt: entry.salt,
            };
            let answer = Answer {
                cluster: lane.cluster,
                oracle: ids::OPML_ORACLE,
                operator: lane.operator,
                claim,
            };
            let message = paid.voucher.message();
            json!({
                "request": hex(paid.request.bytes()),
                "requestLeaf": hex(paid.request.leaf().unwrap()),
                "requestsRoot": hex(paid.voucher.requests_root),
                "voucher": hex(message),
                "signature": hex(session_key().sign_message(&message)),
                "outputRoot": hex(claim.output_root),
                "receipt": hex(receipt.bytes()),
                "receiptLeaf": hex(receipt.leaf(0).unwrap()),
                "claimHash": hex(claim.claim_hash()),
                "questionHash": hex(question_hash(&claim)),
                "answer": hex(answer.message()),
                "answerSignature": hex(answer_keypair().sign_message(&answer.message())),
            })
        })
        .collect();
    json!({
        "sessionSeed": hex([21; 32]),
        "session": session_key().pubkey().to_string(),
        "answerKey": answer_keypair().pubkey().to_string(),
        "answerKeyHash": hex(lane.answer_key_hash),
        "lane": lane.lane.to_string(),
        "operator": lane.operator.to_string(),
        "questions": questions,
    })
}

fn trees() -> Value {
    let first = 5;
    let receipts: Vec<Receipt> = (0..11u8)
        .map(|number| Receipt {
            lane: key(9),
            sequence: first + u64::from(number),
            claim: Claim {
                model_root: [1; 32],
                input_root: [number; 32],
                output_root: [3; 32],
            },
            salt: [0; 32],
        })
        .collect();
    let tree = ReceiptTree::over(first, &receipts).unwrap();
    let wallets: Vec<(Pubkey, u64)> = (1..=5).map(|number| (key(number), u64::from(number) * 10)).collect();
    let list = AllowList::over(&wallets).unwrap();
    let tensors: Vec<Value> = [1usize, 511, 512, 513, 1024, 5000]
        .iter()
        .map(|length| {
            let values: Vec<i8> = (0..*length).map(|index| (index * 7 % 251) as u8 as i8).collect();
            let tensor = Tensor::from_i8(&[1, u32::try_from(*length).unwrap()], &values).unwrap();
            json!([length, hex(tensor.root())])
        })
        .collect();
    json!({
        "firstSequence": first,
        "receipts": receipts.iter().map(|receipt| hex(receipt.bytes())).collect::<Vec<_>>(),
        "receiptsRoot": hex(tree.root()),
        "receiptPaths": (0..11).map(|index| tree.path(index).unwrap().iter().map(hex).collect()).collect::<Vec<Vec<_>>>(),
        "allowListRoot": hex(list.root()),
        "allowance": list.allowance(&key(4)).unwrap().path.iter().map(hex).collect::<Vec<_>>(),
        "tensorRoots": tensors,
    })
}

fn instruction(instruction: &Instruction) -> Value {
    json!({
        "program": instruction.program_id.to_string(),
        "accounts": instruction.accounts.iter().map(|meta| json!([meta.pubkey.to_string(), meta.is_signer, meta.is_writable])).collect::<Vec<_>>(),
        "data": hex(&instruction.data),
    })
}

/// Those that the client is most used for, between the payer 1, the model 2, the operator 3 and the mint 4.
fn instructions() -> Value {
    let (payer, model, operator, mint) = (key(1), key(2), key(3), key(4));
    let credit = revenue_escrow::credit(&payer, &model);
    let voucher = Purse::new(paying_lane()).ask(entry(0), 1_900_000_000).unwrap().voucher;
    let signed = SignedVoucher {
        voucher,
        signature: session_key().sign_message(&voucher.message()).into(),
    };
    let collected = CollectedLane {
        authority: key(6),
        rent_payer: key(7),
        operator,
        report: key(8),
        credit,
    };
    let [check, collect] = escrow::collect(collected, &signed, [9; 32]);
    let profile = OperatorProfile {
        backup: key(6),
        endpoint: "https://a.example".into(),
        endpoint_key_hash: [7; 32],
    };
    let grant = ::revenue_escrow::instructions::GrantSessionArgs {
        key: key(5),
        limit_units: 77,
        expires_unix: 1_900_000_000,
    };
    let allowance = AllowList::over(&[(payer, 10), (key(9), 0)])
        .unwrap()
        .allowance(&payer)
        .unwrap();
    json!({
        "openCredit": instruction(&escrow::open_credit(payer, payer, model)),
        "depositCredit": instruction(&escrow::deposit_credit(payer, credit, model, mint, 1_000_000)),
        "openLane": instruction(&escrow::open_lane(payer, payer, model, operator, 600_000, true)),
        "fundLane": instruction(&escrow::fund_lane(payer, model, operator, 5)),
        "grantSession": instruction(&escrow::grant_session(payer, payer, model, grant)),
        "verifyVoucher": instruction(&check),
        "collect": instruction(&collect),
        "commit": instruction(&model_token::commit(payer, payer, model, mint, 123_456_789)),
        "commitListed": instruction(&model_token::commit_listed(payer, payer, model, mint, 5, allowance)),
        "settleOffering": instruction(&model_token::settle_offering(payer, model)),
        "registerOperator": instruction(&register_operator(payer, key(5), mint, profile)),
        "verifyLong": instruction(&verify_signature(&key(1), &[2; 64], &[3; 300])),
    })
}

fn account_and_event() -> Value {
    let lane = ::revenue_escrow::state::Lane {
        version: 1,
        bump: 254,
        credit: key(1),
        operator: key(2),
        generation: u64::MAX,
        reserved_units: 1 << 60,
        releasing_units: 5,
        release_deadline: Deadline {
            opened_slot: 1,
            due_slot: 2,
            due_unix: -3,
        },
        collected_units: 6,
        collected_count: 7,
        rent_payer: key(3),
        private: true,
        reserved: [0; 32],
    };
    let mut bytes = Vec::new();
    lane.try_serialize(&mut bytes).unwrap();
    let claimed = ::yield_distributor::events::Claimed {
        pool: key(1),
        owner: key(2),
        amount_units: 1 << 60,
    };
    assert!(
        claimed
            .data()
            .starts_with(::yield_distributor::events::Claimed::DISCRIMINATOR)
    );
    json!({ "lane": hex(bytes), "claimed": BASE64_STANDARD.encode(claimed.data()) })
}

/// Every code that means something, by program.
fn refusals() -> Value {
    let codes = (100..=6_999).chain(9_000..=9_199);
    [
        ids::MODEL_TOKEN,
        ids::OPML_ORACLE,
        ids::REVENUE_ESCROW,
        ids::YIELD_DISTRIBUTOR,
    ]
    .into_iter()
    .map(|program| {
        let known: serde_json::Map<String, Value> = codes
            .clone()
            .filter_map(|code| errors::lookup(&program, code))
            .map(|refusal| (refusal.code.to_string(), json!([refusal.name, refusal.message])))
            .collect();
        (program.to_string(), Value::from(known))
    })
    .collect::<serde_json::Map<_, _>>()
    .into()
}

fn run(model: &Model, input: &Tensor) -> Value {
    let execution = execute(model, input).unwrap();
    let claim = execution.claim();
    json!({
        "input": BASE64_STANDARD.encode(input.bytes()),
        "inputRoot": hex(claim.input_root),
        "outputRoot": hex(claim.output_root),
        "values": execution.output().values(),
    })
}

/// What the reference executor says, for the verifier in WebAssembly: the classifier of `models/digits`, and a step of a small decoder.
fn models() -> Value {
    let digits = Model::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/digits/digits.imo")).unwrap();
    let sizes = DecoderSizes {
        layers: 2,
        width: 16,
        heads: 2,
        key_heads: 1,
        feed_forward: 24,
        vocabulary: 40,
        cache: 5,
    };
    let decoder = sizes.step(7).unwrap();
    let described = |model: &Model| {
        json!({
            "modelRoot": hex(model.model_root()),
            "header": hex(model.header().encode()),
            "output": hex(model.output_spec().encode()),
        })
    };
    json!({
        "digits": {
            "model": described(&digits),
            "runs": (0..4).map(|seed| run(&digits, &synthetic::tensor(digits.input_spec(), seed))).collect::<Vec<_>>(),
        },
        "decoder": {
            "file": BASE64_STANDARD.encode(decoder.to_bytes()),
            "model": described(&decoder),
            "runs": (0..3).map(|seed| run(&decoder, &sizes.input(seed).unwrap())).collect::<Vec<_>>(),
        },
    })
}

#[test]
fn given_the_rust_client_when_the_vectors_are_made_then_they_are_those_that_typescript_is_tested_with() {
    let vectors = json!({
        "addresses": addresses(),
        "tokenAccounts": token_accounts(),
        "purse": purse(),
        "trees": trees(),
        "instructions": instructions(),
        "encoded": account_and_event(),
        "errors": refusals(),
        "models": models(),
    });
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../clients/ts/test/vectors.json");
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&vectors).unwrap() + "\n").unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        serde_json::from_str(&committed).is_ok_and(|committed: Value| committed == vectors),
        "clients/ts/test/vectors.json is not what the Rust client makes; run this test with UPDATE_VECTORS=1 and commit the file"
    );
}
