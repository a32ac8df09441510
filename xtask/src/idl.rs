//! The programs' interfaces (IDL), which Anchor writes by compiling and running them on this machine. Those in `idl/` are for others: clients are generated from them.

use crate::{programs::library, project::Project};
use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result, ensure};
use sbf_tools::{process, progress};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub fn write_all(project: &Project, programs: &[&str]) -> Result<()> {
    for program in programs {
        let out = project.idl_dir().join(format!("{}.json", library(program)));
        let crate_dir = project.root.join("programs").join(program);
        progress::step(&format!("writing the interface of {program}"), || {
            write_apart(project, &crate_dir, &out)
        })?;
    }
    Ok(())
}

/// Writes the interfaces, to `idl/` as well.
pub fn refresh(project: &Project, programs: &[&str]) -> Result<()> {
    write_all(project, programs)?;
    for program in programs {
        let (built, committed) = places(project, program);
        fs::copy(&built, &committed)
            .with_context(|| format!("copying {} to {}", built.display(), committed.display()))?;
    }
    Ok(())
}

/// An error when an interface that was built is not the one in `idl/`.
pub fn check(project: &Project, programs: &[&str]) -> Result<()> {
    for program in programs {
        let (built, committed) = places(project, program);
        let built = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
        ensure!(
            fs::read(&committed).is_ok_and(|committed| committed == built),
            "idl/{}.json is not the interface of {program} as it is now; run `cargo xtask idl` and commit the file",
            library(program)
        );
    }
    Ok(())
}

/// An interface that was built, and the committed one.
fn places(project: &Project, program: &str) -> (PathBuf, PathBuf) {
    let name = format!("{}.json", library(program));
    (project.idl_dir().join(&name), project.root.join("idl").join(&name))
}

/// Calls [`write_one`] in a process of its own, because Anchor's builder takes its settings from the environment:
/// it runs the first `cargo` of the PATH, and it stumbles over the variable with which rustup names a toolchain.
fn write_apart(project: &Project, crate_dir: &Path, out: &Path) -> Result<()> {
    let this = env::current_exe().context("finding the xtask program")?;
    process::output(
        Command::new(this)
            .arg("write-idl")
            .arg(crate_dir)
            .arg(out)
            .env("PATH", path_with_cargo_first()?)
            // The builder sets RUSTFLAGS: in the usual folder that would make cargo compile everything again.
            .env("CARGO_TARGET_DIR", project.cargo_target.join("idl-build"))
            .env_remove("RUSTUP_TOOLCHAIN"),
    )?;
    Ok(())
}

fn path_with_cargo_first() -> Result<OsString> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(cargo) = env::var_os("CARGO") {
        folders.extend(Path::new(&cargo).parent().map(Path::to_owned));
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    env::join_paths(folders).context("a folder of the PATH has a colon in its name")
}

pub fn write_one(crate_dir: &Path, out: &Path) -> Result<()> {
    let idl = IdlBuilder::new()
        .program_path(crate_dir.to_owned())
        // Without --lib cargo would compile the crate's integration tests as well.
        .cargo_args(vec!["--lib".to_owned()])
        .build()?;
    let text = serde_json::to_string_pretty(&idl).context("writing the interface as JSON")? + "\n";
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    }
    fs::write(out, text).with_context(|| format!("writing {}", out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_interface_when_it_differs_from_the_committed_one_or_that_is_missing_then_the_command_that_refreshes_it()
    {
        let root = env::temp_dir().join(format!("imo-idl-{}", std::process::id()));
        let project = Project {
            cargo_target: root.join("target"),
            root: root.clone(),
        };
        let (built, committed) = places(&project, "model-token");
        for path in [&built, &committed] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        fs::write(&built, "{}").unwrap();
        let refused = |project: &Project| check(project, &["model-token"]).unwrap_err().to_string();
        assert!(refused(&project).contains("cargo xtask idl"));
        fs::write(&committed, "{ }").unwrap();
        assert!(refused(&project).starts_with("idl/model_token.json is not the interface of model-token"));
        fs::write(&committed, "{}").unwrap();
        check(&project, &["model-token"]).unwrap();
        fs::remove_dir_all(root).unwrap();
    }
}
