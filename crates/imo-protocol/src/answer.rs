//! What an operator signs when it answers.

use anchor_lang::prelude::Pubkey;
use opml::{Claim, Hash, hashv};

/// Bytes of a signed answer.
pub const ANSWER_BYTES: usize = 208;

/// First bytes of a signed answer: what kind of message it is. No transaction and no other message of the protocol begins like this.
pub const ANSWER_DOMAIN: [u8; 16] = *b"imo:answer:v1\0\0\0";

/// A claim that an operator stands by, signed by the key whose SHA-256 is its endpoint key hash. It names no lane, request or time, so that two of them
/// with the same question and another output are equivocation, whoever asked and whenever. An operator that computes what the model says cannot
/// produce such a pair, whatever it forgets, restores or runs twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// The oracle program.
    pub oracle: Pubkey,
    /// The operator account.
    pub operator: Pubkey,
    pub claim: Claim,
}

impl Answer {
    /// The bytes to sign.
    pub fn message(&self) -> [u8; ANSWER_BYTES] {
        let Self {
            cluster,
            oracle,
            operator,
            claim:
                Claim {
                    model_root,
                    input_root,
                    output_root,
                },
        } = self;
        let mut message = [0; ANSWER_BYTES];
        message[..16].copy_from_slice(&ANSWER_DOMAIN);
        for (place, part) in message[16..].as_chunks_mut::<32>().0.iter_mut().zip([
            cluster,
            oracle.as_array(),
            operator.as_array(),
            model_root,
            input_root,
            output_root,
        ]) {
            *place = *part;
        }
        message
    }

    /// What a signed message says; `None` for any other message.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let message: &[u8; ANSWER_BYTES] = message.try_into().ok()?;
        let (domain, fields) = message.split_first_chunk::<16>()?;
        if *domain != ANSWER_DOMAIN {
            return None;
        }
        let ([cluster, oracle, operator, model_root, input_root, output_root], []) = fields.as_chunks::<32>() else {
            return None;
        };
        Some(Self {
            cluster: *cluster,
            oracle: Pubkey::new_from_array(*oracle),
            operator: Pubkey::new_from_array(*operator),
            claim: Claim {
                model_root: *model_root,
                input_root: *input_root,
                output_root: *output_root,
            },
        })
    }
}

/// Names a question: `H("imo:question:v1" ‖ model_root ‖ input_root)`.
pub fn question_hash(claim: &Claim) -> Hash {
    hashv(&[b"imo:question:v1", &claim.model_root, &claim.input_root])
}

/// What an operator account stores of the key that signs its answers.
pub fn answer_key_hash(key: &Pubkey) -> Hash {
    hashv(&[key.as_ref()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer {
            cluster: [1; 32],
            oracle: Pubkey::new_from_array([2; 32]),
            operator: Pubkey::new_from_array([3; 32]),
            claim: Claim {
                model_root: [4; 32],
                input_root: [5; 32],
                output_root: [6; 32],
            },
        }
    }

    #[test]
    fn given_an_answer_when_written_then_each_field_at_its_place() {
        let mut expected = b"imo:answer:v1\0\0\0".to_vec();
        for field in 1..=6 {
            expected.extend([field; 32]);
        }
        assert_eq!(answer().message().as_slice(), expected);
    }

    #[test]
    fn given_a_message_when_parsed_then_the_answer_or_nothing() {
        let message = answer().message();
        assert_eq!(Answer::parse(&message), Some(answer()));
        assert_eq!(Answer::parse(&message[1..]), None);
        assert_eq!(Answer::parse(&[message.as_slice(), &[0]].concat()), None);
        for byte in 0..16 {
            let mut other = message;
            other[byte] ^= 1;
            assert_eq!(Answer::parse(&other), None, "byte {byte} of the domain");
        }
        for byte in 16..ANSWER_BYTES {
            let mut other = message;
            other[byte] ^= 1;
            assert_ne!(Answer::parse(&other), Some(answer()), "byte {byte}");
        }
    }

    #[test]
    fn given_two_claims_when_only_the_output_differs_then_one_question() {
        let claim = answer().claim;
        let question = question_hash(&claim);
        assert_eq!(
            question,
            question_hash(&Claim {
                output_root: [9; 32],
                ..claim
            })
        );
        for other in [
            Claim {
                model_root: [9; 32],
                ..claim
            },
            Claim {
                input_root: [9; 32],
                ..claim
            },
        ] {
            assert_ne!(question, question_hash(&other));
        }
    }
}
