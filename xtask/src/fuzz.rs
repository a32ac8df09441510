//! Looking for bytes that break a promise of `fuzz/`, with libFuzzer.

use crate::project::{Project, pass_on};
use anyhow::{Result, bail};
use sbf_tools::{Missing, process, progress};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const CARGO_FUZZ: &str = "0.13.2";
/// What a decoder may take for any file of a stranger's, in MiB; libFuzzer and its sanitizer are included.
const MEMORY_MIB: u32 = 2048;
/// What one input may take, in seconds.
const SECONDS_OF_AN_INPUT: u32 = 20;

/// Fuzzes one target, or each in turn, for so many seconds each.
pub fn run(project: &Project, target: Option<&str>, seconds: u32) -> Result<ExitCode> {
    let targets = targets(project)?;
    if let Some(unknown) = target.filter(|name| !targets.iter().any(|target| target == name)) {
        bail!("{unknown} is no fuzz target; the targets are {}", targets.join(", "));
    }
    let cargo_fuzz = install(project)?;
    for target in targets
        .iter()
        .filter(|name| target.is_none_or(|wanted| wanted == *name))
    {
        let found = project.root.join("target/fuzz").join(target);
        fs::create_dir_all(found.join("corpus"))?;
        eprintln!("== {target}: {seconds} s; what breaks it goes to {}", found.display());
        let code = pass_on(
            nightly(&cargo_fuzz)
                .current_dir(&project.root)
                .args(["run", "--fuzz-dir=fuzz/libfuzzer", "--target-dir"])
                .arg(project.cargo_target.join("fuzz/build"))
                .arg(target)
                // The first folder takes new inputs.
                .arg(found.join("corpus"))
                .arg(project.root.join("fuzz/corpus").join(target))
                .arg("--")
                .arg(format!("-artifact_prefix={}/", found.display()))
                .arg(format!("-max_total_time={seconds}"))
                .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
                .arg(format!("-timeout={SECONDS_OF_AN_INPUT}")),
        )?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Each has a folder of seeds.
fn targets(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(project.root.join("fuzz/corpus"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// cargo-fuzz, compiled into `target/tools` when it is not there.
fn install(project: &Project) -> Result<PathBuf> {
    if process::output(nightly(Path::new("rustc")).arg("--version")).is_err() {
        return Err(Missing(
            "fuzzing needs a nightly toolchain; install one with `rustup toolchain install nightly`".to_owned(),
        )
        .into());
    }
    let root = project.root.join("target/tools");
    let program = root.join("bin/cargo-fuzz");
    let installed = process::output(Command::new(&program).arg("--version")).unwrap_or_default();
    if !installed.contains(CARGO_FUZZ) {
        progress::step("compiling cargo-fuzz", || {
            process::output(
                project
                    .cargo()
                    .args([
                        "install",
                        "--quiet",
                        "--locked",
                        "--force",
                        "cargo-fuzz",
                        "--version",
                        CARGO_FUZZ,
                        "--root",
                    ])
                    .arg(&root),
            )
        })?;
    }
    Ok(program)
}

/// A program of the nightly toolchain, or one that calls its cargo, whatever toolchain started this.
fn nightly(program: &Path) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly"])
        .arg(program)
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}
