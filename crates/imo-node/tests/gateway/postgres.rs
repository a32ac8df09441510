//! A PostgreSQL server of the test's own.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, Executor, PgConnection};

/// Whom the server runs as when the test is root, which it refuses to be.
const NOBODY: u32 = 65_534;

pub struct Postgres {
    process: Child,
    port: u16,
    made: std::sync::atomic::AtomicUsize,
    folder: tempfile::TempDir,
}

impl Postgres {
    /// `None` when it is not installed.
    pub async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if is_root(folder.path()) {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let made = command(folder.path(), "initdb")
            .args(["--auth=trust", "--username=imo", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .output()
            .ok()?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = Self {
            process: run(folder.path(), port),
            port,
            made: Default::default(),
            folder,
        };
        server.wait().await;
        Some(server)
    }

    async fn wait(&self) {
        for _ in 0..200 {
            if PgConnection::connect(&self.url("postgres")).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not answer");
    }

    /// Stops it at once, in the middle of whatever it does, and starts it again: it recovers from what it has logged.
    pub async fn restart(&mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-QUIT", &id]).status().unwrap().success());
        self.process.wait().unwrap();
        self.process = run(self.folder.path(), self.port);
        self.wait().await;
    }

    /// An empty database.
    pub async fn database(&self, case: &str) -> String {
        let number = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("case_{number}");
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        connection
            .execute(format!("CREATE DATABASE {name}").as_str())
            .await
            .expect(case);
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://imo@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &Path, port: u16) -> Child {
    let port = port.to_string();
    command(folder, "postgres")
        .args(["-p", &port, "-c", "unix_socket_directories=", "-c", "fsync=off", "-D"])
        .arg(folder.join("data"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn is_root(folder: &Path) -> bool {
    // Who made the folder.
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder).unwrap()) == 0
}

fn command(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdout(Stdio::null());
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder).unwrap());
    if owner == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
