//! Making models in code.

use opml::{
    ElementType, NodeRecord, Operand, TensorError, TensorSpec,
    model::{ATTRIBUTE_BYTES, MAX_OPERANDS},
    ops::{ArgMax, Clip, FullyConnected, Lookup, TABLE_ENTRIES},
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

    /// Checks every rule and commits.
    pub fn build(self) -> Result<Model, BuildError> {
        Ok(Model::new(self.input, self.nodes, self.constants)?)
    }

    fn spec(&self, operand: Operand) -> Result<TensorSpec, BuildError> {
        match operand {
            Operand::None => None,
            Operand::Input => Some(self.input),
            Operand::Node(index) => self.nodes.get(index as usize).map(|node| node.output),
            Operand::Constant(index) => self.constants.get(index as usize).map(|constant| *constant.spec()),
        }
        .ok_or(BuildError::NoSuchOperand)
    }
}

/// `spec` with another element type and last dimension.
fn replace_cols(spec: &TensorSpec, element: ElementType, cols: u32) -> Result<TensorSpec, BuildError> {
    let mut shape = spec.shape().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = cols;
    }
    TensorSpec::new(element, &shape).map_err(|reason| BuildError::Output { reason })
}
