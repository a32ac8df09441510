//! Blocks of LLaMA's kind.

use opml::{ElementType, Operand, TensorSpec, ops::SoftmaxAttributes};

use super::{
    RandomBytes,
    layers::{Network, hard_swish},
};
use crate::{
    builder::{BuildError, Builder},
    model::Model,
    tensor::Tensor,
};

/// Positions that the rotary tables know.
const POSITIONS: u32 = 64;

/// Sizes of a decoder. `heads` divides `width`, and `key_heads` divides `heads`; a head is of an even width.
struct Sizes {
    width: u32,
    heads: u32,
    key_heads: u32,
    vocabulary: u32,
}

impl Sizes {
    fn of(width: u32, heads: u32) -> Self {
        Self {
            width,
            heads,
            key_heads: heads.div_ceil(2),
            vocabulary: 50,
        }
    }

    fn head_width(&self) -> u32 {
        self.width / self.heads
    }
}

/// Queries, keys and values of x [s, width], each [heads, s, head width], queries and keys turned to their positions.
fn projections(
    network: &mut Network,
    x: Operand,
    positions: Operand,
    sizes: &Sizes,
) -> Result<[Operand; 3], BuildError> {
    let tables = network.rotation_tables(POSITIONS, sizes.head_width())?;
    let x = network.rms_norm(x)?;
    let mut project = |heads: u32| {
        let projected = network.linear(x, heads * sizes.head_width())?;
        network.split_heads(projected, heads)
    };
    let [queries, keys, values] = [
        project(sizes.heads)?,
        project(sizes.key_heads)?,
        project(sizes.key_heads)?,
    ];
    Ok([
        network.rotary_embedding(queries, positions, tables)?,
        network.rotary_embedding(keys, positions, tables)?,
        values,
    ])
}

/// What follows attention: projection, residual, gated feed-forward, residual, norm, and the likeliest token of each row.
fn feed_forward(network: &mut Network, x: Operand, attended: Operand, sizes: &Sizes) -> Result<Operand, BuildError> {
    let attended = network.linear(attended, sizes.width)?;
    let x = network.add(x, attended)?;
    let normed = network.rms_norm(x)?;
    let gate = network.linear(normed, 3 * sizes.width)?;
    let gate = network.builder.lookup(gate, &hard_swish())?;
    let up = network.linear(normed, 3 * sizes.width)?;
    let gated = network.mul(gate, up)?;
    let down = network.linear(gated, sizes.width)?;
    let x = network.add(x, down)?;
    let normed = network.rms_norm(x)?;
    let logits = network.linear(normed, sizes.vocabulary)?;
    network.builder.arg_max(logits)
}

fn network(input_bytes: u32, seed: u64) -> Result<Network, BuildError> {
    let input =
        TensorSpec::new(ElementType::Int8, &[1, input_bytes]).map_err(|reason| BuildError::Output { reason })?;
    Ok(Network {
        builder: Builder::new(input),
        random: RandomBytes::new(seed),
    })
}

/// A transformer decoder block with causal, grouped-query attention over a whole prompt.
///
/// The input is int8 [1, 4 * tokens]: token ids as int32. The output is int32 [tokens, 1]: for each token the likeliest next. `heads` divides `width`; half as many key heads
/// divide `heads`.
pub fn decoder_block(tokens: u32, width: u32, heads: u32, seed: u64) -> Result<Model, BuildError> {
    let sizes = Sizes::of(width, heads);
    let mut network = network(4 * tokens, seed)?;
    let ids = network.words(0, tokens)?;
    let positions: Vec<i32> = (0..tokens as i32).collect();
    let positions = network.builder.constant(Tensor::from_i32(&[tokens], &positions)?);
    let x = network.embedding(ids, sizes.vocabulary, width)?;
    let [queries, keys, values] = projections(&mut network, x, positions, &sizes)?;
    let mask = SoftmaxAttributes {
        causal: true,
        offset: 0,
    };
    let attended = network.attention(queries, keys, values, None, mask)?;
    feed_forward(&mut network, x, attended, &sizes)?;
    network.builder.build()
}

/// One step of the same block, with a cache of `cache` keys and values.
///
/// The input is int8 [1, 12 + 2 * cache * key width], the key width being that of all key heads: token id, position and length (rows of the cache in use, and one) as int32, then the cached keys and values, each [key heads, cache,
/// head width]. The output is int8 [1, 4 + 2 * key width]: the likeliest next token as int32, the new key and the new value.
pub fn decoder_step(cache: u32, width: u32, heads: u32, seed: u64) -> Result<Model, BuildError> {
    let sizes = Sizes::of(width, heads);
    let key_width = sizes.key_heads * sizes.head_width();
    let cache_shape = [sizes.key_heads, cache, sizes.head_width()];
    let mut network = network(12 + 2 * cache * key_width, seed)?;
    let [id, position, length] = [network.words(0, 1)?, network.words(4, 1)?, network.words(8, 1)?];
    let mut cached = |from: u32| {
        let rows = network.part(from, cache * key_width)?;
        network.builder.reshape(rows, &cache_shape)
    };
    let [old_keys, old_values] = [cached(12)?, cached(12 + cache * key_width)?];

    let x = network.embedding(id, sizes.vocabulary, width)?;
    let [queries, new_key, new_value] = projections(&mut network, x, position, &sizes)?;
    // The new row in front, so that what counts is the beginning.
    let keys = network.builder.concat(new_key, old_keys, 1)?;
    let values = network.builder.concat(new_value, old_values, 1)?;
    let attended = network.attention(queries, keys, values, Some(length), SoftmaxAttributes::default())?;
    let next = feed_forward(&mut network, x, attended, &sizes)?;

    let next = network.builder.bitcast(next)?;
    let mut output = next;
    for row in [new_key, new_value] {
        let flat = network.builder.reshape(row, &[1, key_width])?;
        output = network.builder.concat(output, flat, 1)?;
    }
    network.builder.build()
}
