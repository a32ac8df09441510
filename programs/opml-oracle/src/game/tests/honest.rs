//! An honest side wins against whatever the other committed to, or asks for.

use opml::{ElementType, Hash, TensorSpec, merkle, merkle::Domain};
use proptest::{prelude::*, sample::Index};

use super::{
    at,
    players::{Output, Run, pointed},
};
use crate::game::{Game, Phase};

fn spec() -> impl Strategy<Value = TensorSpec> {
    let element = prop_oneof![Just(ElementType::Int8), Just(ElementType::Int32)];
    // Up to 180 (Int8) or 719 (Int32) tiles.
    (element, prop::collection::vec(1u32..=40, 0..2), 1u32..=2_300).prop_map(|(element, mut shape, cols)| {
        shape.push(cols);
        TensorSpec::new(element, &shape).unwrap()
    })
}

fn output() -> impl Strategy<Value = Output> {
    (spec(), any::<u64>()).prop_map(|(spec, seed)| Output::new(spec, bytes(&spec, seed), &[]))
}

/// Bytes of a tensor that are different for every seed.
fn bytes(spec: &TensorSpec, seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..spec.byte_len())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

fn honest_run() -> impl Strategy<Value = Run> {
    // Small models, whose trace is posted whole, as often as large ones.
    prop_oneof![1usize..=16, 17usize..=80]
        .prop_flat_map(|count| prop::collection::vec(output(), count))
        .prop_map(|outputs| Run::new(outputs, &[], &[]))
}

/// How an operator lies.
#[derive(Clone, Debug)]
enum Lie {
    /// An element is wrong.
    Byte { tile: Index, byte: Index, flip: u8 },
    /// A tile is longer or shorter than its place.
    OtherLength { tile: Index, bytes: Index },
    /// Something hangs where nothing is, as a leaf or as a whole subtree.
    DirtyPad { level: Index, place: Index },
    /// A node of the output's tree has no preimage.
    NoPreimage { level: Index, place: Index },
    /// The output has a root, and nothing below it.
    NoOutput,
    /// A node of the trace tree has no preimage, or is not the padding that it must be.
    Trace { level: Index, place: Index },
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        3 => (any::<Index>(), any::<Index>(), 1u8..).prop_map(|(tile, byte, flip)| Lie::Byte { tile, byte, flip }),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(tile, bytes)| Lie::OtherLength { tile, bytes }),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(level, place)| Lie::DirtyPad { level, place }),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(level, place)| Lie::NoPreimage { level, place }),
        1 => Just(Lie::NoOutput),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(level, place)| Lie::Trace { level, place }),
    ]
}

const GARBAGE: Hash = [0xA5; 32];

/// The run that an operator commits to when it lies about node `k`: what comes before is honest, what comes after is made up.
fn lying_run(honest: &Run, k: usize, lie: &Lie) -> Run {
    let mut outputs = honest.outputs.clone();
    for (seed, output) in (99u64..).zip(&mut outputs).skip(k + 1) {
        *output = Output::new(output.spec, bytes(&output.spec, seed), &[]);
    }
    let output = &honest.outputs[k];
    let spec = output.spec;
    let depth = spec.depth();
    let tiles: Vec<u32> = (0..1 << depth)
        .filter(|leaf| spec.tile_range(*leaf).is_some())
        .collect();
    let any_level = |level: &Index| u8::try_from(level.index(usize::from(depth) + 1)).unwrap();
    let mut bytes = output.bytes.clone();
    let mut lies = Vec::new();
    let mut root_lies = Vec::new();
    let mut trace_lies = Vec::new();
    match lie {
        Lie::Byte { tile, byte, flip } => {
            let range = spec.tile_range(*tile.get(&tiles)).unwrap();
            bytes[range.start + byte.index(range.len())] ^= flip;
        }
        Lie::OtherLength { tile, bytes } => {
            let leaf = *tile.get(&tiles);
            let mut tile = output.tile(leaf).to_vec();
            // Every length up to twice the largest but the right one.
            let len = (tile.len() + 1 + bytes.index(1_023)) % 1_024;
            tile.resize(len, 0);
            lies.push((0, leaf, merkle::leaf(Domain::TensorTile, leaf, &[&tile])));
        }
        Lie::DirtyPad { level, place } => {
            let level = any_level(level);
            let pads: Vec<u32> = (0..1 << (depth - level))
                .filter(|index| spec.layout().expected_pad(level, *index))
                .collect();
            match pads.is_empty() {
                true => root_lies.push((u32::try_from(k).unwrap(), GARBAGE)),
                false => lies.push((level, *place.get(&pads), GARBAGE)),
            }
        }
        Lie::NoPreimage { level, place } => {
            let level = any_level(level);
            lies.push((
                level,
                u32::try_from(place.index(1 << (depth - level))).unwrap(),
                GARBAGE,
            ));
        }
        Lie::NoOutput => root_lies.push((u32::try_from(k).unwrap(), GARBAGE)),
        Lie::Trace { level, place } => {
            // Something must be wrong in a whole trace as well, which has no inner nodes.
            bytes[0] ^= 1;
            let depth = honest.trace.depth();
            let level = u8::try_from(level.index(usize::from(depth) + 1)).unwrap();
            trace_lies.push((
                level,
                u32::try_from(place.index(1 << (depth - level))).unwrap(),
                GARBAGE,
            ));
        }
    }
    outputs[k] = Output::new(spec, bytes, &lies);
    Run::new(outputs, &root_lies, &trace_lies)
}

/// Answers a demand are due at most: one level of sixteen after the other, then the tile.
fn answer_bound(game: &Game, run: &Run) -> u16 {
    let trace = match run.node_count() {
        0..=16 => 0,
        _ => u16::from(run.trace.depth().div_ceil(4)),
    };
    let tensor = u16::from(run.outputs[game.node_index as usize].spec.depth().div_ceil(4));
    1 + trace + tensor + 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn given_any_lie_when_an_honest_challenger_plays_then_it_reaches_a_wrong_tile_or_the_operator_is_silent(
        (honest, k) in honest_run().prop_flat_map(|run| { let count = run.outputs.len(); (Just(run), 0..count) }),
        lie in lie(),
    ) {
        let lying = lying_run(&honest, k, &lie);
        let mut slot = 10;
        let mut game = pointed(honest.node_count(), &at(slot));
        let mut silent = lying.post_trace(&mut game, &at(slot), &lying.output_root()).is_err();
        while !silent && game.phase != Phase::TileKnown {
            slot += 1;
            let before = game.clone();
            honest.demand(&mut game, &at(slot), |real| honest.first_difference(&before, real)).unwrap();
            silent = lying.answer(&mut game, &at(slot)).is_err();
        }
        if silent {
            // What it committed to has no canonical preimage.
            slot += super::TERMS.response_slots + 3;
            game.time_out(&at(slot)).unwrap();
            prop_assert_eq!(game.phase, Phase::Proven);
        } else {
            let node = game.node_index as usize;
            prop_assert_eq!(&lying.roots[..node], &honest.roots[..node], "every operand can be proven");
            prop_assert_ne!(game.tile.as_slice(), honest.outputs[node].tile(game.cursor.first));
            prop_assert_eq!(game.tile.len(), honest.outputs[node].tile(game.cursor.first).len());
            prop_assert!(game.operator_moves <= answer_bound(&game, &honest));
        }
    }

    #[test]
    fn given_an_honest_trace_when_a_challenger_demands_anything_then_every_answer_is_accepted(
        honest in honest_run(),
        choices in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut slot = 10;
        let mut game = pointed(honest.node_count(), &at(slot));
        honest.post_trace(&mut game, &at(slot), &honest.output_root()).unwrap();
        let mut choices = choices.iter();
        while game.phase != Phase::TileKnown {
            slot += 1;
            let choice = choices.next().unwrap();
            honest.demand(&mut game, &at(slot), |real| *choice.get(real)).unwrap();
            honest.answer(&mut game, &at(slot)).unwrap();
        }
        let output = &honest.outputs[game.node_index as usize];
        prop_assert_eq!(game.tile.as_slice(), output.tile(game.cursor.first));
        prop_assert!(game.operator_moves <= answer_bound(&game, &honest));
    }
}
