//! What nobody can tell from the chain about a private lane.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Report, ReportStatus},
};
use ::revenue_escrow::state::Lane;
use imo_client::instructions::opml_oracle::{self, Place};
use imo_protocol::{Collection, PUBLIC_SALT};
use imo_tests::{
    Cast, Outcome, World,
    models::{dense, lying},
    world::{Asked, Case, Duel, Service, usdc},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

const SECRET: [u8; 32] = [0x77; 32];

/// A private question, answered wrongly and reported.
fn given_a_private_lie(world: &mut World, cast: &Cast, model: &Model) -> Case {
    let published = world.given_model(cast, model);
    world.given_vault(cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_private_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let asked = Asked {
        salt: SECRET,
        ..lying(model, 0, usdc(10), 0)
    };
    world.given_sealed(cast, service, vec![asked])
}

#[test]
fn given_a_lane_when_it_is_collected_then_its_collection_is_as_private_as_the_lane() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let private = given_a_private_lie(&mut world, &cast, &model);
    assert!(world.read::<Lane>(&private.service.customer.lane).private);
    assert!(world.read::<Collection>(&private.collection).private);

    let operator = private.service.operator;
    let published = private.service.published;
    let customer = world.given_customer(&cast.alice, &cast.session, &published, operator);
    let service = Service {
        customer,
        ..private.service
    };
    let public = world.given_sealed(&cast, service, vec![lying(&model, 1, usdc(10), 0)]);
    assert!(!world.read::<Lane>(&public.service.customer.lane).private);
    assert!(!world.read::<Collection>(&public.collection).private);
}

#[test]
fn given_a_guessed_question_and_answer_when_pointed_to_without_the_salt_then_nobody_can_tell_that_it_is_right() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let case = given_a_private_lie(&mut world, &cast, &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let state = duel.state(&world);
    // The claim is the reported one in every byte.
    let guess = Place {
        receipt_salt: PUBLIC_SALT,
        ..duel.place.clone()
    };
    world
        .send(
            &[opml_oracle::point(&state, state.game.digest, &guess)],
            &[&cast.watcher],
        )
        .expect_error(OracleError::WrongReceiptPath);
}

#[test]
fn given_a_salt_that_its_payer_disclosed_when_the_private_receipt_is_disputed_then_the_lie_is_proven() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let case = given_a_private_lie(&mut world, &cast, &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}
