//! Making models in code.

use opml::{
    ElementType, NodeRecord, Operand, TensorError, TensorSpec,
    model::{ATTRIBUTE_BYTES, MAX_OPERANDS},
    ops::{
        Add, AddAttributes, ArgMax, Bitcast, Clip, Concat, FullyConnected, Gather, GroupedFullyConnected, LayerNorm,
        LayerNormAttributes, Lookup, MatMul, MatMulAttributes, Mul, MulAttributes, Pad, PadAttributes, Patches,
        PatchesAttributes, ReduceMax, ReduceMean, ReduceMeanAttributes, Reshape, RmsNorm, RmsNormAttributes,
        RotaryEmbedding, RotaryEmbeddingAttributes, Slice, Softmax, SoftmaxAttributes, TABLE_ENTRIES, Transpose,
    },
};

use crate::{
    model::{Model, ModelError},
    tensor::{Tensor, TensorDataError},
};

/// Why a graph cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("The operand is not one of this model.")]
    NoSuchOperand,
    #[error("A node has at most {MAX_OPERANDS} operands, but {found} were given.")]
    TooManyOperands { found: usize },
    #[error("The output of the node is not a tensor: {}.", crate::describe::tensor_error(*.reason))]
    Output { reason: TensorError },
    #[error("No window of the kernel fits into the padded image, or the groups do not divide its channels.")]
    NoWindow,
    #[error(transparent)]
    Data(#[from] TensorDataError),
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The constants and attributes of a `FullyConnected` node with `n` outputs of `k` inputs.
#[derive(Debug, Clone)]
pub struct Dense {
    /// [n, k] row-major.
    pub weights: Vec<i8>,
    /// One entry an output; their number is `n`.
    pub bias: Vec<i32>,
    pub multiplier: Vec<i32>,
    pub shift: Vec<i8>,
    pub x_zero_point: i8,
    pub y_zero_point: i8,
    pub low: i8,
    pub high: i8,
}

/// Appends constants and nodes; the last node is the model's output.
#[derive(Debug, Clone)]
pub struct Builder {
    input: TensorSpec,
    nodes: Vec<NodeRecord>,
    constants: Vec<Tensor>,
}

impl Builder {
    /// A model with an input of this specification, which is [`Operand::Input`].
    pub fn new(input: TensorSpec) -> Self {
        Self {
            input,
            nodes: Vec::new(),
            constants: Vec::new(),
        }
    }

    pub fn constant(&mut self, tensor: Tensor) -> Operand {
        self.constants.push(tensor);
        Operand::Constant(self.constants.len() as u32 - 1)
    }

    /// Any operator; the rules are checked by [`Builder::build`].
    pub fn node(
        &mut self,
        operator: u8,
        operands: &[Operand],
        output: TensorSpec,
        attributes: [u8; ATTRIBUTE_BYTES],
    ) -> Result<Operand, BuildError> {
        let mut all = [Operand::None; MAX_OPERANDS];
        all.get_mut(..operands.len())
            .ok_or(BuildError::TooManyOperands { found: operands.len() })?
            .copy_from_slice(operands);
        self.nodes.push(NodeRecord {
            operator,
            operands: all,
            output,
            attributes,
        });
        Ok(Operand::Node(self.nodes.len() as u32 - 1))
    }

    /// `FullyConnected` over the last dimension of `x`.
    pub fn fully_connected(&mut self, x: Operand, layer: Dense) -> Result<Operand, BuildError> {
        let x_spec = self.spec(x)?;
        let n = layer.bias.len() as u32;
        let output = replace_cols(&x_spec, ElementType::Int8, n)?;
        let operands = [
            x,
            self.constant(Tensor::from_i8(&[n, x_spec.cols()], &layer.weights)?),
            self.constant(Tensor::from_i32(&[n], &layer.bias)?),
            self.constant(Tensor::from_i32(&[n], &layer.multiplier)?),
            self.constant(Tensor::from_i8(&[n], &layer.shift)?),
        ];
        let attributes = FullyConnected::attributes(layer.x_zero_point, layer.y_zero_point, layer.low, layer.high);
        self.node(FullyConnected::NUMBER, &operands, output, attributes)
    }

    pub fn clip(&mut self, x: Operand, low: i8, high: i8) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        self.node(Clip::NUMBER, &[x], output, Clip::attributes(low, high))
    }

    /// `Lookup` in a table whose entry `i` is the result for `i - 128`.
    pub fn lookup(&mut self, x: Operand, table: &[i8; TABLE_ENTRIES as usize]) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        let table = self.constant(Tensor::from_i8(&[TABLE_ENTRIES], table)?);
        self.node(Lookup::NUMBER, &[x, table], output, [0; ATTRIBUTE_BYTES])
    }

    /// `ArgMax` over the last dimension of `x`.
    pub fn arg_max(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let output = replace_cols(&self.spec(x)?, ElementType::Int32, 1)?;
        self.node(ArgMax::NUMBER, &[x], output, [0; ATTRIBUTE_BYTES])
    }

    /// `MatMul` of a and b, which is transposed already.
    pub fn mat_mul(&mut self, a: Operand, b: Operand, attributes: MatMulAttributes) -> Result<Operand, BuildError> {
        let output = replace_cols(&self.spec(a)?, ElementType::Int8, second_last(&self.spec(b)?))?;
        self.node(MatMul::NUMBER, &[a, b], output, attributes.encode())
    }

    /// `GroupedFullyConnected` over the last dimension of `x`, whose second last is the groups: `n` is the number of biases divided by theirs, and the weights
    /// are [groups, n, k].
    pub fn grouped_fully_connected(&mut self, x: Operand, layer: Dense) -> Result<Operand, BuildError> {
        let x_spec = self.spec(x)?;
        let groups = second_last(&x_spec);
        let n = layer.bias.len() as u32 / groups;
        let output = replace_cols(&x_spec, ElementType::Int8, n)?;
        let operands = [
            x,
            self.constant(Tensor::from_i8(&[groups, n, x_spec.cols()], &layer.weights)?),
            self.constant(Tensor::from_i32(&[groups, n], &layer.bias)?),
            self.constant(Tensor::from_i32(&[groups, n], &layer.multiplier)?),
            self.constant(Tensor::from_i8(&[groups, n], &layer.shift)?),
        ];
        let attributes =
            GroupedFullyConnected::attributes(layer.x_zero_point, layer.y_zero_point, layer.low, layer.high);
        self.node(GroupedFullyConnected::NUMBER, &operands, output, attributes)
    }

    /// `Patches` of an image [h, w, c] or of several.
    pub fn patches(&mut self, x: Operand, attributes: PatchesAttributes) -> Result<Operand, BuildError> {
        let output = attributes.output(&self.spec(x)?).ok_or(BuildError::NoWindow)?;
        self.node(Patches::NUMBER, &[x], output, attributes.encode())
    }

    /// `Add` of a and b, which is broadcast to a.
    pub fn add(&mut self, a: Operand, b: Operand, attributes: AddAttributes) -> Result<Operand, BuildError> {
        let output = self.spec(a)?;
        self.node(Add::NUMBER, &[a, b], output, attributes.encode())
    }

    /// `Mul` of a and b, which is broadcast to a.
    pub fn mul(&mut self, a: Operand, b: Operand, attributes: MulAttributes) -> Result<Operand, BuildError> {
        let output = self.spec(a)?;
        self.node(Mul::NUMBER, &[a, b], output, attributes.encode())
    }

    /// `Gather` of rows of a table [v, d].
    pub fn gather(&mut self, indices: Operand, table: Operand) -> Result<Operand, BuildError> {
        let table_spec = self.spec(table)?;
        let shape = [self.spec(indices)?.shape(), &[table_spec.cols()]].concat();
        let output = new_spec(table_spec.element(), &shape)?;
        self.node(Gather::NUMBER, &[indices, table], output, [0; ATTRIBUTE_BYTES])
    }

    /// `Softmax` with a table whose entry `d` is the exponential of `-d` steps.
    pub fn softmax(
        &mut self,
        x: Operand,
        exponentials: &[i32; TABLE_ENTRIES as usize],
        length: Option<Operand>,
        attributes: SoftmaxAttributes,
    ) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        let table = self.constant(Tensor::from_i32(&[TABLE_ENTRIES], exponentials)?);
        let operands: Vec<_> = [x, table].into_iter().chain(length).collect();
        self.node(Softmax::NUMBER, &operands, output, attributes.encode())
    }

    /// `LayerNorm`, with a gamma and a beta for each channel.
    pub fn layer_norm(
        &mut self,
        x: Operand,
        gamma: &[i32],
        beta: &[i32],
        attributes: LayerNormAttributes,
    ) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        let gamma = self.constant(Tensor::from_i32(&[output.cols()], gamma)?);
        let beta = self.constant(Tensor::from_i32(&[output.cols()], beta)?);
        self.node(LayerNorm::NUMBER, &[x, gamma, beta], output, attributes.encode())
    }

    /// `RMSNorm`, with a gamma for each channel.
    pub fn rms_norm(
        &mut self,
        x: Operand,
        gamma: &[i32],
        attributes: RmsNormAttributes,
    ) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        let gamma = self.constant(Tensor::from_i32(&[output.cols()], gamma)?);
        self.node(RmsNorm::NUMBER, &[x, gamma], output, attributes.encode())
    }

    /// `RotaryEmbedding` with tables [p, d / 2].
    pub fn rotary_embedding(
        &mut self,
        x: Operand,
        positions: Operand,
        [cos, sin]: [Operand; 2],
        attributes: RotaryEmbeddingAttributes,
    ) -> Result<Operand, BuildError> {
        let output = self.spec(x)?;
        let operands = [x, positions, cos, sin];
        self.node(RotaryEmbedding::NUMBER, &operands, output, attributes.encode())
    }

    /// `Transpose`: dimension `i` of the output is dimension `permutation[i]` of `x`.
    pub fn transpose(&mut self, x: Operand, permutation: &[u8]) -> Result<Operand, BuildError> {
        let x_spec = self.spec(x)?;
        let shape: Vec<u32> = permutation
            .iter()
            .filter_map(|dimension| x_spec.shape().get(usize::from(*dimension)).copied())
            .collect();
        let output = new_spec(x_spec.element(), &shape)?;
        self.node(Transpose::NUMBER, &[x], output, Transpose::attributes(permutation))
    }

    /// `Reshape` to another shape of as many elements.
    pub fn reshape(&mut self, x: Operand, shape: &[u32]) -> Result<Operand, BuildError> {
        let output = new_spec(self.spec(x)?.element(), shape)?;
        self.node(Reshape::NUMBER, &[x], output, [0; ATTRIBUTE_BYTES])
    }

    /// `Slice`: the box of this shape that begins at `starts`.
    pub fn slice(&mut self, x: Operand, starts: &[u32], shape: &[u32]) -> Result<Operand, BuildError> {
        let output = new_spec(self.spec(x)?.element(), shape)?;
        self.node(Slice::NUMBER, &[x], output, Slice::attributes(starts))
    }

    /// `Concat` of a and b along `axis`.
    pub fn concat(&mut self, a: Operand, b: Operand, axis: u8) -> Result<Operand, BuildError> {
        let (a_spec, b_spec) = (self.spec(a)?, self.spec(b)?);
        let mut shape = a_spec.shape().to_vec();
        let added = b_spec.shape().get(usize::from(axis));
        if let (Some(along), Some(added)) = (shape.get_mut(usize::from(axis)), added) {
            *along = along.saturating_add(*added);
        }
        let output = new_spec(a_spec.element(), &shape)?;
        self.node(Concat::NUMBER, &[a, b], output, Concat::attributes(axis))
    }

    /// `Pad` to this shape.
    pub fn pad(&mut self, x: Operand, shape: &[u32], attributes: PadAttributes) -> Result<Operand, BuildError> {
        let output = new_spec(self.spec(x)?.element(), shape)?;
        self.node(Pad::NUMBER, &[x], output, attributes.encode())
    }

    /// `ReduceMean` over the last dimension of `x`.
    pub fn reduce_mean(&mut self, x: Operand, attributes: ReduceMeanAttributes) -> Result<Operand, BuildError> {
        let output = replace_cols(&self.spec(x)?, ElementType::Int8, 1)?;
        self.node(ReduceMean::NUMBER, &[x], output, attributes.encode())
    }

    /// `ReduceMax` over the last dimension of `x`.
    pub fn reduce_max(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let output = replace_cols(&self.spec(x)?, ElementType::Int8, 1)?;
        self.node(ReduceMax::NUMBER, &[x], output, [0; ATTRIBUTE_BYTES])
    }

    /// `Bitcast` of int8 to int32 or back.
    pub fn bitcast(&mut self, x: Operand) -> Result<Operand, BuildError> {
        let x_spec = self.spec(x)?;
        let (element, cols) = match x_spec.element() {
            ElementType::Int8 => (ElementType::Int32, x_spec.cols() / 4),
            ElementType::Int32 => (ElementType::Int8, x_spec.cols().saturating_mul(4)),
        };
        let output = replace_cols(&x_spec, element, cols)?;
        self.node(Bitcast::NUMBER, &[x], output, [0; ATTRIBUTE_BYTES])
    }

    /// The input's specification, nodes and constants as they are, unchecked.
    pub fn into_parts(self) -> (TensorSpec, Vec<NodeRecord>, Vec<Tensor>) {
        (self.input, self.nodes, self.constants)
    }

    /// Checks every rule and commits.
    pub fn build(self) -> Result<Model, BuildError> {
        Ok(Model::new(self.input, self.nodes, self.constants)?)
    }

    /// The specification of an operand.
    pub fn spec(&self, operand: Operand) -> Result<TensorSpec, BuildError> {
        match operand {
            Operand::None => None,
            Operand::Input => Some(self.input),
            Operand::Node(index) => self.nodes.get(index as usize).map(|node| node.output),
            Operand::Constant(index) => self.constants.get(index as usize).map(|constant| *constant.spec()),
        }
        .ok_or(BuildError::NoSuchOperand)
    }
}

fn new_spec(element: ElementType, shape: &[u32]) -> Result<TensorSpec, BuildError> {
    TensorSpec::new(element, shape).map_err(|reason| BuildError::Output { reason })
}

/// The second last dimension; 1 for rank 1.
fn second_last(spec: &TensorSpec) -> u32 {
    spec.outer_shape().last().copied().unwrap_or(1)
}

/// `spec` with another element type and last dimension.
fn replace_cols(spec: &TensorSpec, element: ElementType, cols: u32) -> Result<TensorSpec, BuildError> {
    let mut shape = spec.shape().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = cols;
    }
    new_spec(element, &shape)
}
