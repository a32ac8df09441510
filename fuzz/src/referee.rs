//! The referee, on models of one node that a hostile developer may have registered.

use opml::{
    Claim, ConstantRecord, ModelHeader, NodeError, NodeRecord, Operand, TensorSpec, Verdict,
    model::{HEADER_BYTES, NODE_BYTES, graph_leaf},
    referee,
    tensor::SPEC_BYTES,
};
use opml_runtime::{ClaimedTrace, Model, ModelError, Tensor, Tree, execute, synthetic, witness};

use crate::parts::Parts;

/// Constants of a model, at most.
const MAX_CONSTANTS: u8 = 5;
/// Bytes of the input, of a constant, and of the output.
const MAX_BYTES: u64 = 1 << 16;
/// Elements of the output times those of the longest row.
const MAX_READS: u64 = 1 << 20;

/// What the bytes say: input specification ‖ number of constants ‖ their specifications ‖ node record ‖ element u32 ‖ seed of all values ‖ changes of the witness.
struct Question<'a> {
    input: TensorSpec,
    constants: Vec<Tensor>,
    record: &'a [u8; NODE_BYTES],
    element: u32,
    seed: u8,
    changes: &'a [u8],
}

impl<'a> Question<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut parts = Parts(bytes);
        let input = spec(&mut parts)?;
        let [count] = *parts.take()?;
        let specs = (0..count % (MAX_CONSTANTS + 1))
            .map(|_| spec(&mut parts))
            .collect::<Option<Vec<_>>>()?;
        let record = parts.take()?;
        let element = u32::from_le_bytes(*parts.take()?);
        let [seed] = *parts.take()?;
        let constants = (1..)
            .zip(&specs)
            .map(|(i, spec)| synthetic::tensor(spec, i * 1000 + u64::from(seed)))
            .collect();
        Some(Self {
            input,
            constants,
            record,
            element,
            seed,
            changes: parts.0,
        })
    }

    /// The header that a developer would register, and the records of the constants. Nobody checks a model when it is registered.
    fn registered(&self) -> (ModelHeader, Vec<ConstantRecord>) {
        let records: Vec<_> = self
            .constants
            .iter()
            .map(|constant| ConstantRecord {
                spec: *constant.spec(),
                root: constant.root(),
            })
            .collect();
        let leaves = (0..).zip(&records).map(|(i, record)| record.leaf(i)).collect();
        let header = ModelHeader {
            arithmetic_version: opml::ARITHMETIC_VERSION,
            node_count: 1,
            constant_count: records.len() as u32,
            graph_root: Tree::list(vec![graph_leaf(0, self.record)]).root(),
            weights_root: Tree::list(leaves).root(),
            input: self.input,
        };
        (header, records)
    }
}

fn spec(parts: &mut Parts) -> Option<TensorSpec> {
    let spec = TensorSpec::decode(parts.take::<SPEC_BYTES>()?).ok()?;
    (spec.byte_len() <= MAX_BYTES).then_some(spec)
}

/// The referee and the loader agree on which models are malformed; of the others, a true element is correct and a changed one wrong, and a changed witness
/// never makes a true element wrong.
pub fn check(bytes: &[u8]) {
    let Some(question) = Question::read(bytes) else { return };
    match model(&question) {
        Ok(model) => check_element(&question, &model),
        Err(Some(reason)) => check_malformed(&question, reason),
        Err(None) => {}
    }
}

/// The model, or why the loader refuses it; neither when it is too large to be run.
fn model(question: &Question) -> Result<Model, Option<NodeError>> {
    let record = NodeRecord::decode(question.record).map_err(Some)?;
    match Model::new(question.input, vec![record], question.constants.clone()) {
        Ok(model) => Ok(model),
        Err(ModelError::Node { reason, .. }) => Err(Some(reason)),
        Err(_) => Err(None),
    }
}

fn check_malformed(question: &Question, reason: NodeError) {
    let (header, constants) = question.registered();
    let claim = Claim {
        model_root: header.model_root(),
        input_root: [1; 32],
        output_root: [2; 32],
    };
    let weights = Tree::list((0..).zip(&constants).map(|(i, record)| record.leaf(i)).collect());
    let short = [&header.encode()[..], question.record].concat();
    let mut whole = short.clone();
    for operand in NodeRecord::decode(question.record)
        .into_iter()
        .flat_map(|node| node.operands)
    {
        if let Operand::Constant(index) = operand
            && let Some(record) = constants.get(index as usize)
        {
            whole.extend(record.encode());
            whole.extend(weights.path(0, index).as_flattened());
        }
    }
    let judge = |witness: &[u8]| referee::check(&claim, &[3; 32], 0, 0, &[0; 4], 0, witness);
    // The witness ends where the fault shows: in the record, or in how it fits its operands.
    let expected = Ok(Verdict::MalformedModel(reason));
    assert!(
        judge(&short) == expected || judge(&whole) == expected,
        "{reason:?}: {:?}, {:?}",
        judge(&short),
        judge(&whole)
    );
    let spec = referee::node_spec(&header.model_root(), &header.encode(), 0, question.record, &[]);
    assert!(
        spec.is_ok(),
        "a registered node has a specification or is malformed: {spec:?}"
    );
}

fn check_element(question: &Question, model: &Model) {
    assert_eq!(question.registered().0, *model.header());
    let node = model.nodes()[0];
    let longest = model
        .operand_specs(&node)
        .iter()
        .map(TensorSpec::cols)
        .max()
        .unwrap_or(1);
    if node.output.byte_len() > MAX_BYTES || u64::from(node.output.elements()) * u64::from(longest) > MAX_READS {
        return;
    }
    let input = synthetic::tensor(model.input_spec(), question.seed.into());
    let run = execute(model, &input).expect("the input fits");
    let flat = question.element % node.output.elements();
    let (leaf, offset) = node.output.leaf_of_element(flat).expect("the element exists");
    let element = offset / node.output.element().size();
    let claimed = ClaimedTrace::whole(run.roots());
    let witness = witness::build(model, &run, &claimed, 0, leaf, element).expect("the element exists");
    let tile = run.output().tile(leaf).expect("the tile exists");
    let judge = |tile: &[u8], element, witness: &[u8]| {
        referee::check(&run.claim(), &run.trace_root(), 0, leaf, tile, element, witness)
    };
    assert_eq!(judge(tile, element, &witness), Ok(Verdict::Correct));

    let mut lie = tile.to_vec();
    lie[offset as usize] ^= 1 + question.seed % 255;
    assert!(matches!(judge(&lie, element, &witness), Ok(Verdict::Wrong { .. })));

    let mut changed = witness.clone();
    for change in question.changes.as_chunks::<3>().0 {
        let [low, high, value] = *change;
        let place = usize::from(u16::from_le_bytes([low, high])) % (witness.len() + 1);
        match changed.get_mut(place) {
            Some(byte) => *byte ^= value,
            None => changed.truncate(usize::from(value).max(HEADER_BYTES)),
        }
    }
    for element in [element, question.element] {
        let verdict = judge(tile, element, &changed);
        assert!(
            matches!(verdict, Err(_) | Ok(Verdict::Correct)),
            "a true element is never wrong: {verdict:?}"
        );
    }
}
