//! Where things are, and how to call cargo on them.

use anyhow::{Context, Result, ensure};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

pub struct Project {
    pub root: PathBuf,
    /// Where intermediate results go. Results that people look for go to `root/target`, wherever this is.
    pub cargo_target: PathBuf,
}

impl Project {
    /// The checkout that this xtask was started from.
    pub fn find() -> Result<Self> {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
        let root = Path::new(&xtask)
            .parent()
            .context("xtask has no folder above it")?
            .to_owned();
        let cargo_target = sbf_tools::target_dir(&root)?;
        Ok(Self { root, cargo_target })
    }

    pub fn deploy_dir(&self) -> PathBuf {
        self.root.join("target/deploy")
    }

    pub fn idl_dir(&self) -> PathBuf {
        self.root.join("target/idl")
    }

    /// cargo, in the checkout.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// A program of the workspace, brought up to date. It is built as a part of the whole workspace, as the tests are: for one package alone cargo would
    /// choose other features, and compile most of Agave once more.
    pub fn workspace_program(&self, name: &str) -> Result<Command> {
        let built = pass_on(
            self.cargo()
                .args(["build", "--quiet", "--workspace", "--bin"])
                .arg(name),
        )?;
        ensure!(built == ExitCode::SUCCESS, "{name} was not built");
        let program = self
            .cargo_target
            .join("debug")
            .join(name)
            .with_extension(env::consts::EXE_EXTENSION);
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        Ok(command)
    }
}

/// Runs a command whose output is the user's to read, and passes its exit code on.
pub fn pass_on(command: &mut Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("{name} could not be started"))?;
    // No code means that a signal ended it.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
