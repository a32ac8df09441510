//! Decoders of LLaMA's kind.

use std::path::Path;

use opml::{ElementType, Operand, TensorSpec, ops::SoftmaxAttributes};

use super::{
    MadeUp, RandomBytes,
    layers::{Network, hard_swish},
    recipe,
};
use crate::{
    builder::{BuildError, Builder},
    model::Model,
    tensor::Tensor,
};

/// Positions that the rotary tables know at least.
const POSITIONS: u32 = 64;

/// Bytes of the input of a step before the cache: token id, position and length.
const WORDS_BYTES: u32 = 12;

/// Sizes of a decoder, one step of which makes a token.
///
/// The input of a step is int8 [1, 12 + 2 * layers * cache * key width], the key width being that of all key heads: token id, position and length (rows of the cache in use, and one) as int32, then for each layer
/// the cached keys and values, each [key heads, cache, head width]. The output is int8 [1, 4 + 2 * layers * key width]: the likeliest next token as int32, then for each layer the new key and the new
/// value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecoderSizes {
    pub layers: u32,
    pub width: u32,
    /// Divides `width`; a head is of an even width.
    pub heads: u32,
    /// Divides `heads`.
    pub key_heads: u32,
    pub feed_forward: u32,
    pub vocabulary: u32,
    /// Keys and values that are remembered.
    pub cache: u32,
}

impl DecoderSizes {
    /// The proportions of TinyLlama: 1.1 billion parameters.
    pub const ONE_BILLION: Self = Self {
        layers: 22,
        width: 2048,
        heads: 32,
        key_heads: 4,
        feed_forward: 5632,
        vocabulary: 32_000,
        cache: 255,
    };

    /// A tenth of it: 97 million parameters.
    pub const HUNDRED_MILLION: Self = Self {
        layers: 10,
        width: 768,
        heads: 12,
        key_heads: 4,
        feed_forward: 2048,
        vocabulary: 20_000,
        ..Self::ONE_BILLION
    };

    /// A hundredth: 12 million parameters.
    pub const TEN_MILLION: Self = Self {
        layers: 6,
        width: 384,
        heads: 6,
        key_heads: 2,
        feed_forward: 1024,
        vocabulary: 4000,
        ..Self::ONE_BILLION
    };

    fn block(width: u32, heads: u32, cache: u32) -> Self {
        Self {
            layers: 1,
            width,
            heads,
            key_heads: heads.div_ceil(2),
            feed_forward: 3 * width,
            vocabulary: 50,
            cache,
        }
    }

    fn head_width(&self) -> u32 {
        self.width / self.heads
    }

    fn key_width(&self) -> u32 {
        self.key_heads * self.head_width()
    }

    /// The model of a step, in memory.
    pub fn step(&self, seed: u64) -> Result<Model, BuildError> {
        step::<Tensor>(self, seed)?.build()
    }

    /// Writes the model file of a step, without ever having it in memory. Returns its length in bytes.
    pub fn save_step(&self, seed: u64, path: &Path) -> Result<u64, BuildError> {
        recipe::save(&step(self, seed)?, path)
    }

    /// A step with a full cache, made up.
    pub fn input(&self, seed: u64) -> Result<Tensor, BuildError> {
        let cached = 2 * self.layers * self.cache * self.key_width();
        let mut random = RandomBytes::new(seed);
        let id = random
            .int8(2)
            .iter()
            .fold(0u32, |id, byte| id << 8 | u32::from(*byte as u8))
            % self.vocabulary;
        let words = [id, self.cache, self.cache + 1].map(u32::to_le_bytes);
        let mut bytes = words.as_flattened().to_vec();
        bytes.extend(random.take(cached.into()).bytes());
        Ok(Tensor::new(row(WORDS_BYTES + cached)?, bytes)?)
    }
}

fn row(bytes: u32) -> Result<TensorSpec, BuildError> {
    TensorSpec::new(ElementType::Int8, &[1, bytes]).map_err(|reason| BuildError::Output { reason })
}

/// The rotary tables for this many positions.
fn tables<C: MadeUp>(
    network: &mut Network<C>,
    positions: u32,
    sizes: &DecoderSizes,
) -> Result<[Operand; 2], BuildError> {
    network.rotation_tables(positions.max(POSITIONS), sizes.head_width())
}

/// Queries, keys and values of x [s, width], each [heads, s, head width], queries and keys turned to their positions.
fn projections<C: MadeUp>(
    network: &mut Network<C>,
    x: Operand,
    positions: Operand,
    tables: [Operand; 2],
    sizes: &DecoderSizes,
) -> Result<[Operand; 3], BuildError> {
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

/// What follows attention in a layer: projection, residual, gated feed-forward, residual.
fn feed_forward<C: MadeUp>(
    network: &mut Network<C>,
    x: Operand,
    attended: Operand,
    sizes: &DecoderSizes,
) -> Result<Operand, BuildError> {
    let attended = network.linear(attended, sizes.width)?;
    let x = network.add(x, attended)?;
    let normed = network.rms_norm(x)?;
    let gate = network.linear(normed, sizes.feed_forward)?;
    let gate = network.builder.lookup(gate, &hard_swish())?;
    let up = network.linear(normed, sizes.feed_forward)?;
    let gated = network.mul(gate, up)?;
    let down = network.linear(gated, sizes.width)?;
    network.add(x, down)
}

/// The likeliest token of each row.
fn next_token<C: MadeUp>(network: &mut Network<C>, x: Operand, sizes: &DecoderSizes) -> Result<Operand, BuildError> {
    let normed = network.rms_norm(x)?;
    let logits = network.linear(normed, sizes.vocabulary)?;
    network.builder.arg_max(logits)
}

/// A transformer decoder block with causal, grouped-query attention over a whole prompt.
///
/// The input is int8 [1, 4 * tokens]: token ids as int32. The output is int32 [tokens, 1]: for each token the likeliest next. `heads` divides `width`; half as many key heads
/// divide `heads`.
pub fn decoder_block(tokens: u32, width: u32, heads: u32, seed: u64) -> Result<Model, BuildError> {
    let sizes = DecoderSizes::block(width, heads, 0);
    let mut network: Network = Network::new(row(4 * tokens)?, seed);
    let ids = network.words(0, tokens)?;
    let positions: Vec<i32> = (0..tokens as i32).collect();
    let positions = network.builder.constant(Tensor::from_i32(&[tokens], &positions)?);
    let x = network.embedding(ids, sizes.vocabulary, width)?;
    let tables = tables(&mut network, tokens, &sizes)?;
    let [queries, keys, values] = projections(&mut network, x, positions, tables, &sizes)?;
    let mask = SoftmaxAttributes {
        causal: true,
        offset: 0,
    };
    let attended = network.attention(queries, keys, values, None, mask)?;
    let x = feed_forward(&mut network, x, attended, &sizes)?;
    next_token(&mut network, x, &sizes)?;
    network.builder.build()
}

/// One step of the same block, with a cache of `cache` keys and values: see [`DecoderSizes`].
pub fn decoder_step(cache: u32, width: u32, heads: u32, seed: u64) -> Result<Model, BuildError> {
    DecoderSizes::block(width, heads, cache).step(seed)
}

fn step<C: MadeUp>(sizes: &DecoderSizes, seed: u64) -> Result<Builder<C>, BuildError> {
    let (cache, key_width) = (sizes.cache, sizes.key_width());
    let cached_bytes = cache * key_width;
    let mut network: Network<C> = Network::new(row(WORDS_BYTES + 2 * sizes.layers * cached_bytes)?, seed);
    let [id, position, length] = [network.words(0, 1)?, network.words(4, 1)?, network.words(8, 1)?];
    let mut x = network.embedding(id, sizes.vocabulary, sizes.width)?;
    let tables = tables(&mut network, cache + 1, sizes)?;
    let mut new_rows = Vec::new();
    for layer in 0..sizes.layers {
        let [queries, new_key, new_value] = projections(&mut network, x, position, tables, sizes)?;
        let mut with_cached = |new: Operand, place: u32| {
            let rows = network.part(WORDS_BYTES + (2 * layer + place) * cached_bytes, cached_bytes)?;
            let rows = network
                .builder
                .reshape(rows, &[sizes.key_heads, cache, sizes.head_width()])?;
            // The new row in front, so that what counts is the beginning.
            network.builder.concat(new, rows, 1)
        };
        let (keys, values) = (with_cached(new_key, 0)?, with_cached(new_value, 1)?);
        let attended = network.attention(queries, keys, values, Some(length), SoftmaxAttributes::default())?;
        x = feed_forward(&mut network, x, attended, sizes)?;
        new_rows.extend([new_key, new_value]);
    }
    let next = next_token(&mut network, x, sizes)?;

    let mut output = network.builder.bitcast(next)?;
    for row in new_rows {
        let flat = network.builder.reshape(row, &[1, key_width])?;
        output = network.builder.concat(output, flat, 1)?;
    }
    Ok(network.builder)
}
