//! The made-up networks: they run, do something, and any element of any of their nodes can be judged.

use std::collections::BTreeSet;

use crate::{
    common::{lie, lying_roots},
    nodes::LAST_OPERATOR,
};
use opml::{
    Claim, Verdict,
    ops::{FullyConnected, Lookup},
    referee,
};
use opml_runtime::{ClaimedTrace, Execution, Model, Tensor, execute, execute::trace_tree, synthetic, witness};

/// Models with an input each.
fn models() -> Vec<(&'static str, Model, Tensor)> {
    let encoder = synthetic::encoder_block(6, 32, 4, 40, 1).unwrap();
    let decoder = synthetic::decoder_block(5, 32, 4, 2).unwrap();
    let step = synthetic::decoder_step(7, 32, 4, 3).unwrap();
    let conv_net = synthetic::conv_net(14, 8, 4).unwrap();
    let ids = |model: &Model| synthetic::words(model.input_spec(), 7, 9);
    let inputs = [
        ids(&encoder),
        ids(&decoder),
        step_input(&step, 3),
        synthetic::tensor(conv_net.input_spec(), 6),
    ];
    let models = [encoder, decoder, step, conv_net];
    let names = ["encoder", "decoder", "step", "conv_net"];
    names
        .into_iter()
        .zip(models)
        .zip(inputs)
        .map(|((name, model), input)| (name, model, input))
        .collect()
}

/// Token 9 with `used` rows of a random cache.
fn step_input(step: &Model, used: i32) -> Tensor {
    let mut bytes = synthetic::tensor(step.input_spec(), 8).bytes().to_vec();
    for (at, word) in [9, used, used + 1].into_iter().enumerate() {
        bytes[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
    }
    Tensor::new(*step.input_spec(), bytes).unwrap()
}

fn run(model: &Model, input: &Tensor) -> Execution {
    execute(model, input).unwrap()
}

#[test]
fn given_the_made_up_models_when_listed_then_they_use_every_operator() {
    let used: BTreeSet<u8> = models()
        .iter()
        .flat_map(|(_, model, _)| model.nodes().iter().map(|node| node.operator))
        .collect();
    assert_eq!(used, (FullyConnected::NUMBER..=LAST_OPERATOR).collect());
}

#[test]
fn given_the_made_up_models_when_run_then_activations_neither_die_nor_saturate() {
    for (name, model, input) in models() {
        let run = run(&model, &input);
        for (i, (node, output)) in model.nodes().iter().zip(run.outputs()).enumerate() {
            if output.spec().elements() < 32 || node.operator == Lookup::NUMBER {
                continue;
            }
            let values = output.values();
            let distinct: BTreeSet<_> = values.iter().collect();
            assert!(
                distinct.len() > 4,
                "{name}: node {i} of operator {} has {distinct:?}",
                node.operator
            );
            let saturated = values.iter().filter(|value| [-128, 127].contains(*value)).count();
            assert!(
                saturated * 4 <= values.len() * 3,
                "{name}: {saturated} of {} values of node {i} of operator {} are at the end of the range",
                values.len(),
                node.operator
            );
        }
    }
}

#[test]
fn given_elements_of_every_node_when_judged_then_honest_ones_are_correct_and_changed_ones_wrong() {
    for (name, model, input) in models() {
        let run = run(&model, &input);
        let honest_claim = ClaimedTrace::whole(run.roots());
        for (node, honest) in (0..).zip(run.outputs()) {
            let elements = honest.spec().elements();
            for flat in [0, elements / 3, elements - 1] {
                let (tile_leaf, offset) = honest.spec().leaf_of_element(flat).unwrap();
                let element = offset / honest.spec().element().size();
                let proof = witness::build(&model, &run, &honest_claim, node, tile_leaf, element).unwrap();
                let tile = honest.tile(tile_leaf).unwrap();
                assert_eq!(
                    referee::check(&run.claim(), &run.trace_root(), node, tile_leaf, tile, element, &proof),
                    Ok(Verdict::Correct),
                    "{name}: element {flat} of node {node}"
                );

                let wrong = lie(honest, flat, 0x41);
                let roots = lying_roots(&run, node, &wrong);
                let claim = Claim {
                    output_root: *roots.last().unwrap(),
                    ..run.claim()
                };
                let claimed = ClaimedTrace::whole(&roots);
                let proof = witness::build(&model, &run, &claimed, node, tile_leaf, element).unwrap();
                let tile = wrong.tile(tile_leaf).unwrap();
                assert_eq!(
                    referee::check(
                        &claim,
                        &trace_tree(&roots).root(),
                        node,
                        tile_leaf,
                        tile,
                        element,
                        &proof
                    ),
                    Ok(Verdict::Wrong {
                        expected: honest.values()[flat as usize],
                        found: wrong.values()[flat as usize]
                    }),
                    "{name}: element {flat} of node {node}"
                );
            }
        }
    }
}

#[test]
fn given_a_cache_when_unused_rows_change_then_the_step_does_not_and_used_rows_matter() {
    let step = synthetic::decoder_step(7, 32, 4, 3).unwrap();
    let used = 3;
    let input = step_input(&step, used);
    let changed = |key_row: usize| {
        let mut bytes = input.bytes().to_vec();
        // Rows of the first key head, eight wide, behind three words.
        for byte in &mut bytes[12 + 8 * key_row..][..8] {
            *byte ^= 0x55;
        }
        Tensor::new(*input.spec(), bytes).unwrap()
    };
    // The logits, before ArgMax, Bitcast and what joins the output.
    let outputs = |input: &Tensor| {
        let run = run(&step, input);
        let logits = run.outputs()[run.outputs().len() - 7].clone();
        (run.output().clone(), logits)
    };
    assert_eq!(outputs(&input), outputs(&changed(used as usize)));
    assert_ne!(outputs(&input).1, outputs(&changed(0)).1);
}

#[test]
fn given_a_causal_decoder_when_a_later_token_changes_then_earlier_rows_do_not() {
    let decoder = synthetic::decoder_block(5, 32, 4, 2).unwrap();
    let input = synthetic::words(decoder.input_spec(), 50, 5);
    let mut bytes = input.bytes().to_vec();
    bytes[12] ^= 1;
    let other = Tensor::new(*input.spec(), bytes).unwrap();
    let logits = |input: &Tensor| {
        let run = run(&decoder, input);
        run.outputs()[run.outputs().len() - 2].clone()
    };
    let (logits, others) = (logits(&input), logits(&other));
    for row in 0..5 {
        assert_eq!(logits.row(row) == others.row(row), row < 3, "row {row}");
    }
}
