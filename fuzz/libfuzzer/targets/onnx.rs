#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| imo_fuzz::run("onnx", bytes));
