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
