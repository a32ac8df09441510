//! Whole disputes, played on the program's own game and judged by its own referee.

use anchor_lang::prelude::Pubkey;
use imo_protocol::Now;
use model_token::state::DisputeTerms;
use opml::{ElementType, Operand, TensorSpec, Verdict, referee};
use opml_oracle::{
    game::{Game, Phase, Side, check_trace_root, whole_trace_root},
    state::{Dispute, Trace},
};
use opml_runtime::{Builder, Execution, Model, Tensor, execute, fast::Plan, synthetic};
use proptest::prelude::*;

use super::*;

const NOW: Now = Now {
    slot: 1_000,
    unix: 1_700_000_000,
    last_restart_slot: 0,
};

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 1_000,
    seal_slots: 1_000,
    response_slots: 100,
    clock_slots: 500,
    bond_ratio_bps: 20_000,
    min_bond_units: 1,
    challenger_bond_units: 1,
    open_fee_units: 0,
    move_cost_units: 1,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 2_000,
    notice_slots: 1_000,
    epoch_slots: 2_000,
    byte_fee_units: 0,
};

fn open(model: &Model) -> Game {
    Game::open(
        &NOW,
        &TERMS,
        &Pubkey::new_from_array([1; 32]),
        0,
        &[2; 32],
        model.header().node_count,
    )
}

/// A dispute that was just opened.
pub fn opened_dispute() -> Dispute {
    let key = |byte| Pubkey::new_from_array([byte; 32]);
    Dispute {
        version: 1,
        bump: 255,
        report: key(1),
        challenger: key(2),
        nonce: 3,
        order: 0,
        operator: key(4),
        mint: key(5),
        commitment: [6; 32],
        collection: Pubkey::default(),
        receipt_index: 0,
        input_root: [0; 32],
        output_root: [0; 32],
        claim_hash: [0; 32],
        trace: Pubkey::default(),
        bond_units: 7,
        settled: false,
        payout_units: 0,
        rent_payer: key(2),
        game: open(&long_chain(3, &[1, 8])),
        reserved: [0; 64],
    }
}

/// Plays one move of the challenger. `None` when it has proven.
fn challenge(game: &mut Game, model: &Model, claim: &opml::Claim, next: NextMove) -> Option<Verdict> {
    let digest = game.digest;
    match next {
        NextMove::Point => game.point(&NOW, &digest, &[]).unwrap(),
        NextMove::Demand { child } => game.demand(&NOW, &digest, child).unwrap(),
        NextMove::DemandNode {
            child,
            node,
            record,
            path,
        } => {
            assert_eq!(game.picked_node(child).unwrap(), node);
            let header = model.header().encode();
            let spec =
                referee::node_spec(&claim.model_root, &header, node, &record.encode(), path.as_flattened()).unwrap();
            let referee::NodeSpec::Output(spec) = spec else {
                panic!("{spec:?}")
            };
            game.demand_node(&NOW, &digest, child, Some(&spec)).unwrap();
        }
        NextMove::Prove { element, witness } => {
            let verdict = referee::check(
                claim,
                &game.trace_root,
                game.node_index,
                game.cursor.first,
                &game.tile,
                element,
                &witness,
            )
            .unwrap();
            if verdict != Verdict::Correct {
                game.prove(&NOW, &digest, element).unwrap();
            }
            return Some(verdict);
        }
        NextMove::Timeout | NextMove::Wait | NextMove::Over => panic!("{next:?}"),
    }
    None
}

/// Plays one move of the operator.
fn answer(game: &mut Game, claim: &opml::Claim, next: NextAnswer) {
    let digest = game.digest;
    match next {
        NextAnswer::PostTrace { roots } => {
            let root = whole_trace_root(game.node_count, &claim.output_root, &roots).unwrap();
            game.trace(&NOW, &digest, true, &root, &roots).unwrap();
        }
        NextAnswer::PostTraceRoot { trace_root, path } => {
            check_trace_root(game.node_count, &claim.output_root, &trace_root, path.as_flattened()).unwrap();
            game.trace(&NOW, &digest, true, &trace_root, &[]).unwrap();
        }
        NextAnswer::Reveal { hashes } => game.reveal(&NOW, &digest, &hashes).unwrap(),
        NextAnswer::RevealTile { tile } => game.reveal_tile(&NOW, &digest, &tile).unwrap(),
        NextAnswer::AttachTrace | NextAnswer::Nothing => panic!("{next:?}"),
    }
}

/// Plays to the end and returns the game and the referee's verdict.
fn play(model: &Model, own: &Execution, stood_by: &Answer) -> (Game, Verdict) {
    let claim = stood_by.claim();
    let mut game = open(model);
    let mut challenger = Challenge::new(model, own);
    loop {
        match game.phase.turn() {
            Some(Side::Challenger) => {
                let next = challenger.next_move(&game, None, &NOW).unwrap();
                if let Some(verdict) = challenge(&mut game, model, &claim, next) {
                    return (game, verdict);
                }
            }
            Some(Side::Operator) => {
                assert_eq!(challenger.next_move(&game, None, &NOW), Ok(NextMove::Wait));
                let next = next_answer(stood_by, &game, false);
                answer(&mut game, &claim, next);
            }
            None => panic!("ended without a proof: {:?}", game.phase),
        }
    }
}

/// A chain of element-wise nodes over a tensor of many tiles: both trees have to be walked.
fn long_chain(nodes: u32, shape: &[u32]) -> Model {
    let input = TensorSpec::new(ElementType::Int8, shape).unwrap();
    let mut builder = Builder::new(input);
    let mut x = Operand::Input;
    for _ in 0..nodes {
        x = builder.clip(x, -100, 100).unwrap();
    }
    builder.build().unwrap()
}

fn another_value(execution: &Execution, node: u32, element: u32) -> i32 {
    let found = execution.outputs()[node as usize].values()[element as usize];
    if found == 7 { -7 } else { 7 }
}

fn assert_caught(model: &Model, node: u32, element: u32) -> Game {
    let input = synthetic::tensor(model.input_spec(), 1);
    let own = execute(model, &input).unwrap();
    let stood_by = Answer::tampered(
        &Plan::new(model),
        &own,
        node,
        element,
        another_value(&own, node, element),
    )
    .unwrap();
    let (game, verdict) = play(model, &own, &stood_by);
    assert_eq!((game.phase, game.node_index), (Phase::Proven, node));
    assert!(matches!(verdict, Verdict::Wrong { .. }), "{verdict:?}");
    game
}

#[test]
fn given_a_lie_in_a_small_model_when_disputed_then_proven_in_two_answers() {
    let model = synthetic::dense(&[784, 20, 10], 3).unwrap();
    for (node, element) in [(0, 0), (0, 19), (1, 4)] {
        let game = assert_caught(&model, node, element);
        assert_eq!(game.operator_moves, 2);
    }
}

#[test]
fn given_a_lie_in_a_long_graph_of_large_tensors_when_disputed_then_both_trees_are_walked() {
    let model = long_chain(40, &[20, 600]);
    for (node, element) in [(0, 0), (17, 11_999), (31, 512), (39, 6_000)] {
        let game = assert_caught(&model, node, element);
        // The trace, two reveals in it, two in the tensor, the tile.
        assert_eq!(game.operator_moves, 6);
    }
}

#[test]
fn given_an_honest_answer_when_challenged_then_there_is_nothing_to_prove() {
    let model = long_chain(3, &[1, 8]);
    let own = execute(&model, &synthetic::tensor(model.input_spec(), 1)).unwrap();
    let honest = Answer::from(&own);
    let mut game = open(&model);
    let mut challenger = Challenge::new(&model, &own);
    let next = challenger.next_move(&game, None, &NOW).unwrap();
    challenge(&mut game, &model, &honest.claim(), next);
    let next = next_answer(&honest, &game, false);
    answer(&mut game, &honest.claim(), next);
    assert_eq!(
        challenger.next_move(&game, None, &NOW),
        Err(ChallengeError::NothingWrong)
    );
}

#[test]
fn given_a_trace_of_a_sibling_when_pointed_then_it_is_attached() {
    let model = long_chain(3, &[1, 8]);
    let own = execute(&model, &synthetic::tensor(model.input_spec(), 1)).unwrap();
    let mut game = open(&model);
    assert_eq!(next_answer(&Answer::from(&own), &game, true), NextAnswer::Nothing);
    let digest = game.digest;
    game.point(&NOW, &digest, &[]).unwrap();
    assert_eq!(next_answer(&Answer::from(&own), &game, true), NextAnswer::AttachTrace);
}

/// The game with its tile revealed, as a challenger finds it that was started anew.
fn at_the_tile(model: &Model, own: &Execution, stood_by: &Answer) -> Game {
    let mut game = open(model);
    let mut challenger = Challenge::new(model, own);
    while game.phase != Phase::TileKnown {
        if game.phase.turn() == Some(Side::Challenger) {
            let next = challenger.next_move(&game, None, &NOW).unwrap();
            challenge(&mut game, model, &stood_by.claim(), next);
        } else {
            challenger.observe(&game, None);
            let next = next_answer(stood_by, &game, false);
            answer(&mut game, &stood_by.claim(), next);
        }
    }
    game
}

#[test]
fn given_a_challenger_started_anew_when_the_trace_is_whole_then_it_goes_on() {
    let model = long_chain(5, &[2, 300]);
    let input = synthetic::tensor(model.input_spec(), 1);
    let own = execute(&model, &input).unwrap();
    let stood_by = Answer::tampered(&Plan::new(&model), &own, 3, 400, another_value(&own, 3, 400)).unwrap();
    let mut game = at_the_tile(&model, &own, &stood_by);
    let trace = Trace {
        version: 1,
        bump: 255,
        report: Pubkey::default(),
        claim_hash: stood_by.claim().claim_hash(),
        whole: true,
        node_count: 5,
        trace_root: game.trace_root,
        rent_payer: Pubkey::default(),
        roots: stood_by.roots().to_vec(),
        posted_slot: 1,
        reserved: [0; 24],
    };
    let next = Challenge::new(&model, &own)
        .next_move(&game, Some(&trace), &NOW)
        .unwrap();
    let verdict = challenge(&mut game, &model, &stood_by.claim(), next);
    assert!(matches!(verdict, Some(Verdict::Wrong { .. })));
}

#[test]
fn given_a_challenger_started_anew_when_the_trace_was_walked_then_it_asks_for_the_history() {
    let model = long_chain(20, &[1, 8]);
    let input = synthetic::tensor(model.input_spec(), 1);
    let own = execute(&model, &input).unwrap();
    let stood_by = Answer::tampered(&Plan::new(&model), &own, 9, 3, another_value(&own, 9, 3)).unwrap();
    let game = at_the_tile(&model, &own, &stood_by);
    let next = Challenge::new(&model, &own).next_move(&game, None, &NOW);
    assert_eq!(next, Err(ChallengeError::HistoryMissing));
}

#[test]
fn given_a_silent_operator_when_its_deadline_is_past_then_the_challenger_ends_it() {
    let model = long_chain(3, &[1, 8]);
    let own = execute(&model, &synthetic::tensor(model.input_spec(), 1)).unwrap();
    let mut game = open(&model);
    let digest = game.digest;
    game.point(&NOW, &digest, &[]).unwrap();
    let late = Now {
        slot: NOW.slot + 101,
        unix: NOW.unix + 41,
        ..NOW
    };
    assert_eq!(
        Challenge::new(&model, &own).next_move(&game, None, &late),
        Ok(NextMove::Timeout)
    );
}

#[test]
fn given_an_element_that_is_not_there_when_tampered_then_refused() {
    let model = long_chain(3, &[1, 8]);
    let own = execute(&model, &synthetic::tensor(model.input_spec(), 1)).unwrap();
    for (node, element) in [(3, 0), (0, 8)] {
        assert!(matches!(
            Answer::tampered(&Plan::new(&model), &own, node, element, 0),
            Err(TamperError::NoSuchElement { .. })
        ));
    }
}

#[test]
fn given_a_receipt_when_recomputed_then_told_apart() {
    let model = synthetic::dense(&[32, 8, 4], 3).unwrap();
    let input: Tensor = synthetic::tensor(model.input_spec(), 1);
    let own = execute(&model, &input).unwrap();
    let receipt = |claim| imo_protocol::Receipt {
        lane: Pubkey::default(),
        sequence: 0,
        claim,
        salt: imo_protocol::PUBLIC_SALT,
    };
    let find = |claim| audit::judge(execute(&model, &input).unwrap(), &receipt(claim));
    let claim = own.claim();
    assert!(matches!(find(claim), audit::Finding::Correct));
    let wrong = opml::Claim {
        output_root: [1; 32],
        ..claim
    };
    assert!(matches!(find(wrong), audit::Finding::WrongOutput(_)));
    for other in [
        opml::Claim {
            model_root: [1; 32],
            ..claim
        },
        opml::Claim {
            input_root: [1; 32],
            ..claim
        },
    ] {
        assert!(matches!(find(other), audit::Finding::NotComparable));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn given_any_lie_when_disputed_then_proven(nodes in 1u32..70, rows in 1u32..6, cols in 1u32..700, node in 0u32..70, element in any::<u32>()) {
        let model = long_chain(nodes, &[rows, cols]);
        assert_caught(&model, node % nodes, element % (rows * cols));
    }
}
