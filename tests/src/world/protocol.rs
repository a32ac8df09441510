//! The protocol's terms and its set-up.

use ::model_token::{
    instructions::InitProtocolArgs,
    state::{AuditTerms, DisputeTerms, ProtocolUpdate, RevenueSplit, Settings},
};
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle},
};
use solana_signer::Signer;

use super::{World, usdc};
use crate::{cast::Cast, landed::Outcome};

/// The genesis hash that vouchers name.
pub const CLUSTER: [u8; 32] = [0xC1; 32];

/// The protocol's share.
pub const PROTOCOL_BPS: u16 = 500;

/// Who gets what of a final report.
pub const SPLIT: RevenueSplit = RevenueSplit {
    holders_bps: 3_000,
    redeem_bps: 1_500,
    developer_bps: 1_000,
    operator_bps: 4_000,
    protocol_bps: PROTOCOL_BPS,
    contributors_bps: 0,
};

/// How long an update of the protocol waits: window, longest dispute and notice of [`terms`].
pub const TIMELOCK_SLOTS: u64 = 3_500;

/// Terms with the proportions of real ones and short times.
pub const fn terms() -> DisputeTerms {
    DisputeTerms {
        window_slots: 1_000,
        seal_slots: 2_000,
        response_slots: 200,
        clock_slots: 1_000,
        bond_ratio_bps: 20_000,
        min_bond_units: usdc(10),
        challenger_bond_units: usdc(5),
        open_fee_units: 100_000,
        move_cost_units: 200_000,
        prover_share_bps: 3_000,
        cost_cap_bps: 1_000,
        unbonding_slots: 4_000,
        notice_slots: 500,
        epoch_slots: 3_000,
        byte_fee_units: 10,
    }
}

impl World {
    /// A protocol that takes USDC, with a vault for stakes.
    pub fn with_protocol() -> (Self, Cast) {
        let (mut world, cast) = Self::empty();
        world.set_up(&cast);
        (world, cast)
    }

    /// The same on the virtual machine alone.
    pub fn light() -> (Self, Cast) {
        let (mut world, cast) = Self::empty_light();
        world.set_up(&cast);
        (world, cast)
    }

    /// The same under these terms.
    pub fn light_with_terms(terms: DisputeTerms) -> (Self, Cast) {
        let (mut world, cast) = Self::empty_light();
        let settings = Settings {
            timelock_slots: terms.window_slots + terms.longest_dispute_slots() + terms.notice_slots,
            terms,
            ..world.settings(&cast)
        };
        let args = InitProtocolArgs {
            settings,
            ..world.protocol_args(&cast)
        };
        world.set_up_with(&cast, args);
        (world, cast)
    }

    /// Sets the protocol up and makes the vault for stakes.
    pub fn set_up(&mut self, cast: &Cast) {
        self.set_up_with(cast, self.protocol_args(cast));
    }

    fn set_up_with(&mut self, cast: &Cast, args: InitProtocolArgs) {
        let deployer = cast.deployer.pubkey();
        let init = model_token::init_protocol(deployer, deployer, args);
        self.send(&[init], &[&cast.deployer]).expect_ok();
        let vault = opml_oracle::create_stake_vault(cast.stranger.pubkey(), self.usdc);
        self.send(&[vault], &[&cast.stranger]).expect_ok();
    }

    /// What the protocol is set up with.
    pub fn protocol_args(&self, cast: &Cast) -> InitProtocolArgs {
        InitProtocolArgs {
            authority: cast.authority.pubkey(),
            cluster: CLUSTER,
            settings: self.settings(cast),
        }
    }

    /// The settings of the set-up.
    pub fn settings(&self, cast: &Cast) -> Settings {
        Settings {
            guardian: cast.guardian.pubkey(),
            treasury: cast.treasury.pubkey(),
            payment_mints: vec![self.usdc],
            protocol_bps: PROTOCOL_BPS,
            terms: terms(),
            timelock_slots: TIMELOCK_SLOTS,
            audits: AuditTerms::default(),
        }
    }

    /// Versions to come are published under other terms.
    pub fn given_terms(&mut self, cast: &Cast, terms: DisputeTerms) {
        let settings = Settings {
            terms,
            ..self.settings(cast)
        };
        self.given_settings(cast, settings);
    }

    /// The authority's update has waited for its timelock and is in force.
    pub fn given_settings(&mut self, cast: &Cast, settings: Settings) {
        let update = self.given_proposal(cast, settings);
        let slot = self.now().slot;
        self.pass_slots(update.due.due_slot - slot + 1);
        self.send(&[model_token::execute_update(&update)], &[&cast.stranger])
            .expect_ok();
    }

    /// The authority has proposed an update.
    pub fn given_proposal(&mut self, cast: &Cast, settings: Settings) -> ProtocolUpdate {
        let authority = cast.authority.pubkey();
        let propose = model_token::propose_update(authority, authority, settings);
        self.send(&[propose], &[&cast.authority]).expect_ok();
        self.read(&addresses::model_token::protocol_update())
    }
}
