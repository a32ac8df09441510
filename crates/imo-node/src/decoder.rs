//! A decoder's steps: where in a model's input the token, its position and the cached rows are, and how one step's answer becomes the next one's question.
//!
//! A step is a question like any other. Payer and operator build it from the same bytes, so that both know its root before anything is signed.

use std::cmp::Reverse;

use opml::{ElementType, TensorSpec};
use opml_runtime::Tensor;
use serde::{Deserialize, Serialize};

/// The places of a step's inputs and outputs, as `imo model import` prints them. All are bytes of the model's one row of input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// Where the token's number goes, four bytes.
    pub token: usize,
    /// Where the number of tokens before it goes, four bytes each.
    pub positions: Vec<usize>,
    /// The first of the output's scores, one byte a token.
    pub logits: usize,
    /// How many tokens there are.
    pub vocabulary: u32,
    pub caches: Vec<CacheLayout>,
    /// Tokens that end an answer.
    #[serde(default)]
    pub end_tokens: Vec<u32>,
}

/// Keys or values of one layer: `heads` times `rows` rows of `width` bytes, of which a step adds one to each head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheLayout {
    /// Where the rows are in the input.
    pub input: usize,
    /// Where the new ones are in the output.
    pub output: usize,
    pub heads: usize,
    pub rows: usize,
    pub width: usize,
}

/// Why a layout is not one of a model, or a generation does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecoderError {
    #[error("The model's input and output are not rows of int8: its layout as a decoder is not this one.")]
    NotRows,
    #[error("The decoder's layout reaches behind the model's input or output.")]
    OutOfRange,
    #[error("A decoder has a vocabulary and at least one cache with rows.")]
    Empty,
    #[error("The model has {vocabulary} tokens, and {token} is none of them.")]
    NoSuchToken { token: u32, vocabulary: u32 },
    #[error("The cache is full: {0} tokens fit.")]
    Full(usize),
}

impl Layout {
    /// Whether it lies within the model's input and output.
    pub fn check(&self, input: &TensorSpec, output: &TensorSpec) -> Result<(), DecoderError> {
        self.check_input(input)?;
        self.check_output(output)
    }

    /// Whether it lies within the model's input.
    pub fn check_input(&self, input: &TensorSpec) -> Result<(), DecoderError> {
        let is_empty = |cache: &CacheLayout| cache.heads == 0 || cache.rows == 0 || cache.width == 0;
        if self.vocabulary == 0 || self.caches.is_empty() || self.caches.iter().any(is_empty) {
            return Err(DecoderError::Empty);
        }
        for at in std::iter::once(&self.token).chain(&self.positions) {
            fits(input, *at, &[4])?;
        }
        let mut caches = self.caches.iter();
        caches.try_for_each(|cache| fits(input, cache.input, &[cache.heads, cache.rows, cache.width]))
    }

    /// Whether it lies within an output.
    pub fn check_output(&self, output: &TensorSpec) -> Result<(), DecoderError> {
        fits(output, self.logits, &[self.vocabulary as usize])?;
        let mut caches = self.caches.iter();
        caches.try_for_each(|cache| fits(output, cache.output, &[cache.heads, cache.width]))
    }

    /// How many tokens a generation has at most.
    pub fn capacity(&self) -> usize {
        self.caches.iter().map(|cache| cache.rows).min().unwrap_or(0)
    }

    /// The token with the highest score, the first of them where several have it.
    pub fn next_token(&self, output: &Tensor) -> u32 {
        let scores = output.bytes().get(self.logits..).unwrap_or_default();
        let scores = scores.iter().take(self.vocabulary as usize);
        let best = scores
            .zip(0u32..)
            .min_by_key(|(score, token)| (Reverse(score.cast_signed()), *token));
        best.map_or(0, |(_, token)| token)
    }
}

/// Whether so many bytes of a row are there from a place on.
fn fits(row: &TensorSpec, from: usize, sizes: &[usize]) -> Result<(), DecoderError> {
    if row.element() != ElementType::Int8 {
        return Err(DecoderError::NotRows);
    }
    let size = sizes.iter().try_fold(1usize, |size, factor| size.checked_mul(*factor));
    let end = size.and_then(|size| from.checked_add(size));
    let fit = end.is_some_and(|end| end as u64 <= row.byte_len());
    fit.then_some(()).ok_or(DecoderError::OutOfRange)
}

/// The state between two steps: all that was kept of the tokens so far.
#[derive(Clone, Debug)]
pub struct Generation {
    spec: TensorSpec,
    row: Vec<u8>,
    length: usize,
}

impl Generation {
    /// Before the first token. The layout was checked against the model's specifications.
    pub fn new(input: &TensorSpec) -> Self {
        Self {
            spec: *input,
            row: vec![0; input.byte_len() as usize],
            length: 0,
        }
    }

    /// Tokens that were taken.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The question that a token is, after all before it.
    pub fn question(&self, layout: &Layout, token: u32) -> Result<Tensor, DecoderError> {
        if token >= layout.vocabulary {
            return Err(DecoderError::NoSuchToken {
                token,
                vocabulary: layout.vocabulary,
            });
        }
        if self.length >= layout.capacity() {
            return Err(DecoderError::Full(layout.capacity()));
        }
        let mut row = self.row.clone();
        write(&mut row, layout.token, &token.to_le_bytes())?;
        let length = u32::try_from(self.length).map_err(|_| DecoderError::OutOfRange)?;
        for at in &layout.positions {
            write(&mut row, *at, &length.to_le_bytes())?;
        }
        Tensor::new(self.spec, row).map_err(|_| DecoderError::OutOfRange)
    }

    /// Takes the answer's new rows behind those in use.
    pub fn take(&mut self, layout: &Layout, output: &Tensor) -> Result<(), DecoderError> {
        for cache in &layout.caches {
            for head in 0..cache.heads {
                let from = cache.output + head * cache.width;
                let row = output.bytes().get(from..from + cache.width);
                let to = cache.input + (head * cache.rows + self.length) * cache.width;
                write(&mut self.row, to, row.ok_or(DecoderError::OutOfRange)?)?;
            }
        }
        self.length += 1;
        Ok(())
    }
}

fn write(row: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), DecoderError> {
    let place = row.get_mut(at..at + bytes.len()).ok_or(DecoderError::OutOfRange)?;
    place.copy_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two heads with three rows of two bytes, four tokens.
    fn layout() -> Layout {
        Layout {
            token: 0,
            positions: vec![4, 8],
            logits: 0,
            vocabulary: 4,
            caches: vec![CacheLayout {
                input: 12,
                output: 4,
                heads: 2,
                rows: 3,
                width: 2,
            }],
            end_tokens: Vec::new(),
        }
    }

    fn row(bytes: &[u8]) -> Tensor {
        let spec = TensorSpec::new(ElementType::Int8, &[bytes.len() as u32]).unwrap();
        Tensor::new(spec, bytes.to_vec()).unwrap()
    }

    #[test]
    fn given_answers_when_taken_then_each_head_has_their_rows_and_the_next_question_its_place() {
        let layout = layout();
        let mut generation = Generation::new(row(&[0; 24]).spec());
        assert_eq!(
            generation.question(&layout, 3).unwrap().bytes()[..12],
            [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        generation.take(&layout, &row(&[0, 0, 0, 0, 1, 2, 3, 4])).unwrap();
        generation.take(&layout, &row(&[0, 0, 0, 0, 5, 6, 7, 8])).unwrap();
        let question = generation.question(&layout, 1).unwrap();
        assert_eq!(question.bytes()[..12], [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(question.bytes()[12..], [1, 2, 5, 6, 0, 0, 3, 4, 7, 8, 0, 0]);
        generation.take(&layout, &row(&[0; 8])).unwrap();
        assert_eq!(generation.question(&layout, 1), Err(DecoderError::Full(3)));
        let unknown = DecoderError::NoSuchToken {
            token: 4,
            vocabulary: 4,
        };
        assert_eq!(Generation::new(row(&[0; 24]).spec()).question(&layout, 4), Err(unknown));
    }

    #[test]
    fn given_scores_when_the_next_token_is_chosen_then_the_first_of_the_highest_as_signed_numbers() {
        let next = |scores: [i8; 4]| {
            let bytes: Vec<u8> = scores
                .iter()
                .map(|score| score.cast_unsigned())
                .chain([127; 4])
                .collect();
            layout().next_token(&row(&bytes))
        };
        assert_eq!(next([-1, 5, 5, 2]), 1);
        assert_eq!(next([-1, -2, -3, -4]), 0);
        assert_eq!(next([-128, -128, -128, 127]), 3);
    }

    #[test]
    fn given_a_layout_when_it_does_not_fit_the_model_then_told() {
        let (input, output) = (*row(&[0; 24]).spec(), *row(&[0; 8]).spec());
        assert_eq!(layout().check(&input, &output), Ok(()));
        let wrong = |change: fn(&mut Layout)| {
            let mut layout = layout();
            change(&mut layout);
            layout.check(&input, &output).unwrap_err()
        };
        assert_eq!(wrong(|layout| layout.token = 21), DecoderError::OutOfRange);
        assert_eq!(
            wrong(|layout| layout.positions.push(usize::MAX)),
            DecoderError::OutOfRange
        );
        assert_eq!(wrong(|layout| layout.logits = 5), DecoderError::OutOfRange);
        assert_eq!(wrong(|layout| layout.caches[0].rows = 4), DecoderError::OutOfRange);
        assert_eq!(
            wrong(|layout| layout.caches[0].width = usize::MAX),
            DecoderError::OutOfRange
        );
        assert_eq!(wrong(|layout| layout.caches[0].output = 5), DecoderError::OutOfRange);
        assert_eq!(wrong(|layout| layout.caches.clear()), DecoderError::Empty);
        assert_eq!(wrong(|layout| layout.vocabulary = 0), DecoderError::Empty);
        // Nothing to copy, for ever.
        let endless = wrong(|layout| (layout.caches[0].heads, layout.caches[0].width) = (usize::MAX, 0));
        assert_eq!(endless, DecoderError::Empty);
        let integers = TensorSpec::new(ElementType::Int32, &[8]).unwrap();
        assert_eq!(layout().check(&integers, &output), Err(DecoderError::NotRows));
    }
}
