//! Program crate to `.so`: cargo compiles to bitcode, then sbf-codegen and sbf-elf translate it.

use super::Toolchain;
use crate::{
    Version,
    cargo::{self, Program},
    files, process, progress, stage,
};
use anyhow::{Context, Result};
use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = include_str!("../../sbf-solana.json");

/// Settings of the release profile, whatever the workspace says about it: programs are for a chain.
const PROFILE: &[(&str, &str)] = &[
    // Money is counted here, so arithmetic that overflows must fail.
    ("OVERFLOW_CHECKS", "true"),
    ("PANIC", "abort"),
    ("DEBUG", "false"),
    ("INCREMENTAL", "false"),
    ("CODEGEN_UNITS", "1"),
    // sbf-codegen optimises the whole program.
    ("LTO", "off"),
];

impl Toolchain {
    pub fn build(&self, program: &Program, out: &Path, version: Version) -> Result<()> {
        let folder = program.target_dir.join("sbf");
        files::create_folder(&folder)?;
        let lock = File::create(folder.join("lock")).context("creating the lock file of program builds")?;
        lock.lock().context("waiting for another program build")?;

        let bitcode = progress::step(&format!("compiling {}", program.library), || {
            self.compile(program, &folder)
        })?;
        let stamp = folder.join(format!("{}.{}.fingerprint", program.library, version.name()));
        let linked = folder.join(format!("{}.{}.so", program.library, version.name()));
        let fingerprint = self.translation.clone().with(files::read(&bitcode)?).hex();
        if !(linked.is_file() && files::read_text(&stamp).is_ok_and(|old| old == fingerprint)) {
            files::remove(&stamp)?;
            progress::step(
                &format!("translating {} to SBF {}", program.library, version.name()),
                || self.translate(&bitcode, &linked, version),
            )?;
            files::write(&stamp, fingerprint)?;
        }
        files::replace(out, &files::read(&linked)?)
    }

    /// Runs cargo; returns the archive of bitcode that sbf-collect leaves in the library's place.
    fn compile(&self, program: &Program, folder: &Path) -> Result<PathBuf> {
        // cargo takes the standard library for something that never changes. Ours does when the edits change, so
        // its results are kept only as long as the toolchain stays the same.
        let folder = folder.join("cargo");
        stage::ensure(&folder, self.system.fingerprint(), |_| Ok(()))?;
        let target = folder.join("sbf-solana.json");
        files::replace(&target, TARGET.as_bytes())?;
        let mut command = cargo::command();
        command
            .args(["build", "--quiet", "--release", "--lib", "--manifest-path"])
            .arg(&program.manifest)
            .args(["-Zjson-target-spec", "-Zbuild-std=core,alloc,std,panic_abort"])
            // Code of the library that is smaller, and sorts that need less stack.
            .arg("-Zbuild-std-features=optimize_for_size")
            .arg("--target")
            .arg(&target)
            .current_dir(&program.workspace_root)
            .env("CARGO_TARGET_DIR", &folder)
            .env("RUSTC", self.system.rustc_path())
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LD_LIBRARY_PATH", self.system.library_path()?)
            .env("CARGO_TARGET_SBF_SOLANA_LINKER", self.codegen.join("sbf-collect"))
            .env("CARGO_ENCODED_RUSTFLAGS", self.rustc_flags(program)?)
            // Programs that use each other are compiled with and without their entry point; a hash in the file
            // name keeps the two apart.
            .env("__CARGO_DEFAULT_LIB_METADATA", "program")
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_BUILD_TARGET");
        for (key, value) in PROFILE {
            command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
        }
        process::run(&mut command)?;
        Ok(folder.join(format!("sbf-solana/release/lib{}.so", program.library)))
    }

    /// In cargo's encoding, which allows for spaces in paths.
    fn rustc_flags(&self, program: &Program) -> Result<OsString> {
        let mut flags: Vec<OsString> = Vec::new();
        for option in ["panic=abort", "relocation-model=static", "target-cpu=v2"] {
            flags.extend(["-C".into(), option.into()]);
        }
        for (path, name) in self.renamed_paths(program)? {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(path);
            flag.push("=");
            flag.push(name);
            flags.push(flag);
        }
        Ok(flags.join(OsString::from("\u{1f}").as_os_str()))
    }

    /// Folders of this machine and what panic messages call them, so that every machine compiles the same bytes.
    fn renamed_paths(&self, program: &Program) -> Result<Vec<(PathBuf, &'static str)>> {
        let mut renamed = vec![(self.system.sysroot().join("lib/rustlib/src/rust"), "rust")];
        // Each registry has a folder of its own, named after its host.
        let registry = cargo::home().join("registry/src");
        if registry.is_dir() {
            renamed.extend(files::list(&registry)?.into_iter().map(|folder| (folder, "crates")));
        }
        // cargo names folders inside the workspace relative to it.
        for (path, name) in renamed.clone() {
            if let Ok(relative) = path.strip_prefix(&program.workspace_root) {
                renamed.push((relative.to_owned(), name));
            }
        }
        Ok(renamed)
    }

    fn translate(&self, bitcode: &Path, out: &Path, version: Version) -> Result<()> {
        let object = out.with_extension("o");
        process::run(
            Command::new(self.codegen.join("sbf-codegen"))
                .arg(bitcode)
                .arg(&self.runtime)
                .arg(&object)
                .env("LD_LIBRARY_PATH", self.system.library_path()?),
        )?;
        process::run(Command::new(&self.elf).arg(version.name()).arg(&object).arg(out))?;
        files::remove(&object)
    }
}
