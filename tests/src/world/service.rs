//! A published model, an operator that serves it, and a customer that pays for it.

use ::model_token::{
    instructions::{PublishVersionArgs, RegisterModelArgs},
    state::{Checkable, Metadata, RevenueSplit},
};
use ::revenue_escrow::{
    instructions::GrantSessionArgs,
    state::{Lane, Session},
};
use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use imo_client::{
    addresses,
    answer::SignedAnswer,
    instructions::{
        model_token,
        opml_oracle::{self, OperatorProfile},
        revenue_escrow,
    },
    trees::RequestTree,
    voucher::SignedVoucher,
};
use imo_protocol::{Answer, Request, Voucher, answer_key_hash};
use opml_runtime::{Claim, Hash, Model, ModelHeader};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{SPLIT, World, protocol::CLUSTER, usdc};
use crate::{cast::Cast, landed::Outcome};

/// What an operator stakes.
pub const STAKE: u64 = usdc(1_000);
/// What a customer pays into its credit.
pub const CREDIT: u64 = usdc(500);
/// What it reserves for the operator.
pub const LANE: u64 = usdc(300);
/// How long a session lasts, in seconds.
const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A model with its first version live.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    pub model: Pubkey,
    pub version: Pubkey,
    pub developer: Pubkey,
    pub model_root: Hash,
}

/// Who pays, with what key vouchers are signed, and what was asked so far.
pub struct Customer {
    pub payer: Pubkey,
    pub credit: Pubkey,
    pub lane: Pubkey,
    pub lane_generation: u64,
    pub session: Keypair,
    pub session_generation: u64,
    pub model: Pubkey,
    pub operator: Pubkey,
    pub requests: RequestTree,
    pub spent_units: u64,
}

impl Customer {
    /// Asks once more: appends the request and owes its price.
    pub fn ask(&mut self, model_root: Hash, input_root: Hash, price_units: u64, salt: [u8; 32]) -> Request {
        let request = Request {
            lane: self.lane,
            sequence: self.requests.count(),
            model_root,
            input_root,
            price_units,
            salt,
        };
        self.requests.push(&request).expect("requests come in order");
        self.spent_units += price_units;
        request
    }

    /// What the customer signs for all that it asked so far.
    pub fn voucher(&self, expires_unix: i64) -> Voucher {
        Voucher {
            cluster: CLUSTER,
            escrow: ::revenue_escrow::ID,
            lane: self.lane,
            lane_generation: self.lane_generation,
            session: self.session.pubkey(),
            session_generation: self.session_generation,
            cumulative_amount_units: self.spent_units,
            cumulative_count: self.requests.count(),
            requests_root: self.requests.root(),
            expires_unix,
        }
    }
}

/// A voucher with the signature of `key`.
pub fn sign(voucher: Voucher, key: &Keypair) -> SignedVoucher {
    SignedVoucher {
        voucher,
        signature: *key.sign_message(&voucher.message()).as_array(),
    }
}

/// Everything that a report needs.
pub struct Service {
    pub published: Published,
    /// The operator account.
    pub operator: Pubkey,
    pub customer: Customer,
}

impl World {
    /// A model of the cast's developer.
    pub fn given_model(&mut self, cast: &Cast, runtime: &Model) -> Published {
        self.given_model_number(cast, 0, runtime)
    }

    /// The developer's model with this index.
    pub fn given_model_number(&mut self, cast: &Cast, index: u32, runtime: &Model) -> Published {
        self.given_header(cast, index, runtime.header())
    }

    /// The developer's model with this index, of which only the header is known: nobody may be able to run it.
    pub fn given_header(&mut self, cast: &Cast, index: u32, header: &ModelHeader) -> Published {
        self.given_header_checkable_by(cast, index, header, Checkable::Anyone)
    }

    /// The same for those who may check it.
    pub fn given_header_checkable_by(
        &mut self,
        cast: &Cast,
        index: u32,
        header: &ModelHeader,
        checkable: Checkable,
    ) -> Published {
        let version = PublishVersionArgs {
            checkable,
            ..version_args_of(header)
        };
        self.given_version_of(cast, index, header, version, &[])
    }

    /// The developer's model with this index, to whose first version others have contributed. Their shares, in basis points, are taken from the developer's.
    pub fn given_model_of_contributors(
        &mut self,
        cast: &Cast,
        index: u32,
        runtime: &Model,
        contributors: &[(Pubkey, u16)],
    ) -> Published {
        let contributed = contributed_args(runtime, contributors);
        let recipients: Vec<Pubkey> = contributors.iter().map(|(recipient, _)| *recipient).collect();
        self.given_version_of(cast, index, runtime.header(), contributed, &recipients)
    }

    fn given_version_of(
        &mut self,
        cast: &Cast,
        index: u32,
        header: &ModelHeader,
        first_version: PublishVersionArgs,
        contributors: &[Pubkey],
    ) -> Published {
        let developer = cast.developer.pubkey();
        let args = RegisterModelArgs {
            index,
            metadata: Metadata {
                name: "Digits".to_owned(),
                symbol: "DIGITS".to_owned(),
                licence: "Apache-2.0".to_owned(),
                uri: "ipfs://card".to_owned(),
                uri_hash: [1; 32],
            },
        };
        let register = model_token::register_model(developer, developer, self.usdc, args);
        let model = addresses::model_token::model(&developer, index);
        let publish =
            model_token::publish_version_of_contributors(developer, developer, model, 1, first_version, contributors);
        self.send(&[register], &[&cast.developer]).expect_ok();
        self.send(&[publish], &[&cast.developer]).expect_ok();
        let version = addresses::model_token::model_version(&model, 1);
        Published {
            model,
            version,
            developer,
            model_root: header.model_root(),
        }
    }

    /// An operator with a stake of [`STAKE`].
    pub fn given_operator(&mut self, authority: &Keypair, backup: &Pubkey) -> Pubkey {
        let (key, mint) = (authority.pubkey(), self.usdc);
        let operator = addresses::opml_oracle::operator(&key, &mint);
        self.given_usdc(&key, STAKE);
        let register = opml_oracle::register_operator(key, key, mint, profile(backup));
        let stake = opml_oracle::stake_bond(key, operator, mint, STAKE);
        self.send(&[register], &[authority]).expect_ok();
        self.send(&[stake], &[authority]).expect_ok();
        operator
    }

    /// The custody of a model's revenue.
    pub fn given_vault(&mut self, cast: &Cast, published: &Published) {
        let open = revenue_escrow::open_vault(cast.stranger.pubkey(), published.model, self.usdc);
        self.send(&[open], &[&cast.stranger]).expect_ok();
    }

    /// A payer with [`CREDIT`] on a model, of which [`LANE`] is reserved for an operator, and a session key. The model has its vault.
    pub fn given_customer(
        &mut self,
        payer: &Keypair,
        session: &Keypair,
        published: &Published,
        operator: Pubkey,
    ) -> Customer {
        self.given_customer_on(payer, session, published, operator, false)
    }

    /// The same with a private lane.
    pub fn given_private_customer(
        &mut self,
        payer: &Keypair,
        session: &Keypair,
        published: &Published,
        operator: Pubkey,
    ) -> Customer {
        self.given_customer_on(payer, session, published, operator, true)
    }

    fn given_customer_on(
        &mut self,
        payer: &Keypair,
        session: &Keypair,
        published: &Published,
        operator: Pubkey,
        private: bool,
    ) -> Customer {
        let (key, model, mint) = (payer.pubkey(), published.model, self.usdc);
        let credit = addresses::revenue_escrow::credit(&key, &model);
        let lane = addresses::revenue_escrow::lane(&credit, &operator);
        self.given_usdc(&key, CREDIT);
        let expires_unix = self.now().unix + SESSION_SECONDS;
        let grant = GrantSessionArgs {
            key: session.pubkey(),
            limit_units: LANE,
            expires_unix,
        };
        for instruction in [
            revenue_escrow::open_credit(key, key, model),
            revenue_escrow::deposit_credit(key, credit, model, mint, CREDIT),
            revenue_escrow::open_lane(key, key, model, operator, LANE, private),
            revenue_escrow::grant_session(key, key, model, grant),
        ] {
            self.send(&[instruction], &[payer]).expect_ok();
        }
        let session_account = addresses::revenue_escrow::session(&credit, &session.pubkey());
        Customer {
            payer: key,
            credit,
            lane,
            lane_generation: self.read::<Lane>(&lane).generation,
            session: session.insecure_clone(),
            session_generation: self.read::<Session>(&session_account).generation,
            model,
            operator,
            requests: RequestTree::default(),
            spent_units: 0,
        }
    }

    /// A published model, an operator and a customer.
    pub fn given_service(&mut self, cast: &Cast, runtime: &Model) -> Service {
        let published = self.given_model(cast, runtime);
        self.given_vault(cast, &published);
        let operator = self.given_operator(&cast.operator, &cast.backup.pubkey());
        let customer = self.given_customer(&cast.payer, &cast.session, &published, operator);
        Service {
            published,
            operator,
            customer,
        }
    }

    /// An empty associated account for the payment mint.
    pub fn given_payment_account(&mut self, cast: &Cast, owner: &Pubkey) {
        let payer = cast.stranger.pubkey();
        let create = create_associated_token_account_idempotent(&payer, owner, &self.usdc, &anchor_spl::token::ID);
        self.send(&[create], &[&cast.stranger]).expect_ok();
    }
}

/// What the operators of the tests sign their answers with. An answer names its operator, so that one key does for all.
pub fn answer_key() -> Keypair {
    Keypair::new_from_array([0xA5; 32])
}

/// An answer of an operator, signed with `key`.
pub fn sign_answer(operator: Pubkey, claim: Claim, key: &Keypair) -> SignedAnswer {
    let answer = Answer {
        cluster: CLUSTER,
        oracle: ::opml_oracle::ID,
        operator,
        claim,
    };
    SignedAnswer {
        answer,
        key: key.pubkey(),
        signature: *key.sign_message(&answer.message()).as_array(),
    }
}

/// Where an operator of the tests serves.
pub fn profile(backup: &Pubkey) -> OperatorProfile {
    OperatorProfile {
        backup: *backup,
        endpoint: "https://operator.example".to_owned(),
        endpoint_key_hash: answer_key_hash(&answer_key().pubkey()),
    }
}

/// What publishes a model under [`SPLIT`].
pub fn version_args(runtime: &Model) -> PublishVersionArgs {
    version_args_of(runtime.header())
}

/// What publishes a model whose contributors have these shares, in basis points, which are taken from the developer's.
pub fn contributed_args(runtime: &Model, contributors: &[(Pubkey, u16)]) -> PublishVersionArgs {
    version_args_of_contributors(runtime.header(), contributors)
}

/// The same of which only the header is known.
pub fn version_args_of_contributors(header: &ModelHeader, contributors: &[(Pubkey, u16)]) -> PublishVersionArgs {
    let contributors_bps: Vec<u16> = contributors.iter().map(|(_, bps)| *bps).collect();
    let sum: u16 = contributors_bps.iter().sum();
    PublishVersionArgs {
        split: RevenueSplit {
            developer_bps: SPLIT.developer_bps - sum,
            contributors_bps: sum,
            ..SPLIT
        },
        contributors_bps,
        ..version_args_of(header)
    }
}

fn version_args_of(header: &ModelHeader) -> PublishVersionArgs {
    PublishVersionArgs {
        arithmetic_version: header.arithmetic_version,
        node_count: header.node_count,
        constant_count: header.constant_count,
        graph_root: header.graph_root,
        weights_root: header.weights_root,
        input_spec: header.input.encode(),
        split: SPLIT,
        price_units: usdc(1),
        checkable: Checkable::Anyone,
        weights_uri: "ipfs://weights".to_owned(),
        weights_uri_hash: [3; 32],
        contributors_bps: Vec::new(),
    }
}
