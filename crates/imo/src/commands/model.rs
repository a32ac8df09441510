//! `imo model`: model files, without a cluster; and what a model has earned on one.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use opml::{Operand, ops};
use opml_runtime::{Execution, Model, Tensor, fast::Plan, progress::Progress};

use super::{
    earnings,
    import::{self, Import},
};
use crate::{
    cli::ModelCommand,
    error::{OrUserError, UserError},
    format,
    progress::Waiting,
};

pub fn run(command: &ModelCommand) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match command {
        ModelCommand::Import {
            onnx,
            output,
            samples,
            random,
            first_input,
        } => {
            let import = Import {
                onnx,
                output: output.as_deref(),
                samples: samples.as_deref(),
                random: (*random).into(),
                first_input: first_input.as_deref(),
            };
            import::run(&mut out, &import)?;
        }
        ModelCommand::Inspect { file } => inspect(&mut out, file)?,
        ModelCommand::Run { file, input } => print_run(&mut out, &execute_files(file, input)?)?,
        ModelCommand::Verify {
            file,
            input,
            output_root,
        } => return verify(&mut out, file, input, output_root),
        ModelCommand::Earnings(args) => earnings::run(&mut out, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn inspect(out: &mut impl Write, file: &Path) -> anyhow::Result<()> {
    let model = open(file, &Waiting::new("opening the model"))?;
    let header = model.header();
    writeln!(out, "model root          {}", format::hex(&model.model_root()))?;
    writeln!(out, "graph root          {}", format::hex(&header.graph_root))?;
    writeln!(out, "weights root        {}", format::hex(&header.weights_root))?;
    writeln!(out, "arithmetic version  {}", header.arithmetic_version)?;
    writeln!(out, "input               {}", format::spec(&header.input))?;
    writeln!(
        out,
        "constants           {}",
        format::thousands(header.constant_count.into())
    )?;
    writeln!(
        out,
        "nodes               {}",
        format::thousands(header.node_count.into())
    )?;
    for (index, node) in model.nodes().iter().enumerate() {
        let name = ops::operator(node.operator).map_or("?", |operator| operator.name());
        let operands: Vec<_> = node.operands.iter().filter_map(operand).collect();
        writeln!(
            out,
            "  {index:>5}  {} = {name}({})",
            format::spec(&node.output),
            operands.join(", ")
        )?;
    }
    Ok(())
}

fn operand(operand: &Operand) -> Option<String> {
    match operand {
        Operand::None => None,
        Operand::Input => Some("input".into()),
        Operand::Node(index) => Some(format!("node {index}")),
        Operand::Constant(index) => Some(format!("constant {index}")),
    }
}

fn print_run(out: &mut impl Write, execution: &Execution) -> io::Result<()> {
    let claim = execution.claim();
    let values: Vec<_> = execution.output().values().iter().map(i32::to_string).collect();
    writeln!(out, "output       {}", values.join(","))?;
    writeln!(out, "model root   {}", format::hex(&claim.model_root))?;
    writeln!(out, "input root   {}", format::hex(&claim.input_root))?;
    writeln!(out, "output root  {}", format::hex(&claim.output_root))?;
    writeln!(out, "claim hash   {}", format::hex(&claim.claim_hash()))?;
    writeln!(out, "trace root   {}", format::hex(&execution.trace_root()))
}

fn verify(out: &mut impl Write, file: &Path, input: &str, output_root: &str) -> anyhow::Result<ExitCode> {
    let claimed =
        format::parse_hash(output_root).ok_or_else(|| UserError::new("An output root is 64 hexadecimal digits."))?;
    let truth = execute_files(file, input)?.claim().output_root;
    if truth == claimed {
        writeln!(out, "correct: the model gives this output")?;
        Ok(ExitCode::SUCCESS)
    } else {
        writeln!(
            out,
            "wrong: the model gives an output with root {}",
            format::hex(&truth)
        )?;
        Ok(ExitCode::FAILURE)
    }
}

pub(super) fn open(file: &Path, progress: &dyn Progress) -> anyhow::Result<Model> {
    Model::open_with_progress(file, progress).or_user_error()
}

fn execute_files(file: &Path, input: &str) -> anyhow::Result<Execution> {
    let waiting = Waiting::new("opening the model");
    let model = open(file, &waiting)?;
    let input = read_input(model.input_spec(), input)?;
    let execution = Plan::new(&model)
        .execute_with_progress(&input, &waiting)
        .or_user_error()?;
    model.ensure_unchanged().or_user_error()?;
    Ok(execution)
}

/// Reads a model's input: a file, or values separated by commas. A file exactly as long as the input is its bytes; any other must be its values as text.
pub(super) fn read_input(spec: &opml::TensorSpec, input: &str) -> anyhow::Result<Tensor> {
    let bytes = match std::fs::read(input) {
        Ok(bytes) if bytes.len() as u64 == spec.byte_len() => Some(bytes),
        Ok(text) => parse_values(&text, spec),
        Err(error) => match parse_values(input.as_bytes(), spec) {
            None if !input.contains(',') => {
                return Err(UserError::new(format!("The input {input} cannot be read: {error}.")).into());
            }
            values => values,
        },
    };
    let bytes = bytes.ok_or_else(|| {
        UserError::new(format!(
            "The model takes {} as its input: give a file of {} bytes, or {} values separated by commas.",
            format::spec(spec),
            format::thousands(spec.byte_len()),
            format::thousands(spec.elements().into()),
        ))
    })?;
    Tensor::new(*spec, bytes).or_user_error()
}

/// The bytes of a tensor whose values are given as text, all of them in range.
fn parse_values(text: &[u8], spec: &opml::TensorSpec) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let mut bytes = Vec::new();
    for value in text.split(',') {
        let value = value.trim();
        match spec.element() {
            opml::ElementType::Int8 => bytes.push(value.parse::<i8>().ok()? as u8),
            opml::ElementType::Int32 => bytes.extend(value.parse::<i32>().ok()?.to_le_bytes()),
        }
    }
    (bytes.len() as u64 == spec.byte_len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opml::{ElementType, TensorSpec};

    #[test]
    fn given_values_as_text_when_parsed_then_bytes_in_order() {
        let int8 = TensorSpec::new(ElementType::Int8, &[1, 3]).unwrap();
        assert_eq!(parse_values(b" 1, -2 ,127\n", &int8), Some(vec![1, 254, 127]));
        let int32 = TensorSpec::new(ElementType::Int32, &[2]).unwrap();
        assert_eq!(
            parse_values(b"1,-1", &int32),
            Some(vec![1, 0, 0, 0, 255, 255, 255, 255])
        );
    }

    #[test]
    fn given_the_wrong_number_or_range_of_values_when_parsed_then_none() {
        let int8 = TensorSpec::new(ElementType::Int8, &[1, 3]).unwrap();
        for text in ["", "1,2", "1,2,3,4", "1,2,128", "1,2,x", "1,,2", "1.0,2,3"] {
            assert_eq!(parse_values(text.as_bytes(), &int8), None, "{text}");
        }
        assert_eq!(parse_values(&[0xff, 0xfe], &int8), None);
    }
}
