//! Networks that are written to a file piece by piece, however large they are.

use std::path::Path;

use opml::TensorSpec;

use super::{
    MadeUp,
    random::{RandomBytes, Taken},
};
use crate::{
    builder::{BuildError, Builder, Constant},
    model::replace_file,
    tensor::Tensor,
};

/// A constant, or how to make it.
#[derive(Debug)]
pub(super) enum Recipe {
    Known(Tensor),
    Random(TensorSpec, Taken),
}

impl From<Tensor> for Recipe {
    fn from(tensor: Tensor) -> Self {
        Self::Known(tensor)
    }
}

impl Constant for Recipe {
    fn spec(&self) -> &TensorSpec {
        match self {
            Self::Known(tensor) => tensor.spec(),
            Self::Random(spec, _) => spec,
        }
    }
}

impl MadeUp for Recipe {
    fn random(spec: TensorSpec, random: &mut RandomBytes) -> Self {
        Self::Random(spec, random.take(spec.byte_len()))
    }
}

/// Writes the file of a network. Returns its length in bytes.
pub(super) fn save(builder: &Builder<Recipe>, path: &Path) -> Result<u64, BuildError> {
    replace_file(path, |out| {
        builder.write_to(out, |recipe, writer| match recipe {
            Recipe::Known(tensor) => writer.put(tensor.bytes()),
            Recipe::Random(_, bytes) => bytes.pieces().try_for_each(|piece| writer.put(&piece)),
        })
    })
}
