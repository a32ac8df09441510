//! Random valid nodes of every operator, for the tests of this crate and of the runtime.

use opml::{
    ElementType, NodeRecord, Operand, TensorSpec,
    model::ATTRIBUTE_BYTES,
    ops::{
        Add, AddAttributes, ArgMax, Bitcast, Clip, Concat, FullyConnected, Gather, GroupedFullyConnected, LayerNorm,
        LayerNormAttributes, Lookup, MatMul, MatMulAttributes, Mul, MulAttributes, Pad, PadAttributes, Patches,
        PatchesAttributes, ReduceMax, ReduceMean, ReduceMeanAttributes, Reshape, RmsNorm, RmsNormAttributes,
        RotaryEmbedding, RotaryEmbeddingAttributes, Slice, Softmax, SoftmaxAttributes, Transpose,
    },
};
use proptest::prelude::*;

/// The numbers of all operators are 1 to this.
pub const LAST_OPERATOR: u8 = Bitcast::NUMBER;

pub fn int8(shape: &[u32]) -> TensorSpec {
    TensorSpec::new(ElementType::Int8, shape).unwrap()
}

pub fn int32(shape: &[u32]) -> TensorSpec {
    TensorSpec::new(ElementType::Int32, shape).unwrap()
}

/// A node whose operands are all the input.
pub fn record(operator: u8, operand_count: usize, output: TensorSpec, attributes: [u8; ATTRIBUTE_BYTES]) -> NodeRecord {
    let mut operands = [Operand::None; 6];
    operands[..operand_count].fill(Operand::Input);
    NodeRecord {
        operator,
        operands,
        output,
        attributes,
    }
}

/// A valid node of any operator with the specifications of its operands.
pub fn valid_node() -> impl Strategy<Value = (NodeRecord, Vec<TensorSpec>)> {
    (1..=LAST_OPERATOR, prop::collection::vec(any::<u32>(), 32)).prop_map(|(operator, draws)| node(operator, draws))
}

/// Numbers to choose shapes and attributes by.
struct Draws(std::vec::IntoIter<u32>);

impl Draws {
    /// One of `low..=high`.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.0.next().unwrap_or(0) % (high - low + 1)
    }

    fn flag(&mut self) -> bool {
        self.between(0, 1) == 1
    }

    fn i8(&mut self) -> i8 {
        self.0.next().unwrap_or(0) as i8
    }

    /// Small, large and extreme ones.
    fn i32(&mut self) -> i32 {
        let bits = self.between(0, 31);
        self.0.next().unwrap_or(0) as i32 >> bits
    }

    fn u16(&mut self, low: u32, high: u32) -> u16 {
        self.between(low, high) as u16
    }

    fn limits(&mut self) -> (i8, i8) {
        let (a, b) = (self.i8(), self.i8());
        (a.min(b), a.max(b))
    }

    fn shift(&mut self) -> i8 {
        self.between(1, 62) as i8
    }

    /// As many dimensions as asked for, small ones, and a last one that may be several tiles long.
    fn shape(&mut self, ranks: std::ops::RangeInclusive<u32>) -> Vec<u32> {
        let rank = self.between(*ranks.start(), *ranks.end());
        let mut shape: Vec<u32> = (1..rank).map(|_| self.between(1, 4)).collect();
        let longest = if self.flag() { 700 } else { 9 };
        shape.push(self.between(1, longest));
        shape
    }

    fn spec(&mut self, shape: &[u32]) -> TensorSpec {
        if self.flag() { int8(shape) } else { int32(shape) }
    }
}

fn with_last(shape: &[u32], last: u32) -> Vec<u32> {
    [&shape[..shape.len() - 1], &[last]].concat()
}

/// A valid node of this operator, whose shapes and attributes follow from `draws`.
pub fn node(operator: u8, draws: Vec<u32>) -> (NodeRecord, Vec<TensorSpec>) {
    let draws = &mut Draws(draws.into_iter());
    let none = [0; ATTRIBUTE_BYTES];
    let (specs, output, attributes) = match operator {
        FullyConnected::NUMBER => {
            let (shape, n) = (draws.shape(1..=4), draws.between(1, 300));
            let k = *shape.last().unwrap();
            let (low, high) = draws.limits();
            let attributes = FullyConnected::attributes(draws.i8(), draws.i8(), low, high);
            let specs = vec![int8(&shape), int8(&[n, k]), int32(&[n]), int32(&[n]), int8(&[n])];
            (specs, int8(&with_last(&shape, n)), attributes)
        }
        Clip::NUMBER => {
            let x = int8(&draws.shape(1..=4));
            let (low, high) = draws.limits();
            (vec![x], x, Clip::attributes(low, high))
        }
        Lookup::NUMBER => {
            let x = int8(&draws.shape(1..=4));
            (vec![x, int8(&[256])], x, none)
        }
        ArgMax::NUMBER => {
            let shape = draws.shape(1..=4);
            (vec![int8(&shape)], int32(&with_last(&shape, 1)), none)
        }
        MatMul::NUMBER => {
            let mut a = draws.shape(2..=4);
            let (m, n) = (draws.between(1, 5), draws.between(1, 300));
            let rank = a.len();
            a[rank - 2] = m;
            let mut b = a.clone();
            b[rank - 2] = n;
            if rank > 2 {
                a[rank - 3] *= draws.between(1, 3);
            }
            let attributes = MatMulAttributes {
                a_zero_point: draws.i8(),
                b_zero_point: draws.i8(),
                y_zero_point: draws.i8(),
                shift: draws.shift(),
                multiplier: draws.i32(),
            };
            let output = int8(&with_last(&a, n));
            (vec![int8(&a), int8(&b)], output, attributes.encode())
        }
        GroupedFullyConnected::NUMBER => {
            let (shape, n) = (draws.shape(2..=4), draws.between(1, 60));
            let [.., groups, k] = shape[..] else { unreachable!() };
            let (low, high) = draws.limits();
            let attributes = GroupedFullyConnected::attributes(draws.i8(), draws.i8(), low, high);
            let channels = [groups, n];
            let specs = vec![
                int8(&shape),
                int8(&[groups, n, k]),
                int32(&channels),
                int32(&channels),
                int8(&channels),
            ];
            (specs, int8(&with_last(&shape, n)), attributes)
        }
        Patches::NUMBER => {
            let (groups, channels) = (draws.between(1, 4), draws.between(1, 70));
            let mut x = vec![draws.between(1, 7), draws.between(1, 7), groups * channels];
            let mut kernel_and_padding = |length: u32| {
                let (before, after) = (draws.between(0, 3), draws.between(0, 3));
                let dilation = draws.between(1, 3);
                let kernel = 1 + draws.between(0, 2).min((length + before + after - 1) / dilation);
                (before as u16, after as u16, dilation as u16, kernel as u16)
            };
            let (top, bottom, dilation_h, kernel_h) = kernel_and_padding(x[0]);
            let (left, right, dilation_w, kernel_w) = kernel_and_padding(x[1]);
            let attributes = PatchesAttributes {
                kernel: [kernel_h, kernel_w],
                stride: [draws.u16(1, 3), draws.u16(1, 3)],
                dilation: [dilation_h, dilation_w],
                padding: [top, left, bottom, right],
                groups,
                pad_value: draws.i8(),
            };
            if draws.flag() {
                x.insert(0, draws.between(1, 2));
            }
            let x = int8(&x);
            (vec![x], attributes.output(&x).unwrap(), attributes.encode())
        }
        Add::NUMBER | Mul::NUMBER => {
            let shape = draws.shape(1..=4);
            let b = match draws.between(0, shape.len() as u32) as usize {
                0 => int8(&[1]),
                dimensions => int8(&shape[shape.len() - dimensions..]),
            };
            let (low, high) = draws.limits();
            let [a_zero_point, b_zero_point, y_zero_point, shift] = [draws.i8(), draws.i8(), draws.i8(), draws.shift()];
            let attributes = if operator == Add::NUMBER {
                AddAttributes {
                    a_zero_point,
                    b_zero_point,
                    y_zero_point,
                    low,
                    high,
                    shift,
                    a_multiplier: draws.i32(),
                    b_multiplier: draws.i32(),
                }
                .encode()
            } else {
                MulAttributes {
                    a_zero_point,
                    b_zero_point,
                    y_zero_point,
                    low,
                    high,
                    shift,
                    multiplier: draws.i32(),
                }
                .encode()
            };
            (vec![int8(&shape), b], int8(&shape), attributes)
        }
        Gather::NUMBER => {
            let (indices, table) = (draws.shape(1..=3), [draws.between(1, 90), draws.between(1, 30)]);
            let table = draws.spec(&table);
            let shape = [&indices[..], &[table.cols()]].concat();
            let output = TensorSpec::new(table.element(), &shape).unwrap();
            (vec![int32(&indices), table], output, none)
        }
        Softmax::NUMBER => {
            let x = int8(&draws.shape(1..=4));
            let causal = draws.flag();
            let attributes = SoftmaxAttributes {
                causal,
                offset: if causal { draws.i32() } else { 0 },
            };
            let mut specs = vec![x, int32(&[256])];
            if draws.flag() {
                specs.push(int32(&[1]));
            }
            (specs, x, attributes.encode())
        }
        LayerNorm::NUMBER | RmsNorm::NUMBER => {
            let x = int8(&draws.shape(1..=4));
            let parameter = int32(&[x.cols()]);
            let (y_zero_point, shift, epsilon) = (draws.i8(), draws.shift(), draws.i32() as u32);
            if operator == LayerNorm::NUMBER {
                let attributes = LayerNormAttributes {
                    y_zero_point,
                    shift,
                    epsilon,
                };
                (vec![x, parameter, parameter], x, attributes.encode())
            } else {
                let attributes = RmsNormAttributes {
                    x_zero_point: draws.i8(),
                    y_zero_point,
                    shift,
                    epsilon,
                };
                (vec![x, parameter], x, attributes.encode())
            }
        }
        RotaryEmbedding::NUMBER => {
            let mut shape = draws.shape(2..=4);
            let [.., s, d] = &mut shape[..] else { unreachable!() };
            *d += *d % 2;
            let table = int32(&[draws.between(1, 40), *d / 2]);
            let positions = int32(&[*s]);
            let attributes = RotaryEmbeddingAttributes {
                x_zero_point: draws.i8(),
                y_zero_point: draws.i8(),
                shift: draws.shift(),
                interleaved: draws.flag(),
            };
            let x = int8(&shape);
            (vec![x, positions, table, table], x, attributes.encode())
        }
        Transpose::NUMBER => {
            let shape = draws.shape(1..=4);
            let x = draws.spec(&shape);
            let mut permutation: Vec<u8> = (0..shape.len() as u8).collect();
            for i in (1..permutation.len()).rev() {
                permutation.swap(i, draws.between(0, i as u32) as usize);
            }
            let shape: Vec<u32> = permutation.iter().map(|from| shape[usize::from(*from)]).collect();
            let output = TensorSpec::new(x.element(), &shape).unwrap();
            (vec![x], output, Transpose::attributes(&permutation))
        }
        Reshape::NUMBER => {
            let shape = draws.shape(1..=4);
            let x = draws.spec(&shape);
            let output = match draws.between(0, 2) {
                0 => vec![x.elements()],
                1 => vec![x.rows(), x.cols(), 1],
                _ => vec![x.cols(), x.rows()],
            };
            let output = TensorSpec::new(x.element(), &output).unwrap();
            (vec![x], output, none)
        }
        Slice::NUMBER | Pad::NUMBER => {
            // A small box inside a large one.
            let large = draws.shape(1..=4);
            let (mut starts, mut small) = (Vec::new(), Vec::new());
            for length in &large {
                let start = draws.between(0, length - 1);
                starts.push(start);
                small.push(draws.between(1, length - start));
            }
            let large = draws.spec(&large);
            let small = TensorSpec::new(large.element(), &small).unwrap();
            if operator == Slice::NUMBER {
                (vec![large], small, Slice::attributes(&starts))
            } else {
                starts.resize(4, 0);
                let attributes = PadAttributes {
                    before: starts.try_into().unwrap(),
                    value: match large.element() {
                        ElementType::Int8 => draws.i8().into(),
                        ElementType::Int32 => draws.i32(),
                    },
                };
                (vec![small], large, attributes.encode())
            }
        }
        Concat::NUMBER => {
            let shape = draws.shape(1..=4);
            let a = draws.spec(&shape);
            let axis = draws.between(0, shape.len() as u32 - 1);
            let mut b = shape.clone();
            b[axis as usize] = draws.between(1, 300);
            let mut y = shape;
            y[axis as usize] += b[axis as usize];
            let [b, y] = [b, y].map(|shape| TensorSpec::new(a.element(), &shape).unwrap());
            (vec![a, b], y, Concat::attributes(axis as u8))
        }
        ReduceMean::NUMBER => {
            let shape = draws.shape(1..=4);
            let attributes = ReduceMeanAttributes {
                x_zero_point: draws.i8(),
                y_zero_point: draws.i8(),
                shift: draws.shift(),
                multiplier: draws.i32(),
            };
            (vec![int8(&shape)], int8(&with_last(&shape, 1)), attributes.encode())
        }
        ReduceMax::NUMBER => {
            let shape = draws.shape(1..=4);
            (vec![int8(&shape)], int8(&with_last(&shape, 1)), none)
        }
        Bitcast::NUMBER => {
            let words = draws.shape(1..=4);
            let words_spec = int32(&words);
            let bytes_spec = int8(&with_last(&words, 4 * words_spec.cols()));
            if draws.flag() {
                (vec![words_spec], bytes_spec, none)
            } else {
                (vec![bytes_spec], words_spec, none)
            }
        }
        other => panic!("operator {other} has no case here"),
    };
    (record(operator, specs.len(), output, attributes), specs)
}
