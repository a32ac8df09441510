//! Debian's rustc and LLVM, unpacked, with the edited standard library in rustc's own place for it.

use super::{packages, std_edits};
use crate::{
    Missing, files, process, progress,
    stage::{self, Fingerprint},
};
use anyhow::{Context, Result};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub struct System {
    root: PathBuf,
    fingerprint: Fingerprint,
}

impl System {
    pub fn set_up(folder: &Path) -> Result<Self> {
        let root = folder.join("system");
        let mut fingerprint = Fingerprint::default()
            .with(env::consts::ARCH)
            .with(std_edits::description());
        for (package, version) in packages::PACKAGES {
            fingerprint = fingerprint.with(package).with(version);
        }
        stage::ensure(&root, &fingerprint, |root| {
            progress::step("unpacking Debian's rustc 1.96 and LLVM 22 (250 MB to download)", || {
                make(root)
            })
        })?;
        Ok(Self { root, fingerprint })
    }

    /// Of all that went into it.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// What rustc calls its sysroot.
    pub fn sysroot(&self) -> PathBuf {
        self.root.join("usr")
    }

    pub fn rustc_path(&self) -> PathBuf {
        self.root.join("usr/bin/rustc")
    }

    pub fn rustc(&self) -> Result<Command> {
        let mut command = Command::new(self.rustc_path());
        // Lets a stable compiler use the unstable switches this needs.
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env("LD_LIBRARY_PATH", self.library_path()?);
        Ok(command)
    }

    /// LLVM's folder, with bin, include and lib.
    pub fn llvm(&self) -> PathBuf {
        self.root.join("usr/lib/llvm-22")
    }

    /// Where the unpacked programs find their shared libraries.
    pub fn library_path(&self) -> Result<OsString> {
        library_path(&self.root)
    }
}

fn library_path(root: &Path) -> Result<OsString> {
    // Debian keeps libraries in a folder per architecture, such as x86_64-linux-gnu.
    let mut folders: Vec<PathBuf> = files::list(&root.join("usr/lib"))?
        .into_iter()
        .filter(|path| path.join("libLLVM-22.so").exists())
        .collect();
    if let Some(inherited) = env::var_os("LD_LIBRARY_PATH") {
        folders.extend(env::split_paths(&inherited));
    }
    env::join_paths(folders).context("a folder of LD_LIBRARY_PATH has a colon in its name")
}

fn make(root: &Path) -> Result<()> {
    let scratch = root.join("scratch");
    packages::unpack(root, &scratch)?;
    files::remove(&scratch)?;
    place_standard_library(root)?;
    remove_static_libraries(root)?;
    check_rustc(root)
}

/// Debian links rustc's place for the sources to /usr/src; cargo wants them below the sysroot, and only these.
fn place_standard_library(root: &Path) -> Result<()> {
    let link = root.join("usr/lib/rustlib/src/rust");
    let library = link.join("library");
    let sources = fs::canonicalize(&library).with_context(|| format!("following {}", library.display()))?;
    files::remove(&link)?;
    files::create_folder(&link)?;
    files::rename(&sources, &library)?;
    files::remove(&root.join("usr/src"))?;
    std_edits::apply(&library)
}

/// Hundreds of megabytes that nothing here links to.
fn remove_static_libraries(root: &Path) -> Result<()> {
    for file in files::list(&root.join("usr/lib/llvm-22/lib"))? {
        if file.extension().is_some_and(|extension| extension == "a") {
            files::remove(&file)?;
        }
    }
    Ok(())
}

fn check_rustc(root: &Path) -> Result<()> {
    let mut rustc = Command::new(root.join("usr/bin/rustc"));
    process::output(rustc.arg("--version").env("LD_LIBRARY_PATH", library_path(root)?))
        .map_err(|error| Missing::or_official_tools(format!("Debian's rustc does not start here ({error:#})")))?;
    Ok(())
}
