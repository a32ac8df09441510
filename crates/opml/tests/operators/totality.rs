//! Nothing panics on data: operators on random bytes, the referee on random witnesses.

use crate::nodes::{LAST_OPERATOR, int8, int32, record, valid_node};
use opml::{
    Claim, ConstantRecord, ElementType, ModelHeader, NodeError, NodeRecord, Operand, TensorSpec,
    model::{ATTRIBUTE_BYTES, HEADER_BYTES, NODE_BYTES, validate_node},
    ops::{
        self, Add, AddAttributes, ArgMax, Bitcast, Clip, Concat, FullyConnected, Gather, GroupedFullyConnected,
        LayerNorm, Lookup, MatMul, MatMulAttributes, Pad, PadAttributes, Patches, PatchesAttributes, ReduceMax,
        ReduceMean, Region, Reshape, RmsNorm, RotaryEmbedding, Slice, Softmax, SoftmaxAttributes, Transpose,
    },
    referee,
};
use proptest::prelude::*;

/// Computes one element of an accepted node on random bytes, in full and with too few.
fn run_one(node: &NodeRecord, specs: &[TensorSpec], seed: u64, at: prop::sample::Index) -> Result<(), TestCaseError> {
    let operator = ops::operator(node.operator).unwrap();
    let element = at.index(node.output.elements() as usize) as u32;
    let mut regions: Vec<Vec<u8>> = Vec::new();
    for (i, spec) in (0u64..).zip(specs) {
        let proven: Vec<&[u8]> = regions.iter().map(Vec::as_slice).collect();
        let len = match operator.region(node, specs, i as usize, element, &proven).unwrap() {
            Region::Row(row) => spec.row_range(row).unwrap().len(),
            Region::Tile(leaf) => spec.tile_range(leaf).unwrap().len(),
            Region::Nothing => 0,
        };
        regions.push((0..len as u64).map(|byte| extreme_byte(seed ^ i, byte)).collect());
    }
    let regions: Vec<&[u8]> = regions.iter().map(Vec::as_slice).collect();
    let value = ops::element(operator, node, specs, &regions, element);
    prop_assert!(value.is_some());
    if node.output.element() == ElementType::Int8 {
        prop_assert!(i8::try_from(value.unwrap()).is_ok());
    }
    // Regions that are too short or too few have no value, or at least do not panic.
    let short: Vec<&[u8]> = regions.iter().map(|region| &region[..region.len() / 2]).collect();
    ops::element(operator, node, specs, &short, element);
    for count in 0..specs.len() {
        operator.region(node, specs, count, element, &[]);
    }
    prop_assert_eq!(ops::element(operator, node, specs, &[], element), None);
    Ok(())
}

/// Bytes that reach the extremes often.
fn extreme_byte(seed: u64, byte: u64) -> u8 {
    match (seed ^ (byte.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17)) % 7 {
        0 | 1 => 0x80,
        2 => 0x7f,
        3 => 0xff,
        other => other as u8 ^ byte as u8,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn given_any_bytes_when_a_valid_node_runs_then_every_element_has_a_value_of_its_type((node, specs) in valid_node(), seed: u64, at in any::<prop::sample::Index>()) {
        prop_assert_eq!(validate_node(&node, &specs), Ok(()));
        run_one(&node, &specs, seed, at)?;
    }

    /// Whatever `validate_node` accepts is total, not only what the strategy makes.
    #[test]
    fn given_a_valid_node_when_bytes_of_it_and_shapes_of_operands_change_then_it_is_refused_or_total((node, specs) in valid_node(), changes in prop::collection::vec((0..NODE_BYTES, any::<u8>()), 0..3), operand: prop::sample::Index, shape in prop::collection::vec(1u32..9, 1..5), wide: bool, reshape: bool, seed: u64, at: prop::sample::Index) {
        let mut specs = specs;
        if reshape {
            let spec = if wide { int32(&shape) } else { int8(&shape) };
            let operand = operand.index(specs.len());
            specs[operand] = spec;
        }
        let mut bytes = node.encode();
        for (at, value) in changes {
            bytes[at] = value;
        }
        if let Ok(node) = NodeRecord::decode(&bytes) {
            if node.operand_count() == specs.len() && validate_node(&node, &specs).is_ok() {
                run_one(&node, &specs, seed, at)?;
            }
        }
    }

    #[test]
    fn given_a_valid_node_when_one_thing_is_wrong_then_it_is_refused((node, specs) in valid_node(), operand: prop::sample::Index) {
        let other = |spec: &TensorSpec| match spec.element() {
            ElementType::Int8 => int32(spec.shape()),
            ElementType::Int32 => int8(spec.shape()),
        };
        let mut wrong = node;
        wrong.attributes[ATTRIBUTE_BYTES - 1] = 1;
        prop_assert_eq!(validate_node(&wrong, &specs), Err(NodeError::Attribute));

        let mut wrong = node;
        wrong.output = other(&node.output);
        prop_assert_eq!(validate_node(&wrong, &specs), Err(NodeError::OutputSpec));

        let mut wrong_specs = specs.clone();
        let operand = operand.index(specs.len());
        wrong_specs[operand] = other(&specs[operand]);
        prop_assert!(validate_node(&node, &wrong_specs).is_err());

        let mut wrong = node;
        let count = specs.len();
        prop_assert_eq!(validate_node(&wrong, &specs[1..]), Err(NodeError::OperandCount));
        wrong.operands[count - 1] = Operand::None;
        let fewer = validate_node(&wrong, &specs[..count - 1]);
        if node.operator == Softmax::NUMBER && count == 3 {
            prop_assert_eq!(fewer, Ok(()));
        } else {
            prop_assert_eq!(fewer, Err(NodeError::OperandCount));
        }
        wrong.operands[count] = Operand::Input;
        wrong.operands[count - 1] = Operand::Input;
        if !(node.operator == Softmax::NUMBER && count == 2) {
            let more = [&specs[..], &specs[..1]].concat();
            prop_assert_eq!(validate_node(&wrong, &more), Err(NodeError::OperandCount));
        }
    }

    #[test]
    fn given_any_record_when_decoded_then_only_what_encodes_back_is_accepted(bytes in prop::collection::vec(any::<u8>(), NODE_BYTES)) {
        if let Ok(node) = NodeRecord::decode(&bytes) {
            prop_assert_eq!(node.encode().to_vec(), bytes);
        }
    }

    #[test]
    fn given_a_valid_record_when_one_byte_changes_then_it_is_refused_or_encodes_back((node, specs) in valid_node(), at in 0..NODE_BYTES, value: u8) {
        let mut bytes = node.encode();
        prop_assert_eq!(NodeRecord::decode(&bytes), Ok(node));
        bytes[at] = value;
        if let Ok(changed) = NodeRecord::decode(&bytes) {
            prop_assert_eq!(changed.encode(), bytes);
            let _ = validate_node(&changed, &specs);
        }
    }

    #[test]
    fn given_any_header_when_decoded_then_only_what_encodes_back_is_accepted(bytes in prop::collection::vec(any::<u8>(), HEADER_BYTES), spec in prop::bool::ANY) {
        let mut bytes = bytes;
        if spec {
            bytes[..2].copy_from_slice(&1u16.to_le_bytes());
            bytes[4..6].fill(0);
            bytes[8..10].fill(0);
            bytes[74..].copy_from_slice(&int8(&[2, 3]).encode());
        }
        if let Ok(header) = ModelHeader::decode(&bytes) {
            prop_assert_eq!(header.encode().to_vec(), bytes);
        }
    }

    #[test]
    fn given_any_witness_when_judged_then_nothing_panics_and_nothing_is_proven(witness in prop::collection::vec(any::<u8>(), 0..2000), node: u32, leaf: u32, element: u32, roots: [[u8; 32]; 4]) {
        let claim = Claim { model_root: roots[0], input_root: roots[1], output_root: roots[2] };
        prop_assert!(referee::check(&claim, &roots[3], node, leaf, &witness, element, &witness).is_err());
    }
}

#[test]
fn given_nodes_that_break_one_rule_when_validated_then_that_rule_is_named() {
    let x = int8(&[2, 8]);
    let specs = [x, int8(&[3, 8]), int32(&[3]), int32(&[3]), int8(&[3])];
    let good = record(
        FullyConnected::NUMBER,
        5,
        int8(&[2, 3]),
        FullyConnected::attributes(0, 0, -128, 127),
    );
    assert_eq!(validate_node(&good, &specs), Ok(()));
    let with_spec = |operand: usize, spec: TensorSpec| {
        let mut specs = specs;
        specs[operand] = spec;
        validate_node(&good, &specs)
    };
    let operand = |operand| Err(NodeError::Operand { operand });
    assert_eq!(with_spec(0, int32(&[2, 8])), operand(0));
    assert_eq!(with_spec(0, int8(&[2, 32_769])), Err(NodeError::ReductionTooLong));
    assert_eq!(with_spec(0, int8(&[3, 8])), Err(NodeError::OutputSpec));
    assert_eq!(with_spec(0, int8(&[2, 1, 8])), Err(NodeError::OutputSpec));
    assert_eq!(with_spec(1, int8(&[3, 9])), operand(1));
    assert_eq!(with_spec(1, int8(&[3, 1, 8])), operand(1));
    assert_eq!(with_spec(1, int32(&[3, 8])), operand(1));
    assert_eq!(with_spec(2, int8(&[3])), operand(2));
    assert_eq!(with_spec(2, int32(&[1, 3])), operand(2));
    assert_eq!(with_spec(3, int32(&[4])), operand(3));
    assert_eq!(with_spec(4, int32(&[3])), operand(4));
    assert_eq!(validate_node(&good, &specs[..4]), Err(NodeError::OperandCount));

    assert!((1..=LAST_OPERATOR).all(|number| ops::operator(number).is_some()));
    assert!((LAST_OPERATOR + 1..=255).all(|number| ops::operator(number).is_none()));
    let with = |change: &dyn Fn(&mut NodeRecord)| {
        let mut node = good;
        change(&mut node);
        validate_node(&node, &specs)
    };
    assert_eq!(with(&|node| node.operator = 0), Err(NodeError::UnknownOperator(0)));
    assert_eq!(with(&|node| node.operator = 200), Err(NodeError::UnknownOperator(200)));
    assert_eq!(with(&|node| node.operator = Clip::NUMBER), Err(NodeError::OperandCount));
    assert_eq!(with(&|node| node.output = int8(&[2, 4])), Err(NodeError::OutputSpec));
    assert_eq!(with(&|node| node.output = int32(&[2, 3])), Err(NodeError::OutputSpec));
    assert_eq!(with(&|node| node.attributes[4] = 1), Err(NodeError::Attribute));
    assert_eq!(
        with(&|node| node.attributes = FullyConnected::attributes(0, 0, 1, 0)),
        Err(NodeError::Attribute)
    );

    let clip = record(Clip::NUMBER, 1, x, Clip::attributes(3, 2));
    assert_eq!(validate_node(&clip, &[x]), Err(NodeError::Attribute));
    let clip = record(Clip::NUMBER, 1, x, Clip::attributes(2, 3));
    assert_eq!(validate_node(&clip, &[int8(&[8, 2])]), Err(NodeError::OutputSpec));
    assert_eq!(validate_node(&clip, &[int32(&[2, 8])]), operand(0));
    let lookup = record(Lookup::NUMBER, 2, x, [0; ATTRIBUTE_BYTES]);
    assert_eq!(validate_node(&lookup, &[x, int8(&[256])]), Ok(()));
    assert_eq!(validate_node(&lookup, &[x, int8(&[255])]), operand(1));
    assert_eq!(validate_node(&lookup, &[x, int8(&[1, 256])]), operand(1));
    let arg_max = record(ArgMax::NUMBER, 1, int32(&[2, 1]), [0; ATTRIBUTE_BYTES]);
    assert_eq!(validate_node(&arg_max, &[x]), Ok(()));
    assert_eq!(validate_node(&arg_max, &[int32(&[2, 8])]), operand(0));
    assert_eq!(
        validate_node(&arg_max, &[int8(&[2, 40_000])]),
        Err(NodeError::ReductionTooLong)
    );
    assert_eq!(validate_node(&arg_max, &[int8(&[3, 8])]), Err(NodeError::OutputSpec));
}

#[test]
fn given_later_operators_that_break_one_rule_when_validated_then_that_rule_is_named() {
    let operand = |operand| Err(NodeError::Operand { operand });
    let too_long = int8(&[1, 32_769]);
    let validate = |number, attributes, output, specs: &[TensorSpec]| {
        validate_node(&record(number, specs.len(), output, attributes), specs)
    };

    let mat_mul = |shift, a: &[u32], b: &[u32], y: &[u32]| {
        let attributes = MatMulAttributes {
            a_zero_point: 0,
            b_zero_point: 0,
            y_zero_point: 0,
            shift,
            multiplier: 1,
        };
        validate(MatMul::NUMBER, attributes.encode(), int8(y), &[int8(a), int8(b)])
    };
    assert_eq!(mat_mul(1, &[6, 2, 3], &[2, 5, 3], &[6, 2, 5]), Ok(()));
    assert_eq!(mat_mul(62, &[2, 32_768], &[5, 32_768], &[2, 5]), Ok(()));
    assert_eq!(mat_mul(0, &[2, 3], &[5, 3], &[2, 5]), Err(NodeError::Attribute));
    assert_eq!(mat_mul(63, &[2, 3], &[5, 3], &[2, 5]), Err(NodeError::Attribute));
    assert_eq!(mat_mul(1, &[3], &[3], &[3]), operand(0));
    assert_eq!(mat_mul(1, &[6, 2, 3], &[4, 5, 3], &[6, 2, 5]), operand(1));
    assert_eq!(mat_mul(1, &[2, 2, 3], &[6, 5, 3], &[2, 2, 5]), operand(1));
    assert_eq!(mat_mul(1, &[4, 6, 2, 3], &[2, 6, 5, 3], &[4, 6, 2, 5]), operand(1));
    assert_eq!(mat_mul(1, &[6, 2, 3], &[5, 3], &[6, 2, 5]), operand(1));
    assert_eq!(mat_mul(1, &[2, 3], &[5, 4], &[2, 5]), operand(1));
    assert_eq!(mat_mul(1, &[2, 3], &[5, 3], &[5, 2]), Err(NodeError::OutputSpec));
    let long = mat_mul(1, &[1, 32_769], &[1, 32_769], &[1, 1]);
    assert_eq!(long, Err(NodeError::ReductionTooLong));

    let patches = |change: &dyn Fn(&mut PatchesAttributes), x: TensorSpec, y: &[u32]| {
        let mut attributes = PatchesAttributes {
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            padding: [0; 4],
            groups: 2,
            pad_value: 0,
        };
        change(&mut attributes);
        validate(Patches::NUMBER, attributes.encode(), int8(y), &[x])
    };
    let image = int8(&[4, 5, 6]);
    let y = [6, 2, 27];
    assert_eq!(patches(&|_| (), image, &y), Ok(()));
    assert_eq!(patches(&|_| (), image, &[6, 27, 2]), Err(NodeError::OutputSpec));
    assert_eq!(patches(&|_| (), int8(&[5, 6]), &y), operand(0));
    let out_of_range: [&dyn Fn(&mut PatchesAttributes); 8] = [
        &|attributes| attributes.kernel[0] = 0,
        &|attributes| attributes.kernel[1] = 6,
        &|attributes| attributes.stride[1] = 0,
        &|attributes| attributes.dilation[0] = 0,
        &|attributes| attributes.dilation[0] = 2,
        &|attributes| attributes.groups = 0,
        &|attributes| attributes.groups = 4,
        &|attributes| attributes.groups = u32::MAX,
    ];
    for change in out_of_range {
        assert_eq!(patches(change, image, &y), Err(NodeError::Attribute));
    }

    let grouped = |x: &[u32], weights: &[u32]| {
        let channels = [2, 4];
        let specs = [
            int8(x),
            int8(weights),
            int32(&channels),
            int32(&channels),
            int8(&channels),
        ];
        let attributes = FullyConnected::attributes(0, 0, 0, 0);
        validate(GroupedFullyConnected::NUMBER, attributes, int8(&[3, 2, 4]), &specs)
    };
    assert_eq!(grouped(&[3, 2, 5], &[2, 4, 5]), Ok(()));
    assert_eq!(grouped(&[3, 2, 5], &[8, 5]), operand(1));
    assert_eq!(grouped(&[3, 2, 5], &[3, 4, 5]), operand(1));
    assert_eq!(grouped(&[3, 2, 5], &[2, 3, 5]), operand(2));
    assert_eq!(grouped(&[2, 5], &[2, 4, 5]), Err(NodeError::OutputSpec));
    assert_eq!(grouped(&[5], &[2, 4, 5]), operand(0));

    let add = |b: &[u32]| {
        let attributes = AddAttributes {
            a_zero_point: 0,
            b_zero_point: 0,
            y_zero_point: 0,
            low: 0,
            high: 0,
            shift: 1,
            a_multiplier: 0,
            b_multiplier: 0,
        };
        let a = int8(&[2, 3, 4]);
        validate(Add::NUMBER, attributes.encode(), a, &[a, int8(b)])
    };
    for fits in [&[2, 3, 4][..], &[3, 4], &[4], &[1]] {
        assert_eq!(add(fits), Ok(()));
    }
    for does_not in [&[2, 3, 4, 1][..], &[3, 1], &[1, 4], &[1, 1], &[3], &[2]] {
        assert_eq!(add(does_not), operand(1));
    }

    let softmax = |x: TensorSpec, table: u32, length: u32, attributes: SoftmaxAttributes| {
        let specs = [x, int32(&[table]), int32(&[length])];
        validate(Softmax::NUMBER, attributes.encode(), x, &specs)
    };
    let x = int8(&[2, 3]);
    let plain = SoftmaxAttributes::default();
    assert_eq!(softmax(x, 256, 1, plain), Ok(()));
    assert_eq!(softmax(x, 255, 1, plain), operand(1));
    assert_eq!(softmax(x, 256, 2, plain), operand(2));
    assert_eq!(softmax(too_long, 256, 1, plain), Err(NodeError::ReductionTooLong));
    let offset = SoftmaxAttributes {
        causal: false,
        offset: 1,
    };
    assert_eq!(softmax(x, 256, 1, offset), Err(NodeError::Attribute));

    let rotary = |x: &[u32], positions: u32, cos: &[u32], sin: &[u32]| {
        let mut attributes = [0; ATTRIBUTE_BYTES];
        attributes[2] = 30;
        let specs = [int8(x), int32(&[positions]), int32(cos), int32(sin)];
        validate(RotaryEmbedding::NUMBER, attributes, int8(x), &specs)
    };
    assert_eq!(rotary(&[2, 3, 6], 3, &[9, 3], &[9, 3]), Ok(()));
    assert_eq!(rotary(&[2, 3, 5], 3, &[9, 2], &[9, 2]), operand(0));
    assert_eq!(rotary(&[6], 1, &[9, 3], &[9, 3]), operand(0));
    assert_eq!(rotary(&[2, 3, 6], 2, &[9, 3], &[9, 3]), operand(1));
    assert_eq!(rotary(&[2, 3, 6], 3, &[27], &[9, 3]), operand(2));
    assert_eq!(rotary(&[2, 3, 6], 3, &[9, 3], &[8, 3]), operand(3));

    let moved = |number, attributes, x: &[u32], y: &[u32]| validate(number, attributes, int8(y), &[int8(x)]);
    let transpose =
        |permutation: &[u8], y: &[u32]| moved(Transpose::NUMBER, Transpose::attributes(permutation), &[2, 3, 4], y);
    assert_eq!(transpose(&[2, 0, 1], &[4, 2, 3]), Ok(()));
    assert_eq!(transpose(&[2, 0, 1], &[2, 4, 3]), Err(NodeError::OutputSpec));
    assert_eq!(transpose(&[2, 0, 1], &[4, 2]), Err(NodeError::OutputSpec));
    for wrong in [&[0, 0, 1][..], &[0, 1, 3], &[0, 1, 255], &[0, 2, 1, 3]] {
        assert_eq!(transpose(wrong, &[2, 3, 4]), Err(NodeError::Attribute));
    }
    let slice = |starts: &[u32], y: &[u32]| moved(Slice::NUMBER, Slice::attributes(starts), &[4, 5], y);
    assert_eq!(slice(&[1, 2], &[3, 3]), Ok(()));
    assert_eq!(slice(&[1, 2], &[3, 4]), Err(NodeError::OutputSpec));
    assert_eq!(slice(&[u32::MAX, 2], &[3, 3]), Err(NodeError::OutputSpec));
    assert_eq!(slice(&[1, 2], &[3]), Err(NodeError::OutputSpec));
    assert_eq!(slice(&[1, 2, 1], &[3, 3]), Err(NodeError::Attribute));
    let pad = |before, value, y: &[u32]| moved(Pad::NUMBER, PadAttributes { before, value }.encode(), &[4, 5], y);
    assert_eq!(pad([1, 2, 0, 0], -128, &[5, 9]), Ok(()));
    assert_eq!(pad([1, 2, 0, 0], -129, &[5, 9]), Err(NodeError::Attribute));
    assert_eq!(pad([1, 2, 1, 0], 0, &[5, 9]), Err(NodeError::Attribute));
    assert_eq!(pad([u32::MAX, 0, 0, 0], 0, &[5, 9]), Err(NodeError::OutputSpec));
    assert_eq!(pad([1, 2, 0, 0], 0, &[4, 9]), Err(NodeError::OutputSpec));
    let reshape = |y: &[u32]| moved(Reshape::NUMBER, [0; ATTRIBUTE_BYTES], &[4, 5], y);
    assert_eq!(reshape(&[2, 10]), Ok(()));
    assert_eq!(reshape(&[3, 7]), Err(NodeError::OutputSpec));

    let concat = |axis, a: &[u32], b: &[u32], y: &[u32]| {
        let specs = [int8(a), int8(b)];
        validate(Concat::NUMBER, Concat::attributes(axis), int8(y), &specs)
    };
    assert_eq!(concat(0, &[2, 3], &[4, 3], &[6, 3]), Ok(()));
    assert_eq!(concat(1, &[2, 3], &[4, 3], &[6, 3]), operand(1));
    assert_eq!(concat(2, &[2, 3], &[2, 3], &[2, 3]), Err(NodeError::Attribute));
    assert_eq!(concat(0, &[2, 3], &[4, 3], &[5, 3]), Err(NodeError::OutputSpec));
    assert_eq!(concat(0, &[2, 3], &[2, 3, 1], &[4, 3]), operand(1));

    let gather = |indices: &[u32], table: &[u32], y: &[u32]| {
        let specs = [int32(indices), int8(table)];
        validate(Gather::NUMBER, [0; ATTRIBUTE_BYTES], int8(y), &specs)
    };
    assert_eq!(gather(&[2, 3], &[9, 4], &[2, 3, 4]), Ok(()));
    assert_eq!(gather(&[2, 3], &[9, 2, 2], &[2, 3, 4]), operand(1));
    assert_eq!(gather(&[2, 3], &[9, 4], &[6, 4]), Err(NodeError::OutputSpec));
    assert_eq!(
        gather(&[2, 3, 1, 1], &[9, 4], &[2, 3, 1, 4]),
        Err(NodeError::OutputSpec)
    );

    let bitcast = |x, y| validate(Bitcast::NUMBER, [0; ATTRIBUTE_BYTES], y, &[x]);
    assert_eq!(bitcast(int8(&[2, 8]), int32(&[2, 2])), Ok(()));
    assert_eq!(bitcast(int8(&[2, 9]), int32(&[2, 2])), Err(NodeError::OutputSpec));
    assert_eq!(bitcast(int8(&[2, 8]), int32(&[4])), Err(NodeError::OutputSpec));
    assert_eq!(bitcast(int8(&[2, 8]), int8(&[2, 8])), Err(NodeError::OutputSpec));

    let mut shift = [0; ATTRIBUTE_BYTES];
    shift[..3].fill(1);
    for number in [ReduceMean::NUMBER, ReduceMax::NUMBER] {
        let attributes = if number == ReduceMean::NUMBER {
            shift
        } else {
            [0; ATTRIBUTE_BYTES]
        };
        assert_eq!(validate(number, attributes, int8(&[2, 1]), &[int8(&[2, 9])]), Ok(()));
        let long = validate(number, attributes, int8(&[1, 1]), &[too_long]);
        assert_eq!(long, Err(NodeError::ReductionTooLong));
        let output = validate(number, attributes, int8(&[2]), &[int8(&[2, 9])]);
        assert_eq!(output, Err(NodeError::OutputSpec));
    }
    let parameter = int32(&[32_769]);
    let layer_norm = validate(LayerNorm::NUMBER, shift, too_long, &[too_long, parameter, parameter]);
    assert_eq!(layer_norm, Err(NodeError::ReductionTooLong));
    let rms_norm = validate(RmsNorm::NUMBER, shift, too_long, &[too_long, parameter]);
    assert_eq!(rms_norm, Err(NodeError::ReductionTooLong));
    assert_eq!(validate(RmsNorm::NUMBER, shift, x, &[x, int32(&[2])]), operand(1));
    assert_eq!(
        validate(LayerNorm::NUMBER, shift, x, &[x, int32(&[3]), int32(&[1, 3])]),
        operand(2)
    );
    assert_eq!(
        validate(
            LayerNorm::NUMBER,
            [0; ATTRIBUTE_BYTES],
            x,
            &[x, int32(&[3]), int32(&[3])]
        ),
        Err(NodeError::Attribute)
    );
}

#[test]
fn given_values_when_operators_run_then_they_are_those_of_the_specification() {
    let run = |node: &NodeRecord, specs: &[TensorSpec], regions: &[&[u8]], element| {
        assert_eq!(validate_node(node, specs), Ok(()));
        ops::element(ops::operator(node.operator).unwrap(), node, specs, regions, element).unwrap()
    };
    let bytes = |values: &[i8]| values.iter().map(|value| *value as u8).collect::<Vec<_>>();

    // (3 - 1) * 5 + (-2 - 1) * 7 + (4 - 1) * -1 = -14; -14 + 4 = -10; -10 * 3 / 2^2 = -7.5 rounds to -7; -7 + 2 = -5.
    let x = int8(&[1, 3]);
    let specs = [x, int8(&[1, 3]), int32(&[1]), int32(&[1]), int8(&[1])];
    let regions: [&[u8]; 5] = [
        &bytes(&[3, -2, 4]),
        &bytes(&[5, 7, -1]),
        &4i32.to_le_bytes(),
        &3i32.to_le_bytes(),
        &[2],
    ];
    let node = record(
        FullyConnected::NUMBER,
        5,
        int8(&[1, 1]),
        FullyConnected::attributes(1, 2, -128, 127),
    );
    assert_eq!(run(&node, &specs, &regions, 0), -5);
    let relu = record(
        FullyConnected::NUMBER,
        5,
        int8(&[1, 1]),
        FullyConnected::attributes(1, 2, 2, 127),
    );
    assert_eq!(run(&relu, &specs, &regions, 0), 2);

    // The bias saturates instead of wrapping.
    let saturating: [&[u8]; 5] = [
        &bytes(&[127, 127, 127]),
        &bytes(&[127, 127, 127]),
        &i32::MAX.to_le_bytes(),
        &1i32.to_le_bytes(),
        &[24],
    ];
    assert_eq!(run(&node, &specs, &saturating, 0), 127);

    let clip = record(Clip::NUMBER, 1, x, Clip::attributes(-3, 100));
    let values = bytes(&[-128, 7, 127]);
    assert_eq!(
        [0, 1, 2].map(|element| run(&clip, &[x], &[&values], element)),
        [-3, 7, 100]
    );

    let table: Vec<u8> = (0..=255).map(|entry: u8| entry.wrapping_mul(3)).collect();
    let lookup = record(Lookup::NUMBER, 2, x, [0; ATTRIBUTE_BYTES]);
    let looked_up = [0, 1, 2].map(|element| run(&lookup, &[x, int8(&[256])], &[&values, &table], element));
    assert_eq!(
        looked_up,
        [0, 135 * 3 % 256 - 256, 255 * 3 % 256 - 256].map(|value: i32| i32::from(value as i8))
    );

    let arg_max = record(ArgMax::NUMBER, 1, int32(&[1, 1]), [0; ATTRIBUTE_BYTES]);
    for (values, first) in [([5, 9, 9], 1), ([-128, -128, -128], 0), ([-1, -2, 0], 2)] {
        assert_eq!(run(&arg_max, &[x], &[&bytes(&values)], 0), first);
    }
}

#[test]
fn given_constant_records_when_encoded_then_they_decode_to_themselves() {
    let constant = ConstantRecord {
        spec: int32(&[7]),
        root: [9; 32],
    };
    let bytes = constant.encode();
    assert_eq!(ConstantRecord::decode(&bytes), Ok(constant));
    assert!(ConstantRecord::decode(&bytes[..49]).is_err());
    assert!(ConstantRecord::decode(&[&bytes[..], &[0]].concat()).is_err());
}
