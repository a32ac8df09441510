//! A network of MobileNet's kind.

use opml::{
    ElementType, Operand, TensorSpec,
    ops::{PadAttributes, PatchesAttributes, ReduceMeanAttributes},
};

use super::{OUTPUT_DEVIATION, layers::Network};
use crate::{builder::BuildError, model::Model};

const KERNEL: u16 = 3;
const CLASSES: u32 = 10;

impl Network {
    /// The windows of 3 x 3 of an image [h, w, c], and their grid.
    fn windows(
        &mut self,
        x: Operand,
        stride: u16,
        groups: u32,
        pad_value: i8,
    ) -> Result<(Operand, [u32; 2]), BuildError> {
        let attributes = PatchesAttributes {
            kernel: [KERNEL; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            padding: [1; 4],
            groups,
            pad_value,
        };
        let [h, w, _] = *self.builder.spec(x)?.shape() else {
            return Err(BuildError::NoSuchOperand);
        };
        let grid = attributes.windows(h, w).ok_or(BuildError::NoWindow)?;
        Ok((self.builder.patches(x, attributes)?, grid))
    }

    /// A convolution of 3 x 3 with `n` outputs and ReLU.
    fn convolution(&mut self, x: Operand, n: u32, stride: u16) -> Result<Operand, BuildError> {
        let (windows, [oh, ow]) = self.windows(x, stride, 1, 0)?;
        let k = self.builder.spec(windows)?.cols();
        let layer = self.random.dense(k, n, OUTPUT_DEVIATION, 0);
        let y = self.builder.fully_connected(windows, layer)?;
        self.builder.reshape(y, &[oh, ow, n])
    }

    /// A convolution of 3 x 3 in `groups` groups, as many outputs as inputs. One channel a group: depthwise.
    fn grouped_convolution(&mut self, x: Operand, groups: u32) -> Result<Operand, BuildError> {
        let channels = self.builder.spec(x)?.cols();
        let (windows, [oh, ow]) = self.windows(x, 1, groups, 0)?;
        let k = self.builder.spec(windows)?.cols();
        let layer = self.random.dense(k, channels, OUTPUT_DEVIATION, i8::MIN);
        let y = self.builder.grouped_fully_connected(windows, layer)?;
        self.builder.reshape(y, &[oh, ow, channels])
    }

    fn max_pool(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let channels = self.builder.spec(x)?.cols();
        let (windows, [oh, ow]) = self.windows(x, 2, channels, i8::MIN)?;
        let y = self.builder.reduce_max(windows)?;
        self.builder.reshape(y, &[oh, ow, channels])
    }
}

/// A convolutional network with a strided, a depthwise, a grouped and a pointwise convolution, a residual, max and global average pooling, and ten classes.
///
/// The input is int8 [size, size, 3]; the output is the class, int32 [1, 1]. `channels` is even.
pub fn conv_net(size: u32, channels: u32, seed: u64) -> Result<Model, BuildError> {
    let input = TensorSpec::new(ElementType::Int8, &[size, size, 3]).map_err(|reason| BuildError::Output { reason })?;
    let mut network = Network::new(input, seed);
    let pad = PadAttributes {
        before: [0, 1, 0, 0],
        value: 0,
    };
    let x = network.builder.pad(Operand::Input, &[size + 1, size + 1, 3], pad)?;
    let x = network.convolution(x, channels, 2)?;
    let x = network.max_pool(x)?;
    let depthwise = network.grouped_convolution(x, channels)?;
    let clipped = network.builder.clip(depthwise, 0, 100)?;
    let grouped = network.grouped_convolution(clipped, 2)?;
    let pointwise = network.linear(grouped, channels)?;
    let x = network.add(x, pointwise)?;

    let [h, w, _] = *network.builder.spec(x)?.shape() else {
        return Err(BuildError::NoSuchOperand);
    };
    let pixels = network.builder.reshape(x, &[h * w, channels])?;
    let pixels = network.builder.transpose(pixels, &[1, 0])?;
    let mean = ReduceMeanAttributes {
        x_zero_point: 0,
        y_zero_point: 0,
        shift: 31,
        multiplier: ((1i64 << 31) / i64::from(h * w)).min(i64::from(i32::MAX)) as i32,
    };
    let means = network.builder.reduce_mean(pixels, mean)?;
    let means = network.builder.reshape(means, &[1, channels])?;
    let classes = network.linear(means, CLASSES)?;
    network.builder.arg_max(classes)?;
    network.builder.build()
}
