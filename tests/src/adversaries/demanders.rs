//! People who ask for data, and those who answer for others.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::{data::Source, instructions::data};
use solana_signer::Signer;

use super::{
    Arena,
    arena::{operators_share, provers_share},
};
use crate::{
    landed::Outcome,
    models::{chain, dense, honest, lying},
    world::{Search, Service, terms, usdc},
};

/// Has every receipt, every input and the weights shown, again and again, so that the operator has nothing but work with it. It pays for each byte.
pub fn demander_without_end(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = dense(&[200, 3]);
    let asked = (0..5).map(|seed| honest(&model, seed, usdc(2))).collect();
    let case = arena.given_true_report(&model, asked);
    arena.attackers.push(cast.rival.pubkey());
    let receipts = case.all_receipts();
    let world = &mut arena.world;
    let mut fees_units = 0;
    for round in 0..2u32 {
        let nonce = u64::from(round) * 10;
        let all = Search::receipts(world, &cast.rival, &case, nonce);
        let input = Search::input(world, &cast.rival, &case, round, nonce + 1);
        let weights = Search::constant(world, &cast.rival, &case, &model, 0, nonce + 2);
        for receipt in 0..5 {
            all.walk(
                world,
                &cast.operator,
                receipt,
                Source::Receipts(&case.receipts, &receipts),
            );
        }
        input.walk(
            world,
            &cast.operator,
            0,
            Source::Tensor(&case.asked[round as usize].input),
        );
        weights.walk(world, &cast.operator, 0, Source::Tensor(&model.constants()[0]));
        fees_units += [&all, &input, &weights]
            .map(|search| search.state(world).fees_units)
            .iter()
            .sum::<u64>();
    }
    arena.wind_up(&case);
    let earned = operators_share(case.collected_units) + fees_units;
    arena.honest.insert(cast.operator.pubkey(), -i128::from(earned));
}

/// Asks in the last slot of the window, which holds the report up for one answer, and wants to ask once more when that is given.
pub fn demander_in_the_last_slot(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = dense(&[200, 3]);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    arena.attackers.push(cast.rival.pubkey());
    arena.pass_slots(terms().window_slots);
    let world = &mut arena.world;
    let search = Search::input(world, &cast.rival, &case, 0, 0);
    search.demand(world, 0);
    world.pass_slots(terms().response_slots);
    search.serve(world, &cast.operator, Source::Tensor(&case.asked[0].input));
    let again = data::demand_data(&search.state(world), &search.next(world, 0));
    world
        .send(&[again], &[&cast.rival])
        .expect_error(OracleError::WindowClosed);
    // Nothing holds it up any more.
    world.finalise(&cast, &case.report);
    arena.wind_up(&case);
}

/// Wants to read what somebody else asked.
pub fn demander_of_private_data(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let world = &mut arena.world;
    let published = world.given_model(&cast, &model);
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_private_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let mut asked = honest(&model, 0, usdc(20));
    asked.salt = [0x51; 32];
    let case = world.given_sealed(&cast, service, vec![asked]);
    arena.expect_paid(&case);
    let rival = cast.rival.pubkey();
    arena.attackers.push(rival);
    for permission in [None, Some(data::Permission::Payer(rival))] {
        for open in [
            Search::receipts_of(&arena.world, &rival, &case, permission, 0),
            Search::input_of(&arena.world, &rival, &case, 0, permission, 0),
        ] {
            arena
                .send(&[open], &[&cast.rival])
                .expect_error(OracleError::PermissionMissing);
        }
    }
    arena.wind_up(&case);
}

/// Answers for the operator with bytes that are not what was asked for, so that the demander is served badly and the operator is too late.
pub fn server_of_garbage(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = dense(&[600, 3]);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    arena.sides([cast.rival.pubkey()], []);
    let world = &mut arena.world;
    let search = Search::input(world, &cast.watcher, &case, 0, 0);
    let input = Source::Tensor(&case.asked[0].input);
    let mut last = false;
    while !last {
        last = search.demand(world, 0);
        let honest = search.answer_of(world, input);
        let mut other = honest.clone();
        other[0] ^= 1;
        for (bytes, error) in [
            (other, OracleError::WrongPreimage),
            (honest[1..].to_vec(), OracleError::WrongAnswerLength),
        ] {
            let serve = data::serve_data(&search.state(world), bytes);
            world.send(&[serve], &[&cast.rival]).expect_error(error);
        }
        search.serve(world, &cast.operator, input);
    }
    let fees_units = search.state(world).fees_units;
    arena.wind_up(&case);
    arena.honest.insert(cast.watcher.pubkey(), fees_units.into());
}

/// Lies, sees that somebody disputes it, and lets a friend's demand run out, which rejects the report at once: the share is still the one's who opened before.
pub fn friend_who_demands_behind_a_dispute(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    arena.attackers.push(cast.rival.pubkey());
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Pointed);
    let world = &mut arena.world;
    let search = Search::receipts(world, &cast.rival, &case, 0);
    search.demand(world, 0);
    duel.play_until(world, &cast.operator, &case.asked[0].answer, Phase::Demanded);
    search.time_out(world, &cast.rival);
    arena.wind_up(&case);
    let gain = provers_share() + 2 * terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(cast.watcher.pubkey(), -i128::from(gain));
}
