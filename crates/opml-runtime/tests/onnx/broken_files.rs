//! Files that are cut, changed or made up: a model or a sentence, never a panic.

use opml_runtime::onnx::{ImportError, import};
use proptest::prelude::*;

use crate::files::read;

fn files() -> Vec<Vec<u8>> {
    [
        ("digits_cnn", "digits_cnn.qdq.int8.onnx"),
        ("digits_cnn", "digits_cnn.qoperator.uint8.onnx"),
        ("encoder", "encoder.qdq.int8.onnx"),
        ("decoder", "prefill.qdq.int8.onnx"),
        ("decoder", "step.qdq.int8.onnx"),
        ("decoder/exported", "step.qdq.int8.onnx"),
    ]
    .map(|(model, file)| read(model, file))
    .into()
}

/// One sentence, of a length that people read.
fn is_sentence(error: &ImportError) -> bool {
    let text = error.to_string();
    text.ends_with('.') && text.len() < 600 && !text.contains('\n')
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Err(error) = import(bytes) {
        prop_assert!(is_sentence(&error), "{error}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn given_a_cut_file_when_imported_then_no_panic(file in 0usize..6, end: prop::sample::Index) {
        let bytes = &files()[file];
        check(&bytes[..end.index(bytes.len())])?;
    }

    #[test]
    fn given_changed_bytes_when_imported_then_no_panic(
        file in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = files()[file].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        check(&bytes)?;
    }

    #[test]
    fn given_a_part_in_another_place_when_imported_then_no_panic(
        file in 0usize..6,
        from: prop::sample::Index,
        to: prop::sample::Index,
        length in 1usize..200,
    ) {
        let mut bytes = files()[file].clone();
        let from = from.index(bytes.len());
        let part = bytes[from..(from + length).min(bytes.len())].to_vec();
        let to = to.index(bytes.len());
        let end = (to + part.len()).min(bytes.len());
        bytes.splice(to..end, part);
        check(&bytes)?;
    }

    #[test]
    fn given_any_bytes_when_imported_then_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes)?;
    }
}

#[test]
fn given_nothing_when_imported_then_a_sentence() {
    assert_eq!(
        import(&[]).unwrap_err().to_string(),
        "This is not an ONNX model: it has no graph."
    );
}

#[test]
fn given_messages_nested_too_deep_when_imported_then_a_sentence() {
    // Field 7 of the model (the graph), then 5 of it (a constant) and unknown groups below.
    let mut bytes = vec![0x0b; 200_000];
    bytes.extend(vec![0x0c; 200_000]);
    assert!(is_sentence(&import(&bytes).unwrap_err()));
}
