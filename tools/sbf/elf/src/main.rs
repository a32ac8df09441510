//! `sbf-elf v0|v3 OBJECT OUT`: the last step of compiling a program, relocatable BPF object to `.so`.
//!
//! The work is `sbpf-linker`'s. Its optimiser stays off: LLVM has optimised already, and a second optimiser
//! would be a second thing to test.

use anyhow::{Context, Result, anyhow, bail};
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfArch, SbpfLinkerError, link_program};
use std::{env, fs};

/// Bytes of stack that Solana gives each call.
const STACK_FRAME_BYTES: i32 = 4096;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [version, object, out] = arguments.as_slice() else {
        bail!("usage: sbf-elf v0|v3 OBJECT OUT");
    };
    let arch = match version.as_str() {
        "v0" => SbpfArch::V0,
        "v3" => SbpfArch::V3,
        other => bail!("{other} is not an SBPF version this tool writes; use v0 or v3"),
    };
    let source = fs::read(object).with_context(|| format!("reading {object}"))?;
    let options = ProgramOptions::new(OptimizationConfig::disabled(), arch, STACK_FRAME_BYTES);
    let program =
        link_program(&source, options).map_err(|errors| anyhow!("{}", SbpfLinkerError::format_errors(&errors)))?;
    fs::write(out, program).with_context(|| format!("writing {out}"))
}
