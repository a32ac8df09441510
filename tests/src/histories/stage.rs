//! A world in which a history is played, with its ledger.

use std::{collections::BTreeMap, rc::Rc};

use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    trees::{AllowList, ReceiptTree, RequestTree},
};
use imo_protocol::{Now, Receipt, Request, question_hash};
use model_token::state::Settings;
use opml_runtime::Claim;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    beginning::Beginning,
    keys::Keys,
    ledger::{CONTRIBUTORS, Ledger, MAIN, Office, PAYERS, Registered, UPSTREAM, Upstream, Voucher},
    served::{Catalogued, Served},
};
use crate::world::{AUDITS, Published, SPLIT, World, terms};

/// The requests of one lane, and what was signed for them.
#[derive(Clone, Default)]
pub struct LaneBook {
    pub generation: u64,
    /// Indices into the catalogue, by sequence.
    pub asked: Vec<usize>,
    /// The last voucher that was collected.
    pub collected: Option<Voucher>,
}

/// The receipt that a dispute or an inquiry is about.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub payer: usize,
    pub receipt: u32,
    pub asked: usize,
}

/// What an inquiry is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// The receipts of a payer's collection.
    Receipts(usize),
    Input(Place),
    /// The constant with this number.
    Constant(usize),
}

/// A world with its ledger.
pub struct Stage {
    pub world: World,
    pub ledger: Ledger,
    pub keys: Rc<Keys>,
    pub served: Rc<Served>,
    /// The model that is served, registered or not.
    pub published: Published,
    /// The model that it is built upon.
    pub upstream: Published,
    /// What the protocol is set up with, and what an update proposes, but for the least bond.
    pub settings: Settings,
    /// By payer and operator.
    pub lanes: [[LaneBook; 2]; PAYERS],
    /// By report and payer: what had been asked on the lane when it was collected, indices into the catalogue.
    pub collected: BTreeMap<(usize, usize), Vec<usize>>,
    /// By dispute: the place that it committed to.
    pub places: Vec<Option<Place>>,
    /// By inquiry.
    pub subjects: Vec<Subject>,
}

impl Stage {
    /// People with money, and nothing else.
    pub fn empty(beginning: Beginning) -> Self {
        let (mut world, cast) = World::empty_light();
        let settings = Settings {
            audits: AUDITS,
            ..world.settings(&cast)
        };
        let keys = Keys::of(&mut world, cast);
        keys.fund(&mut world);
        let served = Served::in_histories_from(beginning);
        let model_of = |index| {
            let developer = keys.developers[0].pubkey();
            let model = addresses::model_token::model(&developer, index);
            Published {
                model,
                version: addresses::model_token::model_version(&model, 1),
                developer,
                model_root: served.records.model_root(),
            }
        };
        let (published, upstream): (Published, Published) = (model_of(MAIN as u32), model_of(UPSTREAM as u32));
        // A model has no use for it, and anybody can make it.
        world.given_usdc(&upstream.model, 0);
        Self {
            ledger: opening_balance(&world, &keys, &served, upstream.model),
            world,
            keys: Rc::new(keys),
            served: Rc::new(served),
            published,
            upstream,
            settings,
            lanes: Default::default(),
            collected: BTreeMap::new(),
            places: Vec::new(),
            subjects: Vec::new(),
        }
    }

    /// The same once more.
    pub fn fork(&self) -> Self {
        Self {
            world: self.world.fork().expect("histories play on light clusters"),
            ledger: self.ledger.clone(),
            keys: Rc::clone(&self.keys),
            served: Rc::clone(&self.served),
            published: self.published,
            upstream: self.upstream,
            settings: self.settings.clone(),
            lanes: self.lanes.clone(),
            collected: self.collected.clone(),
            places: self.places.clone(),
            subjects: self.subjects.clone(),
        }
    }

    pub fn now(&self) -> Now {
        self.world.now()
    }

    pub fn set_now(&mut self, now: Now) {
        self.world.set_now(now);
        self.ledger.now = now;
    }

    pub fn mint(&self) -> Pubkey {
        self.world.usdc
    }

    pub fn stranger(&self) -> Keypair {
        self.keys.cast.stranger.insecure_clone()
    }

    /// The present developer's keys.
    pub fn developer(&self) -> Keypair {
        self.keys.developers[self.ledger.developer.holder].insecure_clone()
    }

    pub fn main(&self) -> Option<Registered> {
        self.ledger.models[MAIN]
    }

    pub fn operator_account(&self, operator: usize) -> Pubkey {
        addresses::opml_oracle::operator(&self.ledger.people.operators[operator], &self.world.usdc)
    }

    pub fn credit_account(&self, payer: usize) -> Pubkey {
        addresses::revenue_escrow::credit(&self.ledger.people.payers[payer], &self.published.model)
    }

    pub fn lane_account(&self, payer: usize, operator: usize) -> Pubkey {
        addresses::revenue_escrow::lane(&self.credit_account(payer), &self.operator_account(operator))
    }

    /// A report's number among its operator's is how many it posted before.
    pub fn report_account(&self, report: usize) -> Pubkey {
        let operator = self.ledger.reports[report].operator;
        let before = self.ledger.reports[..report].iter();
        let sequence = before.filter(|other| other.operator == operator).count();
        addresses::opml_oracle::report(&self.operator_account(operator), sequence as u64)
    }

    /// A challenger numbers its disputes as they come.
    pub fn dispute_account(&self, dispute: usize) -> Pubkey {
        let opened = &self.ledger.disputes[dispute];
        let challenger = self.ledger.people.challengers[opened.challenger];
        addresses::opml_oracle::dispute(&self.report_account(opened.report), &challenger, dispute as u64)
    }

    /// A challenger numbers its inquiries as they come.
    pub fn inquiry_account(&self, inquiry: usize) -> Pubkey {
        let opened = &self.ledger.inquiries[inquiry];
        let demander = self.ledger.people.challengers[opened.demander];
        addresses::opml_oracle::inquiry(&self.report_account(opened.report), &demander, inquiry as u64)
    }

    /// No report of a history is worth more than one audit.
    pub fn audit_account(&self, audit: usize) -> Pubkey {
        addresses::opml_oracle::audit(&self.report_account(self.ledger.audits[audit].report), 0)
    }

    /// A question that nobody reports, by its number.
    pub fn equivocation_account(&self, operator: usize, question: u8) -> Pubkey {
        let question = question_hash(&two_claims(question)[0]);
        addresses::opml_oracle::equivocation(&self.operator_account(operator), &question)
    }

    pub fn appointment_account(&self, operator: usize) -> Pubkey {
        addresses::model_token::appointment(&self.published.model, &self.ledger.people.operators[operator])
    }

    pub fn offering_account(&self) -> Pubkey {
        addresses::model_token::offering(&self.published.model)
    }

    pub fn pool_account(&self) -> Pubkey {
        addresses::yield_distributor::pool(&self.published.model)
    }

    pub fn collection_account(&self, report: usize, payer: usize) -> Pubkey {
        let operator = self.ledger.reports[report].operator;
        addresses::revenue_escrow::collection(&self.report_account(report), &self.lane_account(payer, operator))
    }

    /// Who may commit when an offering has a list: the holders, and somebody else.
    pub fn allow_list(&self) -> AllowList {
        let people = &self.ledger.people;
        let listed = people.holders.iter().chain([&people.treasury]);
        let entries: Vec<(Pubkey, u64)> = listed.map(|wallet| (*wallet, 0)).collect();
        AllowList::over(&entries).expect("three wallets are a list")
    }

    pub fn asked(&self, index: usize) -> &Catalogued {
        &self.served.catalogue[index]
    }

    /// What a payer asked on a lane, as the chain is told.
    pub fn requests(&self, lane: Pubkey, asked: &[usize]) -> (RequestTree, Vec<Request>) {
        let mut tree = RequestTree::default();
        let requests: Vec<Request> = (0..)
            .zip(asked)
            .map(|(sequence, asked)| {
                let Catalogued { asked, question, .. } = self.asked(*asked);
                Request {
                    lane,
                    sequence,
                    model_root: asked.claim.model_root,
                    input_root: *question,
                    price_units: asked.price_units,
                    salt: asked.salt,
                }
            })
            .collect();
        for request in &requests {
            tree.push(request).expect("requests come in order");
        }
        (tree, requests)
    }

    /// What was answered on a lane from a sequence on.
    pub fn receipts(&self, lane: Pubkey, asked: &[usize], first: u64) -> (ReceiptTree, Vec<Receipt>) {
        let receipts: Vec<Receipt> = (0..)
            .zip(asked)
            .skip(usize::try_from(first).expect("a history is short"))
            .map(|(sequence, asked)| {
                let asked = &self.asked(*asked).asked;
                Receipt {
                    lane,
                    sequence,
                    claim: asked.claim,
                    salt: asked.salt,
                }
            })
            .collect();
        let tree = ReceiptTree::over(first, &receipts).expect("receipts come in order");
        (tree, receipts)
    }
}

/// Two answers to the question with this number.
pub fn two_claims(question: u8) -> [Claim; 2] {
    [[3; 32], [4; 32]].map(|output_root| Claim {
        model_root: [1; 32],
        input_root: [question; 32],
        output_root,
    })
}

/// The ledger of a world in which people have money and nothing has happened.
fn opening_balance(world: &World, keys: &Keys, served: &Served, upstream: Pubkey) -> Ledger {
    let people = keys.people();
    let everybody = (people.payers.iter())
        .chain(&people.operators)
        .chain(&people.challengers)
        .chain(&people.holders)
        .chain(&people.developers)
        .chain([&people.treasury]);
    let wallets = everybody.map(|whom| (*whom, world.usdc_of(whom))).collect();
    let with_tokens = people.holders.iter().chain(&people.developers);
    let tokens = with_tokens.map(|whom| (*whom, 0)).collect();
    // The treasury and an investor have contributed data, too: who has two parts is paid both.
    let contributors: [_; CONTRIBUTORS] = [(people.treasury, 100), (people.holders[0], 233), (upstream, 151)];
    let contributed: u16 = contributors.iter().map(|(_, bps)| bps).sum();
    let mut split = SPLIT;
    split.contributors_bps = contributed;
    split.developer_bps -= contributed;
    Ledger {
        people,
        terms: terms(),
        audit_fee: AUDITS.fee_units,
        audit_share_bps: AUDITS.share_bps,
        nodes: served.nodes(),
        split,
        now: world.now(),
        founded: Default::default(),
        authority: Office::default(),
        developer: Office::default(),
        models: Default::default(),
        metadata_notice: None,
        pause: (0, 0),
        wallets,
        tokens,
        credits: [None, None],
        operators: Default::default(),
        reports: Vec::new(),
        disputes: Vec::new(),
        inquiries: Vec::new(),
        audits: Vec::new(),
        fund: Default::default(),
        audit_share: 0,
        equivocations: Default::default(),
        access: Default::default(),
        update: None,
        least_bond: terms().min_bond_units,
        insurance: 0,
        earnings: Default::default(),
        contributors,
        contributed: 0,
        contributors_paid: [0; CONTRIBUTORS],
        paid_to_others: 0,
        offering: None,
        pool: None,
        supply: 0,
        upstream: Upstream::default(),
    }
}
