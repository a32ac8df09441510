//! The machine's C++ compiler, with the headers and the library of the unpacked LLVM.

use super::system::System;
use crate::{Missing, process};
use anyhow::Result;
use std::{
    env,
    ffi::{OsStr, OsString},
    num::NonZero,
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

pub struct CppCompiler {
    program: OsString,
    llvm: PathBuf,
    library_path: OsString,
}

impl CppCompiler {
    pub fn find(system: &System) -> Result<Self> {
        let program = env::var_os("CXX").unwrap_or_else(|| OsString::from("g++"));
        if process::find_on_path(&program).is_none() {
            return Err(Missing("the code generator needs g++: install Debian's package g++".to_owned()).into());
        }
        Ok(Self {
            program,
            llvm: system.llvm(),
            library_path: system.library_path()?,
        })
    }

    /// Compiles those of `files` that are sources to objects beside them, as many at a time as there are processors.
    pub fn compile(&self, files: &[PathBuf]) -> Result<Vec<PathBuf>> {
        let sources: Vec<&PathBuf> = files
            .iter()
            .filter(|file| file.extension() == Some(OsStr::new("cpp")))
            .collect();
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let mut objects = Vec::new();
        for batch in sources.chunks(processors) {
            let compiled: Result<Vec<PathBuf>> = thread::scope(|scope| {
                let running: Vec<_> = batch
                    .iter()
                    .map(|source| scope.spawn(move || self.compile_one(source)))
                    .collect();
                running
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                    .collect()
            });
            objects.extend(compiled?);
        }
        Ok(objects)
    }

    fn compile_one(&self, source: &Path) -> Result<PathBuf> {
        let object = source.with_extension("o");
        process::run(
            Command::new(&self.program)
                // Not optimised: nearly all the time is spent inside LLVM's library.
                .args([
                    "-std=c++17",
                    "-O0",
                    "-fno-exceptions",
                    "-fno-rtti",
                    "-D_GNU_SOURCE",
                    "-isystem",
                ])
                .arg(self.llvm.join("include"))
                .arg("-c")
                .arg(source)
                .arg("-o")
                .arg(&object),
        )?;
        Ok(object)
    }

    pub fn link(&self, objects: &[PathBuf], out: &Path) -> Result<()> {
        process::run(
            Command::new(&self.program)
                .args(objects)
                .arg("-L")
                .arg(self.llvm.join("lib"))
                .arg("-lLLVM-22")
                .arg("-o")
                .arg(out)
                // Where the linker finds the libraries that LLVM's needs.
                .env("LD_LIBRARY_PATH", &self.library_path),
        )
    }
}
