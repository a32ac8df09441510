//! Where histories begin.

use anchor_lang::prelude::Pubkey;
use imo_client::addresses;
use imo_protocol::{Now, question_hash};
use model_token::state::{ModelVersion, Settings};
use opml_runtime::{Claim, Model};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::ledger::{Access, CONTRIBUTORS, Ledger, Operator, PAYERS, People, Pool, Voucher};
use crate::{
    cast::Cast,
    models::{chain, honest, lying},
    world::{Asked, Published, SPLIT, SUPPLY, World, terms, usdc},
};

/// What every payer, operator and challenger has when a history begins, in units of the payment mint.
const PURSE: u64 = usdc(1_000);

/// Nodes of the model that is served.
pub const NODES: u8 = 2;

/// What has happened when a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The model is launched and its token sold.
    Launched,
    /// Credits, lanes and sessions are open and operators have stake.
    InService,
    /// Each operator has a sealed report.
    Reported,
    /// Both reports are disputed.
    Disputed,
}

impl Beginning {
    pub const ALL: [Self; 4] = [Self::Launched, Self::InService, Self::Reported, Self::Disputed];
}

/// The requests of one lane, and what was signed for them.
#[derive(Default)]
pub struct LaneBook {
    pub generation: u64,
    /// Indices into the catalogue, by sequence.
    pub asked: Vec<usize>,
    /// The last voucher that was collected.
    pub collected: Option<Voucher>,
}

/// A world with its ledger.
pub struct Stage {
    pub world: World,
    pub ledger: Ledger,
    pub model: Model,
    pub published: Published,
    pub payers: [Keypair; PAYERS],
    pub sessions: [Keypair; PAYERS],
    pub operators: [Keypair; 2],
    pub challengers: [Keypair; 2],
    pub holders: [Keypair; 2],
    pub developer: Keypair,
    pub authority: Keypair,
    pub guardian: Keypair,
    pub stranger: Keypair,
    /// What an update of the protocol proposes, but for the least bond.
    pub settings: Settings,
    /// What can be asked: two honest answers and a false one.
    pub catalogue: Vec<Asked>,
    /// By payer and operator.
    pub lanes: [[LaneBook; 2]; PAYERS],
    /// By dispute: the place that it committed to, as (payer, receipt of its collection, index into the catalogue).
    pub places: Vec<Option<Place>>,
    /// By inquiry: the receipt whose input it is about.
    pub asked_about: Vec<Place>,
}

/// The receipt that a dispute is about.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub payer: usize,
    pub receipt: u32,
    pub asked: usize,
}

impl Stage {
    /// A world in which the model is launched: the root of all histories, which fork it.
    pub fn launch() -> Self {
        let (mut world, cast) = World::light();
        let settings = world.settings(&cast);
        let model = chain(usize::from(NODES));
        // The treasury and an investor have contributed data, too: who has two parts is paid both.
        let contributors = [(cast.treasury.pubkey(), 100), (cast.alice.pubkey(), 233)];
        let published = world.given_model_of_contributors(&cast, 0, &model, &contributors);
        let split = world.read::<ModelVersion>(&published.version).split;
        world.given_vault(&cast, &published);
        world.given_token(&cast, &published);
        let Cast {
            operator,
            backup,
            payer,
            session,
            watcher,
            rival,
            alice,
            bob,
            guardian,
            stranger,
            developer,
            treasury,
            authority,
            ..
        } = cast;
        let second = [world.actor(), world.actor(), world.actor()];
        let [second_payer, second_operator, second_session] = second;
        for authority in [&operator, &second_operator] {
            world.given_operator(authority, &backup.pubkey());
        }
        for recipient in [&developer, &treasury] {
            world.given_usdc(&recipient.pubkey(), 0);
        }
        let payers = [payer, second_payer];
        let operators = [operator, second_operator];
        let challengers = [watcher, rival];
        let holders = [alice, bob];
        for person in payers.iter().chain(&operators).chain(&challengers) {
            world.given_usdc(&person.pubkey(), PURSE);
        }
        let people = People {
            payers: [payers[0].pubkey(), payers[1].pubkey()],
            operators: [operators[0].pubkey(), operators[1].pubkey()],
            challengers: [challengers[0].pubkey(), challengers[1].pubkey()],
            holders: [holders[0].pubkey(), holders[1].pubkey()],
            developer: developer.pubkey(),
            treasury: treasury.pubkey(),
        };
        let ledger = Ledger {
            split,
            contributors,
            ..opening_balance(&world, &published, people)
        };
        Self {
            catalogue: vec![
                honest(&model, 1, usdc(10)),
                honest(&model, 2, usdc(10)),
                lying(&model, 3, usdc(10), 0),
            ],
            sessions: [session, second_session],
            world,
            ledger,
            model,
            published,
            payers,
            operators,
            challengers,
            holders,
            developer,
            authority,
            guardian,
            stranger,
            settings,
            lanes: Default::default(),
            places: Vec::new(),
            asked_about: Vec::new(),
        }
    }

    /// The same once more.
    pub fn fork(&self) -> Self {
        let copies = |pair: &[Keypair; 2]| [pair[0].insecure_clone(), pair[1].insecure_clone()];
        Self {
            world: self.world.fork().expect("histories play on light clusters"),
            ledger: self.ledger.clone(),
            model: self.model.clone(),
            published: self.published,
            payers: copies(&self.payers),
            sessions: copies(&self.sessions),
            operators: copies(&self.operators),
            challengers: copies(&self.challengers),
            holders: copies(&self.holders),
            developer: self.developer.insecure_clone(),
            authority: self.authority.insecure_clone(),
            guardian: self.guardian.insecure_clone(),
            settings: self.settings.clone(),
            stranger: self.stranger.insecure_clone(),
            catalogue: self.catalogue.clone(),
            lanes: std::array::from_fn(|payer| {
                std::array::from_fn(|operator| {
                    let book = &self.lanes[payer][operator];
                    LaneBook {
                        generation: book.generation,
                        asked: book.asked.clone(),
                        collected: book.collected,
                    }
                })
            }),
            places: self.places.clone(),
            asked_about: self.asked_about.clone(),
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

    /// A question that nobody reports, by its number.
    pub fn equivocation_account(&self, operator: usize, question: u8) -> Pubkey {
        let question = question_hash(&two_claims(question)[0]);
        addresses::opml_oracle::equivocation(&self.operator_account(operator), &question)
    }

    pub fn appointment_account(&self, operator: usize) -> Pubkey {
        addresses::model_token::appointment(&self.published.model, &self.ledger.people.operators[operator])
    }

    pub fn collection_account(&self, report: usize, payer: usize) -> Pubkey {
        let operator = self.ledger.reports[report].operator;
        addresses::revenue_escrow::collection(&self.report_account(report), &self.lane_account(payer, operator))
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

/// The ledger of a world in which nothing has happened since the launch: what the chain says, which the scenarios have checked.
fn opening_balance(world: &World, published: &Published, people: People) -> Ledger {
    let everybody = (people.payers.iter())
        .chain(&people.operators)
        .chain(&people.challengers)
        .chain(&people.holders)
        .chain([&people.developer, &people.treasury]);
    let wallets = everybody.map(|whom| (*whom, world.usdc_of(whom))).collect();
    let holders = people.holders.iter();
    let tokens = holders
        .map(|whom| (*whom, world.model_tokens_of(published, whom)))
        .collect();
    let operators = people.operators.map(|authority| Operator {
        stake: world
            .read::<opml_oracle::state::Operator>(&addresses::opml_oracle::operator(&authority, &world.usdc))
            .stake_units,
        ..Operator::default()
    });
    Ledger {
        people,
        terms: terms(),
        split: SPLIT,
        now: world.now(),
        pause: (0, 0),
        wallets,
        tokens,
        credits: [None, None],
        operators,
        reports: Vec::new(),
        disputes: Vec::new(),
        inquiries: Vec::new(),
        equivocations: Default::default(),
        access: Access::default(),
        update: None,
        least_bond: terms().min_bond_units,
        insurance: 0,
        earnings: Default::default(),
        contributors: Default::default(),
        contributed: 0,
        contributors_paid: [0; CONTRIBUTORS],
        paid_to_others: 0,
        pool: Pool::new(terms().epoch_slots, SUPPLY),
    }
}
