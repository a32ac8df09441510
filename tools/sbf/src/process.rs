//! Running other programs and saying clearly what failed.

use anyhow::{Context, Result, bail};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Runs to the end and returns what was printed to standard output; a failure carries what was printed to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = succeed(command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Like [`output`], but passes warnings on to the user.
pub fn run(command: &mut Command) -> Result<()> {
    let output = succeed(command)?;
    if !output.stderr.is_empty() {
        eprint!("\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn succeed(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output)
}

/// The first file of that name in the folders of the PATH.
pub fn find_on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
}
