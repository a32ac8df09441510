//! `imo model import`: from a quantised ONNX model to a model file.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use opml_runtime::onnx::{Agreement, ImportError, Imported, import_file};

use crate::{
    error::{OrUserError, UserError},
    format,
};

/// Nothing is written, and nothing printed, before everything has come out well.
pub fn run(
    out: &mut impl Write,
    onnx: &Path,
    output: Option<&Path>,
    samples: Option<&Path>,
    random: usize,
) -> anyhow::Result<()> {
    let output = output.map_or_else(|| onnx.with_extension("imo"), Path::to_path_buf);
    if output == onnx {
        return Err(UserError::new("The model file would replace the ONNX file; give another name with -o.").into());
    }
    let imported = import_file(onnx).or_user_error()?;
    let agreement = match samples {
        Some(folder) => {
            let samples = imported.samples(folder).or_user_error()?;
            Some(imported.compare(&samples).or_user_error()?)
        }
        None if random == 0 => None,
        // A model that is too large for the interpreter can be imported all the same.
        None => match imported.compare(&imported.random_samples(random)) {
            Err(ImportError::Samples(_)) => None,
            result => Some(result.or_user_error()?),
        },
    };
    let bytes = imported.model.to_bytes();
    write_whole(&output, &bytes)
        .or_user_error_with(|error| format!("The model file {} cannot be written: {error}.", output.display()))?;
    report(out, &imported, agreement.as_ref(), samples.is_some())?;
    writeln!(out, "model root  {}", format::hex(&imported.model.model_root()))?;
    writeln!(
        out,
        "written to  {}, {} bytes",
        output.display(),
        format::thousands(bytes.len() as u64)
    )?;
    Ok(())
}

fn report(out: &mut impl Write, imported: &Imported, agreement: Option<&Agreement>, samples: bool) -> io::Result<()> {
    write!(out, "{}", imported.report)?;
    let Some(agreement) = agreement else {
        return writeln!(out, "not compared with the original");
    };
    let against = if agreement.recorded {
        "the recorded outputs"
    } else {
        "the original in floating point"
    };
    let inputs = if samples { "samples" } else { "made-up inputs" };
    writeln!(out, "against {against} on {} {inputs}", agreement.samples)?;
    for output in &agreement.outputs {
        if agreement.outputs.len() > 1 {
            writeln!(out, "  {}", output.name.escape_debug())?;
        }
        writeln!(
            out,
            "  cosine similarity {:.5} on average, {:.5} at worst",
            output.mean_cosine, output.least_cosine
        )?;
        writeln!(out, "  same maximum in {} of {} rows", output.equal_rows, output.rows)?;
    }
    Ok(())
}

/// Writes a file so that it is there as a whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let temporary = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
    let temporary: PathBuf = path.with_file_name(temporary);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}
