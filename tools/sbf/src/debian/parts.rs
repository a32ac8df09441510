//! The parts of the toolchain that are our own: code generator, runtime functions, ELF writer.

use super::{cpp::CppCompiler, system::System};
use crate::{
    cargo, files, process, progress,
    stage::{self, Fingerprint},
};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Source files by name, compiled into this crate so that it works wherever it is called from.
type Sources = &'static [(&'static str, &'static str)];

const SHARED: Sources = &[
    ("support.h", include_str!("../../codegen/support.h")),
    ("support.cpp", include_str!("../../codegen/support.cpp")),
];
const COLLECT: Sources = &[("collect.cpp", include_str!("../../codegen/collect.cpp"))];
const CODEGEN: Sources = &[
    ("floats.cpp", include_str!("../../codegen/floats.cpp")),
    ("input.cpp", include_str!("../../codegen/input.cpp")),
    ("input.h", include_str!("../../codegen/input.h")),
    ("integers.cpp", include_str!("../../codegen/integers.cpp")),
    ("main.cpp", include_str!("../../codegen/main.cpp")),
    ("memory.cpp", include_str!("../../codegen/memory.cpp")),
    ("operations.cpp", include_str!("../../codegen/operations.cpp")),
    ("operations.h", include_str!("../../codegen/operations.h")),
    ("passes.cpp", include_str!("../../codegen/passes.cpp")),
    ("passes.h", include_str!("../../codegen/passes.h")),
    ("signatures.cpp", include_str!("../../codegen/signatures.cpp")),
    ("signatures.h", include_str!("../../codegen/signatures.h")),
    ("wide.cpp", include_str!("../../codegen/wide.cpp")),
    ("wide.h", include_str!("../../codegen/wide.h")),
];
const RUNTIME: Sources = &[
    ("lib.rs", include_str!("../../runtime/lib.rs")),
    ("floats.rs", include_str!("../../runtime/floats.rs")),
    ("integers.rs", include_str!("../../runtime/integers.rs")),
    ("memory.rs", include_str!("../../runtime/memory.rs")),
];

/// Our C++ tools, `sbf-collect` and `sbf-codegen`. Returns their folder and a digest of what they were made from.
pub fn codegen(folder: &Path, system: &System) -> Result<(PathBuf, String)> {
    let folder = folder.join("codegen");
    let fingerprint = [SHARED, COLLECT, CODEGEN]
        .into_iter()
        .fold(Fingerprint::default().with(system.fingerprint().hex()), with_sources);
    stage::ensure(&folder, &fingerprint, |folder| {
        progress::step("compiling the code generator", || {
            let compiler = CppCompiler::find(system)?;
            let shared = compiler.compile(&write_sources(folder, SHARED)?)?;
            let collect = compiler.compile(&write_sources(folder, COLLECT)?)?;
            let codegen = compiler.compile(&write_sources(folder, CODEGEN)?)?;
            compiler.link(&[shared.clone(), collect].concat(), &folder.join("sbf-collect"))?;
            compiler.link(&[shared, codegen].concat(), &folder.join("sbf-codegen"))
        })
    })?;
    Ok((folder, fingerprint.hex()))
}

/// `runtime.bc`, bitcode that sbf-codegen links on demand.
pub fn runtime(folder: &Path, system: &System) -> Result<(PathBuf, String)> {
    let folder = folder.join("runtime");
    let fingerprint = with_sources(Fingerprint::default().with(system.fingerprint().hex()), RUNTIME);
    stage::ensure(&folder, &fingerprint, |folder| {
        progress::step("compiling the runtime functions", || {
            write_sources(folder, RUNTIME)?;
            // At opt-level 2 LLVM would turn the 64 x 64 bit multiply back into the 128 bit one that it implements.
            let options = [
                "opt-level=1",
                "target-cpu=v2",
                "panic=abort",
                "debuginfo=0",
                "codegen-units=1",
            ];
            process::run(
                system
                    .rustc()?
                    .args([
                        "--edition=2021",
                        "--crate-type=lib",
                        "--emit=llvm-bc",
                        "--target=bpfel-unknown-none",
                    ])
                    .args(options.iter().flat_map(|option| ["-C", option]))
                    .arg("-o")
                    .arg(folder.join("runtime.bc"))
                    .arg(folder.join("lib.rs")),
            )
        })
    })?;
    Ok((folder.join("runtime.bc"), fingerprint.hex()))
}

/// The `sbf-elf` program, built from the workspace.
pub fn elf(folder: &Path, workspace_root: &Path, target_dir: &Path) -> Result<(PathBuf, String)> {
    const MANIFEST: &str = include_str!("../../elf/Cargo.toml");
    const MAIN: &str = include_str!("../../elf/src/main.rs");
    let folder = folder.join("elf");
    let fingerprint = Fingerprint::default().with(MANIFEST).with(MAIN);
    stage::ensure(&folder, &fingerprint, |folder| {
        progress::step("compiling the ELF writer", || {
            process::run(
                cargo::command()
                    .args(["build", "--quiet", "--package=sbf-elf"])
                    .current_dir(workspace_root)
                    .env("CARGO_TARGET_DIR", target_dir)
                    .env_remove("CARGO_BUILD_TARGET"),
            )?;
            files::copy(&target_dir.join("debug/sbf-elf"), &folder.join("sbf-elf"))
        })
    })?;
    Ok((folder.join("sbf-elf"), fingerprint.hex()))
}

fn with_sources(fingerprint: Fingerprint, sources: Sources) -> Fingerprint {
    sources.iter().fold(fingerprint, |fingerprint, (name, text)| {
        fingerprint.with(name).with(text)
    })
}

fn write_sources(folder: &Path, sources: Sources) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    for (name, text) in sources {
        let path = folder.join(name);
        files::write(&path, text)?;
        written.push(path);
    }
    Ok(written)
}
