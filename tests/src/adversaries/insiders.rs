//! Attacks by those who have a role: developers, operators of a list, the authority, the guardian.

use ::model_token::{
    constants::MAX_PAUSE_SECONDS,
    errors::ModelTokenError,
    instructions::RegisterModelArgs,
    state::{DisputeTerms, Metadata, OperatorAccess, Settings},
};
use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use anchor_lang::{error::ErrorCode, prelude::Pubkey};
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle, revenue_escrow},
};
use solana_account::Account;
use solana_signer::Signer;

use super::{Arena, arena::provers_share};
use crate::{
    landed::Outcome,
    models::{chain, honest, lying},
    world::{TIMELOCK_SLOTS, terms, usdc},
};

/// Has stake, but not the developer's appointment, and comes for the model's payers all the same.
pub fn operator_without_an_appointment(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let world = &mut arena.world;
    let service = world.given_service(&cast, &chain(2));
    let published = service.published;
    let (developer, payer) = (cast.developer.pubkey(), cast.payer.pubkey());
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let appoint = model_token::appoint_operator(developer, developer, published.model, cast.operator.pubkey());
    world.send(&[appoint], &[&cast.developer]).expect_ok();
    let list = model_token::set_operator_access(developer, published.model, OperatorAccess::Listed);
    world.send(&[list], &[&cast.developer]).expect_ok();
    let lane = revenue_escrow::open_lane(payer, payer, published.model, rival, usdc(20), false);
    world
        .send(&[lane], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotAppointed);
    world.pass_slots(terms().notice_slots + 1);
    // Nor does it pass for the one that is appointed.
    let state: Operator = world.read(&rival);
    let post = opml_oracle::post_report_as_appointed(
        cast.rival.pubkey(),
        &state,
        world.report_terms(&published, terms().min_bond_units),
    );
    world
        .send(std::slice::from_ref(&post), &[&cast.rival])
        .expect_error(ErrorCode::AccountNotInitialized);
    let [own, others] =
        [&cast.rival, &cast.operator].map(|key| addresses::model_token::appointment(&published.model, &key.pubkey()));
    let as_the_other = crate::attack::swap(&post, &own, &others);
    world
        .send(&[as_the_other], &[&cast.rival])
        .expect_error(OracleError::NotAppointed);
    arena.sides([cast.rival.pubkey()], []);
    let case = arena
        .world
        .given_sealed(&cast, service, vec![honest(&chain(2), 0, usdc(20))]);
    arena.expect_paid(&case);
    arena.wind_up(&case);
}

/// Closes the list and dismisses the operator after it has served and before it has reported, to keep its share. What was served before is reported within the notice.
pub fn developer_who_dismisses_before_the_report(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let world = &mut arena.world;
    let service = world.given_service(&cast, &chain(2));
    let model = service.published.model;
    let (developer, operator) = (cast.developer.pubkey(), cast.operator.pubkey());
    for instruction in [
        model_token::appoint_operator(developer, developer, model, operator),
        model_token::set_operator_access(developer, model, OperatorAccess::Listed),
        model_token::dismiss_operator(developer, model, operator),
    ] {
        world.send(&[instruction], &[&cast.developer]).expect_ok();
    }
    world.pass_slots(terms().notice_slots);
    let appointment = addresses::model_token::appointment(&model, &operator);
    let close = model_token::close_appointment(&world.read(&appointment));
    world
        .send(&[close], &[&cast.developer])
        .expect_error(ModelTokenError::AppointmentInForce);
    let case = world.given_sealed(&cast, service, vec![honest(&chain(2), 0, usdc(20))]);
    arena.expect_paid(&case);
    arena.wind_up(&case);
    // The developer has its own share, as without a dismissal.
    let share = super::verdict::gain(&arena.world, &developer);
    assert_eq!(share, i128::from(case.collected_units * 5_500 / 10_000));
    arena.attackers.push(developer);
    arena.before.insert(developer, share);
}

/// Is the operator's friend, and proposes terms under which being caught costs nothing. They wait longer than any report lasts, and a report keeps its own.
pub fn authority_who_changes_the_terms(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let easy = Settings {
        terms: DisputeTerms {
            bond_ratio_bps: 1,
            min_bond_units: 1,
            prover_share_bps: 0,
            cost_cap_bps: 0,
            window_slots: 1,
            response_slots: 1,
            clock_slots: 1,
            ..terms()
        },
        ..arena.settings(&cast)
    };
    let update = arena.world.given_proposal(&cast, easy);
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    arena.attackers.push(cast.authority.pubkey());
    let execute = model_token::execute_update(&update);
    arena
        .send(std::slice::from_ref(&execute), &[&cast.authority])
        .expect_error(ModelTokenError::UpdateNotDue);
    arena.pass_slots(terms().window_slots);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Demanded);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Proven);
    // Whoever is in is out before they hold, and what is in keeps its own.
    arena.pass_deadline(&update.due);
    arena.send(&[execute], &[&cast.authority]).expect_ok();
    assert_eq!(arena.read::<Report>(&case.report).terms, terms());
    let moves = u64::from(duel.state(arena).game.challenger_moves);
    arena.wind_up(&case);
    let gain = provers_share() + moves * terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(cast.watcher.pubkey(), -i128::from(gain));
}

/// Proposes a settings change that nobody minds, keeps it until everybody has forgotten it, and executes it then.
pub fn keeper_of_a_matured_update(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let mine = Settings {
        treasury: cast.rival.pubkey(),
        ..arena.settings(&cast)
    };
    let update = arena.world.given_proposal(&cast, mine);
    arena.sides([cast.authority.pubkey(), cast.rival.pubkey()], []);
    arena.pass_slots(2 * TIMELOCK_SLOTS + 1);
    let execute = model_token::execute_update(&update);
    arena
        .send(&[execute], &[&cast.authority])
        .expect_error(ModelTokenError::UpdateLapsed);
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    arena.wind_up(&case);
    let share = case.collected_units * 500 / 10_000;
    arena.honest.insert(cast.treasury.pubkey(), -i128::from(share));
}

/// Pauses for as long as it may, and wants to go on with that, so that nobody's money moves. It moves all the while, and the pause ends.
pub fn guardian_who_never_stops(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let guardian = cast.guardian.pubkey();
    arena.attackers.push(guardian);
    let began = arena.now().unix;
    let pause = |until| model_token::set_pause(guardian, until);
    arena
        .send(&[pause(began + MAX_PAUSE_SECONDS + 1)], &[&cast.guardian])
        .expect_error(ModelTokenError::PauseTooLong);
    arena
        .send(&[pause(began + MAX_PAUSE_SECONDS)], &[&cast.guardian])
        .expect_ok();
    arena.wind_up(&case);
    let until = began + MAX_PAUSE_SECONDS;
    arena.pass_until_unix(until);
    for unix in [until, until + MAX_PAUSE_SECONDS - 1] {
        arena.pass_until_unix(unix);
        arena
            .send(&[pause(unix + 1)], &[&cast.guardian])
            .expect_error(ModelTokenError::PausedTooRecently);
    }
    let (payer, credit) = (cast.payer.pubkey(), case.service.customer.credit);
    arena.given_usdc(&payer, usdc(1));
    let mint = arena.usdc;
    let deposit = revenue_escrow::deposit_credit(payer, credit, case.service.published.model, mint, usdc(1));
    arena.send(&[deposit], &[&cast.payer]).expect_ok();
}

/// Wants to be paid in a token that takes a fee from every transfer, so that a vault holds less than it owes. Even an authority that lists it changes nothing.
pub fn developer_of_a_taxed_mint(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let developer = cast.developer.pubkey();
    let taxed = taxed_mint(arena, &developer);
    arena.sides([developer], []);
    let register = |index| {
        let args = RegisterModelArgs {
            index,
            metadata: Metadata {
                name: "Taxed".to_owned(),
                symbol: "TAX".to_owned(),
                licence: "MIT".to_owned(),
                uri: String::new(),
                uri_hash: [0; 32],
            },
        };
        model_token::register_model(developer, developer, taxed, args)
    };
    let listed = Settings {
        payment_mints: vec![arena.usdc, taxed],
        ..arena.settings(&cast)
    };
    for is_listed in [false, true] {
        if is_listed {
            arena.world.given_settings(&cast, listed.clone());
        }
        let vault = opml_oracle::create_stake_vault(cast.stranger.pubkey(), taxed);
        arena
            .send(&[vault], &[&cast.stranger])
            .expect_error(ErrorCode::AccountOwnedByWrongProgram);
        arena
            .send(&[register(0)], &[&cast.developer])
            .expect_error(ErrorCode::AccountOwnedByWrongProgram);
    }
    // Whoever serves for the listed money is paid as ever.
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let before = super::verdict::gain(&arena.world, &developer);
    arena.wind_up(&case);
    let share = super::verdict::gain(&arena.world, &developer) - before;
    assert_eq!(share, i128::from(case.collected_units * 5_500 / 10_000));
    arena.before.insert(developer, share);
}

/// A mint of Token-2022 that keeps a tenth of every transfer: the layout of a mint with the transfer fee extension, as the token program writes it.
fn taxed_mint(arena: &mut Arena, authority: &Pubkey) -> Pubkey {
    use anchor_lang::solana_program::program_pack::Pack;
    const ACCOUNT_LEN: usize = 165;
    const MINT_TYPE: u8 = 1;
    const TRANSFER_FEE_CONFIG: u16 = 1;
    const CONFIG_LEN: u16 = 108;
    const TENTH_BPS: u16 = 1_000;
    let mint = arena.key().pubkey();
    let mut data = vec![0; ACCOUNT_LEN];
    anchor_spl::token::spl_token::state::Mint {
        mint_authority: Some(*authority).into(),
        supply: 0,
        decimals: 6,
        is_initialized: true,
        freeze_authority: None.into(),
    }
    .pack_into_slice(&mut data[..anchor_spl::token::spl_token::state::Mint::LEN]);
    data.push(MINT_TYPE);
    data.extend(TRANSFER_FEE_CONFIG.to_le_bytes());
    data.extend(CONFIG_LEN.to_le_bytes());
    data.extend(authority.as_ref());
    data.extend(authority.as_ref());
    data.extend(0u64.to_le_bytes());
    for _ in ["older", "newer"] {
        data.extend(0u64.to_le_bytes());
        data.extend(u64::MAX.to_le_bytes());
        data.extend(TENTH_BPS.to_le_bytes());
    }
    let lamports = arena.rent_of(data.len());
    arena.set_account(
        &mint,
        Account {
            lamports,
            data,
            owner: anchor_spl::token_2022::ID,
            executable: false,
            rent_epoch: u64::MAX,
        },
    );
    mint
}
