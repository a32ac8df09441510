//! Going on from outputs that are given.

use opml_runtime::{
    Model, Operand, Tensor, execute,
    fast::{Plan, PlanOptions},
    synthetic,
};

/// Every bit of one element is another.
fn lie(truth: &Tensor) -> Tensor {
    let size = truth.spec().element().size() as usize;
    let mut bytes = truth.bytes().to_vec();
    let middle = truth.spec().elements() as usize / 2 * size;
    bytes[middle..middle + size].iter_mut().for_each(|byte| *byte ^= 0xff);
    Tensor::new(*truth.spec(), bytes).unwrap()
}

/// What the reference makes of the same graph in which whoever read the node reads the lie.
fn outputs_after(model: &Model, input: &Tensor, node: u32, lie: &Tensor) -> Vec<Tensor> {
    let mut constants = model.constants().to_vec();
    let lies_at = Operand::Constant(constants.len() as u32);
    constants.push(lie.clone());
    let mut nodes = model.nodes().to_vec();
    for operand in nodes.iter_mut().flat_map(|node| &mut node.operands) {
        if *operand == Operand::Node(node) {
            *operand = lies_at;
        }
    }
    let twisted = Model::new(*model.input_spec(), nodes, constants).unwrap();
    let mut outputs = execute(&twisted, input).unwrap().outputs().to_vec();
    outputs[node as usize] = lie.clone();
    outputs
}

#[test]
fn given_a_lie_in_any_node_when_resumed_then_every_later_node_is_what_the_reference_makes_of_it() {
    let models = [
        (synthetic::decoder_step(5, 32, 4, 3).unwrap(), 9),
        (synthetic::encoder_block(12, 32, 4, 40, 1).unwrap(), 12),
    ];
    for (model, below) in models {
        let input = synthetic::words(model.input_spec(), below, 5);
        let nothing_packed = PlanOptions {
            packed_bytes: Some(0),
            ..PlanOptions::default()
        };
        for plan in [Plan::new(&model), Plan::with_options(&model, nothing_packed)] {
            let truth = plan.execute(&input).unwrap();
            for node in 0..model.nodes().len() {
                let mut known = truth.outputs()[..=node].to_vec();
                known[node] = lie(&known[node]);
                let expected = outputs_after(&model, &input, node as u32, &known[node]);
                let found = plan.resume(&input, known).unwrap();
                assert!(found.outputs() == expected, "a lie in node {node} of {plan:?}");
            }
        }
    }
}

#[test]
fn given_outputs_of_another_model_when_resumed_then_refused() {
    let model = synthetic::dense(&[5, 3, 2], 1).unwrap();
    let plan = Plan::new(&model);
    let input = synthetic::tensor(model.input_spec(), 2);
    let wrong = Tensor::from_i8(&[1, 4], &[0; 4]).unwrap();
    assert_eq!(
        plan.resume(&input, vec![wrong]).unwrap_err().to_string(),
        "The output that was given for node 0 is not one of that node."
    );
    let three = plan
        .execute(&input)
        .unwrap()
        .outputs()
        .iter()
        .cycle()
        .take(3)
        .cloned()
        .collect();
    assert!(plan.resume(&input, three).is_err());
}
