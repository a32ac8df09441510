//! What a large model takes of a machine's memory. One test in a process of its own, so that nobody else's memory counts.
#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use opml_runtime::{Model, fast::Plan, synthetic::DecoderSizes};

/// Bytes of memory of this process, from the system's own account.
fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn given_a_model_of_a_hundred_million_parameters_when_a_token_is_made_and_committed_to_then_memory_is_the_file_s() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-memory.imo", std::process::id()));
    let file = DecoderSizes::HUNDRED_MILLION.save_step(1, &path).unwrap();
    let written = memory("VmHWM");
    assert!(written < file / 2, "writing took {written} bytes, the file has {file}");

    let model = Model::open(&path).unwrap();
    let plan = Plan::new(&model);
    let input = DecoderSizes::HUNDRED_MILLION.input(2).unwrap();
    let execution = plan.execute(&input).unwrap();
    assert_eq!(execution.outputs().len(), model.nodes().len());
    assert_ne!(execution.trace_root(), [0; 32]);
    let (peak, own) = (memory("VmHWM"), memory("RssAnon"));
    fs::remove_file(&path).unwrap();
    assert!(file > 90_000_000);
    // A quarter is less than any copy of the weights would take. Debug builds of the tests' own parts are small beside it.
    assert!(own < file / 4, "{own} bytes besides the file of {file}");
    assert!(peak < file + file / 4, "{peak} bytes at most, for a file of {file}");
}
