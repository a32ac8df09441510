//! Models that break a rule, shown by their records alone.

use opml::{
    ConstantRecord, ElementType, Hash, NodeError, NodeRecord, Operand, TensorError, TensorSpec,
    malformed::node_fault,
    ops::{Clip, FullyConnected},
    referee::{NodeSpec, RefereeError, node_spec},
};
use opml_runtime::{Model, malformed::Records, synthetic};

fn spec() -> TensorSpec {
    TensorSpec::new(ElementType::Int8, &[1, 4]).unwrap()
}

fn clip(operand: Operand) -> NodeRecord {
    let mut operands = [Operand::None; 6];
    operands[0] = operand;
    NodeRecord {
        operator: Clip::NUMBER,
        operands,
        output: spec(),
        attributes: Clip::attributes(-1, 1),
    }
}

fn constant() -> [u8; 50] {
    ConstantRecord {
        spec: spec(),
        root: [5; 32],
    }
    .encode()
}

/// The fault that the records' own witness shows at `node`. Every shorter and longer witness is refused.
fn shown(records: &Records, node: u32) -> Option<NodeError> {
    let (root, witness) = (records.model_root(), records.witness(node).unwrap());
    for len in 0..witness.len() {
        assert_eq!(
            node_fault(&root, node, &witness[..len]),
            Err(RefereeError::Truncated),
            "{len} bytes"
        );
    }
    let longer = [witness.as_slice(), &[0]].concat();
    assert_eq!(node_fault(&root, node, &longer), Err(RefereeError::TrailingBytes));
    node_fault(&root, node, &witness).unwrap()
}

#[test]
fn given_a_model_when_any_node_is_shown_then_it_keeps_every_rule() {
    for model in [
        synthetic::dense(&[8, 6, 3], 1).unwrap(),
        synthetic::dense(&[3, 700, 2], 2).unwrap(),
    ] {
        let records = Records::from_bytes(&model.to_bytes()).unwrap();
        assert_eq!(records.model_root(), model.model_root());
        assert_eq!(records.first_fault(), None);
        for node in 0..model.header().node_count {
            assert_eq!(shown(&records, node), None);
        }
        assert_eq!(records.witness(model.header().node_count), None);
    }
}

#[test]
fn given_one_broken_rule_when_its_node_is_shown_then_that_rule_and_the_referee_agrees() {
    let other = TensorSpec::new(ElementType::Int8, &[1, 5]).unwrap();
    let changed = |change: &dyn Fn(&mut NodeRecord)| {
        let mut node = clip(Operand::Input);
        change(&mut node);
        node.encode()
    };
    let bytes = |change: &dyn Fn(&mut [u8; 128])| {
        let mut record = clip(Operand::Input).encode();
        change(&mut record);
        record
    };
    for (record, fault) in [
        (changed(&|node| node.operator = 99), NodeError::UnknownOperator(99)),
        (
            changed(&|node| node.attributes = Clip::attributes(1, -1)),
            NodeError::Attribute,
        ),
        (changed(&|node| node.attributes[57] = 1), NodeError::Attribute),
        (
            changed(&|node| node.operands[0] = Operand::Node(1)),
            NodeError::Reference { operand: 0 },
        ),
        (
            changed(&|node| node.operands[0] = Operand::Node(2)),
            NodeError::Reference { operand: 0 },
        ),
        (
            changed(&|node| node.operands[0] = Operand::Constant(1)),
            NodeError::Reference { operand: 0 },
        ),
        (changed(&|node| node.output = other), NodeError::OutputSpec),
        (
            changed(&|node| node.operator = FullyConnected::NUMBER),
            NodeError::OperandCount,
        ),
        (bytes(&|record| record[1] = 7), NodeError::Record),
        (bytes(&|record| record[2] = 1), NodeError::Record),
        (
            bytes(&|record| record[54] = 0),
            NodeError::Output(TensorError::Dimension),
        ),
    ] {
        let sound = clip(Operand::Input).encode();
        let records = Records::new(spec(), vec![sound, record, sound], vec![constant()]);
        assert_eq!(records.first_fault(), Some((1, fault)));
        assert_eq!(shown(&records, 1), Some(fault));
        assert_eq!(shown(&records, 0), None);
        // What the walk of a dispute shows of the record alone is the same fault, where the record alone shows it.
        let path = opml_runtime::Tree::list(
            (0..)
                .zip([sound, record, sound])
                .map(|(i, record)| opml::model::graph_leaf(i, &record))
                .collect(),
        )
        .path(0, 1);
        let alone = node_spec(
            &records.model_root(),
            &records.header().encode(),
            1,
            &record,
            path.as_flattened(),
        );
        match alone.unwrap() {
            NodeSpec::Malformed(error) => assert_eq!(error, fault),
            NodeSpec::Output(_) => assert!(!matches!(fault, NodeError::Record | NodeError::Reference { .. })),
        }
    }
}

#[test]
fn given_an_operand_that_cannot_be_read_when_a_node_takes_it_then_the_witness_ends_with_it() {
    let mut unreadable = constant();
    unreadable[0] = 9;
    let mut node = clip(Operand::Constant(1));
    node.operands[1] = Operand::Constant(0);
    let records = Records::new(spec(), vec![node.encode()], vec![constant(), unreadable]);
    let fault = NodeError::Constant(TensorError::UnknownElementType);
    assert_eq!(shown(&records, 0), Some(fault));

    let mut undecodable = clip(Operand::Input).encode();
    undecodable[1] = 7;
    let records = Records::new(spec(), vec![undecodable, clip(Operand::Node(0)).encode()], vec![]);
    assert_eq!(shown(&records, 1), Some(NodeError::Record));
}

#[test]
fn given_records_of_another_model_or_node_when_shown_then_refused() {
    let records = Records::new(
        spec(),
        vec![clip(Operand::Input).encode(), clip(Operand::Constant(0)).encode()],
        vec![constant(), constant()],
    );
    let (root, witness) = (records.model_root(), records.witness(1).unwrap());
    let fault = |root: &Hash, node, witness: &[u8]| node_fault(root, node, witness);
    assert_eq!(fault(&root, 1, &witness), Ok(None));
    assert_eq!(fault(&[1; 32], 1, &witness), Err(RefereeError::Header));
    assert_eq!(fault(&root, 0, &witness), Err(RefereeError::Node));
    assert_eq!(fault(&root, 2, &witness), Err(RefereeError::NodeOutOfRange));
    for (at, error) in [
        (0, RefereeError::Header),
        (92, RefereeError::Node),
        (92 + 128, RefereeError::Node),
        (92 + 160, RefereeError::Operand { operand: 0 }),
        (92 + 160 + 50, RefereeError::Operand { operand: 0 }),
    ] {
        let mut bad = witness.clone();
        bad[at] ^= 1;
        assert_eq!(fault(&root, 1, &bad), Err(error), "byte {at}");
    }
}

#[test]
fn given_a_file_that_is_no_model_when_its_records_are_read_then_the_fault_is_found() {
    let model: Model = synthetic::dense(&[8, 6, 3], 1).unwrap();
    let mut file = model.to_bytes();
    // The operator of the second node.
    let second = 8 + 2 + 2 + 8 + 18 + 128;
    file[second] = 200;
    assert!(Model::from_bytes(&file).is_err());
    let records = Records::from_bytes(&file).unwrap();
    assert_eq!(records.first_fault(), Some((1, NodeError::UnknownOperator(200))));
    assert_ne!(records.model_root(), model.model_root());
}
