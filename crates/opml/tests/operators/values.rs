//! What each operator computes, against a second way to compute it: integers by hand or floating point.

use crate::nodes::{int8, int32, record};
use opml::{
    ElementType, TensorSpec,
    model::{ATTRIBUTE_BYTES, validate_node},
    ops::{
        self, Add, AddAttributes, Bitcast, Concat, Gather, GroupedFullyConnected, LayerNorm, LayerNormAttributes,
        MatMul, MatMulAttributes, Mul, MulAttributes, Pad, PadAttributes, Patches, PatchesAttributes, ReduceMax,
        ReduceMean, ReduceMeanAttributes, Region, Reshape, RmsNorm, RmsNormAttributes, RotaryEmbedding,
        RotaryEmbeddingAttributes, Slice, Softmax, SoftmaxAttributes, Transpose,
    },
};

/// A tensor of small numbers.
struct Values {
    spec: TensorSpec,
    bytes: Vec<u8>,
}

impl Values {
    fn new(spec: TensorSpec, values: &[i32]) -> Self {
        assert_eq!(spec.elements() as usize, values.len());
        let bytes = match spec.element() {
            ElementType::Int8 => values.iter().map(|value| i8::try_from(*value).unwrap() as u8).collect(),
            ElementType::Int32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        Self { spec, bytes }
    }

    fn int8(shape: &[u32], values: &[i32]) -> Self {
        Self::new(int8(shape), values)
    }

    fn int32(shape: &[u32], values: &[i32]) -> Self {
        Self::new(int32(shape), values)
    }

    /// Spread over int8, the same each time.
    fn spread(shape: &[u32]) -> Self {
        let spec = int8(shape);
        let values: Vec<i32> = (0..spec.elements() as i32)
            .map(|i| (i * 37 + i / 7 * 11) % 256 - 128)
            .collect();
        Self::new(spec, &values)
    }

    fn values(&self) -> Vec<i32> {
        let element = self.spec.element();
        (0..self.spec.elements() as usize)
            .map(|i| element.read(&self.bytes, i * element.size() as usize).unwrap())
            .collect()
    }
}

/// All elements of a node's output.
fn run(number: u8, attributes: [u8; ATTRIBUTE_BYTES], output: TensorSpec, operands: &[&Values]) -> Vec<i32> {
    let node = record(number, operands.len(), output, attributes);
    let specs: Vec<TensorSpec> = operands.iter().map(|operand| operand.spec).collect();
    assert_eq!(validate_node(&node, &specs), Ok(()));
    let operator = ops::operator(number).unwrap();
    (0..output.elements())
        .map(|element| {
            let mut regions: Vec<&[u8]> = Vec::new();
            for (i, operand) in operands.iter().enumerate() {
                let range = match operator.region(&node, &specs, i, element, &regions).unwrap() {
                    Region::Row(row) => operand.spec.row_range(row).unwrap(),
                    Region::Tile(leaf) => operand.spec.tile_range(leaf).unwrap(),
                    Region::Nothing => 0..0,
                };
                regions.push(&operand.bytes[range]);
            }
            ops::element(operator, &node, &specs, &regions, element).unwrap()
        })
        .collect()
}

fn sat8(value: f64) -> i32 {
    value.clamp(-128.0, 127.0) as i32
}

/// `floor(value + 1/2)`: ties towards positive infinity.
fn round(value: f64) -> f64 {
    (value + 0.5).floor()
}

const NONE: [u8; ATTRIBUTE_BYTES] = [0; ATTRIBUTE_BYTES];

#[test]
fn given_grouped_heads_when_multiplied_then_each_group_meets_its_own_matrix() {
    // Two batches, four heads that share two, three rows by five.
    let (a, b) = (Values::spread(&[2, 4, 3, 6]), Values::spread(&[2, 2, 5, 6]));
    let attributes = MatMulAttributes {
        a_zero_point: 3,
        b_zero_point: -5,
        y_zero_point: 7,
        shift: 20,
        multiplier: 1500,
    };
    let y = run(MatMul::NUMBER, attributes.encode(), int8(&[2, 4, 3, 5]), &[&a, &b]);
    let (a, b) = (a.values(), b.values());
    let mut expected = vec![];
    for batch in 0..2 {
        for head in 0..4 {
            for i in 0..3 {
                for j in 0..5 {
                    let a = &a[((batch * 4 + head) * 3 + i) * 6..][..6];
                    let b = &b[((batch * 2 + head / 2) * 5 + j) * 6..][..6];
                    let sum: i32 = a.iter().zip(b).map(|(a, b)| (a - 3) * (b + 5)).sum();
                    expected.push(sat8(round(f64::from(sum) * 1500.0 / f64::from(1 << 20)) + 7.0));
                }
            }
        }
    }
    assert_eq!(y, expected);
}

/// A convolution by its definition, in NHWC.
#[test]
fn given_patches_when_multiplied_by_weights_then_it_is_a_grouped_convolution() {
    let (h, w, c, groups, n) = (5i64, 6i64, 4usize, 2usize, 3usize);
    let x = Values::spread(&[2, 5, 6, 4]);
    let weights = Values::spread(&[2, 3, 3 * 2 * 2]);
    let attributes = PatchesAttributes {
        kernel: [3, 2],
        stride: [2, 1],
        dilation: [1, 2],
        padding: [1, 0, 2, 1],
        groups: 2,
        pad_value: 9,
    };
    assert_eq!(attributes.windows(5, 6), Some([3, 5]));
    let patches = Values::new(
        attributes.output(&x.spec).unwrap(),
        &run(Patches::NUMBER, attributes.encode(), int8(&[2, 15, 2, 12]), &[&x]),
    );
    let channels = [2, 3];
    let y = run(
        GroupedFullyConnected::NUMBER,
        GroupedFullyConnected::attributes(9, -3, -100, 120),
        int8(&[2, 15, 2, 3]),
        &[
            &patches,
            &weights,
            &Values::int32(&channels, &[10, 20, 30, -40, -50, -60]),
            &Values::int32(&channels, &[100, 110, 120, 130, 140, 150]),
            &Values::int8(&channels, &[16, 17, 16, 17, 16, 17]),
        ],
    );
    let (x, weights) = (x.values(), weights.values());
    let mut expected = vec![];
    for batch in 0..2 {
        for (py, px) in (0..3).flat_map(|py| (0..5).map(move |px| (py, px))) {
            for (group, channel) in (0..groups).flat_map(|group| (0..n).map(move |channel| (group, channel))) {
                let mut sum = 0;
                for (ky, kx, i) in (0..3).flat_map(|ky| (0..2).flat_map(move |kx| (0..2).map(move |i| (ky, kx, i)))) {
                    let (iy, ix) = (py * 2 + ky - 1, px + kx * 2);
                    if (0..h).contains(&iy) && (0..w).contains(&ix) {
                        let x = x[((batch * h + iy) * w + ix) as usize * c + group * 2 + i as usize];
                        let weight = weights[(group * n + channel) * 12 + ((ky * 2 + kx) * 2 + i) as usize];
                        sum += (x - 9) * weight;
                    }
                }
                let at = group * n + channel;
                let scaled = f64::from(sum + [10, 20, 30, -40, -50, -60][at])
                    * [100.0, 110.0, 120.0, 130.0, 140.0, 150.0][at]
                    / f64::from(1 << [16, 17, 16, 17, 16, 17][at]);
                expected.push((round(scaled) as i32 - 3).clamp(-100, 120));
            }
        }
    }
    assert_eq!(y, expected);
}

#[test]
fn given_two_tensors_when_added_or_multiplied_then_rounded_once_and_clamped() {
    let (a, row) = (Values::spread(&[3, 4]), Values::int8(&[4], &[-128, -1, 60, 127]));
    let one = Values::int8(&[1], &[50]);
    let add = AddAttributes {
        a_zero_point: 10,
        b_zero_point: -20,
        y_zero_point: 5,
        low: -90,
        high: 100,
        shift: 10,
        a_multiplier: 700,
        b_multiplier: -333,
    };
    let mul = MulAttributes {
        a_zero_point: 10,
        b_zero_point: -20,
        y_zero_point: 5,
        low: -90,
        high: 100,
        shift: 12,
        multiplier: 45,
    };
    for b in [&row, &one, &Values::spread(&[3, 4])] {
        let sums = run(Add::NUMBER, add.encode(), a.spec, &[&a, b]);
        let products = run(Mul::NUMBER, mul.encode(), a.spec, &[&a, b]);
        let b = b.values();
        for (i, a) in a.values().into_iter().enumerate() {
            let (a, b) = (f64::from(a - 10), f64::from(b[i % b.len()] + 20));
            let sum = round((a * 700.0 - b * 333.0) / 1024.0) + 5.0;
            let product = round(a * b * 45.0 / 4096.0) + 5.0;
            assert_eq!(sums[i], sum.clamp(-90.0, 100.0) as i32);
            assert_eq!(products[i], product.clamp(-90.0, 100.0) as i32);
        }
    }
}

#[test]
fn given_indices_when_gathered_then_rows_of_the_table_and_the_nearest_for_those_outside() {
    let indices = Values::int32(&[2, 3], &[1, 0, 2, -1, 3, i32::MIN]);
    let rows = [[7, 8], [-9, 10], [11, -12]];
    let expected: Vec<i32> = [1, 0, 2, 0, 2, 0].iter().flat_map(|row: &usize| rows[*row]).collect();
    let table = Values::int8(&[3, 2], rows.as_flattened());
    assert_eq!(
        run(Gather::NUMBER, NONE, int8(&[2, 3, 2]), &[&indices, &table]),
        expected
    );
    let table = Values::int32(&[3, 2], rows.as_flattened());
    assert_eq!(
        run(Gather::NUMBER, NONE, int32(&[2, 3, 2]), &[&indices, &table]),
        expected
    );
}

#[test]
fn given_scores_when_softmaxed_then_within_half_a_step_of_the_real_probabilities() {
    let scale = 0.05;
    let table: Vec<i32> = (0..256)
        .map(|d| ((-scale * f64::from(d)).exp() * f64::from(1 << 30)) as i32)
        .collect();
    let table = Values::int32(&[256], &table);
    let x = Values::spread(&[2, 3, 40]);
    let scores = x.values();
    let check = |attributes: SoftmaxAttributes, length: Option<i32>, visible: &dyn Fn(usize) -> i32| {
        let length = length.map(|length| Values::int32(&[1], &[length]));
        let operands: Vec<&Values> = [&x, &table].into_iter().chain(&length).collect();
        let y = run(Softmax::NUMBER, attributes.encode(), x.spec, &operands);
        for (row, (scores, y)) in scores.chunks(40).zip(y.chunks(40)).enumerate() {
            let visible = visible(row % 3).clamp(0, 40) as usize;
            let sum: f64 = scores[..visible]
                .iter()
                .map(|score| (scale * f64::from(*score)).exp())
                .sum();
            for (j, y) in y.iter().enumerate() {
                let real = if j < visible {
                    (scale * f64::from(scores[j])).exp() / sum * 256.0
                } else {
                    0.0
                };
                assert!(
                    (f64::from(y + 128) - real.min(255.0)).abs() <= 0.5001,
                    "row {row}, {j}: {y} {real}"
                );
            }
        }
    };
    let causal = |offset| SoftmaxAttributes { causal: true, offset };
    check(SoftmaxAttributes::default(), None, &|_| 40);
    for length in [i32::MIN, 0, 1, 17, 40, i32::MAX] {
        check(SoftmaxAttributes::default(), Some(length), &|_| length);
        check(causal(5), Some(length), &|row| length.min(row as i32 + 6));
    }
    for offset in [-2, -1, 0, 37, 100] {
        check(causal(offset), None, &|row| row as i32 + offset + 1);
    }
    check(causal(i32::MIN), None, &|_| 0);
    check(causal(i32::MAX), None, &|_| 40);

    // A table of no use still has a result.
    let zeros = Values::int32(&[256], &[0; 256]);
    let negative = Values::int32(&[256], &[i32::MIN; 256]);
    for table in [zeros, negative] {
        let y = run(Softmax::NUMBER, NONE, x.spec, &[&x, &table]);
        assert!(y.iter().all(|y| *y == -128));
    }
}

#[test]
fn given_rows_when_normalised_then_as_in_real_numbers() {
    let k = 300usize;
    let x = Values::spread(&[4, 300]);
    let gamma: Vec<i32> = (0..k as i32).map(|i| (i - 100) * 20_000).collect();
    let beta: Vec<i32> = (0..k as i32).map(|i| (150 - i) * 9_000).collect();
    let (gamma_values, beta_values) = (Values::int32(&[300], &gamma), Values::int32(&[300], &beta));
    for epsilon in [0u32, 1 << 20, u32::MAX] {
        let attributes = LayerNormAttributes {
            y_zero_point: 6,
            shift: 36,
            epsilon,
        };
        let layer = run(
            LayerNorm::NUMBER,
            attributes.encode(),
            x.spec,
            &[&x, &gamma_values, &beta_values],
        );
        let attributes = RmsNormAttributes {
            x_zero_point: -30,
            y_zero_point: 6,
            shift: 36,
            epsilon,
        };
        let rms = run(RmsNorm::NUMBER, attributes.encode(), x.spec, &[&x, &gamma_values]);
        for (row, values) in x.values().chunks(k).enumerate() {
            let epsilon = f64::from(epsilon) / 65_536.0;
            let mean = values.iter().sum::<i32>() as f64 / k as f64;
            let mean_square =
                |center: f64| values.iter().map(|x| (f64::from(*x) - center).powi(2)).sum::<f64>() / k as f64;
            let (deviation, root) = (
                (mean_square(mean) + epsilon).sqrt(),
                (mean_square(-30.0) + epsilon).sqrt(),
            );
            for (i, x) in values.iter().enumerate() {
                let (gamma, beta) = (f64::from(gamma[i]) / 65_536.0, f64::from(beta[i]) / 65_536.0);
                let real = (f64::from(*x) - mean) / deviation * gamma + beta + 6.0;
                let y = f64::from(layer[row * k + i]);
                assert!((y - real.clamp(-128.0, 127.0)).abs() < 0.501, "layer: {y} {real}");
                let real = (f64::from(*x) + 30.0) / root * gamma + 6.0;
                let y = f64::from(rms[row * k + i]);
                assert!((y - real.clamp(-128.0, 127.0)).abs() < 0.501, "rms: {y} {real}");
            }
        }
    }
    // A row of one value has no deviation.
    let flat = Values::int8(&[3], &[9; 3]);
    let parameters = Values::int32(&[3], &[i32::MAX, 5 << 16, i32::MIN]);
    let attributes = LayerNormAttributes {
        y_zero_point: 1,
        shift: 36,
        epsilon: 0,
    };
    let y = run(
        LayerNorm::NUMBER,
        attributes.encode(),
        flat.spec,
        &[&flat, &parameters, &parameters],
    );
    assert_eq!(y, [127, 6, -128]);
}

#[test]
fn given_positions_when_pairs_turn_then_by_the_angle_of_the_position() {
    let (d, table_rows, shift) = (6u32, 9u32, 24);
    let angle = |position: i32, j: usize| f64::from(position) * 0.7 / (j + 1) as f64;
    let table = |function: fn(f64) -> f64| {
        let entry = |i: u32| function(angle((i / (d / 2)) as i32, (i % (d / 2)) as usize)) * f64::from(1 << shift);
        let values: Vec<i32> = (0..table_rows * d / 2).map(|i| entry(i).round() as i32).collect();
        Values::int32(&[table_rows, d / 2], &values)
    };
    let (cos, sin) = (table(f64::cos), table(f64::sin));
    let x = Values::spread(&[2, 4, d]);
    let positions = [3, 0, -5, 100];
    for interleaved in [false, true] {
        let attributes = RotaryEmbeddingAttributes {
            x_zero_point: 4,
            y_zero_point: -2,
            shift: shift as i8,
            interleaved,
        };
        let operands = [&x, &Values::int32(&[4], &positions), &cos, &sin];
        let y = run(RotaryEmbedding::NUMBER, attributes.encode(), x.spec, &operands);
        for (row, (x, y)) in x.values().chunks(6).zip(y.chunks(6)).enumerate() {
            let position = positions[row % 4].clamp(0, 8);
            for j in 0..3 {
                let (first, second) = if interleaved { (2 * j, 2 * j + 1) } else { (j, j + 3) };
                let (u, v) = (f64::from(x[first] - 4), f64::from(x[second] - 4));
                let (sin, cos) = angle(position, j).sin_cos();
                for (found, real) in [(y[first], u * cos - v * sin), (y[second], v * cos + u * sin)] {
                    let real = (real - 2.0).clamp(-128.0, 127.0);
                    assert!((f64::from(found) - real).abs() < 0.501, "{found} {real}");
                }
            }
        }
    }
}

#[test]
fn given_dimensions_in_another_order_when_transposed_then_each_element_is_at_its_place() {
    let x = Values::spread(&[2, 3, 4, 5]);
    let y = run(
        Transpose::NUMBER,
        Transpose::attributes(&[2, 0, 3, 1]),
        int8(&[4, 2, 5, 3]),
        &[&x],
    );
    let x = x.values();
    let mut at = 0;
    for (c, a) in (0..4).flat_map(|c| (0..2).map(move |a| (c, a))) {
        for (d, b) in (0..5).flat_map(|d| (0..3).map(move |b| (d, b))) {
            assert_eq!(y[at], x[((a * 3 + b) * 4 + c) * 5 + d]);
            at += 1;
        }
    }
}

#[test]
fn given_a_tensor_when_moved_then_the_elements_are_those_of_the_specification() {
    let counting: Vec<i32> = (0..12).collect();
    let x = Values::int8(&[3, 4], &counting);
    assert_eq!(run(Reshape::NUMBER, NONE, int8(&[2, 1, 6]), &[&x]), counting);
    let starts = Slice::attributes(&[1, 2]);
    assert_eq!(run(Slice::NUMBER, starts, int8(&[2, 2]), &[&x]), [6, 7, 10, 11]);
    let pad = PadAttributes {
        before: [1, 0, 0, 0],
        value: -7,
    };
    let wide = Values::int32(&[2, 2], &[1, 2, 3, i32::MAX]);
    assert_eq!(
        run(Pad::NUMBER, pad.encode(), int32(&[3, 3]), &[&wide]),
        [-7, -7, -7, 1, 2, -7, 3, i32::MAX, -7]
    );
    let other = Values::int8(&[3, 1], &[-1, -2, -3]);
    assert_eq!(
        run(Concat::NUMBER, Concat::attributes(1), int8(&[3, 5]), &[&x, &other]),
        [0, 1, 2, 3, -1, 4, 5, 6, 7, -2, 8, 9, 10, 11, -3]
    );
    let below = Values::int8(&[1, 4], &[-1, -2, -3, -4]);
    let joined: Vec<i32> = counting.iter().copied().chain([-1, -2, -3, -4]).collect();
    assert_eq!(
        run(Concat::NUMBER, Concat::attributes(0), int8(&[4, 4]), &[&x, &below]),
        joined
    );
}

#[test]
fn given_rows_when_reduced_then_their_mean_and_their_maximum() {
    let x = Values::int8(&[2, 1, 4], &[10, 20, -30, 7, -128, -128, -127, -128]);
    let mean = ReduceMeanAttributes {
        x_zero_point: 1,
        y_zero_point: -1,
        shift: 31,
        multiplier: 1 << 29,
    };
    // (7 - 4) / 4 = 0.75 rounds to 1; (-511 - 4) / 4 = -128.75 rounds to -129 and saturates.
    assert_eq!(
        run(ReduceMean::NUMBER, mean.encode(), int8(&[2, 1, 1]), &[&x]),
        [0, -128]
    );
    assert_eq!(run(ReduceMax::NUMBER, NONE, int8(&[2, 1, 1]), &[&x]), [20, -127]);
}

#[test]
fn given_words_when_cast_to_bytes_and_back_then_little_endian() {
    let words: Vec<i32> = (0..140).map(|i| i * 0x0003_0507 - 99).collect();
    let words = Values::int32(&[2, 70], &words);
    let bytes: Vec<i32> = words.bytes.iter().map(|byte| i32::from(*byte as i8)).collect();
    assert_eq!(run(Bitcast::NUMBER, NONE, int8(&[2, 280]), &[&words]), bytes);
    let bytes = Values::int8(&[2, 280], &bytes);
    assert_eq!(run(Bitcast::NUMBER, NONE, int32(&[2, 70]), &[&bytes]), words.values());
}
