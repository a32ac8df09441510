//! What a payer's signature is good for, and what it is not.

use ::revenue_escrow::{
    errors::RevenueEscrowError,
    instructions::GrantSessionArgs,
    state::{Lane, Session},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::revenue_escrow::{self, CollectedLane},
    voucher::{SignedVoucher, verify_signature},
};
use imo_protocol::{Now, Voucher, deadline::RESTART_GRACE_SLOTS, errors::ProtocolError};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest},
    world::{LANE, Service, sign, terms, usdc},
};
use opml_runtime::Model;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

/// An open report, and one answer that is signed for and not collected.
struct Served {
    world: World,
    cast: Cast,
    service: Service,
    lane: CollectedLane,
    voucher: SignedVoucher,
    receipts_root: [u8; 32],
    model: Model,
}

fn given_a_voucher() -> Served {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let report = world.given_report(&cast.operator, &service.published);
    let asked = [honest(&model, 0, usdc(5)), honest(&model, 1, usdc(5))];
    let (receipts, voucher) = world.given_answers(&mut service.customer, &asked);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    Served {
        world,
        cast,
        service,
        lane,
        voucher,
        receipts_root: receipts.root(),
        model,
    }
}

impl Served {
    fn collect(&self) -> [Instruction; 2] {
        revenue_escrow::collect(self.lane, &self.voucher, self.receipts_root)
    }

    /// What `collect` states follows `stated`, what was signed is `signed`.
    fn collect_stating(&self, stated: Voucher, signed: SignedVoucher) -> [Instruction; 2] {
        let stated = SignedVoucher {
            voucher: stated,
            signature: [0; 64],
        };
        let [_, collect] = revenue_escrow::collect(self.lane, &stated, self.receipts_root);
        [signed.verify_instruction(), collect]
    }

    #[track_caller]
    fn refused(&mut self, instructions: &[Instruction], code: impl Into<u32>) {
        let Self { world, cast, .. } = self;
        world.send(instructions, &[&cast.operator]).expect_error(code);
    }

    fn accepted(&mut self, instructions: &[Instruction]) {
        let Self { world, cast, .. } = self;
        world.send(instructions, &[&cast.operator]).expect_ok();
    }
}

#[test]
fn given_a_voucher_when_each_of_its_fields_is_another_then_refused() {
    let mut served = given_a_voucher();
    let good = served.voucher.voucher;
    let other = Pubkey::new_unique();
    let altered = [
        Voucher {
            cluster: [9; 32],
            ..good
        },
        Voucher { escrow: other, ..good },
        Voucher { lane: other, ..good },
        Voucher {
            lane_generation: good.lane_generation + 1,
            ..good
        },
        Voucher {
            session_generation: good.session_generation + 1,
            ..good
        },
        Voucher {
            cumulative_amount_units: good.cumulative_amount_units + 1,
            ..good
        },
        Voucher {
            cumulative_count: good.cumulative_count + 1,
            ..good
        },
        Voucher {
            requests_root: [9; 32],
            ..good
        },
        Voucher {
            expires_unix: good.expires_unix + 1,
            ..good
        },
    ];
    for voucher in altered {
        let signed = sign(voucher, &served.cast.session);
        let instructions = served.collect_stating(good, signed);
        served.refused(&instructions, ProtocolError::WrongMessage);
    }
    // Of another session, with its own good signature.
    let session = Keypair::new();
    let signed = sign(
        Voucher {
            session: session.pubkey(),
            ..good
        },
        &session,
    );
    let instructions = served.collect_stating(good, signed);
    served.refused(&instructions, ProtocolError::WrongSigner);
    // The operator states more than the payer signed for.
    for stated in [
        Voucher {
            cumulative_amount_units: usdc(100),
            ..good
        },
        Voucher {
            cumulative_count: 3,
            ..good
        },
        Voucher {
            requests_root: [9; 32],
            ..good
        },
        Voucher {
            expires_unix: good.expires_unix + 1,
            ..good
        },
    ] {
        let instructions = served.collect_stating(stated, served.voucher);
        served.refused(&instructions, ProtocolError::WrongMessage);
    }
    let honest = served.collect();
    served.accepted(&honest);
}

#[test]
fn given_a_voucher_when_its_signature_is_not_directly_before_then_refused() {
    let mut served = given_a_voucher();
    let [check, collect] = served.collect();
    let payment = solana_system_interface::instruction::transfer(
        &served.cast.operator.pubkey(),
        &served.cast.stranger.pubkey(),
        1_000_000_000,
    );
    served.refused(std::slice::from_ref(&collect), ProtocolError::NoPrecedingInstruction);
    served.refused(
        &[check.clone(), payment.clone(), collect.clone()],
        ProtocolError::NotEd25519Program,
    );
    served.refused(&[collect.clone(), check.clone()], ProtocolError::NoPrecedingInstruction);
    served.refused(
        &[payment.clone(), collect.clone(), check.clone()],
        ProtocolError::NotEd25519Program,
    );
    let sysvar = solana_sdk_ids::sysvar::instructions::ID;
    let fake = swap(&collect, &sysvar, &served.cast.stranger.pubkey());
    served.refused(&[check.clone(), fake], ProtocolError::NotInstructionsSysvar);
    served.accepted(&[payment, check, collect]);
}

#[test]
fn given_a_signature_check_of_another_form_when_shown_then_refused_by_the_field() {
    let mut served = given_a_voucher();
    let [check, collect] = served.collect();
    let message = served.voucher.voucher.message();

    // Two signatures, of which the first is good.
    let second = verify_signature(&served.cast.session.pubkey(), &served.voucher.signature, &message);
    let mut two = check.clone();
    two.data[0] = 2;
    two.data.splice(16..16, second.data[2..16].to_vec());
    for offset in [2, 6, 10] {
        for header in [offset, offset + 14] {
            let value = u16::from_le_bytes([two.data[header], two.data[header + 1]]) + 14;
            two.data[header..header + 2].copy_from_slice(&value.to_le_bytes());
        }
    }
    served.refused(&[two, collect.clone()], ProtocolError::WrongEd25519DataLength);
    // None at all.
    let mut none = check.clone();
    none.data[0] = 0;
    none.data.truncate(2);
    served.refused(&[none, collect.clone()], ProtocolError::WrongEd25519DataLength);

    // Each of the three parts said to be in an instruction by its number, which might be another one.
    let by_number = 0u16.to_le_bytes();
    for (field, error) in [
        (4, ProtocolError::WrongSignatureInstruction),
        (8, ProtocolError::WrongKeyInstruction),
        (14, ProtocolError::WrongMessageInstruction),
    ] {
        let mut numbered = check.clone();
        numbered.data[field..field + 2].copy_from_slice(&by_number);
        served.refused(&[numbered, collect.clone()], error);
    }
    // The message that is checked is shorter than the one that is there.
    let mut shorter = check.clone();
    let half = sign_bytes(&served.cast.session, &message[..100]);
    shorter.data[48..112].copy_from_slice(&half);
    shorter.data[12..14].copy_from_slice(&100u16.to_le_bytes());
    served.refused(&[shorter, collect.clone()], ProtocolError::WrongMessageLength);
    served.accepted(&[check, collect]);
}

#[test]
fn given_a_collected_voucher_when_it_is_shown_again_then_it_adds_nothing() {
    let mut served = given_a_voucher();
    let collect = served.collect();
    served.accepted(&collect);
    // For the same report, and for the next one.
    served.refused(&collect, ALREADY_IN_USE);
    let published = served.service.published;
    served.lane.report = served.world.given_report(&served.cast.operator, &published);
    let again = served.collect();
    served.refused(&again, RevenueEscrowError::NothingToCollect);
    // One more answer makes a voucher over three, of which only the new one is collected.
    let asked = [honest(&served.model, 2, usdc(7))];
    let (receipts, voucher) = served.world.given_answers(&mut served.service.customer, &asked);
    (served.receipts_root, served.voucher) = (receipts.root(), voucher);
    let next = served.collect();
    served.accepted(&next);
    let collection = addresses::revenue_escrow::collection(&served.lane.report, &served.service.customer.lane);
    let collection: imo_protocol::Collection = served.world.read(&collection);
    assert_eq!(
        (collection.amount_units, collection.count, collection.first_sequence),
        (usdc(7), 1, 2)
    );
}

#[test]
fn given_one_signature_when_two_reports_collect_it_in_one_transaction_then_refused() {
    let mut served = given_a_voucher();
    let published = served.service.published;
    let [check, first] = served.collect();
    served.lane.report = served.world.given_report(&served.cast.operator, &published);
    let [_, second] = served.collect();
    served.refused(&[check, first, second], ProtocolError::NotEd25519Program);
}

#[test]
fn given_a_voucher_when_it_adds_receipts_without_money_or_money_without_receipts_then_refused() {
    let mut served = given_a_voucher();
    let good = served.voucher.voucher;
    for (voucher, error) in [
        (
            Voucher {
                cumulative_amount_units: 0,
                ..good
            },
            RevenueEscrowError::NoAmountToCollect,
        ),
        (
            Voucher {
                cumulative_count: 0,
                ..good
            },
            RevenueEscrowError::NothingToCollect,
        ),
        (
            Voucher {
                cumulative_count: 65_537,
                ..good
            },
            RevenueEscrowError::TooManyReceipts,
        ),
        (
            Voucher {
                cumulative_count: 1 << 32,
                ..good
            },
            RevenueEscrowError::LaneIsFull,
        ),
    ] {
        let signed = sign(voucher, &served.cast.session);
        let instructions = served.collect_stating(voucher, signed);
        served.refused(&instructions, error);
    }
}

#[test]
fn given_a_voucher_when_it_expires_then_good_in_its_last_second_and_for_the_grace_after_a_restart() {
    let mut served = given_a_voucher();
    let expires_unix = served.voucher.voucher.expires_unix;
    let collect = served.collect();
    let now = served.world.now();
    served.world.set_now(Now {
        unix: expires_unix + 1,
        ..now
    });
    served.refused(&collect, RevenueEscrowError::VoucherExpired);
    let restart = now.slot + 1;
    let restarted = Now {
        slot: restart + RESTART_GRACE_SLOTS + 1,
        unix: expires_unix + 10_000,
        last_restart_slot: restart,
    };
    served.world.set_now(restarted);
    served.refused(&collect, RevenueEscrowError::VoucherExpired);
    served.world.set_now(Now {
        unix: expires_unix,
        ..now
    });
    served.accepted(&collect);
}

#[test]
fn given_an_expired_voucher_when_the_cluster_was_down_meanwhile_then_collectable_for_an_hour() {
    let mut served = given_a_voucher();
    let expires_unix = served.voucher.voucher.expires_unix;
    let collect = served.collect();
    let now = served.world.now();
    served.world.set_now(Now {
        slot: now.slot + 10,
        unix: expires_unix + 10_000,
        last_restart_slot: now.slot + 5,
    });
    served.accepted(&collect);
}

#[test]
fn given_a_voucher_that_outlives_its_session_when_collected_then_refused() {
    let mut served = given_a_voucher();
    let session = addresses::revenue_escrow::session(&served.service.customer.credit, &served.cast.session.pubkey());
    let expires_unix = served.world.read::<Session>(&session).expires_unix + 1;
    let voucher = Voucher {
        expires_unix,
        ..served.voucher.voucher
    };
    let instructions = served.collect_stating(voucher, sign(voucher, &served.cast.session));
    served.refused(&instructions, RevenueEscrowError::VoucherOutlivesSession);
}

#[test]
fn given_a_revoked_session_when_its_vouchers_are_collected_then_good_for_the_notice_only() {
    for (slots, good) in [(terms().notice_slots, true), (terms().notice_slots + 1, false)] {
        let mut served = given_a_voucher();
        let (payer, model) = (served.cast.payer.pubkey(), served.service.published.model);
        let revoke = revenue_escrow::revoke_session(payer, model, served.cast.session.pubkey());
        served.world.send(&[revoke], &[&served.cast.payer]).expect_ok();
        served.world.pass_slots(slots);
        let collect = served.collect();
        if good {
            served.accepted(&collect);
        } else {
            served.refused(&collect, RevenueEscrowError::SessionRevoked);
        }
    }
}

#[test]
fn given_a_stolen_session_key_when_it_spends_then_no_more_than_its_limit() {
    let mut served = given_a_voucher();
    let (payer, model) = (served.cast.payer.pubkey(), served.service.published.model);
    let thief = Keypair::new();
    let expires_unix = served.world.now().unix + 7_200;
    let args = GrantSessionArgs {
        key: thief.pubkey(),
        limit_units: usdc(10) - 1,
        expires_unix,
    };
    let grant = revenue_escrow::grant_session(payer, payer, model, args);
    served.world.send(&[grant], &[&served.cast.payer]).expect_ok();
    let session = addresses::revenue_escrow::session(&served.service.customer.credit, &thief.pubkey());
    let session_generation = served.world.read::<Session>(&session).generation;
    let over = Voucher {
        session: thief.pubkey(),
        session_generation,
        ..served.voucher.voucher
    };
    let instructions = revenue_escrow::collect(served.lane, &sign(over, &thief), served.receipts_root);
    served.refused(&instructions, RevenueEscrowError::SessionLimit);
    let within = Voucher {
        cumulative_amount_units: usdc(10) - 1,
        ..over
    };
    let instructions = revenue_escrow::collect(served.lane, &sign(within, &thief), served.receipts_root);
    served.accepted(&instructions);
    assert_eq!(served.world.read::<Session>(&session).spent_units, usdc(10) - 1);
}

#[test]
fn given_a_lane_that_was_closed_and_opened_again_when_an_old_voucher_is_shown_then_refused() {
    let mut served = given_a_voucher();
    let (payer, model, operator) = (
        served.cast.payer.pubkey(),
        served.service.published.model,
        served.service.operator,
    );
    let Served { world, cast, .. } = &mut served;
    let lane_address = addresses::revenue_escrow::lane(&addresses::revenue_escrow::credit(&payer, &model), &operator);
    world
        .send(
            &[revenue_escrow::request_release(payer, model, operator, LANE)],
            &[&cast.payer],
        )
        .expect_ok();
    world.pass_slots(terms().notice_slots + 1);
    world
        .send(&[revenue_escrow::release_lane(payer, model, operator)], &[&cast.payer])
        .expect_ok();
    let lane: Lane = world.read(&lane_address);
    world
        .send(&[revenue_escrow::close_lane(payer, &lane)], &[&cast.payer])
        .expect_ok();
    world
        .send(
            &[revenue_escrow::open_lane(payer, payer, model, operator, LANE, false)],
            &[&cast.payer],
        )
        .expect_ok();
    assert_ne!(world.read::<Lane>(&lane_address).generation, lane.generation);
    let collect = served.collect();
    served.refused(&collect, ProtocolError::WrongMessage);
}

#[test]
fn given_a_voucher_when_collected_with_accounts_of_others_then_refused() {
    let mut served = given_a_voucher();
    let published = served.service.published;
    let [check, collect] = served.collect();
    let second = served.world.given_customer(
        &served.cast.alice,
        &served.cast.watcher,
        &published,
        served.service.operator,
    );
    let rival = served
        .world
        .given_operator(&served.cast.rival, &served.cast.backup.pubkey());
    let other = served.world.given_model_number(&served.cast, 1, &dense(&[4, 3]));
    let other_report = served.world.given_report(&served.cast.operator, &other);
    let rival_report = served.world.given_report(&served.cast.rival, &published);
    let customer = &served.service.customer;
    let [ours, theirs] = [
        (customer.credit, served.cast.session.pubkey()),
        (second.credit, served.cast.watcher.pubkey()),
    ]
    .map(|(credit, key)| addresses::revenue_escrow::session(&credit, &key));
    let bucket = |report: &Pubkey| addresses::revenue_escrow::bucket(report);
    let report = served.lane.report;
    let collection = |lane: &Pubkey| addresses::revenue_escrow::collection(&report, lane);
    let their_lane = swap(&collect, &customer.lane, &second.lane);
    let their_lane = swap(&their_lane, &collection(&customer.lane), &collection(&second.lane));
    served
        .world
        .send(&[check.clone(), their_lane], &[&served.cast.operator])
        .expect_error(RevenueEscrowError::WrongRelation);
    for (account, replacement, code) in [
        (
            customer.credit,
            second.credit,
            u32::from(RevenueEscrowError::WrongRelation),
        ),
        (ours, theirs, RevenueEscrowError::WrongRelation.into()),
        (
            served.service.operator,
            rival,
            RevenueEscrowError::NotOperatorAuthority.into(),
        ),
        (
            bucket(&report),
            bucket(&rival_report),
            RevenueEscrowError::WrongReport.into(),
        ),
    ] {
        let changed = swap(&collect, &account, &replacement);
        served.refused(&[check.clone(), changed], code);
    }
    // Whole and consistent, but for another model's report, or another operator's.
    for (report, code) in [
        (other_report, RevenueEscrowError::WrongModel),
        (rival_report, RevenueEscrowError::WrongOperator),
    ] {
        let lane = CollectedLane { report, ..served.lane };
        let instructions = revenue_escrow::collect(lane, &served.voucher, served.receipts_root);
        served.refused(&instructions, code);
    }
    // By somebody else than the operator's authority.
    let stranger = served.cast.stranger.pubkey();
    let lane = CollectedLane {
        authority: stranger,
        rent_payer: stranger,
        ..served.lane
    };
    let instructions = revenue_escrow::collect(lane, &served.voucher, served.receipts_root);
    let Served { world, cast, .. } = &mut served;
    world
        .send(&instructions, &[&cast.stranger])
        .expect_error(RevenueEscrowError::NotOperatorAuthority);
    served.accepted(&[check, collect]);
}

fn sign_bytes(key: &Keypair, message: &[u8]) -> [u8; 64] {
    *key.sign_message(message).as_array()
}
