//! The largest form of every instruction whose size varies must fit a transaction, with a compute limit and a priority fee before it.

use ::model_token::{
    constants::{
        MAX_ALLOWLIST_LEN, MAX_CONTRIBUTORS, MAX_LICENCE_LEN, MAX_NAME_LEN, MAX_PAYMENT_MINTS, MAX_SYMBOL_LEN,
        MAX_TRANCHES, MAX_URI_LEN,
    },
    instructions::{Allowance, InitProtocolArgs, OpenOfferingArgs, PublishVersionArgs, RegisterModelArgs},
    state::{AuditTerms, Metadata, Settings, TrancheCondition, TrancheTerms, VestingTerms},
};
use ::opml_oracle::{
    audit_game::{AuditGame, AuditPhase},
    constants::{MAX_ENDPOINT_LEN, MAX_FRONTIER_NODES, MAX_TILE_BYTES},
    data_game::{DataGame, Geometry},
    game::Game,
    instructions::ShownReceipt,
    state::{Audit, Dispute, Inquiry, Report, ReportStatus, Subject},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    challenge::staging::{MAX_TRANSACTION_BYTES, transaction_bytes},
    data::Demand,
    instructions::{
        audit,
        data::{self, Permission},
        model_token,
        opml_oracle::{self, OperatorProfile, Place},
        revenue_escrow::{self, CollectedLane, SplitReport, UpstreamPayment},
    },
};
use imo_protocol::{Collection, Deadline, Now, Voucher};
use imo_tests::{
    models::dense,
    world::{sign, sign_answer, version_args},
};
use opml::{
    Claim,
    model::{MAX_CONSTANTS, MAX_NODES},
};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn dispute() -> Dispute {
    let now = Now {
        slot: 1,
        unix: 1,
        last_restart_slot: 0,
    };
    let key = Pubkey::new_unique;
    Dispute {
        version: 1,
        bump: 255,
        report: key(),
        challenger: key(),
        nonce: 0,
        order: 0,
        operator: key(),
        mint: key(),
        commitment: [1; 32],
        collection: key(),
        receipt_index: 0,
        input_root: [2; 32],
        output_root: [3; 32],
        claim_hash: [4; 32],
        trace: key(),
        bond_units: 1,
        settled: false,
        payout_units: 0,
        rent_payer: key(),
        game: Game::open(&now, &imo_tests::world::terms(), &key(), 0, &[5; 32], MAX_NODES),
        reserved: [0; 64],
    }
}

/// Siblings that a demand shows at most: of a tree of four million tiles.
const MAX_DEMAND_PATH: u8 = 22;

fn report() -> Report {
    let key = Pubkey::new_unique;
    Report {
        version: 1,
        bump: 255,
        operator: key(),
        model: key(),
        model_version: key(),
        version_number: 1,
        model_root: [1; 32],
        node_count: 1,
        mint: key(),
        sequence: 0,
        generation: 0,
        status: ReportStatus::Sealed,
        period_start_unix: 0,
        period_end_unix: 1,
        bond_units: 1,
        max_collect_units: 1,
        seal_by: Deadline::default(),
        window: Deadline::default(),
        disputes_opened: 0,
        disputes_settled: 0,
        share_paid: false,
        slashed_units: 0,
        costs_paid_units: 0,
        open_traces: 0,
        terms: imo_tests::world::terms(),
        rent_payer: key(),
        open_inquiries: 0,
        demands_made: 0,
        demands_pending: 0,
        audits_drawn: 0,
        open_audits: 0,
        reserved: [0; 60],
    }
}

fn collection() -> Collection {
    let key = Pubkey::new_unique;
    Collection {
        version: 1,
        bump: 255,
        report: key(),
        lane: key(),
        lane_generation: 1,
        credit: key(),
        amount_units: 1,
        count: 65_536,
        first_sequence: 0,
        receipts_root: [1; 32],
        requests_root: [1; 32],
        rent_payer: key(),
        private: true,
        retracted: false,
        retraction_fee_units: 0,
        first_receipt: 0,
        reserved: [0; 24],
    }
}

fn inquiry() -> Inquiry {
    let key = Pubkey::new_unique;
    Inquiry {
        version: 1,
        bump: 255,
        report: key(),
        demander: key(),
        nonce: 1,
        operator: key(),
        mint: key(),
        subject: Subject::Constant { index: 0 },
        root: [1; 32],
        geometry: Geometry::Tensor { spec: [0; 18] },
        game: DataGame::default(),
        fees_units: 0,
        order: None,
        settled: false,
        payout_units: 0,
        reserved: [0; 64],
    }
}

fn drawn() -> Audit {
    let key = Pubkey::new_unique;
    Audit {
        version: 1,
        bump: 255,
        report: key(),
        number: 0,
        operator: key(),
        mint: key(),
        deciding_slot: 1,
        collection: key(),
        receipt_index: 0,
        by_permission: true,
        fee_units: 1,
        output_root: [1; 32],
        claim_hash: [1; 32],
        game: AuditGame {
            phase: AuditPhase::Asked,
            response_slots: 1,
            deadline: Deadline::default(),
            committed: 1,
            matched: 0,
            trace_root: [0; 32],
            traced_slot: 0,
        },
        settled: false,
        auditor_units: 0,
        open_entries: 1,
        rent_payer: key(),
        reserved: [0; 32],
    }
}

#[test]
fn given_the_largest_form_of_each_instruction_when_sent_with_a_priority_fee_then_it_fits() {
    let dispute = dispute();
    let digest = [6; 32];
    let key = Pubkey::new_unique;
    let path = |depth: u8| vec![[7; 32]; depth.into()];
    let deepest = opml::merkle::depth(MAX_NODES);
    // A collection holds at most 65,536 receipts.
    let place = Place {
        collection: key(),
        receipt_index: 0,
        salt: [8; 32],
        claim: Claim {
            model_root: [9; 32],
            input_root: [9; 32],
            output_root: [9; 32],
        },
        receipt_salt: [9; 32],
        path: path(16),
    };
    let receipt = ShownReceipt {
        index: 0,
        input_root: [1; 32],
        output_root: [1; 32],
        salt: [1; 32],
        path: path(16),
    };
    // Deeper places are reached from nodes that were shown before.
    let demand = Demand {
        level: 0,
        index: 0,
        hash: [1; 32],
        path: path(MAX_DEMAND_PATH),
    };
    let (report, collection, inquiry, drawn) = (report(), collection(), inquiry(), drawn());
    let model = dense(&[4, 3]);
    let session = Keypair::new();
    let voucher = Voucher {
        cluster: [1; 32],
        escrow: key(),
        lane: key(),
        lane_generation: 1,
        session: session.pubkey(),
        session_generation: 1,
        cumulative_amount_units: 1,
        cumulative_count: 1,
        requests_root: [1; 32],
        expires_unix: 1,
    };
    let lane = CollectedLane {
        authority: key(),
        rent_payer: key(),
        operator: key(),
        report: key(),
        credit: key(),
    };
    let split = SplitReport {
        rent_payer: key(),
        report: key(),
        operator: key(),
        operator_authority: key(),
        model: key(),
        developer: key(),
        model_version: key(),
        treasury: key(),
        mint: key(),
        due_marks: [Some(key()), Some(key())],
    };
    let profile = OperatorProfile {
        backup: key(),
        endpoint: "e".repeat(MAX_ENDPOINT_LEN),
        endpoint_key_hash: [1; 32],
    };
    let register = RegisterModelArgs {
        index: 1,
        metadata: Metadata {
            name: "n".repeat(MAX_NAME_LEN),
            symbol: "s".repeat(MAX_SYMBOL_LEN),
            uri: "u".repeat(MAX_URI_LEN),
            uri_hash: [1; 32],
            licence: "l".repeat(MAX_LICENCE_LEN),
        },
    };
    let contributors: Vec<Pubkey> = (0..MAX_CONTRIBUTORS).map(|_| key()).collect();
    let metadata = register.metadata.clone();
    let publish = PublishVersionArgs {
        weights_uri: "u".repeat(MAX_URI_LEN),
        contributors_bps: vec![1; MAX_CONTRIBUTORS],
        ..version_args(&model)
    };
    let tranche = TrancheTerms {
        share_bps: 2_500,
        condition: TrancheCondition::Revenue {
            others_units: 1,
            deadline_seconds: 1,
        },
    };
    let offering = OpenOfferingArgs {
        sale_units: 1,
        developer_units: 1,
        min_raise_units: 1,
        max_raise_units: 1,
        wallet_cap_units: 1,
        allowlist_root: [1; 32],
        allowlist_count: 1,
        opens_unix: 1,
        tail_unix: 1,
        closes_unix: 1,
        buyer_vesting: VestingTerms::IMMEDIATE,
        developer_vesting: VestingTerms::IMMEDIATE,
        tranches: vec![tranche; MAX_TRANCHES],
    };
    let allowance = Allowance {
        index: MAX_ALLOWLIST_LEN - 1,
        cap_units: 1,
        path: vec![[1; 32]; opml::merkle::depth(MAX_ALLOWLIST_LEN).into()],
    };
    let settings = Settings {
        guardian: key(),
        treasury: key(),
        payment_mints: (0..MAX_PAYMENT_MINTS).map(|_| key()).collect(),
        protocol_bps: 1,
        terms: imo_tests::world::terms(),
        timelock_slots: 1,
        audits: AuditTerms::default(),
    };
    let init = InitProtocolArgs {
        authority: key(),
        cluster: [1; 32],
        settings: settings.clone(),
    };
    let upstream = UpstreamPayment {
        rent_payer: key(),
        model: key(),
        model_version: key(),
        index: 0,
        upstream: key(),
        upstream_developer: key(),
        mint: key(),
        due_marks: [Some(key()), Some(key())],
    };
    let record = &model.nodes()[0];
    let answer = sign_answer(key(), place.claim, &session);
    let single = |instruction: Instruction| vec![instruction];
    let largest: Vec<(&str, Vec<Instruction>)> = vec![
        ("init_protocol", single(model_token::init_protocol(key(), key(), init))),
        (
            "propose_update",
            single(model_token::propose_update(key(), key(), settings)),
        ),
        (
            "collect",
            revenue_escrow::collect(lane, &sign(voucher, &session), [1; 32]).to_vec(),
        ),
        ("split", single(revenue_escrow::split(split))),
        ("pay_upstream", single(revenue_escrow::pay_upstream(upstream))),
        (
            "register_operator",
            single(opml_oracle::register_operator(key(), key(), key(), profile.clone())),
        ),
        (
            "update_operator",
            single(opml_oracle::update_operator(key(), key(), profile)),
        ),
        ("point", single(opml_oracle::point(&dispute, digest, &place))),
        (
            "post_trace",
            single(opml_oracle::post_trace(
                key(),
                key(),
                &dispute,
                digest,
                vec![[1; 32]; MAX_FRONTIER_NODES],
            )),
        ),
        (
            "post_trace_root",
            single(opml_oracle::post_trace_root(
                key(),
                key(),
                &dispute,
                digest,
                [1; 32],
                path(deepest),
            )),
        ),
        (
            "demand_node",
            single(opml_oracle::demand_node(
                &dispute,
                digest,
                0,
                model.header(),
                record,
                path(deepest),
            )),
        ),
        (
            "reveal",
            single(opml_oracle::reveal(&dispute, digest, vec![[1; 32]; MAX_FRONTIER_NODES])),
        ),
        (
            "reveal_tile",
            single(opml_oracle::reveal_tile(&dispute, digest, vec![1; MAX_TILE_BYTES])),
        ),
        (
            "open_receipts_inquiry",
            single(data::open_receipts_inquiry(
                key(),
                &report,
                &collection,
                Some(Permission::Session(key())),
                1,
            )),
        ),
        (
            "open_input_inquiry",
            single(data::open_input_inquiry(
                key(),
                &report,
                &collection,
                receipt.clone(),
                Some(Permission::Session(key())),
                1,
            )),
        ),
        (
            "open_constant_inquiry",
            single(data::open_constant_inquiry(
                key(),
                &report,
                0,
                &model.constant_records()[0],
                path(opml::merkle::depth(MAX_CONSTANTS)),
                1,
            )),
        ),
        ("demand_data", single(data::demand_data(&inquiry, &demand))),
        ("ask_audit", single(audit::ask_audit(&drawn, receipt.clone()))),
        (
            "post_audit_trace",
            single(audit::post_audit_trace(
                key(),
                key(),
                &drawn,
                vec![[1; 32]; MAX_FRONTIER_NODES],
            )),
        ),
        (
            "post_audit_trace_root",
            single(audit::post_audit_trace_root(
                key(),
                key(),
                &drawn,
                [1; 32],
                path(deepest),
            )),
        ),
        (
            "commit_audit",
            single(audit::commit_audit(
                key(),
                &drawn,
                &collection,
                Some(Permission::Session(key())),
                [1; 32],
            )),
        ),
        ("serve_data", single(data::serve_data(&inquiry, vec![1; 16 * 32]))),
        (
            "prove_wrong_question",
            single(opml_oracle::prove_wrong_question(&dispute, digest, key(), key())),
        ),
        (
            "prove_equivocation",
            opml_oracle::prove_equivocation(&dispute, digest, key(), key(), &answer).to_vec(),
        ),
        (
            "prove_malformed",
            single(opml_oracle::prove_malformed(&dispute, digest, key(), MAX_NODES)),
        ),
        (
            "punish_equivocation",
            opml_oracle::punish_equivocation(key(), key(), &[answer, answer]).to_vec(),
        ),
        (
            "register_model",
            single(model_token::register_model(key(), key(), key(), register)),
        ),
        (
            "publish_version",
            single(model_token::publish_version_of_contributors(
                key(),
                key(),
                key(),
                1,
                publish,
                &contributors,
            )),
        ),
        (
            "open_offering",
            single(model_token::open_offering(key(), key(), key(), key(), offering)),
        ),
        (
            "propose_metadata",
            single(model_token::propose_metadata(key(), key(), key(), metadata)),
        ),
        (
            "commit",
            single(model_token::commit_listed(key(), key(), key(), key(), 1, allowance)),
        ),
    ];
    let mut too_large = Vec::new();
    for (name, instructions) in largest {
        let limit = ComputeBudgetInstruction::set_compute_unit_limit(1_400_000);
        let price = ComputeBudgetInstruction::set_compute_unit_price(u64::MAX);
        // Whoever acts pays the fee, as everybody's wallet does.
        let acting = instructions
            .iter()
            .flat_map(|ix| &ix.accounts)
            .find(|meta| meta.is_signer);
        let payer = acting.map_or_else(Pubkey::new_unique, |meta| meta.pubkey);
        let all = [vec![limit, price], instructions].concat();
        let bytes = transaction_bytes(&all, &payer);
        if bytes > MAX_TRANSACTION_BYTES {
            too_large.push((name, bytes));
        }
    }
    assert!(too_large.is_empty(), "these fit no transaction: {too_large:?}");
}
