//! A Chromium for the web app's tests: the machine's own, or Debian's package unpacked into a folder of ours. Nothing is installed and nothing needs root.

use crate::project::Project;
use anyhow::{Context, Result};
use sbf_tools::{Missing, process};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The font is for machines that have none: without one a page has no letters.
const PACKAGES: [&str; 2] = ["chromium", "fonts-dejavu-core"];

pub struct Browser {
    pub program: PathBuf,
    /// Where its shared libraries are, when not where the system looks.
    pub libraries: Option<OsString>,
}

impl Browser {
    /// Finds one. Slow the first time only, and only where there is none.
    pub fn find(project: &Project) -> Result<Self> {
        if let Some(program) = NAMES.iter().find_map(process::find_on_path) {
            return Ok(Self {
                program,
                libraries: None,
            });
        }
        let root = project.cargo_target.join("browser");
        if !root.exists() {
            unpack(&root)?;
        }
        let libraries = root.join("usr/lib").join(format!("{}-linux-gnu", env::consts::ARCH));
        Ok(Self {
            program: root.join("usr/lib/chromium/chromium"),
            libraries: Some(env::join_paths([libraries.join("pulseaudio"), libraries])?),
        })
    }
}

/// Downloads Chromium with all that it needs and this machine lacks, beside `root`, which is there when it is whole.
fn unpack(root: &Path) -> Result<()> {
    for tool in ["apt-get", "dpkg"] {
        if process::find_on_path(tool).is_none() {
            return Err(Missing(format!(
                "{tool} is not here to fetch Chromium with; install Chromium, so that it is on the PATH"
            ))
            .into());
        }
    }
    eprintln!("fetching Chromium from Debian (about 130 MB)");
    let partial = root.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("{} cannot be removed", partial.display()))?;
    }
    let (lists, cache, tree) = (partial.join("lists"), partial.join("cache"), partial.join("tree"));
    for folder in [lists.join("partial"), cache.join("archives/partial"), tree.clone()] {
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        for option in [
            format!("Dir::State::lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            // As root apt would hand downloads to its own user, who may not enter our folders.
            "APT::Sandbox::User=root".to_owned(),
            // The system's package database is only read.
            "Debug::NoLocking=1".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command.arg("-q");
        command
    };
    process::output(apt().arg("update")).map_err(no_browser)?;
    let wanted = ["install", "--yes", "--no-install-recommends", "--download-only"];
    process::output(apt().args(wanted).args(PACKAGES)).map_err(no_browser)?;
    for archive in fs::read_dir(cache.join("archives"))? {
        let archive = archive?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            process::output(Command::new("dpkg").arg("-x").arg(&archive).arg(&tree))?;
        }
    }
    fs::rename(&tree, root)?;
    Ok(fs::remove_dir_all(&partial)?)
}

fn no_browser(error: anyhow::Error) -> anyhow::Error {
    // apt says what is wrong in its last line.
    let told = error.to_string();
    let last = told.trim_end().lines().last().unwrap_or_default();
    Missing(format!(
        "Chromium cannot be fetched from Debian ({last}); install Chromium, so that it is on the PATH"
    ))
    .into()
}
