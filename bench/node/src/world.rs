//! A chain that is a table, and payers with a lane each.

use std::{collections::HashMap, sync::Arc};

use anchor_lang::{AccountSerialize, Owner, prelude::Pubkey};
use imo_client::{
    addresses::revenue_escrow as at,
    payer::{Entry, PayingLane, Purse},
    voucher::SignedVoucher,
};
use imo_node::{
    chain::{Accounts, ChainError, RawAccount},
    gateway::{Identity, pay::payment_header},
    model::{Fast, ServedModel},
};
use imo_protocol::{Deadline, PUBLIC_SALT, Session, answer_key_hash};
use model_token::state::DisputeTerms;
use opml_oracle::state::Operator;
use opml_runtime::{Model, Tensor};
use revenue_escrow::state::{Credit, Lane};
use solana_keypair::Keypair;
use solana_sdk_ids::sysvar;
use solana_signer::Signer;

pub const CLUSTER: [u8; 32] = [7; 32];
pub const PRICE: u64 = 100;
const PLENTY: u64 = 1 << 50;
const NOW: i64 = 1_700_000_000;
const EXPIRES: i64 = NOW + 1_000_000;
const NEVER: Deadline = Deadline {
    opened_slot: 0,
    due_slot: 0,
    due_unix: 0,
};

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 9_000,
    seal_slots: 9_000,
    response_slots: 4_500,
    clock_slots: 13_500,
    bond_ratio_bps: 20_000,
    min_bond_units: 50,
    challenger_bond_units: 20,
    open_fee_units: 1,
    move_cost_units: 1,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 36_000,
    notice_slots: 18_000,
    epoch_slots: 36_000,
    byte_fee_units: 1,
};

/// A key that follows from what it is for and a number.
fn key(purpose: u8, number: u32) -> Keypair {
    let mut seed = [purpose; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    Keypair::new_from_array(seed)
}

pub fn model_address() -> Pubkey {
    key(1, 0).pubkey()
}

pub fn operator() -> Pubkey {
    key(2, 0).pubkey()
}

fn answer_key() -> Keypair {
    key(3, 0)
}

pub fn identity() -> Identity {
    Identity {
        cluster: CLUSTER,
        authority: key(4, 0).pubkey(),
        operator: operator(),
        mint: key(5, 0).pubkey(),
        answer_key: answer_key(),
    }
}

pub fn served(model: &Model) -> ServedModel {
    ServedModel {
        name: "model".into(),
        address: model_address(),
        developer: key(6, 0).pubkey(),
        version: 1,
        price_units: PRICE,
        terms: TERMS,
        executor: Arc::new(Fast::new(model, 1)),
        model: model.clone(),
        decoder: None,
    }
}

/// Somebody with money in a lane.
pub struct Payer {
    session: Keypair,
    credit: Pubkey,
    payer: Pubkey,
    pub lane: Pubkey,
    purse: Purse,
}

impl Payer {
    pub fn new(number: u32) -> Self {
        let payer = key(7, number).pubkey();
        let session = key(8, number);
        let credit = at::credit(&payer, &model_address());
        let lane = at::lane(&credit, &operator());
        let purse = Purse::new(PayingLane {
            cluster: CLUSTER,
            lane,
            lane_generation: 11,
            session: session.pubkey(),
            session_generation: 12,
            operator: operator(),
            answer_key_hash: answer_key_hash(&answer_key().pubkey()),
        });
        Self {
            session,
            credit,
            payer,
            lane,
            purse,
        }
    }

    /// The payment header of the next question.
    pub fn pay(&mut self, model: &Model, input: &Tensor) -> anyhow::Result<String> {
        let entry = Entry {
            model_root: model.model_root(),
            input_root: input.root(),
            price_units: PRICE,
            salt: PUBLIC_SALT,
        };
        let question = self.purse.ask(entry, EXPIRES)?;
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: self.session.sign_message(&question.voucher.message()).into(),
        };
        Ok(payment_header(&voucher, &PUBLIC_SALT))
    }
}

#[derive(Default)]
pub struct Table(HashMap<Pubkey, RawAccount>);

impl Table {
    /// The accounts of so many payers.
    pub fn of(payers: u32) -> anyhow::Result<Self> {
        let mut table = Self::default();
        for number in 0..payers {
            table.open_lane(&Payer::new(number))?;
        }
        let authority = identity().authority;
        table.put(
            operator(),
            &Operator {
                version: 1,
                bump: 255,
                authority,
                backup: authority,
                mint: identity().mint,
                generation: 13,
                stake_units: PLENTY,
                locked_units: 0,
                unbonding_units: 0,
                unbonding: NEVER,
                next_sequence: 0,
                open_reports: 0,
                open_disputes: 0,
                endpoint_key_hash: answer_key_hash(&answer_key().pubkey()),
                endpoint: String::new(),
                jail: NEVER,
                previous_key_hash: [0; 32],
                key_change: NEVER,
                reserved: [0; 64],
            },
        )?;
        let mut clock = vec![0; 40];
        clock[..8].copy_from_slice(&1_000u64.to_le_bytes());
        clock[32..].copy_from_slice(&NOW.to_le_bytes());
        table.put_raw(sysvar::clock::ID, sysvar::ID, clock);
        Ok(table)
    }

    fn open_lane(&mut self, payer: &Payer) -> anyhow::Result<()> {
        self.put(
            payer.credit,
            &Credit {
                version: 1,
                bump: 255,
                payer: payer.payer,
                model: model_address(),
                generation: 10,
                available_units: 0,
                reserved_units: PLENTY,
                withdrawing_units: 0,
                withdraw_deadline: NEVER,
                open_lanes: 1,
                open_sessions: 1,
                open_collections: 0,
                rent_payer: payer.payer,
                reserved: [0; 32],
            },
        )?;
        self.put(
            payer.lane,
            &Lane {
                version: 1,
                bump: 255,
                credit: payer.credit,
                operator: operator(),
                generation: 11,
                reserved_units: PLENTY,
                releasing_units: 0,
                release_deadline: NEVER,
                collected_units: 0,
                collected_count: 0,
                rent_payer: payer.payer,
                private: false,
                reserved: [0; 32],
            },
        )?;
        let session = payer.session.pubkey();
        self.put(
            at::session(&payer.credit, &session),
            &Session {
                version: 1,
                bump: 255,
                key: session,
                credit: payer.credit,
                generation: 12,
                limit_units: PLENTY,
                spent_units: 0,
                expires_unix: EXPIRES,
                revoke_deadline: NEVER,
                rent_payer: payer.payer,
                reserved: [0; 32],
            },
        )
    }

    fn put<T: AccountSerialize + Owner>(&mut self, address: Pubkey, account: &T) -> anyhow::Result<()> {
        let mut data = Vec::new();
        account.try_serialize(&mut data)?;
        self.put_raw(address, T::owner(), data);
        Ok(())
    }

    fn put_raw(&mut self, address: Pubkey, owner: Pubkey, data: Vec<u8>) {
        let account = RawAccount {
            owner,
            lamports: 1,
            data,
        };
        self.0.insert(address, account);
    }
}

#[async_trait::async_trait]
impl Accounts for Table {
    async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError> {
        Ok(addresses.iter().map(|address| self.0.get(address).cloned()).collect())
    }
}
