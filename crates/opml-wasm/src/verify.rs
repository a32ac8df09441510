//! What the verifier does, on bytes.

use opml::{Claim, Hash, model::HEADER_BYTES, tensor::SPEC_BYTES};
use opml_runtime::{Model, Tensor, execute};

/// Bytes of [`describe`].
pub const DESCRIPTION_BYTES: usize = 32 + HEADER_BYTES + SPEC_BYTES;

/// Bytes of a [`Verdict`].
pub const VERDICT_BYTES: usize = 48;

/// Opens the bytes of a model file, and checks every rule of its arithmetic.
pub fn open(file: Vec<u8>) -> Result<Model, String> {
    Model::from_vec(file).map_err(|error| error.to_string())
}

/// model_root 32 ‖ the header that it is the hash of 92 ‖ the output's specification 18.
pub fn describe(model: &Model) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DESCRIPTION_BYTES);
    bytes.extend(model.model_root());
    bytes.extend(model.header().encode());
    bytes.extend(model.output_spec().encode());
    bytes
}

/// input_root 32 ‖ output_root 32 ‖ the output's elements as bytes.
pub fn compute(model: &Model, input: Vec<u8>) -> Result<Vec<u8>, String> {
    let (claim, output) = run(model, input)?;
    let mut bytes = Vec::with_capacity(64 + output.bytes().len());
    bytes.extend(claim.input_root);
    bytes.extend(claim.output_root);
    bytes.extend(output.bytes());
    Ok(bytes)
}

/// What a comparison of a claim with the own computation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The claim is what the model computes, and the output that was handed out is the claimed one.
    Correct,
    /// The claim is about a model with another root.
    AnotherModel,
    /// The claim is about another input.
    AnotherInput,
    /// The claim is wrong, and so is the output that was handed out: this is the first of its elements that differs.
    WrongOutput { element: u32, computed: i32, claimed: i32 },
    /// The claim is wrong; the output that was handed out is what the model computes.
    WrongClaim { computed_root: Hash },
    /// The claim is right; the output that was handed out is another one, and this is the first of its elements that differs.
    WrongHandedOut { element: u32, computed: i32, claimed: i32 },
}

impl Verdict {
    /// The kind u8 (0 to 5, in the order of the variants), zero 3, element u32, computed i32, claimed i32, computed root 32; what a kind does not have is zero.
    pub fn encode(&self) -> [u8; VERDICT_BYTES] {
        let mut bytes = [0; VERDICT_BYTES];
        let mut places = |kind, element: u32, computed: i32, claimed: i32| {
            bytes[0] = kind;
            bytes[4..8].copy_from_slice(&element.to_le_bytes());
            bytes[8..12].copy_from_slice(&computed.to_le_bytes());
            bytes[12..16].copy_from_slice(&claimed.to_le_bytes());
        };
        match *self {
            Self::Correct => places(0, 0, 0, 0),
            Self::AnotherModel => places(1, 0, 0, 0),
            Self::AnotherInput => places(2, 0, 0, 0),
            Self::WrongOutput {
                element,
                computed,
                claimed,
            } => places(3, element, computed, claimed),
            Self::WrongClaim { computed_root } => {
                places(4, 0, 0, 0);
                bytes[16..].copy_from_slice(&computed_root);
            }
            Self::WrongHandedOut {
                element,
                computed,
                claimed,
            } => places(5, element, computed, claimed),
        }
        bytes
    }
}

/// Recomputes a claim. `output` is what was handed out with it, as long as the model's output is.
pub fn check(model: &Model, claim: &Claim, input: Vec<u8>, output: &[u8]) -> Result<Verdict, String> {
    if claim.model_root != model.model_root() {
        return Ok(Verdict::AnotherModel);
    }
    let spec = *model.output_spec();
    if output.len() as u64 != spec.byte_len() {
        return Err(format!(
            "The model's output has {} bytes, but {} were given.",
            spec.byte_len(),
            output.len()
        ));
    }
    let input = tensor(model, input)?;
    if claim.input_root != input.root() {
        return Ok(Verdict::AnotherInput);
    }
    let (truth, own) = execution(model, &input)?;
    let size = spec.element().size() as usize;
    let different = own
        .bytes()
        .chunks(size)
        .zip(output.chunks(size))
        .position(|(own, claimed)| own != claimed);
    let numbers = |element: usize| {
        let read = |bytes: &[u8]| spec.element().read(bytes, element * size).unwrap_or_default();
        (element as u32, read(own.bytes()), read(output))
    };
    Ok(match (truth.output_root == claim.output_root, different.map(numbers)) {
        (true, None) => Verdict::Correct,
        (true, Some((element, computed, claimed))) => Verdict::WrongHandedOut {
            element,
            computed,
            claimed,
        },
        (false, None) => Verdict::WrongClaim {
            computed_root: truth.output_root,
        },
        (false, Some((element, computed, claimed))) => Verdict::WrongOutput {
            element,
            computed,
            claimed,
        },
    })
}

fn run(model: &Model, input: Vec<u8>) -> Result<(Claim, Tensor), String> {
    execution(model, &tensor(model, input)?)
}

fn tensor(model: &Model, input: Vec<u8>) -> Result<Tensor, String> {
    Tensor::new(*model.input_spec(), input).map_err(|error| error.to_string())
}

fn execution(model: &Model, input: &Tensor) -> Result<(Claim, Tensor), String> {
    let execution = execute(model, input).map_err(|error| error.to_string())?;
    Ok((execution.claim(), execution.output().clone()))
}

#[cfg(test)]
mod tests {
    use opml_runtime::synthetic;

    use super::*;

    fn model() -> Model {
        open(synthetic::dense(&[16, 8, 6], 1).unwrap().to_bytes()).unwrap()
    }

    /// A claim that is right, its input and its output.
    fn answer(model: &Model) -> (Claim, Vec<u8>, Vec<u8>) {
        let input = synthetic::tensor(model.input_spec(), 2);
        let execution = execute(model, &input).unwrap();
        (
            execution.claim(),
            input.bytes().to_vec(),
            execution.output().bytes().to_vec(),
        )
    }

    #[test]
    fn given_an_answer_when_checked_then_the_verdict_says_what_is_wrong_with_it() {
        let model = model();
        let (claim, input, output) = answer(&model);
        let wrong = Claim {
            output_root: [9; 32],
            ..claim
        };
        let mut other = output.clone();
        other[3] = other[3].wrapping_add(1);
        other[5] = other[5].wrapping_add(1);
        let (element, computed, claimed) = (3, i32::from(output[3] as i8), i32::from(other[3] as i8));

        let check = |claim: &Claim, output: &[u8]| check(&model, claim, input.clone(), output).unwrap();
        assert_eq!(check(&claim, &output), Verdict::Correct);
        assert_eq!(
            check(&wrong, &output),
            Verdict::WrongClaim {
                computed_root: claim.output_root
            }
        );
        assert_eq!(
            check(&wrong, &other),
            Verdict::WrongOutput {
                element,
                computed,
                claimed
            }
        );
        assert_eq!(
            check(&claim, &other),
            Verdict::WrongHandedOut {
                element,
                computed,
                claimed
            }
        );
        let another = [9; 32];
        let model_root = another;
        assert_eq!(check(&Claim { model_root, ..claim }, &output), Verdict::AnotherModel);
        let input_root = another;
        assert_eq!(check(&Claim { input_root, ..claim }, &output), Verdict::AnotherInput);
    }

    #[test]
    fn given_what_does_not_fit_the_model_when_asked_then_one_sentence() {
        let model = model();
        let (claim, input, output) = answer(&model);
        assert_eq!(
            compute(&model, input[1..].to_vec()).unwrap_err(),
            "A tensor of int8 [1, 16] has 16 bytes, but 15 were given."
        );
        assert_eq!(
            check(&model, &claim, input, &output[1..]).unwrap_err(),
            "The model's output has 6 bytes, but 5 were given."
        );
        assert!(
            open(b"nothing".to_vec())
                .unwrap_err()
                .starts_with("This is not a model file")
        );
    }

    #[test]
    fn given_a_verdict_when_encoded_then_each_field_at_its_place() {
        let verdict = Verdict::WrongOutput {
            element: 0x0102,
            computed: -1,
            claimed: 2,
        };
        let mut expected = [0; VERDICT_BYTES];
        expected[..16].copy_from_slice(&[3, 0, 0, 0, 2, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0]);
        assert_eq!(verdict.encode(), expected);
        let computed_root = [7; 32];
        assert_eq!(Verdict::WrongClaim { computed_root }.encode()[16..], computed_root);
    }
}
