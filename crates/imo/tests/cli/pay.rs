use crate::{TemporaryFile, assert_refused, imo};

const ADDRESS: &str = "So11111111111111111111111111111111111111112";

fn infer(arguments: &[&str]) -> std::process::Output {
    let all = [
        &[
            "pay",
            "infer",
            "--model",
            ADDRESS,
            "--operator",
            ADDRESS,
            "--payer",
            ADDRESS,
            "--input",
            "1,2",
        ][..],
        arguments,
    ];
    imo(&all.concat())
}

#[test]
fn given_an_rpc_that_is_none_when_paid_then_refused_and_no_purse_is_made() {
    let key = TemporaryFile::new("session", b"[]");
    let purse = key.0.with_extension("purse");
    let purse = purse.to_str().unwrap();
    let at = |url| infer(&["--session", key.path(), "--purse", purse, "--url", url]);
    assert_refused(&at("localhost"), "is not an RPC address");
    assert_refused(&at("http://127.0.0.1:1"), "does not answer");
    assert!(!std::path::Path::new(purse).exists());
}

#[test]
fn given_no_key_file_or_rpc_when_a_key_is_let_spend_then_refused() {
    let agent = ["--model", ADDRESS, "--key", ADDRESS];
    let delegate = |arguments: &[&str]| {
        let fixed = ["pay", "delegate", "--operator", ADDRESS, "--limit", "5"];
        imo(&[&fixed[..], &agent, arguments].concat())
    };
    assert_refused(
        &delegate(&["--payer", "none.json", "--url", "http://127.0.0.1:1"]),
        "does not answer",
    );
    let revoked = imo(&[
        &["pay", "revoke", "--payer", "none.json", "--url", "localhost"][..],
        &agent,
    ]
    .concat());
    assert_refused(&revoked, "is not an RPC address");
}
