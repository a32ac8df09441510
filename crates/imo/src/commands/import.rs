//! `imo model import`: from a quantised ONNX model to a model file.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use opml_runtime::onnx::{Agreement, ImportError, Imported, Samples, import_file};

use crate::{
    error::{OrUserError, UserError},
    format,
    progress::Waiting,
};

/// What an import is compared on, and the files that it writes.
pub struct Import<'a> {
    pub onnx: &'a Path,
    pub output: Option<&'a Path>,
    pub samples: Option<&'a Path>,
    /// How many inputs are made up when there are no samples.
    pub random: usize,
    pub first_input: Option<&'a Path>,
}

/// Nothing is written, and nothing printed, before everything has come out well.
pub fn run(out: &mut impl Write, import: &Import) -> anyhow::Result<()> {
    let Import { onnx, samples, .. } = *import;
    let output = import
        .output
        .map_or_else(|| onnx.with_extension("imo"), Path::to_path_buf);
    if output == onnx {
        return Err(UserError::new("The model file would replace the ONNX file; give another name with -o.").into());
    }
    if import.first_input.is_some_and(|input| input == onnx || input == output) {
        return Err(UserError::new("The first input would replace another file; give another name.").into());
    }
    let waiting = Waiting::new("importing the model");
    let imported = import_file(onnx).or_user_error()?;
    let compared = match samples {
        Some(folder) => imported.samples(folder).or_user_error()?,
        None => imported.random_samples(import.random),
    };
    let agreement = match samples {
        Some(_) => Some(imported.compare_with_progress(&compared, &waiting).or_user_error()?),
        None if import.random == 0 => None,
        // A model that is too large for the interpreter can be imported all the same.
        None => match imported.compare_with_progress(&compared, &waiting) {
            Err(ImportError::Samples(_)) => None,
            result => Some(result.or_user_error()?),
        },
    };
    let first_input = import
        .first_input
        .map(|path| Ok::<_, anyhow::Error>((path, first_input(&imported, &compared)?)))
        .transpose()?;
    let bytes = imported
        .model
        .save(&output)
        .or_user_error_with(|error| format!("The model file {} cannot be written: {error}.", output.display()))?;
    drop(waiting);
    if let Some((path, bytes)) = first_input {
        write_whole(path, &bytes)
            .or_user_error_with(|error| format!("The input {} cannot be written: {error}.", path.display()))?;
    }
    report(out, &imported, agreement.as_ref(), samples.is_some())?;
    writeln!(out, "model root  {}", format::hex(&imported.model.model_root()))?;
    writeln!(
        out,
        "written to  {}, {} bytes",
        output.display(),
        format::thousands(bytes)
    )?;
    Ok(())
}

fn first_input(imported: &Imported, samples: &Samples) -> anyhow::Result<Vec<u8>> {
    let inputs = samples.inputs.first().ok_or_else(|| {
        UserError::new("There is no first input to write: give samples, or a number of made-up ones.")
    })?;
    Ok(imported.quantise(inputs).or_user_error()?.bytes().to_vec())
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
    let temporary = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}
