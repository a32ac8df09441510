//! A payer's side of a lane: signs for one question after the other, and checks what comes back.
//!
//! The voucher is cumulative: whoever loses the questions that it covers can sign no further one on that lane. So a payer stores [`Purse::entries`] and makes
//! the purse anew with [`Purse::restore`].

use anchor_lang::prelude::Pubkey;
use imo_protocol::{Answer, Receipt, Request, Voucher, answer_key_hash, question_hash};
use opml::{Claim, Hash};

use crate::{
    answer::SignedAnswer,
    signature::is_signed,
    trees::{RequestTree, TreeError},
    voucher::SignedVoucher,
};

/// Where a payer's questions go, as its accounts say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayingLane {
    /// Genesis hash of the cluster, as the protocol's account has it.
    pub cluster: [u8; 32],
    pub lane: Pubkey,
    pub lane_generation: u64,
    pub session: Pubkey,
    pub session_generation: u64,
    /// The operator account.
    pub operator: Pubkey,
    /// SHA-256 of the key that signs its answers.
    pub answer_key_hash: Hash,
}

/// What the payer chose for one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub model_root: Hash,
    pub input_root: Hash,
    pub price_units: u64,
    /// Fresh for each question of a private lane, [`PUBLIC_SALT`](imo_protocol::PUBLIC_SALT) where nothing is hidden.
    pub salt: [u8; 32],
}

/// Why a question is not signed for, or an answer is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayerError {
    #[error("The lane's amounts do not fit 64 bits.")]
    Overflow,
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("The answer is to another question.")]
    AnotherQuestion,
    #[error("The receipt is not the one of this question and answer.")]
    WrongReceipt,
    #[error("The answer is signed by a key that is not the operator's.")]
    WrongKey,
    #[error("The answer's signature is not valid.")]
    WrongSignature,
}

/// A question with the voucher that pays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidQuestion {
    pub request: Request,
    /// To be signed by the session key.
    pub voucher: Voucher,
}

/// What an operator hands out with an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub receipt: Receipt,
    pub answer: SignedAnswer,
}

/// All that was asked on one lane.
#[derive(Clone, Debug)]
pub struct Purse {
    lane: PayingLane,
    entries: Vec<Entry>,
    tree: RequestTree,
    amount_units: u64,
}

impl Purse {
    /// A lane on which nothing was asked.
    pub fn new(lane: PayingLane) -> Self {
        Self {
            lane,
            entries: Vec::new(),
            tree: RequestTree::default(),
            amount_units: 0,
        }
    }

    /// A lane on which all this was asked.
    pub fn restore(lane: PayingLane, entries: impl IntoIterator<Item = Entry>) -> Result<Self, PayerError> {
        let mut purse = Self::new(lane);
        entries
            .into_iter()
            .try_for_each(|entry| purse.ask(entry, 0).map(|_| ()))?;
        Ok(purse)
    }

    pub fn lane(&self) -> &PayingLane {
        &self.lane
    }

    /// All questions, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Price of all questions, in units of the revenue mint.
    pub fn amount_units(&self) -> u64 {
        self.amount_units
    }

    /// The next question, which counts as asked from now on. `expires_unix` is at most the session's.
    pub fn ask(&mut self, entry: Entry, expires_unix: i64) -> Result<PaidQuestion, PayerError> {
        let amount_units = self
            .amount_units
            .checked_add(entry.price_units)
            .ok_or(PayerError::Overflow)?;
        let request = self.request_of(self.tree.count(), &entry);
        self.tree.push(&request)?;
        self.entries.push(entry);
        self.amount_units = amount_units;
        Ok(PaidQuestion {
            request,
            voucher: self.voucher(expires_unix),
        })
    }

    /// The newest question once more, for an operator whose answer got lost.
    pub fn ask_again(&self, expires_unix: i64) -> Option<PaidQuestion> {
        Some(PaidQuestion {
            request: self.newest()?,
            voucher: self.voucher(expires_unix),
        })
    }

    /// The question at a sequence.
    pub fn request(&self, sequence: u64) -> Option<Request> {
        let entry = self.entries.get(usize::try_from(sequence).ok()?)?;
        Some(self.request_of(sequence, entry))
    }

    /// The question that was asked last.
    pub fn newest(&self) -> Option<Request> {
        self.request(self.tree.count().checked_sub(1)?)
    }

    /// Checks what came back for a question against the claim that the payer derives from the output it was given.
    pub fn check(&self, request: &Request, output_root: Hash, evidence: &Evidence) -> Result<(), PayerError> {
        let claim = Claim {
            model_root: request.model_root,
            input_root: request.input_root,
            output_root,
        };
        let Evidence { receipt, answer } = evidence;
        if question_hash(&receipt.claim) != question_hash(&claim) {
            return Err(PayerError::AnotherQuestion);
        }
        let expected = Receipt {
            lane: request.lane,
            sequence: request.sequence,
            claim,
            salt: request.salt,
        };
        if *receipt != expected {
            return Err(PayerError::WrongReceipt);
        }
        let stands_by = Answer {
            cluster: self.lane.cluster,
            oracle: imo_protocol::ids::OPML_ORACLE,
            operator: self.lane.operator,
            claim,
        };
        if answer.answer != stands_by || answer_key_hash(&answer.key) != self.lane.answer_key_hash {
            return Err(PayerError::WrongKey);
        }
        if !is_signed(&answer.key, &answer.signature, &answer.answer.message()) {
            return Err(PayerError::WrongSignature);
        }
        Ok(())
    }

    fn request_of(&self, sequence: u64, entry: &Entry) -> Request {
        let Entry {
            model_root,
            input_root,
            price_units,
            salt,
        } = *entry;
        Request {
            lane: self.lane.lane,
            sequence,
            model_root,
            input_root,
            price_units,
            salt,
        }
    }

    fn voucher(&self, expires_unix: i64) -> Voucher {
        Voucher {
            cluster: self.lane.cluster,
            escrow: imo_protocol::ids::REVENUE_ESCROW,
            lane: self.lane.lane,
            lane_generation: self.lane.lane_generation,
            session: self.lane.session,
            session_generation: self.lane.session_generation,
            cumulative_amount_units: self.amount_units,
            cumulative_count: self.tree.count(),
            requests_root: self.tree.root(),
            expires_unix,
        }
    }
}

impl SignedVoucher {
    /// Whether the session key signed it.
    pub fn is_signed(&self) -> bool {
        is_signed(&self.voucher.session, &self.signature, &self.voucher.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_keypair::{Keypair, Signer};

    fn entry(number: u8) -> Entry {
        Entry {
            model_root: [1; 32],
            input_root: [number; 32],
            price_units: 5,
            salt: [number; 32],
        }
    }

    fn purse(key: &Keypair) -> Purse {
        Purse::new(PayingLane {
            cluster: [2; 32],
            lane: Pubkey::new_from_array([3; 32]),
            lane_generation: 4,
            session: Pubkey::new_from_array([5; 32]),
            session_generation: 6,
            operator: Pubkey::new_from_array([7; 32]),
            answer_key_hash: answer_key_hash(&key.pubkey()),
        })
    }

    /// What an honest operator answers.
    fn evidence(purse: &Purse, request: &Request, key: &Keypair) -> Evidence {
        let claim = Claim {
            model_root: request.model_root,
            input_root: request.input_root,
            output_root: [8; 32],
        };
        let answer = Answer {
            cluster: purse.lane.cluster,
            oracle: imo_protocol::ids::OPML_ORACLE,
            operator: purse.lane.operator,
            claim,
        };
        Evidence {
            receipt: Receipt {
                lane: request.lane,
                sequence: request.sequence,
                claim,
                salt: request.salt,
            },
            answer: SignedAnswer {
                answer,
                key: key.pubkey(),
                signature: key.sign_message(&answer.message()).into(),
            },
        }
    }

    #[test]
    fn given_questions_when_asked_then_each_voucher_covers_all_before_it() {
        let mut purse = purse(&Keypair::new_from_array([9; 32]));
        let mut tree = RequestTree::default();
        for number in 0..5 {
            let question = purse.ask(entry(number), 100).unwrap();
            tree.push(&question.request).unwrap();
            assert_eq!(question.request.sequence, u64::from(number));
            assert_eq!(question.voucher.cumulative_count, u64::from(number) + 1);
            assert_eq!(question.voucher.cumulative_amount_units, 5 * (u64::from(number) + 1));
            assert_eq!(question.voucher.requests_root, tree.root());
            assert_eq!(purse.ask_again(100), Some(question));
            assert_eq!(purse.newest(), Some(question.request));
        }
        assert_eq!(purse.request(3).unwrap().input_root, [3; 32]);
        assert_eq!(purse.request(5), None);
    }

    #[test]
    fn given_stored_entries_when_restored_then_the_next_voucher_is_the_same() {
        let key = Keypair::new_from_array([9; 32]);
        let mut first = purse(&key);
        for number in 0..3 {
            first.ask(entry(number), 100).unwrap();
        }
        let mut second = Purse::restore(*first.lane(), first.entries().to_vec()).unwrap();
        assert_eq!(first.ask(entry(3), 100), second.ask(entry(3), 100));
    }

    #[test]
    fn given_an_amount_that_does_not_fit_when_asked_then_refused_and_nothing_changes() {
        let mut purse = purse(&Keypair::new_from_array([9; 32]));
        purse.ask(entry(0), 100).unwrap();
        let dear = Entry {
            price_units: u64::MAX,
            ..entry(1)
        };
        assert_eq!(purse.ask(dear, 100), Err(PayerError::Overflow));
        assert_eq!(purse.ask(entry(1), 100).unwrap().voucher.cumulative_count, 2);
    }

    #[test]
    fn given_an_answer_when_one_thing_of_it_is_wrong_then_told_which() {
        let key = Keypair::new_from_array([9; 32]);
        let mut purse = purse(&key);
        let request = purse.ask(entry(0), 100).unwrap().request;
        let good = evidence(&purse, &request, &key);
        assert_eq!(purse.check(&request, [8; 32], &good), Ok(()));
        assert_eq!(purse.check(&request, [9; 32], &good), Err(PayerError::WrongReceipt));

        let mut other = good;
        other.receipt.claim.input_root = [77; 32];
        assert_eq!(purse.check(&request, [8; 32], &other), Err(PayerError::AnotherQuestion));
        let mut other = good;
        other.receipt.sequence = 1;
        assert_eq!(purse.check(&request, [8; 32], &other), Err(PayerError::WrongReceipt));
        let stranger = evidence(&purse, &request, &Keypair::new_from_array([10; 32]));
        assert_eq!(purse.check(&request, [8; 32], &stranger), Err(PayerError::WrongKey));
        let mut other = good;
        other.answer.signature[5] ^= 1;
        assert_eq!(purse.check(&request, [8; 32], &other), Err(PayerError::WrongSignature));
    }
}
