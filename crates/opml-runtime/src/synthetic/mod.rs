//! Networks with made-up weights, for measurements and tests. The same sizes and seed give the same model everywhere: no floating point is used.

use opml::{ElementType, Operand, TensorSpec, hashv};

use crate::{
    builder::{BuildError, Builder, Dense},
    model::Model,
    tensor::Tensor,
};

mod conv_net;
mod decoder;
mod encoder;
mod layers;

pub use conv_net::conv_net;
pub use decoder::{decoder_block, decoder_step};
pub use encoder::encoder_block;

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
    let bytes: Vec<u8> = RandomBytes::new(seed)
        .int8(spec.byte_len() as usize)
        .into_iter()
        .map(|value| value as u8)
        .collect();
    Tensor::new(*spec, bytes).expect("as many bytes as the specification says were made")
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

/// Bytes from SHA-256 in counter mode: the same on every machine and in every version of every library.
struct RandomBytes {
    seed: u64,
    block: u64,
}

impl RandomBytes {
    fn new(seed: u64) -> Self {
        Self { seed, block: 0 }
    }

    /// A layer of `n` outputs, each a sum of `k` inputs of this deviation.
    fn dense(&mut self, k: u32, n: u32, x_deviation: u64, low: i8) -> Dense {
        let multiplier = (OUTPUT_DEVIATION << 31) / (x_deviation * INT8_DEVIATION * u64::from(k).isqrt());
        Dense {
            weights: self.int8(n as usize * k as usize),
            bias: self
                .int8(n as usize)
                .into_iter()
                .map(|value| i32::from(value) * 256)
                .collect(),
            multiplier: vec![multiplier as i32; n as usize],
            shift: vec![31; n as usize],
            x_zero_point: 0,
            y_zero_point: 0,
            low,
            high: i8::MAX,
        }
    }

    fn int8(&mut self, count: usize) -> Vec<i8> {
        let mut values = Vec::with_capacity(count.next_multiple_of(32));
        while values.len() < count {
            let block = hashv(&[b"imo:synthetic:v1", &self.seed.to_le_bytes(), &self.block.to_le_bytes()]);
            values.extend(block.map(|byte| byte as i8));
            self.block += 1;
        }
        values.truncate(count);
        values
    }
}
