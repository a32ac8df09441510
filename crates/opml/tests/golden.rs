//! Bytes and hashes that must never change: they are on chain. The expected values come from an independent implementation,
//! `models/digits/imo_format.py`.

use opml::{
    Claim, ConstantRecord, Domain, ElementType, Frontier, Hash, ModelHeader, NodeRecord, Operand, TensorSpec,
    claim::trace_leaf, merkle::leaf, ops::FullyConnected,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The root of a whole tensor, tile by tile.
fn tensor_root(spec: &TensorSpec, data: &[u8]) -> Hash {
    let mut tiles = Frontier::new();
    for leaf in 0..spec.tiles() {
        let tile = &data[spec.tile_range(leaf).unwrap()];
        assert!(tiles.push(spec.tile_leaf(leaf, tile).unwrap()));
    }
    tiles.root()
}

fn int8_matrix() -> (TensorSpec, Vec<u8>) {
    let spec = TensorSpec::new(ElementType::Int8, &[3, 300]).unwrap();
    (spec, (0..900).map(|i| (i % 251 - 125) as i8 as u8).collect())
}

#[test]
fn given_a_leaf_and_a_list_when_hashed_then_golden() {
    assert_eq!(
        hex(&leaf(Domain::Request, 7, &[b"request"])),
        "c23a6974bbdf1c5172f1df00279928a73905f356709c9aaed7215a54ef53a778"
    );
    let mut receipts = Frontier::new();
    for index in 0..3 {
        assert!(receipts.push(leaf(Domain::Receipt, index, &[&[index as u8]])));
    }
    assert_eq!(
        hex(&receipts.root()),
        "2f9e0c27eb585f34fcd3f3e85d83b1df99816c4dcea81421baef7f2f0f152f12"
    );
}

#[test]
fn given_tensors_when_committed_then_golden() {
    let (spec, data) = int8_matrix();
    assert_eq!(
        hex(&tensor_root(&spec, &data)),
        "d7294bac0859747464608e13847e4800b5eb371970f211e38fb7e0f09ba09e3a"
    );
    // A row that lies in two tiles.
    let spec = TensorSpec::new(ElementType::Int8, &[7, 100]).unwrap();
    let data: Vec<u8> = (0..700).map(|i| (i % 251 - 125) as i8 as u8).collect();
    assert_eq!(
        hex(&tensor_root(&spec, &data)),
        "f4445bd5bd6073d94b208cbd0f0a8942177746a4adf98c346a3944842677115d"
    );
    // Seven tiles, so that there is a leaf of padding.
    let spec = TensorSpec::new(ElementType::Int8, &[3, 1_100]).unwrap();
    let data: Vec<u8> = (0..3_300).map(|i| (i * 7 % 251 - 125) as i8 as u8).collect();
    assert_eq!(
        hex(&tensor_root(&spec, &data)),
        "2b4d7d6ac384e321143296d88082dd1cebaae83cb078354780dd274048490b4b"
    );
    let values = |count: i32| {
        (0..count)
            .flat_map(|i| (i * 1_000_003 - 5).to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let spec = TensorSpec::new(ElementType::Int32, &[2, 1, 65]).unwrap();
    assert_eq!(hex(&spec.encode()), "020302000000010000004100000000000000");
    assert_eq!(
        hex(&tensor_root(&spec, &values(130))),
        "b454c707f9b77e52254a918f225a463964b8020ae7ff8943814de48add470c54"
    );
    let spec = TensorSpec::new(ElementType::Int32, &[3, 3, 30]).unwrap();
    assert_eq!(
        hex(&tensor_root(&spec, &values(270))),
        "cc445501040a4b1a00896a1762a0da79e9a72a9ce72be932319dff354c0c7d21"
    );
}

#[test]
fn given_a_node_and_a_constant_when_committed_then_golden() {
    let node = NodeRecord {
        operator: FullyConnected::NUMBER,
        operands: [
            Operand::Input,
            Operand::Constant(0),
            Operand::Constant(1),
            Operand::Constant(2),
            Operand::Constant(3),
            Operand::None,
        ],
        output: TensorSpec::new(ElementType::Int8, &[1, 48]).unwrap(),
        attributes: FullyConnected::attributes(-120, 3, -128, 127),
    };
    assert_eq!(
        hex(&node.encode()),
        "010500000100000000000000030000000000000003000000010000000300000002000000030000000300000000000000000000000102010000003000000000000000000000008803807f000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    );
    assert_eq!(
        hex(&node.leaf(3)),
        "ba24686f0a89ca3dfdd4687c7f8e4d91103bff5e1bd0722eb910b93e0d359dd7"
    );
    let (spec, data) = int8_matrix();
    let root = tensor_root(&spec, &data);
    assert_eq!(
        hex(&ConstantRecord { spec, root }.leaf(2)),
        "718e97ac1d3c0763be3c6723da8d030e9701cee9851ec5fce48beca379d6347a"
    );
    assert_eq!(
        hex(&trace_leaf(5, &root)),
        "e2759be9422cc0afd070e76658927a1466126cac687af6acd208b6e420f0b220"
    );
}

#[test]
fn given_a_model_and_a_claim_when_committed_then_golden() {
    let header = ModelHeader {
        arithmetic_version: 1,
        node_count: 6,
        constant_count: 13,
        graph_root: [4; 32],
        weights_root: [5; 32],
        input: TensorSpec::new(ElementType::Int8, &[1, 64]).unwrap(),
    };
    assert_eq!(ModelHeader::decode(&header.encode()), Ok(header));
    assert_eq!(
        hex(&header.model_root()),
        "11917aa3a55d816b10f2d8f92b7326d562c67229dbcf493c405160df1854d4d6"
    );
    let claim = Claim {
        model_root: [1; 32],
        input_root: [2; 32],
        output_root: [3; 32],
    };
    assert_eq!(
        hex(&claim.claim_hash()),
        "f9928bb65d435962bc5de98f3dae0ce69767e1990f650bf7ba13d8952b518e57"
    );
}
