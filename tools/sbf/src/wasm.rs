//! A crate to WebAssembly, for browsers and Node.
//!
//! Where rustup has the target `wasm32-unknown-unknown` its rustc compiles. Elsewhere, on Debian, the rustc and the sources of the standard library that programs are
//! compiled with do, and the `rust-lld` that every toolchain of rustup brings links.

use crate::{Missing, cargo, debian, files, process, progress};
use anyhow::Result;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// Settings of the release profile, whatever the workspace says about it: the file goes over networks. Optimised for speed it is also the smallest, because more is inlined
/// and then left out.
const PROFILE: &[(&str, &str)] = &[
    ("OPT_LEVEL", "3"),
    ("LTO", "fat"),
    ("CODEGEN_UNITS", "1"),
    ("PANIC", "abort"),
    ("STRIP", "symbols"),
    ("DEBUG", "false"),
    ("INCREMENTAL", "false"),
];

/// Compiles the crate in `crate_dir`, whose library is a cdylib, to `out`. Quick when nothing changed.
pub fn build(crate_dir: &Path, out: &Path) -> Result<()> {
    let program = cargo::Program::read(crate_dir)?;
    let folder = program.target_dir.join("wasm");
    let mut command = cargo::command();
    command
        .args([
            "build",
            "--quiet",
            "--release",
            "--lib",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(&program.manifest)
        .current_dir(&program.workspace_root)
        .env("CARGO_TARGET_DIR", &folder)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    for (key, value) in PROFILE {
        command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    let mut sources = registries()?;
    if !has_target()? {
        sources.push((use_debian(&mut command, &program)?, "rust"));
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", renaming(&sources));
    progress::step(&format!("compiling {} for WebAssembly", program.library), || {
        process::run(&mut command)
    })?;
    let built = folder.join(format!("{TARGET}/release/{}.wasm", program.library));
    files::replace(out, &files::read(&built)?)
}

/// Whether rustc itself has the target's standard library.
fn has_target() -> Result<bool> {
    let folder = process::output(rustc().args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(Path::new(folder.trim()).is_dir())
}

/// Has cargo use Debian's rustc; returns where its sources are.
fn use_debian(command: &mut Command, program: &cargo::Program) -> Result<PathBuf> {
    let linker = linker()?;
    let system = debian::system(&program.target_dir)?;
    command
        .args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"])
        .env("RUSTC", system.rustc_path())
        .env("RUSTC_BOOTSTRAP", "1")
        .env("LD_LIBRARY_PATH", system.library_path()?)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    Ok(system.sysroot().join("lib/rustlib/src/rust"))
}

fn linker() -> Result<PathBuf> {
    let sysroot = process::output(rustc().args(["--print", "sysroot"]))?;
    let targets = Path::new(sysroot.trim()).join("lib/rustlib");
    files::list(&targets)?
        .into_iter()
        .map(|target| target.join("bin/rust-lld"))
        .find(|file| file.is_file())
        .or_else(|| process::find_on_path("wasm-ld"))
        .ok_or_else(|| {
            Missing(format!(
                "nothing here links WebAssembly; run `rustup target add {TARGET}`, or install lld"
            ))
            .into()
        })
}

/// The rustc that compiles the workspace.
fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

/// Folders with sources of dependencies: each registry has one of its own, named after its host.
fn registries() -> Result<Vec<(PathBuf, &'static str)>> {
    let folder = cargo::home().join("registry/src");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    Ok(files::list(&folder)?
        .into_iter()
        .map(|folder| (folder, "crates"))
        .collect())
}

/// Flags with which panic messages name no folder of this machine.
fn renaming(sources: &[(PathBuf, &str)]) -> OsString {
    let flags: Vec<OsString> = sources
        .iter()
        .map(|(path, name)| {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(path);
            flag.push("=");
            flag.push(name);
            flag
        })
        .collect();
    flags.join(OsString::from("\u{1f}").as_os_str())
}
