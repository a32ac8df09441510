//! The test images of the digits model.

use std::path::Path;

use opml_runtime::{Model, Tensor};

use crate::{
    error::{OrUserError, UserError},
    format,
};

/// An image that the model was not trained on.
pub struct Image {
    pub pixels: Tensor,
    /// The digit that a person wrote.
    pub label: u8,
}

/// Reads `"IMOTESTS"`, count u32, bytes of an input u32, then each input followed by its label.
pub fn load(path: &Path, model: &Model) -> anyhow::Result<Vec<Image>> {
    let bytes = std::fs::read(path)
        .or_user_error_with(|error| format!("The test images {} cannot be read: {error}.", path.display()))?;
    let spec = *model.input_spec();
    let malformed = || {
        UserError::new(format!(
            "{} does not hold test images for a model that takes {}.",
            path.display(),
            format::spec(&spec)
        ))
    };
    let (header, images) = bytes.split_at_checked(16).ok_or_else(malformed)?;
    let number = |at: usize| header[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let (count, size) = (number(8).ok_or_else(malformed)?, number(12).ok_or_else(malformed)?);
    let record = spec.byte_len() as usize + 1;
    if &header[..8] != b"IMOTESTS"
        || u64::from(size) != spec.byte_len()
        || images.len() as u64 != u64::from(count) * record as u64
    {
        return Err(malformed().into());
    }
    images
        .chunks_exact(record)
        .map(|record| {
            let (label, pixels) = record.split_last().ok_or_else(malformed)?;
            Ok(Image {
                pixels: Tensor::new(spec, pixels.to_vec())?,
                label: *label,
            })
        })
        .collect()
}
