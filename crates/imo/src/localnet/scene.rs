//! What is on a new local cluster: money, the protocol, a model that was sold and one that is being sold.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::{
    associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    token::{self, spl_token},
};
use anyhow::Context;
use imo_client::{addresses as at, instructions as send};
use imo_protocol::answer_key_hash;
use model_token::{
    instructions::{InitProtocolArgs, OpenOfferingArgs, PublishVersionArgs, RegisterModelArgs},
    state::{
        AuditTerms, Checkable, Commitment, DisputeTerms, Metadata, Offering, RevenueSplit, Settings, TrancheCondition,
        TrancheTerms, VestingTerms,
    },
};
use opml::hashv;
use revenue_escrow::instructions::GrantSessionArgs;
use send::{model_token::ClaimedCommitment, opml_oracle::OperatorProfile};
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;
use yield_distributor::state::{Pool, Position};

use super::{
    catalogue::Entry,
    people::{
        ALICE, BOB, CAROL, DEVELOPER, DOLLARS, FAUCET, HOLDERS, OPERATOR_BACKUP, PAYER, PROTOCOL, Person, SESSION,
        TREASURY,
    },
};
use crate::cluster::{Cluster, SLOT_MILLISECONDS};

/// Units of a whole dollar or token: both have six decimals.
pub const ONE: u64 = 1_000_000;
pub const DECIMALS: u8 = 6;

pub const SOL: u64 = 1_000_000_000;

/// SOL of everybody who begins with some.
pub const SOL_OF_EACH: u64 = 1_000 * SOL;

const DOLLARS_OF_EACH: u64 = 100_000 * ONE;

/// The first version of a model.
const VERSION: u16 = 1;

/// Price of an answer.
const PRICE: u64 = ONE / 4;

const SUPPLY: u64 = 1_000_000 * ONE;

const STAKE: u64 = 5_000 * ONE;

/// In seconds.
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

const PROTOCOL_BPS: u16 = 500;

/// Of that, what is set aside for auditors.
const AUDIT_SHARE_BPS: u16 = 2_000;

const SPLIT: RevenueSplit = RevenueSplit {
    holders_bps: 4_000,
    redeem_bps: 1_000,
    developer_bps: 2_000,
    operator_bps: 2_500,
    protocol_bps: PROTOCOL_BPS,
    contributors_bps: 0,
};

/// Short, so that one can watch: a window of three minutes, two for a move, five for all moves of a side.
pub const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 450,
    seal_slots: 450,
    response_slots: 300,
    clock_slots: 750,
    bond_ratio_bps: 20_000,
    min_bond_units: 50 * ONE,
    challenger_bond_units: 20 * ONE,
    open_fee_units: ONE / 2,
    move_cost_units: ONE,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 2_250,
    notice_slots: 750,
    epoch_slots: 2_250,
    byte_fee_units: ONE / 100_000,
};

/// Longer than the longest dispute and a notice together.
const TIMELOCK_SLOTS: u64 = 4_500;

/// A cluster on which things are done.
pub struct Scene<'a> {
    pub cluster: &'a Cluster,
}

/// The mint of the dollars.
pub fn dollars() -> Pubkey {
    DOLLARS.address()
}

/// The account of a model of the developer's.
pub fn model_address(entry: &Entry) -> Pubkey {
    at::model_token::model(&DEVELOPER.address(), entry.index)
}

/// The account of an operator.
pub fn operator_address(operator: Person) -> Pubkey {
    at::opml_oracle::operator(&operator.address(), &dollars())
}

impl Scene<'_> {
    /// Everything up to the day on which the first model is used for the first time.
    pub fn found(&self, models: &[Entry; 2], api: &str) -> anyhow::Result<()> {
        self.make_dollars()?;
        self.set_up_protocol()?;
        for entry in models {
            self.register(entry, api)?;
        }
        let [sold, _] = models;
        self.sell(sold)?;
        self.stake(sold)
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: i64) -> anyhow::Result<()> {
        self.cluster.advance(seconds.unsigned_abs() * 1_000 / SLOT_MILLISECONDS)
    }

    fn act(&self, who: Person, what: &str, instructions: &[Instruction]) -> anyhow::Result<()> {
        self.act_with(who, what, instructions, &[])
    }

    fn act_with(
        &self,
        who: Person,
        what: &str,
        instructions: &[Instruction],
        others: &[&Keypair],
    ) -> anyhow::Result<()> {
        let key = who.key();
        let signers: Vec<&Keypair> = std::iter::once(&key).chain(others.iter().copied()).collect();
        self.cluster
            .send(instructions, &key.pubkey(), &signers)
            .with_context(|| format!("The local cluster was not set up: {} could not {what}", who.0))?;
        Ok(())
    }

    fn make_dollars(&self) -> anyhow::Result<()> {
        let faucet = FAUCET.address();
        let mint = DOLLARS.key();
        let rent = self.cluster.rent(spl_token::state::Mint::LEN)?;
        let create = create_account(
            &faucet,
            &dollars(),
            rent,
            spl_token::state::Mint::LEN as u64,
            &token::ID,
        );
        let initialise = spl_token::instruction::initialize_mint2(&token::ID, &dollars(), &faucet, None, DECIMALS)?;
        self.act_with(FAUCET, "make dollars", &[create, initialise], &[&mint])?;
        for few in HOLDERS.chunks(3) {
            let mut instructions = Vec::new();
            for person in few {
                instructions.extend(give_dollars(&person.address(), DOLLARS_OF_EACH)?);
            }
            self.act(FAUCET, "hand out dollars", &instructions)?;
        }
        Ok(())
    }

    fn set_up_protocol(&self) -> anyhow::Result<()> {
        let protocol = PROTOCOL.address();
        let args = InitProtocolArgs {
            authority: protocol,
            cluster: self.cluster.genesis_hash()?,
            settings: Settings {
                guardian: protocol,
                treasury: TREASURY.address(),
                payment_mints: vec![dollars()],
                protocol_bps: PROTOCOL_BPS,
                terms: TERMS,
                timelock_slots: TIMELOCK_SLOTS,
                audits: AuditTerms {
                    share_bps: AUDIT_SHARE_BPS,
                    fee_units: ONE,
                },
            },
        };
        let init = send::model_token::init_protocol(protocol, protocol, args);
        let vault = send::opml_oracle::create_stake_vault(protocol, dollars());
        let fund = send::audit::create_audit_fund(protocol, dollars());
        self.act(PROTOCOL, "set up the protocol", &[init, vault, fund])
    }

    fn register(&self, entry: &Entry, api: &str) -> anyhow::Result<()> {
        let developer = DEVELOPER.address();
        let header = *entry.model.header();
        let register = RegisterModelArgs {
            index: entry.index,
            metadata: Metadata {
                name: entry.title.into(),
                symbol: entry.symbol.into(),
                licence: entry.licence.into(),
                uri: entry.url(api, ".json"),
                uri_hash: hashv(&[&entry.card]),
            },
        };
        let publish = PublishVersionArgs {
            arithmetic_version: header.arithmetic_version,
            node_count: header.node_count,
            constant_count: header.constant_count,
            graph_root: header.graph_root,
            weights_root: header.weights_root,
            input_spec: header.input.encode(),
            split: SPLIT,
            price_units: PRICE,
            checkable: Checkable::Anyone,
            weights_uri: entry.url(api, ".imo"),
            weights_uri_hash: entry.weights_hash,
            contributors_bps: Vec::new(),
        };
        let model = model_address(entry);
        self.act(
            DEVELOPER,
            "register a model",
            &[send::model_token::register_model(
                developer,
                developer,
                dollars(),
                register,
            )],
        )?;
        self.act(
            DEVELOPER,
            "publish a version",
            &[
                send::model_token::publish_version(developer, developer, model, VERSION, publish),
                send::revenue_escrow::open_vault(developer, model, dollars()),
            ],
        )
    }

    /// Opens an offering of that many days, of which the last is the tail if there are several, and lets it begin.
    fn offer(&self, entry: &Entry, days: i64, raise: (u64, u64)) -> anyhow::Result<()> {
        let developer = DEVELOPER.address();
        let now = self.cluster.now()?.unix;
        let tail = if days > 1 { DAY } else { DAY / 8 };
        let args = OpenOfferingArgs {
            sale_units: SUPPLY,
            developer_units: 0,
            min_raise_units: raise.0,
            max_raise_units: raise.1,
            wallet_cap_units: 0,
            allowlist_root: [0; 32],
            allowlist_count: 0,
            // The clock moves between this reading and the transaction.
            opens_unix: now + 2 * MINUTE,
            tail_unix: now + days * DAY - tail,
            closes_unix: now + days * DAY,
            buyer_vesting: VestingTerms::IMMEDIATE,
            developer_vesting: VestingTerms::default(),
            tranches: vec![TrancheTerms {
                share_bps: 10_000,
                condition: TrancheCondition::Time { unlocks_seconds: 0 },
            }],
        };
        let open = send::model_token::open_offering(developer, developer, model_address(entry), dollars(), args);
        self.act(DEVELOPER, "open an offering", &[open])?;
        self.pass(3 * MINUTE)
    }

    fn commit(&self, entry: &Entry, investor: Person, units: u64) -> anyhow::Result<()> {
        let key = investor.address();
        let commit = send::model_token::commit(key, key, model_address(entry), dollars(), units);
        self.act(investor, "commit", &[commit])
    }

    /// A sale that succeeded, half over its maximum.
    fn sell(&self, entry: &Entry) -> anyhow::Result<()> {
        let model = model_address(entry);
        self.offer(entry, 1, (10_000 * ONE, 30_000 * ONE))?;
        let investors = [(ALICE, 20_000 * ONE), (BOB, 15_000 * ONE), (CAROL, 10_000 * ONE)];
        for (investor, units) in investors {
            self.commit(entry, investor, units)?;
        }
        self.pass(DAY)?;
        let payer = PROTOCOL.address();
        self.act(
            PROTOCOL,
            "settle the offering",
            &[send::model_token::settle_offering(payer, model)],
        )?;
        for (investor, _) in investors {
            let key = investor.address();
            let address = at::model_token::commitment(&at::model_token::offering(&model), &key);
            let commitment: Commitment = self.cluster.account(&address)?;
            let account = send::create_token_account(key, key, at::model_token::mint(&model));
            let claim = send::model_token::claim_commitment(ClaimedCommitment {
                model,
                payment_mint: dollars(),
                investor: key,
                rent_payer: commitment.rent_payer,
                succeeded: true,
            });
            self.act(investor, "claim", &[account, claim])?;
        }
        let developer = DEVELOPER.address();
        let account = send::create_payment_account(developer, developer, dollars());
        let withdraw = send::model_token::withdraw_tranche(developer, model, dollars(), 0);
        self.act(DEVELOPER, "withdraw the proceeds", &[account, withdraw])?;
        let offering: Offering = self.cluster.account(&at::model_token::offering(&model))?;
        let pool = send::yield_distributor::create_pool(payer, &offering);
        self.act(PROTOCOL, "create the pool", &[pool])
    }

    fn stake(&self, entry: &Entry) -> anyhow::Result<()> {
        let pool_address = at::yield_distributor::pool(&model_address(entry));
        // Far from the end of an epoch, which a stake has to name.
        let epoch = self.cluster.now()?.slot / TERMS.epoch_slots + 1;
        self.cluster.travel_to(epoch * TERMS.epoch_slots)?;
        for (investor, units) in [(ALICE, 300_000 * ONE), (BOB, 123_456 * ONE)] {
            let owner = investor.address();
            let pool: Pool = self.cluster.account(&pool_address)?;
            let position: Option<Position> = self
                .cluster
                .find_account(&at::yield_distributor::position(&pool_address, &owner))?;
            let stake = send::yield_distributor::stake(owner, owner, &pool, position.as_ref(), epoch, units);
            self.act(investor, "stake", &[stake])?;
        }
        let active = epoch + yield_distributor::constants::ACTIVATION_EPOCHS;
        self.cluster.travel_to(active * TERMS.epoch_slots)
    }

    /// A sale that goes on, with somebody in it.
    pub fn offer_openly(&self, entry: &Entry) -> anyhow::Result<()> {
        self.offer(entry, 10, (20_000 * ONE, 60_000 * ONE))?;
        for (investor, units) in [(ALICE, 12_500 * ONE), (CAROL, 4_000 * ONE)] {
            self.commit(entry, investor, units)?;
        }
        Ok(())
    }

    /// An operator that can be found at `endpoint`. Nothing happens when it is registered already.
    pub fn register_operator(&self, operator: Person, answers: Person, endpoint: &str) -> anyhow::Result<()> {
        if self.is_there(&operator_address(operator))? {
            return Ok(());
        }
        let authority = operator.address();
        let profile = OperatorProfile {
            backup: OPERATOR_BACKUP.address(),
            endpoint: endpoint.into(),
            endpoint_key_hash: answer_key_hash(&answers.address()),
        };
        let register = send::opml_oracle::register_operator(authority, authority, dollars(), profile);
        let stake = send::opml_oracle::stake_bond(authority, operator_address(operator), dollars(), STAKE);
        self.act(operator, "register", &[register, stake])
    }

    /// The payer's credit on a model, with a session key.
    pub fn open_credit(&self, entry: &Entry) -> anyhow::Result<()> {
        let payer = PAYER.address();
        let model = model_address(entry);
        let credit = at::revenue_escrow::credit(&payer, &model);
        let session = GrantSessionArgs {
            key: SESSION.address(),
            limit_units: 1_000 * ONE,
            expires_unix: self.cluster.now()?.unix + 60 * DAY,
        };
        let open = send::revenue_escrow::open_credit(payer, payer, model);
        let deposit = send::revenue_escrow::deposit_credit(payer, credit, model, dollars(), 1_000 * ONE);
        let grant = send::revenue_escrow::grant_session(payer, payer, model, session);
        self.act(PAYER, "open a credit", &[open, deposit, grant])
    }

    /// The payer's lane to an operator. Nothing happens when it is open already.
    pub fn open_lane(&self, entry: &Entry, operator: Person) -> anyhow::Result<()> {
        let payer = PAYER.address();
        let model = model_address(entry);
        let operator = operator_address(operator);
        let credit = at::revenue_escrow::credit(&payer, &model);
        if self.is_there(&at::revenue_escrow::lane(&credit, &operator))? {
            return Ok(());
        }
        let lane = send::revenue_escrow::open_lane(payer, payer, model, operator, 200 * ONE, false);
        self.act(PAYER, "open a lane", &[lane])
    }

    fn is_there(&self, address: &Pubkey) -> anyhow::Result<bool> {
        let found = self
            .cluster
            .rpc()
            .get_account_with_commitment(address, self.cluster.rpc().commitment())?;
        Ok(found.value.is_some())
    }
}

/// Instructions of the faucet's that give somebody dollars.
pub fn give_dollars(owner: &Pubkey, units: u64) -> anyhow::Result<[Instruction; 2]> {
    let faucet = FAUCET.address();
    let account = at::payment_account(owner, &dollars());
    Ok([
        create_associated_token_account_idempotent(&faucet, owner, &dollars(), &token::ID),
        spl_token::instruction::mint_to(&token::ID, &dollars(), &account, &faucet, &[], units)?,
    ])
}

/// Everybody who has a key that pays fees.
pub fn fee_payers() -> Vec<Pubkey> {
    HOLDERS.iter().chain([&FAUCET]).map(|person| person.address()).collect()
}
