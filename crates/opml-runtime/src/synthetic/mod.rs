//! Networks with made-up weights, for measurements and tests. The same sizes and seed give the same model everywhere: no floating point is used.

use opml::{ElementType, Operand, TensorSpec};

use crate::{
    builder::{BuildError, Builder, Constant},
    model::Model,
    tensor::Tensor,
};

mod conv_net;
mod decoder;
mod encoder;
mod layers;
mod random;
mod recipe;

pub use conv_net::conv_net;
pub use decoder::{DecoderSizes, decoder_block, decoder_step};
pub use encoder::encoder_block;
use random::RandomBytes;

/// The standard deviation of evenly spread int8 values.
const INT8_DEVIATION: u64 = 74;
/// The standard deviation that a layer's output is scaled to: it fills int8 and saturates now and then.
const OUTPUT_DEVIATION: u64 = 48;

/// A network of `FullyConnected` layers with ReLU between them: `&[784, 20, 10]` has 784 inputs, 20 hidden values and 10 outputs.
pub fn dense(sizes: &[u32], seed: u64) -> Result<Model, BuildError> {
    let mut random = RandomBytes::new(seed);
    let mut sizes = sizes.iter().copied().peekable();
    let mut k = sizes.next().unwrap_or_default();
    let input = TensorSpec::new(ElementType::Int8, &[1, k]).map_err(|reason| BuildError::Output { reason })?;
    let mut builder = Builder::new(input);
    let mut x = Operand::Input;
    while let Some(n) = sizes.next() {
        let hidden = sizes.peek().is_some();
        let low = if hidden { 0 } else { i8::MIN };
        let layer = random.dense(k, n, INT8_DEVIATION, low);
        x = builder.fully_connected(x, layer)?;
        k = n;
    }
    builder.build()
}

/// A tensor of evenly spread bytes.
pub fn tensor(spec: &TensorSpec, seed: u64) -> Tensor {
    Tensor::random(*spec, &mut RandomBytes::new(seed))
}

/// An int8 tensor of which every four bytes are an int32 below `below`, such as token ids.
pub fn words(spec: &TensorSpec, below: u32, seed: u64) -> Tensor {
    let bytes: Vec<u8> = tensor(spec, seed)
        .bytes()
        .chunks(4)
        .flat_map(|word| {
            let value = word.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)) % below.max(1);
            value.to_le_bytes().into_iter().take(word.len())
        })
        .collect();
    Tensor::new(*spec, bytes).expect("as many bytes as the specification says were made")
}

/// What a made-up network can have as a constant.
trait MadeUp: Constant {
    /// The next bytes of `random`.
    fn random(spec: TensorSpec, random: &mut RandomBytes) -> Self;
}

impl MadeUp for Tensor {
    fn random(spec: TensorSpec, random: &mut RandomBytes) -> Self {
        Tensor::new(spec, random.take(spec.byte_len()).bytes()).expect("as many bytes as the specification says")
    }
}
