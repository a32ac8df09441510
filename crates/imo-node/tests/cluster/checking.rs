//! `imo-node check`, and what a node refuses to start with.

use std::process::Output;

use opml_runtime::Model;

use crate::{
    process::{configure, node},
    world::{World, key, workspace},
};

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn given_a_configuration_when_checked_then_told_what_is_missing_until_nothing_is() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&world, folder.path(), "127.0.0.1:0");
    let before = node("check", &config).output().unwrap();
    assert_eq!(before.status.code(), Some(1));
    assert!(
        text(&before).contains("MISSING The operator is not registered"),
        "{}",
        text(&before)
    );
    let refused = node("operate", &config).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("The operator is not registered"),
        "{}",
        text(&refused)
    );

    world.open_business("http://127.0.0.1:1");
    let hasty = node("check", &config).output().unwrap();
    assert_eq!(hasty.status.code(), Some(1));
    assert!(
        text(&hasty).contains("MISSING With a report every 2 seconds"),
        "{}",
        text(&hasty)
    );
    let calm = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, calm.replace("report_seconds = 2", "report_seconds = 60")).unwrap();
    let after = node("check", &config).output().unwrap();
    assert_eq!(after.status.code(), Some(0), "{}", text(&after));
    assert!(text(&after).contains("digits is version 1"), "{}", text(&after));

    let other = serde_json::to_string(&key("somebody").to_bytes().to_vec()).unwrap();
    let wrong_key = node("operate", &config)
        .env("IMO_NODE_ANSWER_KEY", other)
        .output()
        .unwrap();
    assert_eq!(wrong_key.status.code(), Some(1));
    assert!(
        text(&wrong_key).contains("names another key for answers"),
        "{}",
        text(&wrong_key)
    );

    let unreachable = node("check", &config)
        .args(["--rpc", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(
        text(&unreachable).contains("RPC does not answer"),
        "{}",
        text(&unreachable)
    );
}
