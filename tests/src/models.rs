//! The models that are served.

use imo_client::challenge::Answer;
use imo_protocol::PUBLIC_SALT;
use opml::{model::MAX_OPERANDS, ops::Clip};
use opml_runtime::{
    Builder, Claim, ElementType, Execution, Model, NodeRecord, Operand, Tensor, TensorSpec, execute, fast::Plan,
    malformed::Records, synthetic,
};

use crate::{programs::workspace, world::Asked};

/// The handwritten-digits model of this repository.
pub fn digits() -> Model {
    Model::open(workspace().join("models/digits/digits.imo")).expect("the repository has its model")
}

/// Layers of these sizes with made-up weights.
pub fn dense(sizes: &[u32]) -> Model {
    synthetic::dense(sizes, 7).expect("the sizes make a network")
}

/// A chain of look-ups in a table that maps no two values to one, so that every lie reaches the output.
pub fn chain(nodes: usize) -> Model {
    wide_chain(nodes, 8)
}

/// The same on a row of `cols`.
pub fn wide_chain(nodes: usize, cols: u32) -> Model {
    let table: Vec<i8> = (0..=u8::MAX)
        .map(|value| value.wrapping_mul(7).wrapping_add(3) as i8)
        .collect();
    let table = table.try_into().expect("a table has an entry for each value");
    let input = TensorSpec::new(ElementType::Int8, &[1, cols]).expect("a row");
    let mut builder = Builder::new(input);
    let mut x = Operand::Input;
    for _ in 0..nodes {
        x = builder.lookup(x, &table).expect("a table fits any row");
    }
    builder.build().expect("a chain is a model")
}

/// A made-up input.
pub fn input(model: &Model, seed: u64) -> Tensor {
    synthetic::tensor(model.input_spec(), seed)
}

/// A request that is answered as the model says.
pub fn honest(model: &Model, seed: u64, price_units: u64) -> Asked {
    let execution = execute(model, &input(model, seed)).expect("the input fits the model");
    honest_about(&execution, price_units)
}

/// A request that is answered with what was computed.
pub fn honest_about(execution: &Execution, price_units: u64) -> Asked {
    Asked {
        input: execution.input().clone(),
        claim: execution.claim(),
        answer: Answer::from(execution),
        price_units,
        salt: PUBLIC_SALT,
    }
}

/// A request that is answered with one element of one node's output as far off as it can be, and honestly from there on, so that the output is another
/// one. Where no lie in that node shows in the output, as happens before an `ArgMax`, another input is asked.
pub fn lying(model: &Model, seed: u64, price_units: u64, node: u32) -> Asked {
    const TRIES: u64 = 100;
    let plan = Plan::new(model);
    (0..TRIES)
        .find_map(|attempt| lying_about(&plan, &input(model, seed + attempt * 1_000), price_units, node))
        .expect("a lie in this node shows in no output")
}

/// The same about this input; `None` where no lie in that node shows in the output.
pub fn lying_about(plan: &Plan, input: &Tensor, price_units: u64, node: u32) -> Option<Asked> {
    let truth = plan.execute(input).expect("the input fits the model");
    let values = truth.outputs()[node as usize].values();
    // From the middle on, and round.
    let middle = values.len() / 2;
    let answer = (0..values.len())
        .map(|step| (middle + step) % values.len())
        .map(|element| (element as u32, values[element]))
        .map(|(element, value)| {
            let lie = if value < 0 { i8::MAX } else { i8::MIN };
            Answer::tampered(plan, &truth, node, element, lie.into()).expect("the node has that element")
        })
        .find(|answer| answer.claim() != truth.claim())?;
    Some(Asked {
        input: input.clone(),
        claim: answer.claim(),
        answer,
        price_units,
        salt: PUBLIC_SALT,
    })
}

/// A model of which node 1 cuts at a least value above its greatest one, between two that keep every rule.
pub fn malformed() -> Records {
    let spec = TensorSpec::new(ElementType::Int8, &[1, 4]).expect("a row of four");
    let clip = |least, greatest| {
        let mut operands = [Operand::None; MAX_OPERANDS];
        operands[0] = Operand::Input;
        let record = NodeRecord {
            operator: Clip::NUMBER,
            operands,
            output: spec,
            attributes: Clip::attributes(least, greatest),
        };
        record.encode()
    };
    Records::new(spec, vec![clip(-1, 1), clip(1, -1), clip(-1, 1)], Vec::new())
}

/// A claim on a model that nobody can run.
pub fn claimed(records: &Records, price_units: u64) -> Asked {
    let stand_in = honest(&dense(&[4, 4]), 0, price_units);
    Asked {
        claim: Claim {
            model_root: records.model_root(),
            ..stand_in.claim
        },
        ..stand_in
    }
}
