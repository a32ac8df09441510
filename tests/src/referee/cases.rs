//! What the referee is asked about one place of a model.

use opml::{Claim, ElementType};
use opml_oracle::errors::OracleError;
use opml_runtime::{ClaimedTrace, Execution, Hash, Model, Tensor, execute::trace_tree, witness};
use rand::Rng;

use super::chain::{Outcome, Question};

/// Places of each model.
pub const PLACES: usize = 4;

/// What the reference execution knows of the answer.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// The element is true, and nothing is wrong with the witness.
    Correct,
    /// The element is a lie.
    Proven,
    /// The element is true, or there is none: whatever the witness is, it proves nothing.
    NotProven,
}

impl Expected {
    pub fn allows(self, outcome: &Outcome) -> bool {
        match self {
            Self::Correct => *outcome == Outcome::refused(OracleError::ElementIsCorrect),
            Self::Proven => *outcome == Outcome::Proven,
            Self::NotProven => outcome.is_refused_by_the_referee(),
        }
    }
}

pub struct Case<'a> {
    pub what: &'static str,
    pub question: Question<'a>,
    pub expected: Expected,
}

/// An operator's trace that is true up to `node`, whose output is `output`.
struct Story<'a> {
    output: &'a Tensor,
    roots: Vec<Hash>,
}

impl<'a> Story<'a> {
    fn true_one(run: &'a Execution, node: u32) -> Self {
        Self {
            output: &run.outputs()[node as usize],
            roots: run.roots().to_vec(),
        }
    }

    /// Everything after the lie is made up.
    fn lie(run: &Execution, node: u32, output: &'a Tensor) -> Self {
        let mut roots = run.roots().to_vec();
        roots[node as usize] = output.root();
        for root in &mut roots[node as usize + 1..] {
            root[0] ^= 1;
        }
        Self { output, roots }
    }

    fn witness(&self, model: &Model, run: &Execution, node: u32, flat: u32) -> Vec<u8> {
        let (leaf, element) = locate(self.output, flat);
        let claimed = ClaimedTrace::whole(&self.roots);
        witness::build(model, run, &claimed, node, leaf, element).unwrap()
    }

    fn question<'b>(&'b self, run: &Execution, node: u32, flat: u32, witness: &'b [u8]) -> Question<'b> {
        let (tile_leaf, element) = locate(self.output, flat);
        Question {
            claim: Claim {
                output_root: *self.roots.last().unwrap(),
                ..run.claim()
            },
            trace_root: trace_tree(&self.roots).root(),
            node_count: self.roots.len() as u32,
            node,
            spec: *self.output.spec(),
            tile_leaf,
            tile: self.output.tile(tile_leaf).unwrap(),
            element,
            witness,
        }
    }
}

/// The leaf of an element's tile, and its index there.
fn locate(output: &Tensor, flat: u32) -> (u32, u32) {
    let spec = output.spec();
    let (leaf, offset) = spec.leaf_of_element(flat).unwrap();
    (leaf, offset / spec.element().size())
}

/// Every kind of question about a random element of `node`.
pub fn at(random: &mut impl Rng, model: &Model, run: &Execution, node: u32, mut ask: impl FnMut(Case)) {
    let truth = Story::true_one(run, node);
    let elements = truth.output.spec().elements();
    let flat = match random.random_range(0..8) {
        0 => 0,
        1 => elements - 1,
        _ => random.random_range(0..elements),
    };
    let witness = truth.witness(model, run, node, flat);
    let question = truth.question(run, node, flat, &witness);
    ask(Case {
        what: "the true element",
        question,
        expected: Expected::Correct,
    });

    let changed = lie(random, truth.output, flat);
    let story = Story::lie(run, node, &changed);
    let lying_witness = story.witness(model, run, node, flat);
    ask(Case {
        what: "a changed element",
        question: story.question(run, node, flat, &lying_witness),
        expected: Expected::Proven,
    });

    if let Some(other) = neighbour(random, truth.output, flat) {
        let changed = lie(random, truth.output, other);
        let story = Story::lie(run, node, &changed);
        let witness = story.witness(model, run, node, flat);
        ask(Case {
            what: "the true element of a tile with a lie",
            question: story.question(run, node, flat, &witness),
            expected: Expected::Correct,
        });
    }

    for _ in 0..2 {
        let mut broken = witness.clone();
        let byte = random.random_range(0..broken.len());
        broken[byte] ^= random.random_range(1..=u8::MAX);
        ask(Case {
            what: "a changed byte of the witness",
            question: Question {
                witness: &broken,
                ..question
            },
            expected: Expected::NotProven,
        });
    }
    let broken = deform(random, &witness);
    ask(Case {
        what: "a deformed witness",
        question: Question {
            witness: &broken,
            ..question
        },
        expected: Expected::NotProven,
    });
    let other = random.random_range(0..run.outputs().len()) as u32;
    let elsewhere = Story::true_one(run, other);
    let flat = random.random_range(0..elsewhere.output.spec().elements());
    let borrowed = elsewhere.witness(model, run, other, flat);
    ask(Case {
        what: "the witness of another place",
        question: Question {
            witness: &borrowed,
            ..question
        },
        expected: Expected::NotProven,
    });
    ask(Case {
        what: "an element of another place",
        question: Question {
            element: match random.random_range(0..3) {
                0 => random.random(),
                1 => question.tile.len() as u32 / question.spec.element().size(),
                _ => random.random_range(0..=question.tile.len() as u32),
            },
            ..question
        },
        expected: Expected::NotProven,
    });
}

/// `honest` with one element changed: by one, by a bit, to an end of its range.
fn lie(random: &mut impl Rng, honest: &Tensor, flat: u32) -> Tensor {
    let element = honest.spec().element();
    let (min, max) = match element {
        ElementType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        ElementType::Int32 => (i32::MIN, i32::MAX),
    };
    let size = element.size() as usize;
    let start = flat as usize * size;
    let mut data = honest.bytes().to_vec();
    let found = element.read(&data, start).unwrap();
    let other = match random.random_range(0..5) {
        0 => found.wrapping_add(1),
        1 => found.wrapping_sub(1),
        2 => min,
        3 => max,
        _ => found ^ (1 << random.random_range(0..8 * size)),
    };
    let other = if other == found { found ^ 1 } else { other };
    data[start..start + size].copy_from_slice(&other.to_le_bytes()[..size]);
    Tensor::new(*honest.spec(), data).unwrap()
}

/// Another element of the same tile.
fn neighbour(random: &mut impl Rng, output: &Tensor, flat: u32) -> Option<u32> {
    let (leaf, element) = locate(output, flat);
    let count = output.tile(leaf)?.len() as u32 / output.spec().element().size();
    let other = (element + random.random_range(1..count.max(2))) % count;
    (other != element).then(|| flat - element + other)
}

/// The witness cut, prolonged, with a part zeroed, overwritten or exchanged, or with many bytes changed.
fn deform(random: &mut impl Rng, witness: &[u8]) -> Vec<u8> {
    let mut bytes = witness.to_vec();
    let part = random.random_range(1..=bytes.len().min(64));
    let [a, b] = [0, 1].map(|_| random.random_range(0..=bytes.len() - part));
    match random.random_range(0..7) {
        0 => bytes.truncate(a),
        1 => bytes.extend(&witness[a..a + part]),
        2 => bytes[a..a + part].fill(0),
        3 => bytes.copy_within(a..a + part, b),
        4 => random.fill_bytes(&mut bytes[a..a + part]),
        5 => {
            bytes.drain(a..a + part);
        }
        _ => (0..part).for_each(|_| {
            let byte = random.random_range(0..bytes.len());
            bytes[byte] ^= 1 << random.random_range(0..8);
        }),
    }
    bytes
}
