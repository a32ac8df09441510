//! The scenes that are explored.

use imo_client::challenge::Answer;
use model_token::state::DisputeTerms;
use opml_runtime::{Builder, ElementType, Model, Operand, Tensor, TensorSpec, fast::Plan, synthetic};

use super::scene::{Honest, Scene};
use crate::world;

/// Two challengers on a model of two nodes, whose trace is posted whole. A tick is five slots, which are two seconds, a turn one tick.
pub fn two_challengers(honest: Honest) -> Scene {
    scene(chain(2, 2), honest, 2, terms(5, 5, 5), 5)
}

/// One challenger, slot by slot, with a clock of two turns.
pub fn slot_by_slot(honest: Honest) -> Scene {
    scene(chain(2, 2), honest, 1, terms(2, 2, 4), 1)
}

/// One challenger on a model of seventeen nodes, whose trace is walked, with outputs of three tiles, which are walked as well; under the terms of all other
/// scenarios, each turn made at once, in its last slot, or not at all.
pub fn deep_descent(honest: Honest) -> Scene {
    let terms = DisputeTerms {
        // When it is opened changes nothing of how it goes on.
        window_slots: 1,
        ..world::terms()
    };
    scene(chain(17, 1_200), honest, 1, terms, terms.response_slots)
}

fn scene(model: Model, honest: Honest, seats: usize, terms: DisputeTerms, tick_slots: u64) -> Scene {
    let inputs: Vec<Tensor> = [1, 2].map(|seed| synthetic::tensor(model.input_spec(), seed)).into();
    let lie = (honest != Honest::Operator).then(|| {
        let node = model.header().node_count / 2;
        let element = model.nodes()[node as usize].output.cols() / 2;
        let plan = Plan::new(&model);
        let truth = plan.execute(&inputs[0]).expect("the input fits the model");
        let value = truth.outputs()[node as usize].values()[element as usize];
        Answer::tampered(&plan, &truth, node, element, value ^ 1).expect("the node has that element")
    });
    Scene::new(model, &inputs, lie, honest, seats, terms, tick_slots)
}

/// A chain of look-ups in a table that maps no two values to one, on a row of `cols`.
fn chain(nodes: usize, cols: u32) -> Model {
    let table = std::array::from_fn(|value| (value as u8).wrapping_mul(7).wrapping_add(3) as i8);
    let mut builder = Builder::new(TensorSpec::new(ElementType::Int8, &[1, cols]).expect("a row"));
    let mut x = Operand::Input;
    for _ in 0..nodes {
        x = builder.lookup(x, &table).expect("a table fits any row");
    }
    builder.build().expect("a chain is a model")
}

/// Terms with short times.
fn terms(window_slots: u64, response_slots: u64, clock_slots: u64) -> DisputeTerms {
    DisputeTerms {
        window_slots,
        seal_slots: 1,
        response_slots,
        clock_slots,
        bond_ratio_bps: 20_000,
        min_bond_units: 1,
        challenger_bond_units: 500,
        open_fee_units: 10,
        move_cost_units: 200,
        prover_share_bps: 3_000,
        cost_cap_bps: 1_000,
        unbonding_slots: 1_000,
        notice_slots: 1_000,
        epoch_slots: 1_000,
        byte_fee_units: 0,
    }
}
