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
    _folder: tempfile::TempDir,
}

impl Postgres {
    /// `None` when it is not installed.
    pub async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if is_root(folder.path()) {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command(folder.path(), "initdb")
            .args(["--auth=trust", "--username=imo", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .ok()?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let process = command(folder.path(), "postgres")
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
                "-D",
            ])
            .arg(&data)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            process,
            port,
            made: Default::default(),
            _folder: folder,
        };
        for _ in 0..200 {
            if PgConnection::connect(&server.url("postgres")).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not answer");
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
