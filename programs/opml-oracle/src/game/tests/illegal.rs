//! Moves at random, at every state of a play: what is refused changes nothing, what is accepted was legal.

use opml::{ElementType, Hash, TensorSpec};
use proptest::{prelude::*, sample::Index};

use super::{
    TERMS, at,
    players::{Output, Run, pointed},
};
use crate::game::{Game, Phase, Refusal, Side};

#[derive(Clone, Debug)]
enum Attempt {
    Point,
    Trace { roots: Vec<Hash> },
    Demand { child: u8 },
    DemandNode { child: u8, malformed: bool },
    Reveal { hashes: Vec<Hash> },
    RevealTile { tile: Vec<u8> },
    Prove,
    Timeout,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let hash = prop_oneof![Just([0; 32]), any::<Hash>()];
    let hashes = prop_oneof![
        prop::collection::vec(hash.clone(), 16),
        prop::collection::vec(hash, 0..20),
    ];
    prop_oneof![
        Just(Attempt::Point),
        hashes.clone().prop_map(|roots| Attempt::Trace { roots }),
        (0u8..20).prop_map(|child| Attempt::Demand { child }),
        (0u8..20, any::<bool>()).prop_map(|(child, malformed)| Attempt::DemandNode { child, malformed }),
        hashes.prop_map(|hashes| Attempt::Reveal { hashes }),
        prop::collection::vec(any::<u8>(), 0..600).prop_map(|tile| Attempt::RevealTile { tile }),
        Just(Attempt::Prove),
        Just(Attempt::Timeout),
    ]
}

fn spec() -> TensorSpec {
    TensorSpec::new(ElementType::Int8, &[3, 2_400]).unwrap()
}

fn run() -> Run {
    let output = |node: u8| Output::new(spec(), vec![node; 7_200], &[]);
    Run::new((0..40).map(output).collect(), &[], &[])
}

fn make(game: &mut Game, attempt: &Attempt, slot: u64, digest: &Hash) -> Result<(), Refusal> {
    let now = at(slot);
    match attempt {
        Attempt::Point => game.point(&now, digest, &[b"place"]),
        Attempt::Trace { roots } => game.trace(&now, digest, true, &[1; 32], roots),
        Attempt::Demand { child } => game.demand(&now, digest, *child),
        Attempt::DemandNode { child, malformed } => {
            game.demand_node(&now, digest, *child, (!malformed).then_some(&spec()))
        }
        Attempt::Reveal { hashes } => game.reveal(&now, digest, hashes),
        Attempt::RevealTile { tile } => game.reveal_tile(&now, digest, tile),
        Attempt::Prove => game.prove(&now, digest, 0),
        Attempt::Timeout => game.time_out(&now).map(|_| ()),
    }
}

/// Who may make the attempt, by the rules in words.
fn side(attempt: &Attempt) -> Option<Side> {
    match attempt {
        Attempt::Point | Attempt::Demand { .. } | Attempt::DemandNode { .. } | Attempt::Prove => Some(Side::Challenger),
        Attempt::Trace { .. } | Attempt::Reveal { .. } | Attempt::RevealTile { .. } => Some(Side::Operator),
        Attempt::Timeout => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn given_any_state_when_anything_is_attempted_then_it_was_legal_or_nothing_changed(
        steps in 0usize..9,
        attempts in prop::collection::vec((attempt(), 0u64..2_000, any::<bool>()), 1..40),
        choice in any::<Index>(),
    ) {
        let run = run();
        let mut game = pointed(40, &at(10));
        for step in 0..steps {
            if game.phase == Phase::TileKnown {
                break;
            }
            match step {
                0 => run.post_trace(&mut game, &at(10), &run.output_root()).unwrap(),
                _ if step % 2 == 1 => run.demand(&mut game, &at(10), |real| *choice.get(real)).unwrap(),
                _ => run.answer(&mut game, &at(10)).unwrap(),
            }
        }
        for (attempt, wait, fresh) in &attempts {
            let before = game.clone();
            let digest = if *fresh { game.digest } else { [9; 32] };
            let slot = before.clocks.deadline.opened_slot + wait;
            let late = before.clocks.is_late(&at(slot));
            match make(&mut game, attempt, slot, &digest) {
                Err(_) => prop_assert_eq!(&game, &before),
                Ok(()) => match side(attempt) {
                    Some(side) => {
                        prop_assert!(fresh & !late);
                        prop_assert_eq!(before.phase.turn(), Some(side));
                        prop_assert_ne!(game.digest, before.digest);
                        let moves = |game: &Game| game.challenger_moves + game.operator_moves;
                        prop_assert_eq!(moves(&game), moves(&before) + 1);
                    }
                    None => {
                        prop_assert!(late);
                        let winner = match before.phase.turn() {
                            Some(Side::Operator) => Phase::Proven,
                            Some(Side::Challenger) => Phase::Lost,
                            None => panic!("a game that is over timed out"),
                        };
                        prop_assert_eq!(game.phase, winner);
                    }
                },
            }
            prop_assert!(game.frontier.len() <= 16 && game.tile.len() <= 512);
            prop_assert!(game.clocks.challenger_slots <= TERMS.clock_slots);
            prop_assert!(game.clocks.operator_slots <= TERMS.clock_slots);
        }
    }
}
