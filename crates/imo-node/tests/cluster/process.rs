//! The daemons as processes, with what they are configured with.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use solana_keypair::Keypair;

use crate::world::{World, key, workspace};

fn write_key(folder: &Path, name: &str, key: &Keypair) {
    let bytes = serde_json::to_string(&key.to_bytes().to_vec()).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), bytes).unwrap();
}

/// A configuration of both daemons with the keys that it names.
pub fn configure(world: &World, folder: &Path, listen: &str) -> PathBuf {
    for name in ["operator", "answers", "watcher"] {
        write_key(folder, name, &key(name));
    }
    let model = workspace("models/digits/digits.imo");
    let (rpc, websocket, mint, address) = (world.url(), world.websocket(), world.mint, world.model_address);
    let text = format!(
        r#"
        rpc = "{rpc}"
        websocket = "{websocket}"
        data = "data"

        [operator]
        listen = "{listen}"
        mint = "{mint}"
        authority_key = "operator.json"
        answer_key = "answers.json"
        policy = {{ report_seconds = 2, round_ms = 200 }}

        [[operator.models]]
        name = "digits"
        address = "{address}"
        file = "{}"

        [watcher]
        key = "watcher.json"
        models = ["{}"]
        "#,
        model.display(),
        model.display(),
    );
    let path = folder.join("node.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// What a watcher is told besides its keys and models.
pub struct Watching<'a> {
    pub rpc: &'a str,
    pub websocket: &'a str,
    /// Model files.
    pub models: Vec<PathBuf>,
    /// Lines of its policy.
    pub policy: &'a str,
    /// Purses of the payer, with whose session key it watches.
    pub purses: Vec<PathBuf>,
}

impl<'a> Watching<'a> {
    /// Prompt, without patience.
    pub fn new(world: &'a World) -> Self {
        Self {
            rpc: world.url(),
            websocket: world.websocket(),
            models: vec![workspace("models/digits/digits.imo")],
            policy: "round_ms = 1000, patience_slots = 0",
            purses: Vec::new(),
        }
    }

    /// Writes the configuration, and says where the watcher will listen.
    pub fn configure(&self, folder: &Path) -> (PathBuf, String) {
        write_key(folder, "watcher", &key("watcher"));
        write_key(folder, "session", &key("session"));
        let (listener, url) = crate::world::port();
        let listen = listener.local_addr().unwrap();
        drop(listener);
        let models: Vec<String> = self
            .models
            .iter()
            .map(|model| format!("{:?}", model.display().to_string()))
            .collect();
        let lanes: Vec<String> = self
            .purses
            .iter()
            .map(|purse| {
                let purse = purse.display().to_string();
                format!("[[watcher.lanes]]\npurse = {purse:?}\nsession_key = \"session.json\"\n")
            })
            .collect();
        let text = format!(
            r#"
            rpc = "{}"
            websocket = "{}"
            data = "data"

            [watcher]
            key = "watcher.json"
            models = [{}]
            listen = "{listen}"
            policy = {{ {} }}

            {}
            "#,
            self.rpc,
            self.websocket,
            models.join(", "),
            self.policy,
            lanes.concat(),
        );
        let path = folder.join("watcher.toml");
        std::fs::write(&path, text).unwrap();
        (path, url)
    }
}

pub fn node(command: &str, config: &Path) -> Command {
    let mut node = Command::new(env!("CARGO_BIN_EXE_imo-node"));
    node.args([command, "--config"]).arg(config).stdin(Stdio::null());
    node
}

/// Ends with the test, whatever becomes of it.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub fn start(command: &str, config: &Path) -> Self {
        let log = config.with_extension("log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log);
        let child = node(command, config)
            .env("NO_COLOR", "1")
            .stderr(file.unwrap())
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait()
    }

    /// What it and those before it have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What is most wanted to know of a test that failed.
            let log = self.log();
            let from = log.len().saturating_sub(12_000);
            eprintln!("{}", log.get(from..).unwrap_or(&log));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
