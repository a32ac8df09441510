//! The repository's models from ONNX: a wrong element in any kind of operator is proven, and a right one never is.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Report, ReportStatus},
};
use imo_tests::{
    Outcome, World,
    imported::{DECODER_PREFILL, DECODER_STEP, DIGITS_CNN, ENCODER, Imported, Lie, Source},
    world::Duel,
};
use opml_runtime::{Model, fast::Plan};

/// Two answers to one question in one report, of which one is wrong in one element, and a dispute about each at that very place.
fn assert_refereed(model: &Model, lie: Lie) {
    const RIGHT: u32 = 0;
    const WRONG: u32 = 1;
    let Lie {
        operator,
        node,
        wrong,
        right,
        truth,
        slander,
    } = lie;
    let (mut world, cast) = World::light();
    let service = world.given_service(&cast, model);
    let case = world.given_sealed(&cast, service, vec![right.clone(), wrong.clone()]);

    let mut slandered = Duel::open(&mut world, &cast.rival, &case, RIGHT, model, &slander);
    slandered.play_until(&mut world, &cast.operator, &right.answer, Phase::TileKnown);
    let prove = slandered.ready(&mut world);
    world
        .send(&prove, &[&cast.rival])
        .expect_error(OracleError::ElementIsCorrect);
    assert_eq!(slandered.state(&world).game.node_index, node, "{operator}");
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);

    let mut duel = Duel::open(&mut world, &cast.watcher, &case, WRONG, model, &truth);
    duel.play_until(&mut world, &cast.operator, &wrong.answer, Phase::Proven);
    assert_eq!(duel.state(&world).game.node_index, node, "{operator}");
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}

/// Plays about every kind of operator of a model, which are these.
fn assert_every_operator_is_refereed(source: Source, operators: &[&str]) {
    let imported = Imported::open(source);
    let plan = Plan::new(&imported.model);
    let lies = imported.lies(&plan);
    let found: Vec<_> = lies.iter().map(|lie| lie.operator).collect();
    assert_eq!(found, operators);
    for lie in lies {
        assert_refereed(&imported.model, lie);
    }
}

#[test]
fn given_the_convolutional_network_when_any_kind_of_operator_is_wrong_then_proven_and_the_right_answer_stands() {
    assert_every_operator_is_refereed(
        DIGITS_CNN,
        &[
            "FullyConnected",
            "GroupedFullyConnected",
            "Patches",
            "Add",
            "Transpose",
            "Reshape",
            "ReduceMean",
            "ReduceMax",
        ],
    );
}

#[test]
fn given_the_encoder_when_any_kind_of_operator_is_wrong_then_proven_and_the_right_answer_stands() {
    assert_every_operator_is_refereed(
        ENCODER,
        &[
            "FullyConnected",
            "Lookup",
            "MatMul",
            "Add",
            "Mul",
            "Gather",
            "Softmax",
            "LayerNorm",
            "Transpose",
            "Reshape",
            "ReduceMean",
        ],
    );
}

#[test]
fn given_the_decoders_prompt_when_any_kind_of_operator_is_wrong_then_proven_and_the_right_answer_stands() {
    assert_every_operator_is_refereed(
        DECODER_PREFILL,
        &[
            "FullyConnected",
            "Lookup",
            "MatMul",
            "Add",
            "Mul",
            "Gather",
            "Softmax",
            "RMSNorm",
            "RotaryEmbedding",
            "Transpose",
            "Reshape",
            "Slice",
            "Bitcast",
        ],
    );
}

#[test]
fn given_the_decoders_step_when_any_kind_of_operator_is_wrong_then_proven_and_the_right_answer_stands() {
    assert_every_operator_is_refereed(
        DECODER_STEP,
        &[
            "FullyConnected",
            "Lookup",
            "MatMul",
            "Add",
            "Mul",
            "Gather",
            "Softmax",
            "RMSNorm",
            "RotaryEmbedding",
            "Transpose",
            "Reshape",
            "Slice",
            "Concat",
            "Bitcast",
        ],
    );
}
