//! Every deadline of the four programs, one row each: what is possible until it, what after it, and with which error not.

mod audits;
mod escrow;
mod oracle;
mod token;

use std::collections::BTreeSet;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::instructions::revenue_escrow;
use imo_protocol::{Deadline, Now};
use imo_tests::{
    Cast, Outcome, World,
    models::{chain, honest},
    programs::{PROGRAMS, interface},
    world::{SPLIT, SUPPLY, Service, sign, usdc},
};
use serde_json::Value;
use solana_keypair::Keypair;

/// When something is over.
#[derive(Clone, Copy, Debug)]
enum When {
    /// When slot and second are past; a restart of the cluster gives an hour more.
    Both(Deadline),
    /// The same, where another deadline of the same world would move with a restart.
    Plain(Deadline),
    /// After this second, whatever the slot.
    Second(i64),
    /// After this slot, whatever the second.
    Slot(u64),
}

/// A transaction that is accepted on one side of a border, and refused with this code on the other.
struct Try {
    instructions: Vec<Instruction>,
    signers: Vec<Keypair>,
    refused: u32,
}

fn attempt(instructions: impl Into<Vec<Instruction>>, signers: &[&Keypair], refused: impl Into<u32>) -> Try {
    Try {
        instructions: instructions.into(),
        signers: signers.iter().map(|signer| signer.insecure_clone()).collect(),
        refused: refused.into(),
    }
}

/// One deadline in a world in which everything else is ready.
struct Border {
    /// The field of an account that holds it; of a voucher, its own.
    field: &'static str,
    name: &'static str,
    world: World,
    when: When,
    /// Accepted until then.
    in_time: Vec<Try>,
    /// Accepted from then on.
    past: Vec<Try>,
}

impl Border {
    /// Plays each transaction before, on and after the border: in slots and in seconds where both decide, and with a restart of the cluster in between.
    fn check(&self) {
        let assert_is = |now: Now, is_past: bool| {
            let tries = self.in_time.iter().map(|try_| (try_, !is_past));
            for (try_, accepted) in tries.chain(self.past.iter().map(|try_| (try_, is_past))) {
                let mut world = self.world.fork().expect("the world is a light one");
                world.set_now(now);
                let signers: Vec<&Keypair> = try_.signers.iter().collect();
                let outcome = world.send(&try_.instructions, &signers);
                let code = outcome.as_ref().err().map(|refused| refused.code());
                let expected = (!accepted).then_some(Some(try_.refused));
                let logs = outcome.as_ref().err().map(|refused| refused.logs.join("\n"));
                assert_eq!(code, expected, "{} at {now:?}, past: {is_past}: {logs:?}", self.name);
            }
        };
        let now = self.world.now();
        let around = |deadline: &Deadline| {
            for slots in [-1, 0, 1] {
                for seconds in [-1, 0, 1] {
                    let at = Now {
                        slot: deadline.due_slot.strict_add_signed(slots),
                        unix: deadline.due_unix + seconds,
                        ..now
                    };
                    assert_is(at, slots == 1 && seconds == 1);
                }
            }
        };
        match self.when {
            When::Both(deadline) => {
                around(&deadline);
                // When the cluster came back from a restart in the last slot.
                let restarted = Now {
                    last_restart_slot: deadline.due_slot,
                    ..now
                };
                let (slot, unix) = deadline.effective(restarted.last_restart_slot);
                assert!(slot > deadline.due_slot && unix > deadline.due_unix, "{}", self.name);
                for (slots, seconds) in [(0, 1), (1, 0), (1, 1)] {
                    let at = Now {
                        slot: slot + slots,
                        unix: unix + seconds,
                        ..restarted
                    };
                    assert_is(at, slots == 1 && seconds == 1);
                }
            }
            When::Plain(deadline) => around(&deadline),
            When::Second(last) => {
                for seconds in [-1, 0, 1] {
                    for slots in [0, 1_000_000] {
                        let at = Now {
                            slot: now.slot + slots,
                            unix: last + seconds,
                            ..now
                        };
                        assert_is(at, seconds == 1);
                    }
                }
            }
            When::Slot(last) => {
                for slots in [-1, 0, 1] {
                    for seconds in [0, 1_000_000] {
                        let at = Now {
                            slot: last.strict_add_signed(slots),
                            unix: now.unix + seconds,
                            ..now
                        };
                        assert_is(at, slots == 1);
                    }
                }
            }
        }
    }
}

/// Makes the worlds of some rows.
type Rows = fn() -> Vec<Border>;

macro_rules! table {
    ($($room:ident: $($name:ident)+;)+) => {
        /// The whole table.
        const TABLE: &[Rows] = &[$($($room::$name),+),+];

        /// One test for each entry of the table.
        mod given_a_deadline_when_just_before_on_and_after_it_then_exactly_what_is_due_is_possible {
            $($(
                #[test]
                fn $name() {
                    let borders = super::$room::$name();
                    assert!(!borders.is_empty());
                    for border in borders {
                        border.check();
                    }
                }
            )+)+
        }
    };
}

table! {
    oracle: collecting window turns shared_trace evidence demand unbonding jail key_change;
    escrow: notices sessions vouchers first_slots;
    audits: phases;
    token: update version metadata list pause offering settlement;
}

#[test]
fn given_a_stake_when_its_first_epoch_begins_then_it_earns_from_that_slot_on() {
    let (mut world, cast) = World::light();
    let model = chain(2);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_token(&cast, &published);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(10))]);
    world.finalise(&cast, &case.report);
    let staked_in = world.epoch(&published);
    world.given_stake(&published, &cast.alice, SUPPLY / 4);
    let first = (staked_in + 2) * world.pool(&published).epoch_slots;
    let holders = case.collected_units * u64::from(SPLIT.holders_bps) / 10_000;
    for (slot, earned) in [(first - 1, 0), (first, holders / 4), (first + 1, holders / 4)] {
        let mut world = world.fork().expect("the world is a light one");
        world.pass_until_slot(slot);
        world.split(&cast, &case.report);
        assert_eq!(
            world.pool(&published).owed_units,
            earned,
            "split in slot {slot} of {first}"
        );
    }
}

/// Times that are told and bound nothing: when something was, or what a report is about.
const NO_DEADLINES: [&str; 10] = [
    "Audit.deciding_slot",
    "AuditEntry.committed_slot",
    "AuditGame.traced_slot",
    "Clocks.turn_began_unix",
    "Deadline.due_slot",
    "Deadline.due_unix",
    "Deadline.opened_slot",
    "ModelVersion.live_since_slot",
    // Two fields in one: the period.
    "Report.period",
    "Trace.posted_slot",
];

#[test]
fn given_the_accounts_of_all_programs_when_their_times_are_read_then_the_table_has_each() {
    let mut times = BTreeSet::new();
    for program in &PROGRAMS {
        let interface = interface(program).expect("the programs are built");
        let accounts = interface["accounts"].as_array().expect("a program has accounts");
        for account in accounts {
            fields(&interface, account["name"].as_str().expect("it has a name"), &mut times);
        }
    }
    times.retain(|time| !NO_DEADLINES.iter().any(|known| time.starts_with(known)));
    let rows = TABLE.iter().flat_map(|rows| rows());
    let covered: BTreeSet<String> = rows.map(|border| border.field.to_owned()).collect();
    let missing: Vec<_> = times.difference(&covered).collect();
    assert!(missing.is_empty(), "no row of the table is about {missing:?}");
    assert!(times.len() > 15, "{times:?}");
}

/// The times in a type and in those that it is made of.
fn fields(interface: &Value, name: &str, times: &mut BTreeSet<String>) {
    let types = interface["types"].as_array().expect("a program has types");
    let found = types.iter().find(|found| found["name"] == name);
    for field in found
        .and_then(|found| found["type"]["fields"].as_array())
        .into_iter()
        .flatten()
    {
        let Some(field_name) = field["name"].as_str() else {
            continue;
        };
        let of = &field["type"];
        let defined = [&of["defined"], &of["option"]["defined"]]
            .into_iter()
            .find_map(|defined| defined["name"].as_str());
        let is_time = field_name.ends_with("_unix") || field_name.ends_with("_slot");
        if is_time || defined == Some("Deadline") {
            times.insert(format!("{name}.{field_name}"));
        }
        if let Some(defined) = defined {
            fields(interface, defined, times);
        }
    }
}

/// An open report, and what collects a customer's voucher for it that is good for so many seconds.
fn given_voucher(world: &mut World, cast: &Cast, service: &mut Service, seconds: i64) -> (Pubkey, [Instruction; 2]) {
    let report = world.given_report(&cast.operator, &service.published);
    let customer = &mut service.customer;
    let (receipts, _) = world.given_answers(customer, &[honest(&chain(2), 0, usdc(1))]);
    let voucher = sign(customer.voucher(world.now().unix + seconds), &customer.session);
    let lane = world.collected_lane(&cast.operator, customer, report);
    (report, revenue_escrow::collect(lane, &voucher, receipts.root()))
}

/// Sends a transaction that is part of the preparation.
fn send(world: &mut World, instruction: Instruction, signer: &Keypair) {
    world.send(&[instruction], &[signer]).expect_ok();
}
