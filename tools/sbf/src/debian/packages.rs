//! The Debian packages that the toolchain is made of, fetched with apt and unpacked into a folder of our own.
//! Nothing is installed and nothing needs root: apt works on private package lists.

use crate::{Missing, files, process};
use anyhow::Result;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// rustc and LLVM have to be of these versions: the edits to the standard library and the code generator are
/// written against them, and rustc must write the bitcode that this LLVM reads.
const RUST: &str = "1.96.";
const LLVM: &str = "1:22.";
const ANY: &str = "";

/// Each package with what its version must start with.
pub const PACKAGES: &[(&str, &str)] = &[
    ("rustc-web", RUST),
    ("libstd-rust-web-1.96", RUST),
    ("libstd-rust-web-dev", RUST),
    ("libstd-rust-web-dev-bpf", RUST),
    ("rust-web-src", RUST),
    ("libllvm22", LLVM),
    ("llvm-22", LLVM),
    ("llvm-22-dev", LLVM),
    // Shared libraries that rustc and LLVM load and small systems lack.
    ("libbsd0", ANY),
    ("libedit2", ANY),
    ("libffi8", ANY),
    ("libmd0", ANY),
    ("libz3-4", ANY),
];

/// Downloads all packages and unpacks them into `root`, using `scratch` for what is not kept.
pub fn unpack(root: &Path, scratch: &Path) -> Result<()> {
    for tool in ["apt-get", "dpkg", "dpkg-deb"] {
        if process::find_on_path(tool).is_none() {
            let what = format!("{tool} is not here, so this is not a Debian system to take rustc and LLVM from");
            return Err(Missing::or_official_tools(what).into());
        }
    }
    for archive in download(scratch)? {
        check_version(&archive)?;
        process::output(Command::new("dpkg").arg("-x").arg(&archive).arg(root))?;
        files::remove(&archive)?;
    }
    Ok(())
}

fn download(scratch: &Path) -> Result<Vec<PathBuf>> {
    let (lists, cache, archives) = (scratch.join("lists"), scratch.join("cache"), scratch.join("archives"));
    files::create_folder(&lists.join("partial"))?;
    files::create_folder(&cache.join("archives/partial"))?;
    files::create_folder(&archives)?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command
            .arg("-o")
            .arg(format!("Dir::State::lists={}", lists.display()))
            .arg("-o")
            .arg(format!("Dir::Cache={}", cache.display()))
            // As root apt would hand downloads to its own user, who may not enter our folders.
            .args(["-o", "APT::Sandbox::User=root", "-q"])
            .current_dir(&archives);
        command
    };
    process::output(apt().arg("update")).map_err(|error| {
        Missing::or_official_tools(format!(
            "apt cannot read Debian's package lists ({})",
            last_line(&error)
        ))
    })?;
    process::output(apt().arg("download").args(PACKAGES.iter().map(|(name, _)| name))).map_err(|error| {
        Missing::or_official_tools(format!(
            "apt cannot fetch a package that is needed ({})",
            last_line(&error)
        ))
    })?;
    files::list(&archives)
}

/// apt says what is wrong in its last line.
fn last_line(error: &anyhow::Error) -> String {
    error
        .to_string()
        .trim_end()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned()
}

fn check_version(archive: &Path) -> Result<()> {
    let fields = process::output(
        Command::new("dpkg-deb")
            .args(["--show", "--showformat=${Package} ${Version}"])
            .arg(archive),
    )?;
    let (package, version) = fields.split_once(' ').unwrap_or((&fields, ""));
    match PACKAGES.iter().find(|(name, _)| *name == package) {
        Some((_, wanted)) if !version.starts_with(wanted) => Err(Missing::or_official_tools(format!(
            "Debian's {package} is at {version} and this compiler is written for {wanted}x"
        ))
        .into()),
        _ => Ok(()),
    }
}
