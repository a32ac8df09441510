//! Which accounts transactions write: what two of them both write, only one of them can be about at a time.

use std::collections::BTreeSet;

use ::opml_oracle::state::Operator;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow},
};
use imo_tests::{
    Outcome, World,
    models::{dense, honest},
    programs::{PROGRAMS, interface},
    world::{BOND, usdc},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// What an instruction writes, its fee payer included.
fn written(instructions: &[Instruction], fee_payer: &Pubkey) -> BTreeSet<Pubkey> {
    let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
    let writable = metas.filter(|meta| meta.is_writable).map(|meta| meta.pubkey);
    writable.chain([*fee_payer]).collect()
}

#[test]
fn given_two_payers_of_two_reports_when_posted_and_collected_then_they_write_no_account_in_common() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    // One model, two operators, two payers: as close as two reports of different people come.
    let published = world.given_model(&cast, &model);
    world.given_vault(&cast, &published);
    let sides: Vec<(&Keypair, &Keypair)> = vec![(&cast.operator, &cast.payer), (&cast.rival, &cast.alice)];
    let mut posting = Vec::new();
    let mut collecting = Vec::new();
    for (operator, payer) in sides {
        let address = world.given_operator(operator, &cast.backup.pubkey());
        let session = world.key();
        let mut customer = world.given_customer(payer, &session, &published, address);
        let key = operator.pubkey();
        let state: Operator = world.read(&address);
        let post = world.post_of(&state, world.report_terms(&published, BOND));
        let report = addresses::opml_oracle::report(&address, state.next_sequence);
        let bucket = revenue_escrow::open_bucket(key, report);
        posting.push(written(&[post.clone(), bucket.clone()], &key));
        world.send(&[post, bucket], &[operator]).expect_ok();
        let (receipts, voucher) = world.given_answers(&mut customer, &[honest(&model, 0, usdc(1))]);
        let lane = world.collected_lane(operator, &customer, report);
        let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
        let seal = opml_oracle::seal_report(key, &world.read(&report));
        collecting.push(written(&[collect.as_slice(), &[seal]].concat(), &key));
        world.send(&collect, &[operator]).expect_ok();
    }
    for locks in [posting, collecting] {
        let shared: BTreeSet<_> = locks[0].intersection(&locks[1]).collect();
        assert!(shared.is_empty(), "both write {shared:?}");
        assert!(locks.iter().all(|written| written.len() > 2));
    }
}

/// Accounts that are configuration, and the instructions that write them: those that change it, and none in which anybody is paid, served or judged.
const CONFIGURATION: [(&str, &[&str]); 3] = [
    (
        "protocol",
        &[
            "accept_authority",
            "execute_update",
            "init_protocol",
            "propose_authority",
            "set_pause",
        ],
    ),
    ("model_version", &["activate_version", "publish_version"]),
    (
        "model",
        &[
            "accept_developer",
            "activate_version",
            "apply_metadata",
            "propose_developer",
            "publish_version",
            "register_model",
            "set_operator_access",
        ],
    ),
];

#[test]
fn given_any_instruction_when_its_accounts_are_read_then_configuration_is_written_only_where_it_changes() {
    for (account, writers) in CONFIGURATION {
        let mut found = BTreeSet::new();
        for program in &PROGRAMS {
            let interface = interface(program).expect("the programs are built");
            for instruction in interface["instructions"]
                .as_array()
                .expect("a program has instructions")
            {
                let accounts = instruction["accounts"].as_array().expect("an instruction has accounts");
                let written = accounts
                    .iter()
                    .any(|named| named["name"] == account && named["writable"] == true);
                if written {
                    found.insert(
                        instruction["name"]
                            .as_str()
                            .expect("an instruction has a name")
                            .to_owned(),
                    );
                }
            }
        }
        let expected: BTreeSet<String> = writers.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(found, expected, "who writes `{account}`");
    }
}
