//! Files of numpy.

use opml_runtime::onnx::parse_npy;

/// A file is refused, or is an array with as many elements as its shape says.
pub fn check(bytes: &[u8]) {
    match parse_npy(bytes) {
        Err(reason) => super::assert_sentence(&format!("{reason}.")),
        Ok(array) => assert_eq!(array.count(), array.shape.iter().product::<usize>()),
    }
}
