//! Layers of transformers with made-up weights. Activations have the zero point 0 and fill int8; all scales are equal.

use opml::{
    ElementType, Operand, TensorSpec,
    ops::{
        AddAttributes, FullyConnected, LayerNormAttributes, MatMulAttributes, MulAttributes, RmsNormAttributes,
        RotaryEmbeddingAttributes, SoftmaxAttributes, TABLE_ENTRIES,
    },
};

use super::{MadeUp, OUTPUT_DEVIATION, RandomBytes, random};
use crate::{
    builder::{BuildError, Builder},
    tensor::Tensor,
};

/// Fraction bits of tables and multipliers.
const FRACTION_BITS: i8 = 30;
const ONE: i32 = 1 << FRACTION_BITS;

/// What the channel parameters of a normalisation are shifted by.
const NORM_SHIFT: i8 = 36;

/// The mean quantised probability of attention over a few keys.
const PROBABILITY_DEVIATION: u64 = 64;

/// A model under construction and where its weights come from.
pub(super) struct Network<C = Tensor> {
    pub(super) builder: Builder<C>,
    pub(super) random: RandomBytes,
}

impl<C: MadeUp> Network<C> {
    /// With an input of this specification.
    pub(super) fn new(input: TensorSpec, seed: u64) -> Self {
        Self {
            builder: Builder::with_input(input),
            random: RandomBytes::new(seed),
        }
    }

    /// The columns `from..from + len` of an input [1, _].
    pub(super) fn part(&mut self, from: u32, len: u32) -> Result<Operand, BuildError> {
        self.builder.slice(Operand::Input, &[0, from], &[1, len])
    }

    /// `count` int32 that begin at byte `from` of an input [1, _], as [count].
    pub(super) fn words(&mut self, from: u32, count: u32) -> Result<Operand, BuildError> {
        let bytes = self.part(from, 4 * count)?;
        let words = self.builder.bitcast(bytes)?;
        self.builder.reshape(words, &[count])
    }

    pub(super) fn constant_i8(&mut self, shape: &[u32]) -> Result<Operand, BuildError> {
        let spec = TensorSpec::new(ElementType::Int8, shape).map_err(|reason| BuildError::Output { reason })?;
        let constant = C::random(spec, &mut self.random);
        Ok(self.builder.constant(constant))
    }

    fn constant_i32(
        &mut self,
        shape: &[u32],
        values: impl FnOnce(&mut RandomBytes) -> Vec<i32>,
    ) -> Result<Operand, BuildError> {
        let values = values(&mut self.random);
        Ok(self.builder.constant(Tensor::from_i32(shape, &values)?))
    }

    /// One row of width `width` for each of `tokens`, out of a table of `vocabulary`.
    pub(super) fn embedding(&mut self, tokens: Operand, vocabulary: u32, width: u32) -> Result<Operand, BuildError> {
        let table = self.constant_i8(&[vocabulary, width])?;
        self.builder.gather(tokens, table)
    }

    pub(super) fn linear(&mut self, x: Operand, n: u32) -> Result<Operand, BuildError> {
        let k = self.builder.spec(x)?.cols();
        let multipliers = vec![random::multiplier(k, OUTPUT_DEVIATION); n as usize];
        let parameters = [
            self.constant_i8(&[n, k])?,
            self.constant_i32(&[n], |random| random.bias(n))?,
            self.constant_i32(&[n], |_| multipliers)?,
            self.builder
                .constant(Tensor::from_i8(&[n], &vec![random::SHIFT; n as usize])?),
        ];
        let attributes = FullyConnected::attributes(0, 0, i8::MIN, i8::MAX);
        self.builder.fully_connected_by(x, parameters, attributes)
    }

    /// Three quarters of the sum: the deviation stays.
    pub(super) fn add(&mut self, a: Operand, b: Operand) -> Result<Operand, BuildError> {
        self.builder.add(
            a,
            b,
            AddAttributes {
                a_zero_point: 0,
                b_zero_point: 0,
                y_zero_point: 0,
                low: i8::MIN,
                high: i8::MAX,
                shift: FRACTION_BITS,
                a_multiplier: ONE / 4 * 3,
                b_multiplier: ONE / 4 * 3,
            },
        )
    }

    pub(super) fn mul(&mut self, a: Operand, b: Operand) -> Result<Operand, BuildError> {
        self.builder.mul(
            a,
            b,
            MulAttributes {
                a_zero_point: 0,
                b_zero_point: 0,
                y_zero_point: 0,
                low: i8::MIN,
                high: i8::MAX,
                shift: FRACTION_BITS,
                multiplier: ONE / OUTPUT_DEVIATION as i32,
            },
        )
    }

    /// Parameters of a normalisation around the usual deviation.
    fn gamma(&mut self, width: u32) -> Vec<i32> {
        let unit = (OUTPUT_DEVIATION as i32) << (NORM_SHIFT - 20);
        let values = self.random.int8(width as usize);
        values
            .into_iter()
            .map(|value| unit + (i32::from(value) << 12))
            .collect()
    }

    pub(super) fn layer_norm(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let width = self.builder.spec(x)?.cols();
        let gamma = self.gamma(width);
        let beta: Vec<i32> = self
            .random
            .int8(width as usize)
            .into_iter()
            .map(|value| i32::from(value) << 12)
            .collect();
        let attributes = LayerNormAttributes {
            y_zero_point: 0,
            shift: NORM_SHIFT,
            epsilon: 7,
        };
        self.builder.layer_norm(x, &gamma, &beta, attributes)
    }

    pub(super) fn rms_norm(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let width = self.builder.spec(x)?.cols();
        let gamma = self.gamma(width);
        let attributes = RmsNormAttributes {
            x_zero_point: 0,
            y_zero_point: 0,
            shift: NORM_SHIFT,
            epsilon: 7,
        };
        self.builder.rms_norm(x, &gamma, attributes)
    }

    /// x [s, heads * d] as [heads, s, d].
    pub(super) fn split_heads(&mut self, x: Operand, heads: u32) -> Result<Operand, BuildError> {
        let spec = self.builder.spec(x)?;
        let split = self.builder.reshape(x, &[spec.rows(), heads, spec.cols() / heads])?;
        self.builder.transpose(split, &[1, 0, 2])
    }

    pub(super) fn rotary_embedding(
        &mut self,
        x: Operand,
        positions: Operand,
        tables: [Operand; 2],
    ) -> Result<Operand, BuildError> {
        let attributes = RotaryEmbeddingAttributes {
            x_zero_point: 0,
            y_zero_point: 0,
            shift: FRACTION_BITS,
            interleaved: false,
        };
        self.builder.rotary_embedding(x, positions, tables, attributes)
    }

    /// Cosine and sine [positions, d / 2]. Column `j` turns by the angle of cosine `(m^2 - 1) / (m^2 + 1)` and sine `2m / (m^2 + 1)`, `m = j + 2`, each position.
    pub(super) fn rotation_tables(&mut self, positions: u32, d: u32) -> Result<[Operand; 2], BuildError> {
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        let mut angles = vec![(i64::from(ONE), 0i64); d as usize / 2];
        for _ in 0..positions {
            for (m, (c, s)) in (2i64..).zip(&mut angles) {
                cos.push(*c as i32);
                sin.push(*s as i32);
                let (real, imaginary, norm) = (m * m - 1, 2 * m, m * m + 1);
                (*c, *s) = ((*c * real - *s * imaginary) / norm, (*s * real + *c * imaginary) / norm);
            }
        }
        let shape = [positions, d / 2];
        Ok([
            self.builder.constant(Tensor::from_i32(&shape, &cos)?),
            self.builder.constant(Tensor::from_i32(&shape, &sin)?),
        ])
    }

    /// Attention of queries [h, s, d] to keys and values [h / r, t, d], as [s, h * d].
    pub(super) fn attention(
        &mut self,
        queries: Operand,
        keys: Operand,
        values: Operand,
        length: Option<Operand>,
        mask: SoftmaxAttributes,
    ) -> Result<Operand, BuildError> {
        let [heads, s, d] = *self.builder.spec(queries)?.shape() else {
            return Err(BuildError::NoSuchOperand);
        };
        let [_, keys_count, _] = *self.builder.spec(keys)?.shape() else {
            return Err(BuildError::NoSuchOperand);
        };
        let scaled = |deviations: u64, k: u32| MatMulAttributes {
            a_zero_point: 0,
            b_zero_point: 0,
            y_zero_point: 0,
            shift: FRACTION_BITS,
            multiplier: ((OUTPUT_DEVIATION << FRACTION_BITS) / (deviations * u64::from(k).isqrt())) as i32,
        };
        let scores = scaled(OUTPUT_DEVIATION * OUTPUT_DEVIATION, d);
        let scores = self.builder.mat_mul(queries, keys, scores)?;
        let probabilities = self.builder.softmax(scores, &exponentials(), length, mask)?;
        let values = self.builder.transpose(values, &[0, 2, 1])?;
        let mixed = MatMulAttributes {
            a_zero_point: opml::ops::SOFTMAX_ZERO_POINT,
            ..scaled(OUTPUT_DEVIATION * PROBABILITY_DEVIATION, keys_count)
        };
        let mixed = self.builder.mat_mul(probabilities, values, mixed)?;
        let joined = self.builder.transpose(mixed, &[1, 0, 2])?;
        self.builder.reshape(joined, &[s, heads * d])
    }
}

/// `(31 / 32)^d`, about `exp(-d / 32)`.
fn exponentials() -> [i32; TABLE_ENTRIES as usize] {
    let mut value = i64::from(ONE);
    [(); TABLE_ENTRIES as usize].map(|()| {
        let entry = value as i32;
        value = value * 31 / 32;
        entry
    })
}

/// `x * min(max(x + 96, 0), 192) / 192`: a piecewise SiLU or GELU.
pub(super) fn hard_swish() -> [i8; TABLE_ENTRIES as usize] {
    std::array::from_fn(|entry| {
        let x = entry as i32 - 128;
        (x * (x + 96).clamp(0, 192) / 192) as i8
    })
}
