use anchor_lang::{AccountSerialize, prelude::Pubkey};
use revenue_escrow::state::Earnings;
use surfpool_sdk::Surfnet;
use tokio::runtime::Runtime;

use crate::{assert_refused, imo, stdout};

const LAMPORTS: u64 = 10_000_000;

fn cluster() -> (Runtime, Surfnet) {
    let runtime = Runtime::new().unwrap();
    let surfnet = runtime.block_on(Surfnet::builder().offline(true).start()).unwrap();
    (runtime, surfnet)
}

fn earnings() -> Vec<u8> {
    let earnings = Earnings {
        version: 1,
        bump: 2,
        vault: Pubkey::new_from_array([3; 32]),
        recipient: Pubkey::new_from_array([4; 32]),
        owed_units: 56_789,
        rent_payer: Pubkey::new_from_array([5; 32]),
        audit_units: 0,
        reserved: [0; 8],
    };
    let mut data = Vec::new();
    earnings.try_serialize(&mut data).unwrap();
    data
}

#[test]
fn given_an_account_of_the_programs_when_asked_for_then_printed_decoded() {
    let (_runtime, cluster) = cluster();
    let address = Pubkey::new_from_array([9; 32]);
    cluster
        .cheatcodes()
        .set_account(&address, LAMPORTS, &earnings(), &revenue_escrow::ID)
        .unwrap();
    let output = imo(&["status", "--url", cluster.rpc_url(), &address.to_string()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).starts_with("Earnings"));
    assert!(stdout(&output).contains("owed_units: 56789"));
}

#[test]
fn given_an_address_without_such_an_account_when_asked_for_then_refused() {
    let (_runtime, cluster) = cluster();
    let status = |address: Pubkey| imo(&["status", "--url", cluster.rpc_url(), &address.to_string()]);
    assert_refused(&status(Pubkey::new_from_array([8; 32])), "There is no account");
    let foreign = Pubkey::new_from_array([7; 32]);
    cluster
        .cheatcodes()
        .set_account(&foreign, LAMPORTS, &earnings(), &anchor_spl::token::ID)
        .unwrap();
    assert_refused(&status(foreign), "none of the four programs");
    let unknown = Pubkey::new_from_array([6; 32]);
    cluster
        .cheatcodes()
        .set_account(&unknown, LAMPORTS, &[1; 100], &revenue_escrow::ID)
        .unwrap();
    assert_refused(&status(unknown), "discriminator");
}

#[test]
fn given_an_rpc_that_is_not_there_when_asked_then_refused() {
    let address = Pubkey::new_from_array([9; 32]).to_string();
    assert_refused(
        &imo(&["status", "--url", "http://127.0.0.1:9", &address]),
        "does not answer",
    );
    assert_refused(&imo(&["status", "--url", "localhost", &address]), "http://");
}
