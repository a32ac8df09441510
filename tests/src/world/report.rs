//! A report with its receipts, at every point of its life.

use ::model_token::state::{Model, ModelVersion, OperatorAccess};
use ::opml_oracle::{
    instructions::ShownReceipt,
    state::{Operator, Report},
};
use ::yield_distributor::state::Pool;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    challenge::Answer,
    instructions::{
        opml_oracle::{self, Place, ReportTerms},
        revenue_escrow::{self, CollectedLane, SplitReport, UpstreamPayment},
        yield_distributor::due_marks,
    },
    trees::ReceiptTree,
    voucher::SignedVoucher,
};
use imo_protocol::{Collection, Receipt};
use opml_runtime::{Claim, Hash, Tensor};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Customer, Published, Service, World, service::sign, usdc};
use crate::{
    cast::Cast,
    landed::{Landed, Outcome},
};

/// What a report's operator bonds.
pub const BOND: u64 = usdc(100);

/// One answered request: what was asked, what the operator claims, and what it has to stand by that.
#[derive(Clone, Debug)]
pub struct Asked {
    pub input: Tensor,
    pub claim: Claim,
    pub answer: Answer,
    pub price_units: u64,
    /// Of request and receipt.
    pub salt: [u8; 32],
}

impl Asked {
    /// The question that it answers.
    pub fn question(&self) -> Question {
        Question {
            model_root: self.claim.model_root,
            input_root: self.claim.input_root,
            salt: self.salt,
        }
    }
}

/// What a payer asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub model_root: Hash,
    pub input_root: Hash,
    pub salt: [u8; 32],
}

/// A report of one collection, with what was asked and answered.
pub struct Case {
    pub service: Service,
    pub report: Pubkey,
    pub collection: Pubkey,
    pub asked: Vec<Asked>,
    pub receipts: ReceiptTree,
    /// What was collected.
    pub collected_units: u64,
}

impl Case {
    /// The receipt at `index`, as a challenger points to it.
    pub fn place(&self, index: u32) -> Place {
        Place {
            collection: self.collection,
            receipt_index: index,
            salt: [0x5A; 32],
            claim: self.asked[index as usize].claim,
            receipt_salt: self.asked[index as usize].salt,
            path: self.receipts.path(index).expect("the collection has that receipt"),
        }
    }

    /// The receipt at `index`, as a demander shows it.
    pub fn shown(&self, index: u32) -> ShownReceipt {
        let Asked { claim, salt, .. } = &self.asked[index as usize];
        ShownReceipt {
            index,
            input_root: claim.input_root,
            output_root: claim.output_root,
            salt: *salt,
            path: self.receipts.path(index).expect("the collection has that receipt"),
        }
    }

    /// All receipts, in order.
    pub fn all_receipts(&self) -> Vec<Receipt> {
        let first = self.receipts.first_sequence();
        (first..)
            .zip(&self.asked)
            .map(|(sequence, asked)| Receipt {
                lane: self.service.customer.lane,
                sequence,
                claim: asked.claim,
                salt: asked.salt,
            })
            .collect()
    }
}

impl World {
    /// A report on the first version with this bond, with its bucket, still empty.
    pub fn given_report_with_bond(&mut self, authority: &Keypair, published: &Published, bond_units: u64) -> Pubkey {
        let address = addresses::opml_oracle::operator(&authority.pubkey(), &self.usdc);
        let operator: Operator = self.read(&address);
        let post = self.post_of(&operator, self.report_terms(published, bond_units));
        let report = addresses::opml_oracle::report(&address, operator.next_sequence);
        let open = revenue_escrow::open_bucket(authority.pubkey(), report);
        self.send(&[post, open], &[authority]).expect_ok();
        report
    }

    /// What posts a report, as an appointed operator where the model has a list.
    pub fn post_of(&self, operator: &Operator, terms: ReportTerms) -> Instruction {
        let payer = operator.authority;
        match self.read::<Model>(&terms.model).operators {
            OperatorAccess::Open => opml_oracle::post_report(payer, operator, terms),
            OperatorAccess::Listed => opml_oracle::post_report_as_appointed(payer, operator, terms),
        }
    }

    /// A report with [`BOND`], still empty.
    pub fn given_report(&mut self, authority: &Keypair, published: &Published) -> Pubkey {
        self.given_report_with_bond(authority, published, BOND)
    }

    /// A report about the last minute.
    pub fn report_terms(&self, published: &Published, bond_units: u64) -> ReportTerms {
        let period_end_unix = self.now().unix;
        ReportTerms {
            model: published.model,
            version: self.read::<ModelVersion>(&published.version).number,
            bond_units,
            period_start_unix: period_end_unix - 60,
            period_end_unix,
        }
    }

    /// Has a customer ask all this, and signs for it. Returns the receipts and the voucher.
    pub fn given_answers(&self, customer: &mut Customer, asked: &[Asked]) -> (ReceiptTree, SignedVoucher) {
        let questions: Vec<_> = asked.iter().map(Asked::question).collect();
        self.given_answers_to(customer, &questions, asked)
    }

    /// The same where the questions need not be those that are answered.
    fn given_answers_to(
        &self,
        customer: &mut Customer,
        questions: &[Question],
        asked: &[Asked],
    ) -> (ReceiptTree, SignedVoucher) {
        let mut receipts = ReceiptTree::new(customer.requests.count());
        for (question, answered) in questions.iter().zip(asked) {
            let Question {
                model_root,
                input_root,
                salt,
            } = *question;
            let request = customer.ask(model_root, input_root, answered.price_units, salt);
            let receipt = Receipt {
                lane: customer.lane,
                sequence: request.sequence,
                claim: answered.claim,
                salt: answered.salt,
            };
            receipts.push(&receipt).expect("receipts come in order");
        }
        (
            receipts,
            sign(customer.voucher(self.now().unix + 3_600), &customer.session),
        )
    }

    /// Which lane is collected, by the cast's operator.
    pub fn collected_lane(&self, authority: &Keypair, customer: &Customer, report: Pubkey) -> CollectedLane {
        CollectedLane {
            authority: authority.pubkey(),
            rent_payer: authority.pubkey(),
            operator: customer.operator,
            report,
            credit: customer.credit,
        }
    }

    /// The report of one customer's requests, collected and open.
    pub fn given_collected(&mut self, cast: &Cast, service: Service, asked: Vec<Asked>) -> Case {
        self.given_collected_by(&cast.operator, service, asked)
    }

    /// The same by the operator with this key.
    pub fn given_collected_by(&mut self, authority: &Keypair, service: Service, asked: Vec<Asked>) -> Case {
        let questions: Vec<_> = asked.iter().map(Asked::question).collect();
        self.given_collected_to(authority, service, &questions, asked)
    }

    /// The same where the questions need not be those that are answered.
    fn given_collected_to(
        &mut self,
        authority: &Keypair,
        mut service: Service,
        questions: &[Question],
        asked: Vec<Asked>,
    ) -> Case {
        let report = self.given_report(authority, &service.published);
        let (receipts, voucher) = self.given_answers_to(&mut service.customer, questions, &asked);
        let lane = self.collected_lane(authority, &service.customer, report);
        let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
        self.send(&collect, &[authority]).expect_ok();
        let collection = addresses::revenue_escrow::collection(&report, &service.customer.lane);
        let collected_units = self.read::<Collection>(&collection).amount_units;
        Case {
            service,
            report,
            collection,
            asked,
            receipts,
            collected_units,
        }
    }

    /// Collected and sealed.
    pub fn given_sealed(&mut self, cast: &Cast, service: Service, asked: Vec<Asked>) -> Case {
        self.given_sealed_by(&cast.operator, service, asked)
    }

    /// The same by the operator with this key.
    pub fn given_sealed_by(&mut self, authority: &Keypair, service: Service, asked: Vec<Asked>) -> Case {
        let questions: Vec<_> = asked.iter().map(Asked::question).collect();
        self.given_sealed_to(authority, service, &questions, asked)
    }

    /// The same where the questions need not be those that are answered.
    pub fn given_sealed_to(
        &mut self,
        authority: &Keypair,
        service: Service,
        questions: &[Question],
        asked: Vec<Asked>,
    ) -> Case {
        let case = self.given_collected_to(authority, service, questions, asked);
        let seal = opml_oracle::seal_report(authority.pubkey(), &self.read(&case.report));
        self.send(&[seal], &[authority]).expect_ok();
        case
    }

    /// The operator seals.
    pub fn seal(&mut self, cast: &Cast, report: &Pubkey) -> Landed {
        let seal = opml_oracle::seal_report(cast.operator.pubkey(), &self.read(report));
        self.send(&[seal], &[&cast.operator]).expect_ok()
    }

    /// The operator takes a collection back, with its own money.
    pub fn retract(&mut self, authority: &Keypair, collection: &Pubkey) -> Landed {
        let announce = self.retraction_of(authority, collection);
        self.send(&[announce], &[authority]).expect_ok()
    }

    /// What takes a collection back.
    pub fn retraction_of(&self, authority: &Keypair, collection: &Pubkey) -> Instruction {
        let collection: Collection = self.read(collection);
        let report: Report = self.read(&collection.report);
        revenue_escrow::announce_retraction(authority.pubkey(), &report, &collection)
    }

    /// Waits for the end of the window and makes the report final. Its disputes are settled.
    pub fn finalise(&mut self, cast: &Cast, report: &Pubkey) -> Landed {
        let state: Report = self.read(report);
        if !state.window.is_past(&self.now()) {
            let slot = self.now().slot;
            self.pass_slots(state.window.due_slot - slot + 1);
        }
        self.send(&[opml_oracle::finalise_report(&state)], &[&cast.stranger])
            .expect_ok()
    }

    /// What a split of the report needs. The model has a pool or not.
    pub fn split_of(&self, cast: &Cast, report: &Pubkey) -> SplitReport {
        let Report {
            operator,
            model,
            model_version,
            ..
        } = self.read(report);
        let authority = self.read::<Operator>(&operator).authority;
        SplitReport {
            rent_payer: cast.stranger.pubkey(),
            report: *report,
            operator,
            operator_authority: authority,
            model,
            developer: cast.developer.pubkey(),
            model_version,
            treasury: cast.treasury.pubkey(),
            mint: self.usdc,
            due_marks: self.due_marks_of(&model),
        }
    }

    /// What pays the contributor with this number of a model, which is a model itself.
    pub fn upstream_payment(
        &self,
        cast: &Cast,
        published: &Published,
        index: u8,
        upstream: &Published,
    ) -> UpstreamPayment {
        UpstreamPayment {
            rent_payer: cast.stranger.pubkey(),
            model: published.model,
            model_version: published.version,
            index,
            upstream: upstream.model,
            upstream_developer: cast.developer.pubkey(),
            mint: self.usdc,
            due_marks: self.due_marks_of(&upstream.model),
        }
    }

    /// The marks that a payment into a model's pool needs; none when there is no pool.
    fn due_marks_of(&self, model: &Pubkey) -> [Option<Pubkey>; 2] {
        let pool = addresses::yield_distributor::pool(model);
        if !self.is_made(&pool) {
            return [None; 2];
        }
        let pool: Pool = self.read(&pool);
        due_marks(&pool, self.now().slot / pool.epoch_slots)
    }

    /// A stranger splits a final report.
    pub fn split(&mut self, cast: &Cast, report: &Pubkey) -> Landed {
        let split = revenue_escrow::split(self.split_of(cast, report));
        self.send(&[split], &[&cast.stranger]).expect_ok()
    }

    /// A stranger refunds the case's collection.
    pub fn refund(&mut self, cast: &Cast, case: &Case) -> Landed {
        let refund = revenue_escrow::refund(&self.read(&case.collection));
        self.send(&[refund], &[&cast.stranger]).expect_ok()
    }
}
