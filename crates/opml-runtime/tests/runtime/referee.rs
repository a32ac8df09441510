//! The referee on witnesses that the runtime builds: honest elements are correct, changed ones wrong, broken witnesses refused.

use crate::{
    common::{lie, lying_roots, model_and_run, single},
    nodes::{self, LAST_OPERATOR},
};
use opml::{
    Claim, ConstantRecord, ModelHeader, NodeError, NodeRecord, RefereeError, TensorError, Verdict,
    merkle::{Domain, leaf},
    model::{graph_leaf, model_root},
    ops::{Clip, FullyConnected},
    referee::{self, NodeSpec},
};
use opml_runtime::{
    ClaimedTrace, ElementType, Execution, Model, Operand, Tensor, TensorSpec, Tree, execute, execute::trace_tree,
    search, synthetic, witness,
};
use proptest::prelude::*;

/// The place of an element of a node's output.
struct Place {
    node: u32,
    tile_leaf: u32,
    element: u32,
    flat: u32,
}

fn place(run: &Execution, node: prop::sample::Index, element: prop::sample::Index) -> Place {
    let node = node.index(run.outputs().len()) as u32;
    let spec = run.outputs()[node as usize].spec();
    let flat = element.index(spec.elements() as usize) as u32;
    let (tile_leaf, offset) = spec.leaf_of_element(flat).unwrap();
    Place {
        node,
        tile_leaf,
        element: offset / spec.element().size(),
        flat,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn given_any_element_when_it_is_honest_then_correct_and_when_changed_then_wrong((model, run) in model_and_run(), node: prop::sample::Index, element: prop::sample::Index, change in 1u8..) {
        let at = place(&run, node, element);
        let honest = &run.outputs()[at.node as usize];
        let claimed = ClaimedTrace::whole(run.roots());
        let proof = witness::build(&model, &run, &claimed, at.node, at.tile_leaf, at.element).unwrap();
        let tile = honest.tile(at.tile_leaf).unwrap();
        prop_assert_eq!(
            referee::check(&run.claim(), &run.trace_root(), at.node, at.tile_leaf, tile, at.element, &proof),
            Ok(Verdict::Correct)
        );

        let wrong = lie(honest, at.flat, change);
        let roots = lying_roots(&run, at.node, &wrong);
        let claimed = ClaimedTrace::whole(&roots);
        prop_assert_eq!(search::first_wrong_node(&run, &roots), Some(at.node));
        let wrong_tile = wrong.tile(at.tile_leaf).unwrap();
        prop_assert_eq!(search::first_wrong_element(wrong.spec().element(), tile, wrong_tile), Some(at.element));
        let proof = witness::build(&model, &run, &claimed, at.node, at.tile_leaf, at.element).unwrap();
        let claim = Claim { output_root: *roots.last().unwrap(), ..run.claim() };
        let verdict = referee::check(&claim, &trace_tree(&roots).root(), at.node, at.tile_leaf, wrong_tile, at.element, &proof);
        let expected = honest.values()[at.flat as usize];
        let found = wrong.values()[at.flat as usize];
        prop_assert_eq!(verdict, Ok(Verdict::Wrong { expected, found }));
    }

    #[test]
    fn given_a_witness_with_one_changed_byte_when_judged_then_it_is_refused((model, run) in model_and_run(), node: prop::sample::Index, element: prop::sample::Index, bytes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 40)) {
        let at = place(&run, node, element);
        let claimed = ClaimedTrace::whole(run.roots());
        let proof = witness::build(&model, &run, &claimed, at.node, at.tile_leaf, at.element).unwrap();
        let tile = run.outputs()[at.node as usize].tile(at.tile_leaf).unwrap();
        for (byte, change) in bytes {
            let mut changed = proof.clone();
            changed[byte.index(proof.len())] ^= change;
            let verdict = referee::check(&run.claim(), &run.trace_root(), at.node, at.tile_leaf, tile, at.element, &changed);
            prop_assert!(verdict.is_err(), "byte {} of {}: {verdict:?}", byte.index(proof.len()), proof.len());
        }
    }

    #[test]
    fn given_a_witness_of_another_length_when_judged_then_it_is_refused((model, run) in model_and_run(), node: prop::sample::Index, element: prop::sample::Index) {
        let at = place(&run, node, element);
        let claimed = ClaimedTrace::whole(run.roots());
        let mut proof = witness::build(&model, &run, &claimed, at.node, at.tile_leaf, at.element).unwrap();
        let tile = run.outputs()[at.node as usize].tile(at.tile_leaf).unwrap();
        let check = |proof: &[u8]| referee::check(&run.claim(), &run.trace_root(), at.node, at.tile_leaf, tile, at.element, proof);
        for len in (0..proof.len()).step_by(1 + proof.len() / 150) {
            prop_assert!(check(&proof[..len]).is_err(), "the first {len} of {} bytes", proof.len());
        }
        proof.push(0);
        prop_assert_eq!(check(&proof), Err(RefereeError::TrailingBytes));
    }

    #[test]
    fn given_a_witness_when_judged_for_another_place_then_a_correct_element_is_never_wrong((model, run) in model_and_run(), nodes: [prop::sample::Index; 2], elements: [prop::sample::Index; 2]) {
        let [at, other] = [0, 1].map(|i| place(&run, nodes[i], elements[i]));
        let claimed = ClaimedTrace::whole(run.roots());
        let proof = witness::build(&model, &run, &claimed, at.node, at.tile_leaf, at.element).unwrap();
        let tile = run.outputs()[other.node as usize].tile(other.tile_leaf).unwrap();
        let verdict = referee::check(&run.claim(), &run.trace_root(), other.node, other.tile_leaf, tile, other.element, &proof);
        prop_assert!(matches!(verdict, Err(_) | Ok(Verdict::Correct)), "{verdict:?}");
    }
}

/// Every byte of one witness of each operator.
#[test]
fn given_a_witness_of_each_operator_when_any_byte_changes_then_it_is_refused() {
    for operator in 1..=LAST_OPERATOR {
        let (node, specs) = nodes::node(operator, vec![3; 32]);
        let (model, run) = single(&node, &specs, 0b10);
        let claimed = ClaimedTrace::whole(run.roots());
        let node = model.nodes().len() as u32 - 1;
        let tile = run.output().tile(0).unwrap();
        let proof = witness::build(&model, &run, &claimed, node, 0, 0).unwrap();
        let check = |proof: &[u8]| referee::check(&run.claim(), &run.trace_root(), node, 0, tile, 0, proof);
        assert_eq!(check(&proof), Ok(Verdict::Correct));
        for byte in 0..proof.len() {
            for change in [1, 0x80] {
                let mut changed = proof.clone();
                changed[byte] ^= change;
                assert!(
                    check(&changed).is_err(),
                    "byte {byte} of the witness of operator {operator}"
                );
            }
        }
    }
}

#[test]
fn given_another_claim_or_trace_when_judged_then_the_witness_is_refused() {
    let model = synthetic::dense(&[20, 6, 3], 1).unwrap();
    let run = execute(&model, &synthetic::tensor(model.input_spec(), 2)).unwrap();
    let claimed = ClaimedTrace::whole(run.roots());
    let check = |claim: &Claim, trace_root: &[u8; 32], node: u32, tile: &[u8], element: u32| {
        let proof = witness::build(&model, &run, &claimed, node, 0, 0).unwrap();
        referee::check(claim, trace_root, node, 0, tile, element, &proof)
    };
    let (claim, trace_root) = (run.claim(), run.trace_root());
    let [first, second] = [0, 1].map(|node: usize| run.outputs()[node].tile(0).unwrap());
    assert_eq!(
        check(
            &Claim {
                model_root: [1; 32],
                ..claim
            },
            &trace_root,
            0,
            first,
            0
        ),
        Err(RefereeError::Header)
    );
    let other_input = Claim {
        input_root: [1; 32],
        ..claim
    };
    assert_eq!(
        check(&other_input, &trace_root, 0, first, 0),
        Err(RefereeError::Region { operand: 0 })
    );
    assert_eq!(
        check(&claim, &[1; 32], 1, second, 0),
        Err(RefereeError::Operand { operand: 0 })
    );
    assert_eq!(check(&claim, &trace_root, 0, &first[1..], 0), Err(RefereeError::Tile));
    assert_eq!(
        check(&claim, &trace_root, 0, &[first, &[0]].concat(), 0),
        Err(RefereeError::Tile)
    );
    assert_eq!(
        check(&claim, &trace_root, 0, first, 6),
        Err(RefereeError::ElementOutOfRange)
    );
    let proof = witness::build(&model, &run, &claimed, 0, 0, 0).unwrap();
    assert_eq!(
        referee::check(&claim, &trace_root, 2, 0, first, 0, &proof),
        Err(RefereeError::NodeOutOfRange)
    );
    assert_eq!(
        referee::check(&claim, &trace_root, 0, 1, first, 0, &proof),
        Err(RefereeError::Tile)
    );
}

#[test]
fn given_a_node_and_its_path_when_asked_for_its_output_then_the_specification_is_that_of_the_model() {
    let model = synthetic::dense(&[20, 6, 3], 1).unwrap();
    let header = model.header().encode();
    for (index, node) in (0..).zip(model.nodes()) {
        let path = model.graph().path(0, index);
        let spec = |root: &[u8; 32], index, record: &[u8]| {
            referee::node_spec(root, &header, index, record, path.as_flattened())
        };
        assert_eq!(
            spec(&model.model_root(), index, &node.encode()),
            Ok(NodeSpec::Output(node.output))
        );
        assert_eq!(spec(&[0; 32], index, &node.encode()), Err(RefereeError::Header));
        assert_eq!(
            spec(&model.model_root(), index ^ 1, &node.encode()),
            Err(RefereeError::Node)
        );
        assert_eq!(
            spec(&model.model_root(), 2, &node.encode()),
            Err(RefereeError::NodeOutOfRange)
        );
        assert_eq!(
            spec(&model.model_root(), index, &node.encode()[1..]),
            Err(RefereeError::Node)
        );
    }
}

/// A model that nobody can load, because `records` or `constants` break a rule. Gives the claim on it and what proves node `index`.
struct Malformed {
    header: ModelHeader,
    graph: Tree,
    weights: Tree,
    records: Vec<[u8; 128]>,
    constants: Vec<[u8; 50]>,
}

impl Malformed {
    fn new(input: TensorSpec, records: Vec<[u8; 128]>, constants: Vec<[u8; 50]>) -> Self {
        let graph = Tree::list((0..).zip(&records).map(|(i, record)| graph_leaf(i, record)).collect());
        let weights = Tree::list(
            (0..)
                .zip(&constants)
                .map(|(i, record)| leaf(Domain::Constant, i, &[record]))
                .collect(),
        );
        let header = ModelHeader {
            arithmetic_version: 1,
            node_count: records.len() as u32,
            constant_count: constants.len() as u32,
            graph_root: graph.root(),
            weights_root: weights.root(),
            input,
        };
        Self {
            header,
            graph,
            weights,
            records,
            constants,
        }
    }

    fn node(&self, index: u32) -> Vec<u8> {
        [&self.records[index as usize], self.graph.path(0, index).as_flattened()].concat()
    }

    fn constant(&self, index: u32) -> Vec<u8> {
        [
            &self.constants[index as usize],
            self.weights.path(0, index).as_flattened(),
        ]
        .concat()
    }

    fn verdict(&self, node: u32, rest: &[u8]) -> Result<Verdict, RefereeError> {
        let claim = Claim {
            model_root: self.header.model_root(),
            input_root: [1; 32],
            output_root: [2; 32],
        };
        let proof = [&self.header.encode()[..], &self.node(node), rest].concat();
        let with_more = [&proof[..], &[0]].concat();
        let verdict = referee::check(&claim, &[3; 32], node, 0, &[0; 4], 0, &proof);
        if let Ok(Verdict::MalformedModel(_)) = verdict {
            let longer = referee::check(&claim, &[3; 32], node, 0, &[0; 4], 0, &with_more);
            assert_eq!(longer, Err(RefereeError::TrailingBytes));
        }
        verdict
    }

    fn node_spec(&self, node: u32) -> Result<NodeSpec, RefereeError> {
        let path = self.graph.path(0, node);
        referee::node_spec(
            &self.header.model_root(),
            &self.header.encode(),
            node,
            &self.records[node as usize],
            path.as_flattened(),
        )
    }
}

#[test]
fn given_a_malformed_node_when_a_claim_is_made_on_its_model_then_one_path_shows_it() {
    let x = TensorSpec::new(ElementType::Int8, &[1, 4]).unwrap();
    let clip = NodeRecord {
        operator: Clip::NUMBER,
        operands: [
            Operand::Input,
            Operand::None,
            Operand::None,
            Operand::None,
            Operand::None,
            Operand::None,
        ],
        output: x,
        attributes: Clip::attributes(-1, 1),
    };
    let verdict = |change: &dyn Fn(&mut NodeRecord)| {
        let mut node = clip;
        change(&mut node);
        Malformed::new(x, vec![clip.encode(), node.encode(), clip.encode()], vec![]).verdict(1, &[])
    };
    let malformed = |error| Ok(Verdict::MalformedModel(error));
    assert_eq!(
        verdict(&|node| node.operator = 99),
        malformed(NodeError::UnknownOperator(99))
    );
    assert_eq!(
        verdict(&|node| node.attributes = Clip::attributes(1, -1)),
        malformed(NodeError::Attribute)
    );
    assert_eq!(
        verdict(&|node| node.attributes[57] = 1),
        malformed(NodeError::Attribute)
    );
    // A node that takes its own output, a later node's, or a constant that is not there.
    for operand in [
        Operand::Node(1),
        Operand::Node(2),
        Operand::Node(7),
        Operand::Constant(0),
    ] {
        assert_eq!(
            verdict(&|node| node.operands[0] = operand),
            malformed(NodeError::Reference { operand: 0 })
        );
    }
    let other = TensorSpec::new(ElementType::Int8, &[1, 5]).unwrap();
    assert_eq!(verdict(&|node| node.output = other), malformed(NodeError::OutputSpec));
    assert_eq!(
        verdict(&|node| node.operator = FullyConnected::NUMBER),
        malformed(NodeError::OperandCount)
    );

    let mut undecodable = clip.encode();
    undecodable[2] = 1;
    let model = Malformed::new(x, vec![undecodable], vec![]);
    assert_eq!(model.verdict(0, &[]), malformed(NodeError::Record));
    assert_eq!(model.node_spec(0), Ok(NodeSpec::Malformed(NodeError::Record)));

    let mut no_output = clip.encode();
    no_output[54] = 0;
    let model = Malformed::new(x, vec![no_output], vec![]);
    assert_eq!(
        model.node_spec(0),
        Ok(NodeSpec::Malformed(NodeError::Output(TensorError::Dimension)))
    );
}

#[test]
fn given_a_malformed_operand_when_a_node_uses_it_then_one_more_path_shows_it() {
    let x = TensorSpec::new(ElementType::Int8, &[1, 4]).unwrap();
    let mut operands = [Operand::None; 6];
    operands[0] = Operand::Constant(1);
    let node = NodeRecord {
        operator: Clip::NUMBER,
        operands,
        output: x,
        attributes: Clip::attributes(-1, 1),
    };
    let good = ConstantRecord { spec: x, root: [5; 32] }.encode();
    let mut bad = good;
    bad[0] = 9;
    let model = Malformed::new(x, vec![node.encode()], vec![good, bad]);
    assert_eq!(
        model.verdict(0, &model.constant(1)),
        Ok(Verdict::MalformedModel(NodeError::Constant(
            TensorError::UnknownElementType
        )))
    );
    assert_eq!(
        model.verdict(0, &model.constant(0)),
        Err(RefereeError::Operand { operand: 0 })
    );

    let mut undecodable = node.encode();
    undecodable[1] = 7;
    let mut second = node;
    second.operands[0] = Operand::Node(0);
    let model = Malformed::new(x, vec![undecodable, second.encode()], vec![good]);
    assert_eq!(
        model.verdict(1, &model.node(0)),
        Ok(Verdict::MalformedModel(NodeError::Record))
    );
}

/// A header that no version could have been registered with proves nothing.
#[test]
fn given_a_header_that_breaks_a_limit_when_judged_then_it_is_refused() {
    let x = TensorSpec::new(ElementType::Int8, &[1, 4]).unwrap();
    let mut header = ModelHeader {
        arithmetic_version: 2,
        node_count: 1,
        constant_count: 0,
        graph_root: [1; 32],
        weights_root: [0; 32],
        input: x,
    };
    for (version, nodes) in [(2, 1), (1, 0), (1, u32::MAX)] {
        header.arithmetic_version = version;
        header.node_count = nodes;
        let claim = Claim {
            model_root: model_root(&header.encode()),
            input_root: [1; 32],
            output_root: [2; 32],
        };
        let verdict = referee::check(&claim, &[3; 32], 0, 0, &[0], 0, &header.encode());
        assert_eq!(verdict, Err(RefereeError::Header));
    }
}

/// The size that the dispute bench uses: its witness fits one account and the model has the parameters that its name says.
#[test]
fn given_the_bench_network_when_it_is_made_then_it_has_15_910_parameters() {
    let model: Model = synthetic::dense(&[784, 20, 10], 1).unwrap();
    let parameters: u32 = model
        .nodes()
        .iter()
        .flat_map(|node| {
            [1, 2].map(|operand| match node.operands[operand] {
                Operand::Constant(index) => model.constants()[index as usize].spec().elements(),
                _ => 0,
            })
        })
        .sum();
    assert_eq!(parameters, 15_910);
    let run = execute(&model, &synthetic::tensor(model.input_spec(), 2)).unwrap();
    let proof = witness::build(&model, &run, &ClaimedTrace::whole(run.roots()), 0, 0, 19).unwrap();
    assert!(proof.len() < 4096, "{} bytes", proof.len());
    let distinct: std::collections::BTreeSet<i32> = run.output().values().into_iter().collect();
    assert!(distinct.len() > 5, "the outputs {distinct:?} must differ");
    let same: Tensor = execute(&synthetic::dense(&[784, 20, 10], 1).unwrap(), run.input())
        .unwrap()
        .output()
        .clone();
    assert_eq!(same, *run.output());
}
