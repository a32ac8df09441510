//! A block of BERT's kind.

use opml::{ElementType, Operand, TensorSpec, ops::SoftmaxAttributes};

use super::layers::{Network, hard_swish};
use crate::{builder::BuildError, model::Model};

/// A transformer encoder block with embedding and a classifier of four classes.
///
/// The input is int8 [1, 4 * (tokens + 1)]: `tokens` token ids and the number of them that count, as int32. The output is the class, int32 [1, 1]. `heads` divides
/// `width`.
pub fn encoder_block(tokens: u32, width: u32, heads: u32, vocabulary: u32, seed: u64) -> Result<Model, BuildError> {
    let input =
        TensorSpec::new(ElementType::Int8, &[1, 4 * (tokens + 1)]).map_err(|reason| BuildError::Output { reason })?;
    let mut network = Network::new(input, seed);
    let ids = network.words(0, tokens)?;
    let length = network.words(4 * tokens, 1)?;

    let words = network.embedding(ids, vocabulary, width)?;
    let positions = network.constant_i8(&[tokens, width])?;
    let embedded = network.add(words, positions)?;
    let x = network.layer_norm(embedded)?;

    let mut heads_of_projection = || -> Result<Operand, BuildError> {
        let projected = network.linear(x, width)?;
        network.split_heads(projected, heads)
    };
    let (queries, keys, values) = (heads_of_projection()?, heads_of_projection()?, heads_of_projection()?);
    let attended = network.attention(queries, keys, values, Some(length), SoftmaxAttributes::default())?;
    let attended = network.linear(attended, width)?;
    let sum = network.add(x, attended)?;
    let x = network.layer_norm(sum)?;

    let hidden = network.linear(x, 4 * width)?;
    let hidden = network.builder.lookup(hidden, &hard_swish())?;
    let hidden = network.linear(hidden, width)?;
    let sum = network.add(x, hidden)?;
    let x = network.layer_norm(sum)?;

    let first = network.builder.slice(x, &[0, 0], &[1, width])?;
    let classes = network.linear(first, 4)?;
    network.builder.arg_max(classes)?;
    network.builder.build()
}
