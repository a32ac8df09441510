//! What `dist/` calls is what the command takes.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use clap::{CommandFactory, Parser};
use imo_node::config::Cli;

fn folder() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

/// Variables that the command reads: those of its options, and of its keys.
fn variables() -> BTreeSet<String> {
    let keys = ["IMO_NODE_AUTHORITY_KEY", "IMO_NODE_ANSWER_KEY", "IMO_NODE_WATCHER_KEY"];
    let command = Cli::command();
    let options = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let options = options.filter_map(|option| Some(option.get_env()?.to_str()?.to_owned()));
    options.chain(keys.map(str::to_owned)).collect()
}

/// Every word that is the name of one of the node's variables is one that it reads.
fn assert_variables(text: &str) {
    let known = variables();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: Vec<_> = words.filter(|word| word.starts_with("IMO_NODE_")).collect();
    assert!(!named.is_empty());
    for word in named {
        assert!(known.contains(word), "{word} is read by nothing: {known:?}");
    }
}

/// The values of a key, in order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).map(|(_, value)| value).collect()
}

#[test]
fn given_the_unit_when_its_command_is_parsed_then_it_starts_each_daemon_as_nobody_special() {
    let unit = read("imo-node@.service");
    let [start] = values(&unit, "ExecStart")[..] else {
        panic!("one command");
    };
    for daemon in ["operate", "watch"] {
        Cli::try_parse_from(start.replace("%i", daemon).split(' ')).unwrap();
    }
    assert_variables(&unit);
    assert_eq!(values(&unit, "User"), ["imo-node"]);
    assert_eq!(values(&unit, "Restart"), ["always"]);
    let state = format!("/var/lib/{}", values(&unit, "StateDirectory")[0]);
    assert!(values(&unit, "Environment")[0].contains(&format!("IMO_NODE_DATA={state}")));
}

#[test]
fn given_systemd_when_it_reads_the_unit_then_it_has_nothing_to_say() {
    // It looks for the command, too.
    let unit = read("imo-node@.service").replace("/usr/local/bin/imo-node", env!("CARGO_BIN_EXE_imo-node"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("imo-node@operate.service");
    std::fs::write(&file, unit).unwrap();
    let Ok(said) = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&file)
        .output()
    else {
        eprintln!("systemd is not installed here: this is left out");
        return;
    };
    let text = String::from_utf8_lossy(&said.stderr);
    // What else is wrong with this machine's units is not ours.
    let ours: Vec<_> = text.lines().filter(|line| line.contains("imo-node")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn given_the_image_when_its_parts_are_read_then_the_command_starts_as_nobody_special() {
    let image = read("Dockerfile");
    let stages: Vec<&str> = image.split("\nFROM ").skip(1).collect();
    let [build, last] = stages[..] else {
        panic!("two stages");
    };
    let manifest = include_str!("../../../../Cargo.toml");
    let rust = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap();
    assert!(
        build.starts_with(&format!("rust:{}-", rust.trim_matches('"'))),
        "{build}"
    );

    let list = |name: &str| -> Vec<String> {
        let line = last.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        serde_json::from_str(line.trim()).unwrap()
    };
    let (entry, rest) = (list("ENTRYPOINT"), list("CMD"));
    let config = ["--config".to_owned(), "/etc/imo-node/node.toml".to_owned()];
    Cli::try_parse_from([entry.clone(), rest, config.to_vec()].concat()).unwrap();
    let copied = last.lines().find(|line| line.starts_with("COPY --from=build")).unwrap();
    assert!(copied.ends_with(&format!(" {}", entry[0])), "{copied}");
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert!(!user.starts_with("0") && !user.starts_with("root"), "{user}");
    assert_variables(&image);
    // Nothing of the machine that builds it.
    assert!(!image.contains("://"), "no address");
}
