//! From nothing to a funded model: registration, offering, settlement, staking.

use anchor_spl::{
    associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent,
    token::{self, spl_token},
};
use imo_client::{addresses as at, instructions as send};
use model_token::{
    instructions::{InitProtocolArgs, OpenOfferingArgs, PublishVersionArgs, RegisterModelArgs},
    state::{Checkable, Commitment, Metadata, Offering, Settings, TrancheCondition, TrancheTerms, VestingTerms},
};
use opml::hashv;
use send::model_token::ClaimedCommitment;
use solana_program_pack::Pack;
use solana_system_interface::instruction::create_account;
use yield_distributor::state::{Pool, Position};

use super::Story;
use crate::{
    cluster::SLOT_MILLISECONDS,
    demo::{
        cast::{self, HOLDERS, INVESTORS, Role},
        terms,
    },
    format,
};

/// In seconds.
const MINUTE: i64 = 60;

/// The developer's first model, and its first version.
pub const MODEL_INDEX: u32 = 0;
pub const VERSION: u16 = 1;

impl Story<'_> {
    pub fn launch(&mut self) -> anyhow::Result<()> {
        self.stage.chapter("Play money and the protocol");
        self.make_dollars()?;
        self.set_up_protocol()?;
        self.stage.chapter("A developer registers a model and offers its token");
        self.register()?;
        self.offer()?;
        self.stage.chapter("The offering closes, half over its maximum");
        self.settle()?;
        self.stage.chapter("Two investors stake");
        self.stake()
    }

    fn make_dollars(&mut self) -> anyhow::Result<()> {
        let faucet = Role::Faucet.address();
        let mint = cast::keypair(cast::DOLLARS);
        let dollars = self.places.dollars;
        let rent = self.stage.cluster.rent(spl_token::state::Mint::LEN)?;
        let create = create_account(&faucet, &dollars, rent, spl_token::state::Mint::LEN as u64, &token::ID);
        let initialise = spl_token::instruction::initialize_mint2(&token::ID, &dollars, &faucet, None, 6)?;
        self.stage
            .act_with(Role::Faucet, "makes play dollars", &[create, initialise], &[&mint])?;
        for pair in HOLDERS.chunks(3) {
            let mut instructions = Vec::new();
            for role in pair {
                let units = self.ledger.dollars[role];
                let owner = role.address();
                instructions.push(create_associated_token_account_idempotent(
                    &faucet,
                    &owner,
                    &dollars,
                    &token::ID,
                ));
                if units > 0 {
                    let account = self.places.dollars_of(*role);
                    instructions.push(spl_token::instruction::mint_to(
                        &token::ID,
                        &dollars,
                        &account,
                        &faucet,
                        &[],
                        units,
                    )?);
                }
            }
            let names: Vec<_> = pair.iter().map(Role::to_string).collect();
            self.stage.act(
                Role::Faucet,
                format!("opens accounts for {}", names.join(", ")),
                &instructions,
            )?;
        }
        Ok(())
    }

    fn set_up_protocol(&mut self) -> anyhow::Result<()> {
        let protocol = Role::Protocol.address();
        let args = InitProtocolArgs {
            authority: protocol,
            cluster: self.stage.cluster.genesis_hash()?,
            settings: Settings {
                guardian: protocol,
                treasury: Role::Treasury.address(),
                payment_mints: vec![self.places.dollars],
                protocol_bps: terms::PROTOCOL_BPS,
                terms: terms::TERMS,
                timelock_slots: terms::TIMELOCK_SLOTS,
                audits: terms::AUDITS,
            },
        };
        let init = send::model_token::init_protocol(protocol, protocol, args);
        self.stage
            .act(Role::Protocol, "sets the protocol up as the upgrade authority", &[init])?;
        let vault = send::opml_oracle::create_stake_vault(protocol, self.places.dollars);
        self.stage
            .act(Role::Protocol, "opens the vault for stakes and bonds", &[vault])?;
        Ok(())
    }

    fn register(&mut self) -> anyhow::Result<()> {
        const DESCRIPTION: &str = "https://example.org/digits/model.json";
        const WEIGHTS: &str = "https://example.org/digits/digits.imo";
        let developer = Role::Developer.address();
        let header = *self.model.header();
        let args = RegisterModelArgs {
            index: MODEL_INDEX,
            metadata: Metadata {
                name: "Digits".into(),
                symbol: "DIGITS".into(),
                licence: "Apache-2.0".into(),
                uri: DESCRIPTION.into(),
                uri_hash: hashv(&[DESCRIPTION.as_bytes()]),
            },
        };
        let register = send::model_token::register_model(developer, developer, self.places.dollars, args);
        self.stage
            .act(Role::Developer, "registers the digits model", &[register])?;
        let args = PublishVersionArgs {
            arithmetic_version: header.arithmetic_version,
            node_count: header.node_count,
            constant_count: header.constant_count,
            graph_root: header.graph_root,
            weights_root: header.weights_root,
            input_spec: header.input.encode(),
            split: terms::SPLIT,
            price_units: terms::PRICE,
            checkable: Checkable::Anyone,
            weights_uri: WEIGHTS.into(),
            weights_uri_hash: hashv(&[WEIGHTS.as_bytes()]),
            contributors_bps: Vec::new(),
        };
        let publish = send::model_token::publish_version(developer, developer, self.places.model, VERSION, args);
        self.stage
            .act(Role::Developer, "publishes its first version", &[publish])?;
        self.stage.aside(
            Role::Developer,
            format!("model root {}", format::hex(&header.model_root())),
        );
        Ok(())
    }

    fn offer(&mut self) -> anyhow::Result<()> {
        let developer = Role::Developer.address();
        let now = self.stage.cluster.now()?.unix;
        let args = OpenOfferingArgs {
            sale_units: terms::SUPPLY,
            developer_units: 0,
            min_raise_units: terms::MIN_RAISE,
            max_raise_units: terms::MAX_RAISE,
            wallet_cap_units: 0,
            allowlist_root: [0; 32],
            allowlist_count: 0,
            // The clock moves between this reading and the transaction.
            opens_unix: now + 2 * MINUTE,
            tail_unix: now + terms::OFFERING_SECONDS - terms::TAIL_SECONDS,
            closes_unix: now + terms::OFFERING_SECONDS,
            buyer_vesting: VestingTerms::IMMEDIATE,
            developer_vesting: VestingTerms::default(),
            tranches: vec![TrancheTerms {
                share_bps: 10_000,
                condition: TrancheCondition::Time { unlocks_seconds: 0 },
            }],
        };
        let places = self.places;
        let open = send::model_token::open_offering(developer, developer, places.model, places.dollars, args);
        self.stage.act(
            Role::Developer,
            "offers 1,000,000 tokens for 10,000 to 30,000 dollars",
            &[open],
        )?;
        self.pass(3 * MINUTE)?;
        for (investor, units) in INVESTORS.into_iter().zip(terms::COMMITMENTS) {
            let key = investor.address();
            let commit = send::model_token::commit(key, key, places.model, places.dollars, units);
            self.stage
                .act(investor, format!("commits {} dollars", format::units(units)), &[commit])?;
            self.ledger.commit(investor, units);
        }
        self.pass(terms::OFFERING_SECONDS)
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        let places = self.places;
        let passerby = Role::Passerby.address();
        let settle = send::model_token::settle_offering(passerby, places.model);
        self.stage
            .act(Role::Passerby, "settles the offering; the token is made", &[settle])?;
        self.ledger.settle_offering();
        for investor in INVESTORS {
            let address = at::model_token::commitment(&places.offering, &investor.address());
            let commitment: Commitment = self.stage.cluster.account(&address)?;
            let claimed = ClaimedCommitment {
                model: places.model,
                payment_mint: places.dollars,
                investor: investor.address(),
                rent_payer: commitment.rent_payer,
                succeeded: true,
            };
            let key = investor.address();
            let account = send::create_token_account(key, key, at::model_token::mint(&places.model));
            let claim = send::model_token::claim_commitment(claimed);
            self.stage
                .act(investor, "claims tokens and the excess", &[account, claim])?;
            self.ledger.claim_commitment(investor);
        }
        let developer = Role::Developer.address();
        let account = send::create_payment_account(developer, developer, places.dollars);
        let withdraw = send::model_token::withdraw_tranche(developer, places.model, places.dollars, 0);
        self.stage
            .act(Role::Developer, "withdraws the proceeds", &[account, withdraw])?;
        self.ledger.withdraw_proceeds();
        let offering: Offering = self.stage.cluster.account(&places.offering)?;
        let pool = send::yield_distributor::create_pool(passerby, &offering);
        let vault = send::revenue_escrow::open_vault(passerby, places.model, places.dollars);
        self.stage.act(
            Role::Passerby,
            "opens the staking pool and the escrow's vault",
            &[pool, vault],
        )?;
        Ok(())
    }

    fn stake(&mut self) -> anyhow::Result<()> {
        // Far from the end of an epoch, which a stake has to name.
        let epoch = self.epoch()? + 1;
        self.stage.cluster.travel_to(epoch * terms::TERMS.epoch_slots)?;
        for (investor, units) in INVESTORS.into_iter().zip(terms::STAKES) {
            let owner = investor.address();
            let pool: Pool = self.stage.cluster.account(&self.places.pool)?;
            let position = at::yield_distributor::position(&self.places.pool, &owner);
            let position: Option<Position> = self.stage.cluster.find_account(&position)?;
            let stake = send::yield_distributor::stake(owner, owner, &pool, position.as_ref(), epoch, units);
            self.stage
                .act(investor, format!("stakes {} tokens", format::units(units)), &[stake])?;
            self.ledger.stake(investor, units);
        }
        self.stage
            .cluster
            .travel_to((epoch + yield_distributor::constants::ACTIVATION_EPOCHS) * terms::TERMS.epoch_slots)?;
        self.stage
            .aside(Role::Passerby, "waits two epochs until the stakes are active");
        Ok(())
    }

    /// The staking epoch that the chain is in.
    pub fn epoch(&self) -> anyhow::Result<u64> {
        Ok(self.stage.cluster.now()?.slot / terms::TERMS.epoch_slots)
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) -> anyhow::Result<()> {
        self.stage
            .cluster
            .advance(seconds.unsigned_abs() * 1_000 / SLOT_MILLISECONDS)
    }
}
