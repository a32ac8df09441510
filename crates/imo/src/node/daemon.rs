//! `imo-node` processes: how they are told what to do, started, and stopped.

use std::{
    ffi::OsStr,
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};

use crate::error::UserError;

/// How long a daemon may take until it listens, and until it has stopped.
const PATIENCE: Duration = Duration::from_secs(40);

const GLANCE: Duration = Duration::from_millis(50);

/// The program beside this one, or the one that the user names.
pub fn program(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let program = match named {
        Some(program) => program.to_owned(),
        None => std::env::current_exe()?.with_file_name("imo-node"),
    };
    if program.is_file() {
        return Ok(program);
    }
    Err(UserError::new(format!(
        "The program {} is missing: build it with `cargo build --workspace --bin imo-node`, or name it with `--node FILE`.",
        program.display()
    ))
    .into())
}

/// A running daemon. It is killed when this is dropped, and stops by itself when this process is gone.
pub struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `imo-node` with these arguments; what it says goes to `log`.
    pub fn start(program: &Path, name: &'static str, arguments: &[&OsStr], log: PathBuf) -> anyhow::Result<Self> {
        let written = File::options().create(true).append(true).open(&log)?;
        let child = Command::new(program)
            .arg("--until-input-ends")
            .args(arguments)
            // Logs are read in files.
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(written.try_clone()?)
            .stderr(written)
            // Ctrl-C at the terminal is for this process, which stops the others in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} was not started", program.display()))?;
        Ok(Self { name, child, log })
    }

    /// Waits until it listens on a port.
    pub fn wait_for_port(&mut self, port: u16) -> anyhow::Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begin = Instant::now();
        while TcpStream::connect_timeout(&address, GLANCE).is_err() {
            self.check()?;
            anyhow::ensure!(
                begin.elapsed() < PATIENCE,
                "The {} does not listen on port {port}; its log is {}",
                self.name,
                self.log.display()
            );
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// An error when it has ended by itself.
    pub fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow!("The {} ended with {status}: {}", self.name, self.last_words())),
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().last().unwrap_or("it said nothing").to_owned()
    }

    /// Lets it finish what it is doing.
    pub fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let begin = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(
                begin.elapsed() < PATIENCE,
                "The {} did not stop and was killed",
                self.name
            );
            thread::sleep(GLANCE);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
