//! What a step does, on the chain and in the ledger.

use std::collections::BTreeSet;

use ::model_token::state::OperatorAccess;
use ::opml_oracle::{
    instructions::ShownReceipt,
    state::{
        Dispute as DisputeAccount, Equivocation as EquivocationAccount, Inquiry as InquiryAccount,
        Operator as OperatorAccount, Report as ReportAccount, Trace,
    },
};
use ::revenue_escrow::{
    instructions::GrantSessionArgs,
    state::{Lane as LaneAccount, Session as SessionAccount},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    challenge::{
        evidence::reported,
        staging::{self, Proof},
    },
    data::Demand,
    instructions::{
        data, model_token,
        opml_oracle::{self, Place as PlaceShown, ReportTerms},
        revenue_escrow::{self, CollectedLane, SplitReport},
        yield_distributor::{self, due_marks},
    },
    trees::{ReceiptTree, RequestTree},
};
use imo_protocol::{Bucket, Collection, Now, Receipt, Request, Voucher as VoucherMessage};
use opml_runtime::{Claim, ClaimedTrace, execute, witness};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    audit,
    ledger::{Code, Ledger, PAYERS, Phase, Status, Voucher},
    run::Totals,
    stage::{Beginning, LaneBook, NODES, Place, Stage, two_claims},
    step::{Kind, Step},
};
use crate::{
    landed::Outcome,
    world::{CLUSTER, answer_key, sign, sign_answer, usdc},
};

/// What a call does to the ledger, or is refused with.
type Effect = Box<dyn Fn(&mut Ledger) -> Result<(), Code>>;

/// What somebody sends, and what the ledger makes of it.
struct Attempt {
    instructions: Vec<Instruction>,
    signer: Keypair,
    effect: Effect,
    /// Whether the very same can be sent twice.
    repeatable: bool,
}

/// How long a session and a voucher last, in seconds.
const SESSION_SECONDS: i64 = 4_000;
const VOUCHER_SECONDS: i64 = 1_500;
const SALT: [u8; 32] = [0x5A; 32];
/// Questions that operators may be caught answering in two ways.
const QUESTIONS: u8 = 3;

impl Stage {
    /// Plays on until where these histories begin, by steps like all others.
    pub fn begin(&mut self, beginning: Beginning) -> Totals {
        let mut totals = Totals::default();
        let mut play = |kind, who, what, amount| {
            let step = Step {
                kind,
                who,
                what,
                amount,
                again: false,
                legal: false,
            };
            self.play(&step, &mut totals);
        };
        if beginning == Beginning::Launched {
            return totals;
        }
        for payer in 0..2 {
            play(Kind::OpenCredit, payer, 0, 0);
            play(Kind::DepositCredit, payer, 0, 40_005);
            for operator in 0..2 {
                play(Kind::OpenLane, payer, operator, 20_005);
            }
            play(Kind::GrantSession, payer, 0, 2);
            play(Kind::Stake, payer, 0, 30_005);
        }
        if beginning == Beginning::InService {
            return totals;
        }
        for operator in 0..2 {
            play(Kind::PostReport, operator, 0, 20_005);
            for payer in 0..2 {
                for asked in 0..3 {
                    play(Kind::Ask, payer, operator, asked);
                }
                play(Kind::Collect, payer, 0, 0);
            }
            play(Kind::SealReport, operator, 0, 0);
        }
        if beginning == Beginning::Disputed {
            for challenger in 0..2 {
                for report in 0..2 {
                    play(Kind::OpenDispute, challenger, report, 7 + u16::from(report));
                }
            }
        }
        totals
    }

    /// Plays one step. Panics when the chain and the ledger disagree.
    pub fn play(&mut self, step: &Step, totals: &mut Totals) {
        totals.steps += 1;
        if step.kind == Kind::Prove || (step.kind == Kind::NextMove && self.is_next_a_proof(step)) {
            return self.play_proof(step, totals);
        }
        if step.kind == Kind::ProveEquivocation {
            return self.play_evidence(step, totals);
        }
        let (step, attempt) = match step.kind {
            Kind::Wait => return self.pass(u64::from(step.amount % 64)),
            Kind::WaitUntilDue => return self.pass_until_due(step),
            Kind::Restart => return self.restart(),
            Kind::Ask => return self.ask(step),
            _ if step.legal => match self.possible(step) {
                Some(found) => found,
                // Something may be possible when something has come due.
                None => return self.pass_until_due(step),
            },
            _ => match self.attempt(step) {
                Some(attempt) => (*step, attempt),
                // Nobody has anything to try here.
                None => return self.pass(1),
            },
        };
        let step = &step;
        let times = if step.again && attempt.repeatable { 2 } else { 1 };
        for _ in 0..times {
            self.send(step, &attempt, totals);
        }
    }

    /// The first variation of a step that the ledger allows.
    fn possible(&self, step: &Step) -> Option<(Step, Attempt)> {
        step.variations().find_map(|step| {
            let attempt = self.attempt(&step)?;
            let mut next = self.ledger.clone();
            (attempt.effect)(&mut next).is_ok().then_some((step, attempt))
        })
    }

    fn send(&mut self, step: &Step, attempt: &Attempt, totals: &mut Totals) -> bool {
        let mut next = self.ledger.clone();
        let foreseen = (attempt.effect)(&mut next);
        let named = attempt
            .instructions
            .iter()
            .flat_map(|instruction| &instruction.accounts);
        let mut addresses: BTreeSet<Pubkey> = named.map(|meta| meta.pubkey).collect();
        addresses.insert(attempt.signer.pubkey());
        let before = audit::Lamports::count(&self.world, &addresses);
        let sent = self.world.send(&attempt.instructions, &[&attempt.signer]);
        before.assert_only_fees(&self.world, &addresses, &attempt.signer.pubkey());
        match (foreseen, sent) {
            (Ok(()), Ok(_)) => {
                self.ledger = next;
                self.note(step);
                totals.landed += 1;
                audit::assert_agrees(self);
                true
            }
            (Err(code), Err(refused)) if refused.code() == Some(code.0) => {
                totals.refused += 1;
                false
            }
            (foreseen, sent) => panic!(
                "{step:?}: the ledger says {foreseen:?}, the programs {:?}\n{}",
                sent.as_ref().map(|_| ()).map_err(|refused| &refused.error),
                sent.as_ref()
                    .map_or_else(|refused| refused.logs.join("\n"), |landed| landed.logs.join("\n"))
            ),
        }
    }

    fn pass(&mut self, slots: u64) {
        self.world.pass_slots(slots);
        self.ledger.now = self.world.now();
    }

    /// Waits until one slot before something comes due, until then, or until it is past.
    fn pass_until_due(&mut self, step: &Step) {
        let now = self.now();
        let ledger = &self.ledger;
        let credits = ledger.credits.iter().flatten();
        let funds = credits.flat_map(|credit| {
            let lanes = credit.lanes.iter().flatten().map(|lane| lane.funds);
            lanes.chain([credit.funds]).filter_map(|funds| funds.due)
        });
        let operators = ledger
            .operators
            .iter()
            .flat_map(|operator| [operator.due, operator.jail])
            .flatten();
        let reports = ledger.reports.iter().filter(|report| !report.closed);
        let reports = reports.filter_map(|report| match report.status {
            Status::Open => Some(report.seal_by),
            Status::Sealed => report.window,
            Status::Final | Status::Rejected => None,
        });
        let turns = ledger
            .disputes
            .iter()
            .filter(|dispute| dispute.is_running())
            .map(|dispute| dispute.due);
        let demands = ledger.inquiries.iter().filter_map(|inquiry| inquiry.pending);
        let appointments = ledger.access.appointments.iter().flatten();
        let roles = appointments
            .filter_map(|appointment| appointment.dismissal)
            .chain(ledger.access.listing)
            .chain(ledger.update.iter().flat_map(|update| [update.due, update.due.lapse()]));
        let epochs = now.slot / ledger.pool.epoch_slots + 1;
        let mut slots: Vec<u64> = funds
            .chain(operators)
            .chain(reports)
            .chain(turns)
            .chain(demands)
            .chain(roles)
            .map(|due| due.slot)
            .collect();
        slots.push(epochs * ledger.pool.epoch_slots);
        slots.retain(|slot| *slot + 4 > now.slot);
        let Some(place) = step.one_of(slots.len()) else {
            return self.pass(1);
        };
        // A deadline is past with the second after its slot.
        let target = slots[place] + [0, 1, 2, 4][usize::from(step.amount % 4)] - 1;
        self.pass(target.saturating_sub(now.slot));
    }

    /// The cluster comes back from a restart.
    fn restart(&mut self) {
        self.pass(1);
        let now = self.now();
        self.set_now(Now {
            last_restart_slot: now.slot,
            ..now
        });
    }

    /// A payer asks an operator once more, and signs for it.
    fn ask(&mut self, step: &Step) {
        let (payer, operator) = (usize::from(step.who) % PAYERS, usize::from(step.what) % 2);
        let Some(lane) = self.ledger.credits[payer]
            .as_ref()
            .and_then(|credit| credit.lanes[operator].as_ref())
        else {
            return;
        };
        let generation = lane.generation;
        let book = &mut self.lanes[payer][operator];
        if book.generation != generation {
            *book = LaneBook {
                generation,
                ..LaneBook::default()
            };
        }
        book.asked.push(usize::from(step.amount) % self.catalogue.len());
    }

    fn is_next_a_proof(&self, step: &Step) -> bool {
        self.running(step)
            .is_some_and(|dispute| self.ledger.disputes[dispute].phase == Phase::TileKnown)
    }

    /// A dispute that is not paid out.
    fn dispute(&self, step: &Step) -> Option<usize> {
        let open: Vec<usize> = (0..self.ledger.disputes.len())
            .filter(|dispute| !self.ledger.disputes[*dispute].closed)
            .collect();
        step.one_of(open.len()).map(|place| open[place])
    }

    /// A dispute in which somebody has to move.
    fn running(&self, step: &Step) -> Option<usize> {
        let running: Vec<usize> = (0..self.ledger.disputes.len())
            .filter(|dispute| self.ledger.disputes[*dispute].is_running())
            .collect();
        step.one_of(running.len()).map(|place| running[place])
    }

    /// A report whose account is there.
    fn report(&self, step: &Step) -> Option<usize> {
        let live: Vec<usize> = (0..self.ledger.reports.len())
            .filter(|report| !self.ledger.reports[*report].closed)
            .collect();
        step.recent_of(live.len()).map(|place| live[place])
    }

    /// A report, and a payer of whom something was collected for it.
    fn collection(&self, step: &Step) -> Option<(usize, usize)> {
        let report = self.report(step)?;
        let bucket = self.ledger.reports[report].bucket.as_ref()?;
        let payers: Vec<usize> = bucket.collections.keys().copied().collect();
        let place = usize::from(step.who).checked_rem(payers.len())?;
        Some((report, payers[place]))
    }

    fn attempt(&self, step: &Step) -> Option<Attempt> {
        let who = usize::from(step.who) % 2;
        let other = usize::from(step.what) % 2;
        let model = self.published.model;
        let mint = self.mint();
        let ledger = &self.ledger;
        let payer = || self.payers[who].insecure_clone();
        let payer_key = self.payers[who].pubkey();
        let stranger = || self.stranger.insecure_clone();
        let stranger_key = self.stranger.pubkey();
        let funds = ledger.credits[who].as_ref().map_or(0, |credit| credit.funds.total());
        let lane_funds = ledger.credits[who]
            .as_ref()
            .and_then(|credit| credit.lanes[other].as_ref())
            .map_or(0, |lane| lane.funds.total());
        let holder = || self.holders[who].insecure_clone();
        let holder_key = self.holders[who].pubkey();
        let developer = || self.developer.insecure_clone();
        let developer_key = self.developer.pubkey();
        let pool = || self.world.pool(&self.published);
        let wallet = |key: &Pubkey| ledger.wallets.get(key).copied().unwrap_or(0);
        let tokens = ledger.tokens.get(&holder_key).copied().unwrap_or(0);
        Some(match step.kind {
            Kind::SetPause => {
                let until = if step.amount.is_multiple_of(3) {
                    self.now().unix + i64::from(step.amount % 1_000)
                } else {
                    0
                };
                of(
                    self.guardian.insecure_clone(),
                    model_token::set_pause(self.guardian.pubkey(), until),
                    move |ledger| ledger.set_pause(until),
                )
            }

            Kind::SetOperatorAccess => {
                let listed = step.amount.is_multiple_of(3);
                let access = if listed {
                    OperatorAccess::Listed
                } else {
                    OperatorAccess::Open
                };
                of(
                    developer(),
                    model_token::set_operator_access(developer_key, model, access),
                    move |ledger| ledger.set_listed(listed),
                )
            }
            Kind::AppointOperator => {
                let authority = ledger.people.operators[who];
                of(
                    developer(),
                    model_token::appoint_operator(developer_key, developer_key, model, authority),
                    move |ledger| ledger.appoint(who),
                )
            }
            Kind::DismissOperator => {
                let authority = ledger.people.operators[who];
                of(
                    developer(),
                    model_token::dismiss_operator(developer_key, model, authority),
                    move |ledger| ledger.dismiss(who),
                )
            }
            Kind::CloseAppointment => {
                ledger.access.appointments[who].as_ref()?;
                let appointment = self.world.read(&self.appointment_account(who));
                of(
                    stranger(),
                    model_token::close_appointment(&appointment),
                    move |ledger| ledger.close_appointment(who),
                )
            }
            Kind::ProposeUpdate => {
                let mut settings = self.settings.clone();
                settings.terms.min_bond_units = usdc(10 + u64::from(step.what % 8));
                let (key, bond, timelock) = (
                    self.authority.pubkey(),
                    settings.terms.min_bond_units,
                    settings.timelock_slots,
                );
                of(
                    self.authority.insecure_clone(),
                    model_token::propose_update(key, key, settings),
                    move |ledger| ledger.propose_update(timelock, bond),
                )
            }
            Kind::ExecuteUpdate | Kind::CancelUpdate => {
                ledger.update?;
                let update = self.world.read(&addresses::model_token::protocol_update());
                let by_authority = step.what.is_multiple_of(2);
                match step.kind {
                    Kind::ExecuteUpdate => of(stranger(), model_token::execute_update(&update), |ledger| {
                        ledger.execute_update()
                    }),
                    _ => {
                        let caller = match by_authority {
                            true => self.authority.insecure_clone(),
                            false => stranger(),
                        };
                        let cancel = model_token::cancel_update(caller.pubkey(), &update);
                        of(caller, cancel, move |ledger| ledger.cancel_update(by_authority))
                    }
                }
            }

            Kind::OpenCredit => of(
                payer(),
                revenue_escrow::open_credit(payer_key, payer_key, model),
                move |ledger| ledger.open_credit(who),
            ),
            Kind::DepositCredit => {
                let units = step.units(wallet(&payer_key));
                let credit = self.credit_account(who);
                of(
                    payer(),
                    revenue_escrow::deposit_credit(payer_key, credit, model, mint, units),
                    move |ledger| ledger.deposit_credit(who, units),
                )
            }
            Kind::RequestWithdraw => {
                let units = step.units(funds);
                of(
                    payer(),
                    revenue_escrow::request_withdraw(payer_key, model, units),
                    move |ledger| ledger.request_withdraw(who, units),
                )
            }
            Kind::WithdrawCredit => {
                let destination = addresses::payment_account(&payer_key, &mint);
                of(
                    payer(),
                    revenue_escrow::withdraw_credit(payer_key, model, mint, destination),
                    move |ledger| ledger.withdraw_credit(who),
                )
            }
            Kind::CloseCredit => {
                ledger.credits[who].as_ref()?;
                let credit = self.world.read(&self.credit_account(who));
                of(payer(), revenue_escrow::close_credit(&credit), move |ledger| {
                    ledger.close_credit(who)
                })
            }
            Kind::OpenLane => {
                let units = step.units(funds);
                let operator = self.operator_account(other);
                let authority = ledger.people.operators[other];
                let open = match ledger.access.appointments[other] {
                    Some(_) => revenue_escrow::open_lane_to_appointed(
                        payer_key, payer_key, model, operator, authority, units, false,
                    ),
                    None => revenue_escrow::open_lane(payer_key, payer_key, model, operator, units, false),
                };
                of(payer(), open, move |ledger| ledger.open_lane(who, other, units))
            }
            Kind::FundLane => {
                let units = step.units(funds);
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::fund_lane(payer_key, model, operator, units),
                    move |ledger| ledger.fund_lane(who, other, units),
                )
            }
            Kind::RequestRelease => {
                let units = step.units(lane_funds);
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::request_release(payer_key, model, operator, units),
                    move |ledger| ledger.request_release(who, other, units),
                )
            }
            Kind::ReleaseLane => {
                let operator = self.operator_account(other);
                of(
                    payer(),
                    revenue_escrow::release_lane(payer_key, model, operator),
                    move |ledger| ledger.release_lane(who, other),
                )
            }
            Kind::CloseLane => {
                ledger.credits[who].as_ref()?.lanes[other].as_ref()?;
                let lane: LaneAccount = self.world.read(&self.lane_account(who, other));
                of(payer(), revenue_escrow::close_lane(payer_key, &lane), move |ledger| {
                    ledger.close_lane(who, other)
                })
            }
            Kind::GrantSession => {
                let limit = step.units(wallet(&payer_key).max(funds) * 2);
                let expires_unix = self.now().unix
                    + if step.what == 0 {
                        SESSION_SECONDS * 9
                    } else {
                        SESSION_SECONDS
                    };
                let args = GrantSessionArgs {
                    key: self.sessions[who].pubkey(),
                    limit_units: limit,
                    expires_unix,
                };
                of(
                    payer(),
                    revenue_escrow::grant_session(payer_key, payer_key, model, args),
                    move |ledger| ledger.grant_session(who, limit, expires_unix),
                )
            }
            Kind::RevokeSession => of(
                payer(),
                revenue_escrow::revoke_session(payer_key, model, self.sessions[who].pubkey()),
                move |ledger| ledger.revoke_session(who),
            ),
            Kind::CloseSession => {
                ledger.credits[who].as_ref()?.session.as_ref()?;
                let address =
                    addresses::revenue_escrow::session(&self.credit_account(who), &self.sessions[who].pubkey());
                let session: SessionAccount = self.world.read(&address);
                of(stranger(), revenue_escrow::close_session(&session), move |ledger| {
                    ledger.close_session(who)
                })
            }
            Kind::Collect | Kind::CollectReplayed => return self.collect(step, who),
            Kind::AnnounceRetraction => {
                let (report, payer) = self.collection(step)?;
                let operator = self.operators[ledger.reports[report].operator].insecure_clone();
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(
                    operator.insecure_clone(),
                    revenue_escrow::announce_retraction(operator.pubkey(), &state, &collection),
                    move |ledger| ledger.announce_retraction(report, payer),
                )
            }
            Kind::Split => {
                let report = self.report(step)?;
                ledger.reports[report].bucket.as_ref()?;
                let pool = pool();
                let split = SplitReport {
                    rent_payer: stranger_key,
                    report: self.report_account(report),
                    operator: self.operator_account(ledger.reports[report].operator),
                    operator_authority: ledger.people.operators[ledger.reports[report].operator],
                    model,
                    developer: ledger.people.developer,
                    model_version: self.published.version,
                    treasury: ledger.people.treasury,
                    mint,
                    due_marks: due_marks(&pool, self.now().slot / pool.epoch_slots),
                };
                of(stranger(), revenue_escrow::split(split), move |ledger| {
                    ledger.split(report)
                })
            }
            Kind::Refund => {
                let (report, payer) = self.collection(step)?;
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                of(stranger(), revenue_escrow::refund(&collection), move |ledger| {
                    ledger.refund(report, payer)
                })
            }
            Kind::CloseCollection => {
                let (report, payer) = self.collection(step)?;
                let collection: Collection = self.world.read(&self.collection_account(report, payer));
                of(
                    stranger(),
                    revenue_escrow::close_collection(&collection),
                    move |ledger| ledger.close_collection(report, payer),
                )
            }
            Kind::CloseBucket => {
                let report = self.report(step)?;
                ledger.reports[report].bucket.as_ref()?;
                let bucket: Bucket = self
                    .world
                    .read(&addresses::revenue_escrow::bucket(&self.report_account(report)));
                of(stranger(), revenue_escrow::close_bucket(&bucket), move |ledger| {
                    ledger.close_bucket(report)
                })
            }
            Kind::WithdrawEarnings => {
                let people = &ledger.people;
                let everybody = [
                    people.developer,
                    people.treasury,
                    people.operators[0],
                    people.operators[1],
                ];
                let whom = everybody[usize::from(step.what) % 4];
                of(
                    stranger(),
                    revenue_escrow::withdraw_earnings(stranger_key, model, whom, mint),
                    move |ledger| ledger.withdraw_earnings(&whom),
                )
            }
            Kind::WithdrawContribution => {
                let index = usize::from(step.what) % ledger.contributors.len();
                let (whom, _) = ledger.contributors[index];
                let withdraw = revenue_escrow::withdraw_contribution(
                    stranger_key,
                    model,
                    self.published.version,
                    index as u8,
                    whom,
                    mint,
                );
                of(stranger(), withdraw, move |ledger| ledger.withdraw_contribution(index))
            }

            Kind::StakeBond => {
                let key = self.operators[who].pubkey();
                let units = step.units(wallet(&key));
                of(
                    self.operators[who].insecure_clone(),
                    opml_oracle::stake_bond(key, self.operator_account(who), mint, units),
                    move |ledger| ledger.stake_bond(who, units),
                )
            }
            Kind::RequestUnbond => {
                let key = self.operators[who].pubkey();
                let units = step.units(ledger.operators[who].free());
                of(
                    self.operators[who].insecure_clone(),
                    opml_oracle::request_unbond(key, mint, units),
                    move |ledger| ledger.request_unbond(who, units),
                )
            }
            Kind::WithdrawBond => {
                let key = self.operators[who].pubkey();
                let recipient = addresses::payment_account(&key, &mint);
                of(
                    self.operators[who].insecure_clone(),
                    opml_oracle::withdraw_bond(key, mint, recipient),
                    move |ledger| ledger.withdraw_bond(who),
                )
            }
            Kind::PostReport => {
                let key = self.operators[who].pubkey();
                let bond_units = step.units(ledger.operators[who].free());
                let operator: OperatorAccount = self.world.read(&self.operator_account(who));
                let terms = ReportTerms {
                    model,
                    version: 1,
                    bond_units,
                    period_start_unix: 0,
                    period_end_unix: 1,
                };
                let post = match ledger.access.appointments[who] {
                    Some(_) => opml_oracle::post_report_as_appointed(key, &operator, terms),
                    None => opml_oracle::post_report(key, &operator, terms),
                };
                let report = addresses::opml_oracle::report(&self.operator_account(who), operator.next_sequence);
                Attempt {
                    instructions: vec![post, revenue_escrow::open_bucket(key, report)],
                    signer: self.operators[who].insecure_clone(),
                    effect: Box::new(move |ledger| ledger.post_report(who, bond_units)),
                    repeatable: false,
                }
            }
            Kind::SealReport | Kind::SealReportByStranger => {
                let report = self.report(step)?;
                let by_operator = step.kind == Kind::SealReport;
                let signer = match by_operator {
                    true => self.operators[ledger.reports[report].operator].insecure_clone(),
                    false => stranger(),
                };
                let state: ReportAccount = self.world.read(&self.report_account(report));
                let seal = opml_oracle::seal_report(signer.pubkey(), &state);
                of(signer, seal, move |ledger| ledger.seal_report(report, by_operator))
            }
            Kind::FinaliseReport => {
                let report = self.report(step)?;
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(stranger(), opml_oracle::finalise_report(&state), move |ledger| {
                    ledger.finalise_report(report)
                })
            }
            Kind::CloseReport => {
                let report = self.report(step)?;
                let state: ReportAccount = self.world.read(&self.report_account(report));
                of(stranger(), opml_oracle::close_report(&state), move |ledger| {
                    ledger.close_report(report)
                })
            }
            Kind::CloseTrace => {
                let report = self.report(step)?;
                let claim = *ledger.reports[report].traces.first()?;
                let trace: Trace = self
                    .world
                    .read(&addresses::opml_oracle::trace(&self.report_account(report), &claim));
                of(stranger(), opml_oracle::close_trace(&trace), move |ledger| {
                    ledger.close_trace(report, &claim)
                })
            }
            Kind::OpenDispute => return self.open_dispute(step, who),
            Kind::NextMove => {
                let dispute = self.running(step)?;
                let kind = match ledger.disputes[dispute].phase {
                    Phase::Opened => Kind::Point,
                    Phase::Pointed if self.is_trace_there(dispute) => Kind::AttachTrace,
                    Phase::Pointed => Kind::PostTrace,
                    Phase::Traced => Kind::DemandNode,
                    Phase::Demanded => Kind::RevealTile,
                    Phase::TileKnown | Phase::Proven | Phase::Lost => return None,
                };
                return self.move_of(dispute, kind, step);
            }
            Kind::Point
            | Kind::PostTrace
            | Kind::AttachTrace
            | Kind::DemandNode
            | Kind::RevealTile
            | Kind::RevealOtherBytes => {
                return self.move_of(self.dispute(step)?, step.kind, step);
            }
            Kind::TimeOut => {
                let dispute = self.dispute(step)?;
                self.is_report_there(dispute)?;
                of(stranger(), opml_oracle::timeout(&self.state(dispute)), move |ledger| {
                    ledger.time_out(dispute)
                })
            }
            Kind::SettleDispute => {
                let dispute = self.dispute(step)?;
                self.is_report_there(dispute)?;
                of(
                    stranger(),
                    opml_oracle::settle_dispute(&self.state(dispute)),
                    move |ledger| ledger.settle_dispute(dispute),
                )
            }
            Kind::WithdrawPayout => {
                let dispute = self.dispute(step)?;
                of(
                    stranger(),
                    opml_oracle::withdraw_payout(stranger_key, &self.state(dispute)),
                    move |ledger| ledger.withdraw_payout(dispute),
                )
            }

            Kind::OpenInquiry => return self.open_inquiry(step, who),
            Kind::DemandData
            | Kind::ServeData
            | Kind::ServeOtherBytes
            | Kind::TimeOutDemand
            | Kind::SettleInquiry
            | Kind::WithdrawInquiry => return self.inquire(step),
            Kind::PunishEquivocation => {
                let question = step.what % QUESTIONS;
                let challenger = self.challengers[other].insecure_clone();
                let operator = self.operator_account(who);
                let answers = two_claims(question).map(|claim| sign_answer(operator, claim, &answer_key()));
                Attempt {
                    instructions: opml_oracle::punish_equivocation(challenger.pubkey(), mint, &answers).into(),
                    signer: challenger,
                    effect: Box::new(move |ledger| ledger.punish_equivocation(who, question, other)),
                    repeatable: true,
                }
            }
            Kind::SettleEquivocation | Kind::WithdrawReward | Kind::CloseEquivocation => {
                let shown: Vec<(usize, u8)> = ledger.equivocations.keys().copied().collect();
                let (operator, question) = shown[step.one_of(shown.len())?];
                let state: EquivocationAccount = self.world.read(&self.equivocation_account(operator, question));
                match step.kind {
                    Kind::SettleEquivocation => {
                        of(stranger(), opml_oracle::settle_equivocation(&state), move |ledger| {
                            ledger.settle_equivocation(operator, question)
                        })
                    }
                    Kind::WithdrawReward => of(
                        stranger(),
                        opml_oracle::withdraw_reward(stranger_key, &state),
                        move |ledger| ledger.withdraw_reward(operator, question),
                    ),
                    _ => of(stranger(), opml_oracle::close_equivocation(&state), move |ledger| {
                        ledger.close_equivocation(operator, question)
                    }),
                }
            }

            Kind::Stake => {
                let units = step.units(tokens);
                of(
                    holder(),
                    self.world.stake_of(&self.published, &holder_key, units),
                    move |ledger| ledger.stake(who, units),
                )
            }
            Kind::Unstake => {
                let position = self.world.position(&self.published, &holder_key)?;
                let units = step.units(position.active_units + position.pending_units);
                of(
                    holder(),
                    yield_distributor::unstake(&pool(), &position, units),
                    move |ledger| ledger.unstake(who, units),
                )
            }
            Kind::Claim => {
                let position = self.world.position(&self.published, &holder_key)?;
                of(
                    stranger(),
                    yield_distributor::claim(stranger_key, &pool(), &position),
                    move |ledger| ledger.claim(who),
                )
            }
            Kind::Redeem => {
                let units = step.units(tokens);
                of(
                    holder(),
                    yield_distributor::redeem(holder_key, holder_key, &pool(), units),
                    move |ledger| ledger.redeem(who, units),
                )
            }
            Kind::ClosePosition => {
                let position = self.world.position(&self.published, &holder_key)?;
                of(
                    stranger(),
                    yield_distributor::close_position(&position),
                    move |ledger| ledger.close_position(who),
                )
            }
            Kind::CloseEpochMark => {
                let marks: Vec<u64> = ledger.pool.marks.iter().copied().collect();
                let epoch = marks[step.one_of(marks.len())?];
                let address = addresses::yield_distributor::pool(&model);
                let mark = self
                    .world
                    .read(&addresses::yield_distributor::epoch_mark(&address, epoch));
                of(stranger(), yield_distributor::close_epoch_mark(&mark), move |ledger| {
                    ledger.close_epoch_mark(epoch)
                })
            }
            Kind::Wait | Kind::WaitUntilDue | Kind::Restart | Kind::Ask | Kind::Prove | Kind::ProveEquivocation => {
                return None;
            }
        })
    }

    /// An operator brings the voucher over all that a payer asked so far, or the last one once more.
    fn collect(&self, step: &Step, payer: usize) -> Option<Attempt> {
        let report = self.report(step)?;
        let operator = self.ledger.reports[report].operator;
        let credit = self.ledger.credits[payer].as_ref()?;
        let (lane, session) = (credit.lanes[operator].as_ref()?, credit.session.as_ref()?);
        let book = &self.lanes[payer][operator];
        let voucher = match step.kind {
            Kind::CollectReplayed => book.collected?,
            _ => Voucher {
                lane_generation: book.generation,
                session_generation: session.generation,
                units: book.asked.iter().map(|asked| self.catalogue[*asked].price_units).sum(),
                count: book.asked.len() as u64,
                expires_unix: self.now().unix + VOUCHER_SECONDS,
            },
        };
        let address = self.lane_account(payer, operator);
        let mut requests = RequestTree::default();
        let mut receipts = ReceiptTree::new(lane.collected_count);
        for (sequence, asked) in (0..).zip(&book.asked).take(usize::try_from(voucher.count).ok()?) {
            let asked = &self.catalogue[*asked];
            let request = Request {
                lane: address,
                sequence,
                model_root: asked.claim.model_root,
                input_root: asked.claim.input_root,
                price_units: asked.price_units,
                salt: asked.salt,
            };
            requests.push(&request).expect("requests come in order");
            if sequence >= lane.collected_count {
                let receipt = Receipt {
                    lane: address,
                    sequence,
                    claim: asked.claim,
                    salt: asked.salt,
                };
                receipts.push(&receipt).expect("receipts come in order");
            }
        }
        let message = VoucherMessage {
            cluster: CLUSTER,
            escrow: ::revenue_escrow::ID,
            lane: address,
            lane_generation: voucher.lane_generation,
            session: self.sessions[payer].pubkey(),
            session_generation: voucher.session_generation,
            cumulative_amount_units: voucher.units,
            cumulative_count: voucher.count,
            requests_root: requests.root(),
            expires_unix: voucher.expires_unix,
        };
        let authority = self.operators[operator].insecure_clone();
        let lane = CollectedLane {
            authority: authority.pubkey(),
            rent_payer: authority.pubkey(),
            operator: self.operator_account(operator),
            report: self.report_account(report),
            credit: self.credit_account(payer),
        };
        let signed = sign(message, &self.sessions[payer]);
        Some(Attempt {
            instructions: revenue_escrow::collect(lane, &signed, receipts.root()).into(),
            signer: authority,
            effect: Box::new(move |ledger| ledger.collect(payer, report, &voucher)),
            repeatable: true,
        })
    }

    fn open_dispute(&self, step: &Step, who: usize) -> Option<Attempt> {
        let report = self.report(step)?;
        let challenger = self.challengers[who].insecure_clone();
        let key = challenger.pubkey();
        let nonce = self.ledger.disputes.len() as u64;
        let address = addresses::opml_oracle::dispute(&self.report_account(report), &key, nonce);
        let commitment = match self.place_to_dispute(report, step) {
            Some(place) => self.shown(report, &place).commitment(&address),
            None => [0; 32],
        };
        let state: ReportAccount = self.world.read(&self.report_account(report));
        Some(once(
            challenger,
            opml_oracle::open_dispute(key, key, &state, nonce, commitment),
            move |ledger| ledger.open_dispute(report, who),
        ))
    }

    fn open_inquiry(&self, step: &Step, who: usize) -> Option<Attempt> {
        let report = self.report(step)?;
        let place = self.place_to_dispute(report, step)?;
        let demander = self.challengers[who].insecure_clone();
        let PlaceShown {
            claim,
            receipt_salt,
            path,
            ..
        } = self.shown(report, &place);
        let receipt = ShownReceipt {
            index: place.receipt,
            input_root: claim.input_root,
            output_root: claim.output_root,
            salt: receipt_salt,
            path,
        };
        let collection: Collection = self.world.read(&self.collection_account(report, place.payer));
        let state: ReportAccount = self.world.read(&self.report_account(report));
        let nonce = self.ledger.inquiries.len() as u64;
        let open = data::open_input_inquiry(demander.pubkey(), &state, &collection, receipt, None, nonce);
        Some(once(demander, open, move |ledger| ledger.open_inquiry(report, who)))
    }

    /// What somebody does about an inquiry that is not paid out.
    fn inquire(&self, step: &Step) -> Option<Attempt> {
        let open: Vec<usize> = (0..self.ledger.inquiries.len())
            .filter(|inquiry| !self.ledger.inquiries[*inquiry].closed)
            .collect();
        let inquiry = open[step.one_of(open.len())?];
        let asked = &self.ledger.inquiries[inquiry];
        // A settled one can outlive its report.
        let is_report_there = !self.ledger.reports[asked.report].closed;
        if !is_report_there && step.kind != Kind::WithdrawInquiry {
            return None;
        }
        let state: InquiryAccount = self.world.read(&self.inquiry_account(inquiry));
        let stranger = self.stranger.insecure_clone();
        let key = stranger.pubkey();
        Some(match step.kind {
            Kind::DemandData => {
                let demander = self.challengers[asked.demander].insecure_clone();
                let root = Demand {
                    level: 0,
                    index: 0,
                    hash: state.root,
                    path: Vec::new(),
                };
                of(demander, data::demand_data(&state, &root), move |ledger| {
                    ledger.demand_data(inquiry)
                })
            }
            Kind::ServeData | Kind::ServeOtherBytes => {
                let is_it = step.kind == Kind::ServeData;
                let input = &self.catalogue[self.asked_about[inquiry].asked].input;
                let mut tile = input.tile(0).expect("an input has a tile").to_vec();
                if !is_it {
                    tile[0] ^= 1;
                }
                of(stranger, data::serve_data(&state, tile), move |ledger| {
                    ledger.serve_data(inquiry, is_it)
                })
            }
            Kind::TimeOutDemand => of(stranger, data::time_out_demand(&state), move |ledger| {
                ledger.time_out_demand(inquiry)
            }),
            Kind::SettleInquiry => of(stranger, data::settle_inquiry(&state), move |ledger| {
                ledger.settle_inquiry(inquiry)
            }),
            _ => of(stranger, data::withdraw_inquiry(key, &state), move |ledger| {
                ledger.withdraw_inquiry(inquiry)
            }),
        })
    }

    /// A receipt of a report that a dispute can be about.
    fn place_to_dispute(&self, report: usize, step: &Step) -> Option<Place> {
        let bucket = self.ledger.reports[report].bucket.as_ref()?;
        let payers: Vec<usize> = bucket.collections.keys().copied().collect();
        let payer = payers[usize::from(step.amount >> 8).checked_rem(payers.len())?];
        let collection = &bucket.collections[&payer];
        let receipt = u64::from(step.amount) % collection.count;
        let book = &self.lanes[payer][self.ledger.reports[report].operator];
        Some(Place {
            payer,
            receipt: u32::try_from(receipt).ok()?,
            asked: *book.asked.get(usize::try_from(collection.first + receipt).ok()?)?,
        })
    }

    /// A place as a challenger shows it.
    fn shown(&self, report: usize, place: &Place) -> PlaceShown {
        let operator = self.ledger.reports[report].operator;
        let lane = self.lane_account(place.payer, operator);
        let bucket = self.ledger.reports[report].bucket.as_ref().expect("it is disputed");
        let collection = &bucket.collections[&place.payer];
        let mut receipts = ReceiptTree::new(collection.first);
        let book = &self.lanes[place.payer][operator];
        for sequence in collection.first..collection.first + collection.count {
            let asked = &self.catalogue[book.asked[sequence as usize]];
            let receipt = Receipt {
                lane,
                sequence,
                claim: asked.claim,
                salt: asked.salt,
            };
            receipts.push(&receipt).expect("receipts come in order");
        }
        let asked = &self.catalogue[place.asked];
        PlaceShown {
            collection: self.collection_account(report, place.payer),
            receipt_index: place.receipt,
            salt: SALT,
            claim: asked.claim,
            receipt_salt: asked.salt,
            path: receipts.path(place.receipt).expect("the collection has it"),
        }
    }

    fn state(&self, dispute: usize) -> DisputeAccount {
        self.world.read(&self.dispute_account(dispute))
    }

    fn is_report_there(&self, dispute: usize) -> Option<()> {
        (!self.ledger.reports[self.ledger.disputes[dispute].report].closed).then_some(())
    }

    fn is_trace_there(&self, dispute: usize) -> bool {
        let dispute = &self.ledger.disputes[dispute];
        let traces = &self.ledger.reports[dispute.report].traces;
        dispute.claim.is_some_and(|claim| traces.contains(&claim))
    }

    fn move_of(&self, dispute: usize, kind: Kind, step: &Step) -> Option<Attempt> {
        self.is_report_there(dispute)?;
        let place = self.places.get(dispute).copied().flatten()?;
        let asked = &self.catalogue[place.asked];
        let claim = asked.claim.claim_hash();
        let state = self.state(dispute);
        let digest = state.game.digest;
        let opened = &self.ledger.disputes[dispute];
        let challenger = self.challengers[opened.challenger].insecure_clone();
        let operator = self.operators[self.ledger.reports[opened.report].operator].insecure_clone();
        let node = if kind == step.kind { step.amount % 3 } else { 0 };
        let node = u8::try_from(node).expect("it is at most two");
        match kind {
            Kind::Point => {
                let bucket = self.ledger.reports[opened.report].bucket.as_ref()?;
                bucket.collections.get(&place.payer)?;
                let shown = self.shown(opened.report, &place);
                let payer = place.payer;
                Some(of(
                    challenger,
                    opml_oracle::point(&state, digest, &shown),
                    move |ledger| ledger.point(dispute, payer, claim),
                ))
            }
            Kind::PostTrace => {
                opened.claim?;
                let roots = asked.answer.roots().to_vec();
                let key = operator.pubkey();
                Some(of(
                    operator,
                    opml_oracle::post_trace(key, key, &state, digest, roots),
                    move |ledger| ledger.post_trace(dispute, claim),
                ))
            }
            Kind::AttachTrace => {
                opened.claim?;
                Some(of(
                    self.stranger.insecure_clone(),
                    opml_oracle::attach_trace(&state, digest),
                    move |ledger| ledger.attach_trace(dispute, claim),
                ))
            }
            Kind::DemandNode => {
                let shown = node.min(NODES - 1);
                let demand = opml_oracle::demand_node(
                    &state,
                    digest,
                    node,
                    self.model.header(),
                    &self.model.nodes()[usize::from(shown)],
                    self.model.graph().path(0, shown.into()),
                );
                Some(of(challenger, demand, move |ledger| {
                    ledger.demand_node(dispute, node, NODES)
                }))
            }
            Kind::RevealTile | Kind::RevealOtherBytes => {
                let is_it = kind == Kind::RevealTile;
                let output = &asked.answer.outputs()[usize::from(opened.node)];
                let mut tile = output.tile(0).expect("an output has a tile").to_vec();
                if !is_it {
                    tile[0] ^= 1;
                }
                let reveal = opml_oracle::reveal_tile(&state, digest, tile);
                Some(of(self.stranger.insecure_clone(), reveal, move |ledger| {
                    ledger.reveal_tile(dispute, is_it)
                }))
            }
            _ => None,
        }
    }

    /// A challenger stages its witness and has the referee look at the element that is wrong, if one is.
    fn play_proof(&mut self, step: &Step, totals: &mut Totals) {
        let candidate = self
            .running(step)
            .filter(|dispute| self.ledger.disputes[*dispute].phase == Phase::TileKnown)
            .and_then(|dispute| Some((dispute, self.places[dispute]?)));
        let Some((dispute, place)) = candidate else {
            return self.pass(1);
        };
        let asked = &self.catalogue[place.asked];
        let truth = execute(&self.model, &asked.input).expect("the input fits the model");
        let opened = &self.ledger.disputes[dispute];
        let node = opened.node;
        let (own, claimed) = (
            &truth.outputs()[usize::from(node)],
            &asked.answer.outputs()[usize::from(node)],
        );
        let is_false = asked.claim != truth.claim();
        if is_false && node > 0 {
            // What is behind the lie follows from it: there is no witness of the own execution for it.
            return self.pass(1);
        }
        let differs = own
            .bytes()
            .iter()
            .zip(claimed.bytes())
            .position(|(own, claimed)| own != claimed);
        let element = u32::try_from(differs.unwrap_or(0)).expect("a row is short");
        let roots = ClaimedTrace::whole(asked.answer.roots());
        let witness = witness::build(&self.model, &truth, &roots, node.into(), 0, element).expect("the node has it");
        let state = self.state(dispute);
        let challenger = self.challengers[opened.challenger].insecure_clone();
        let key = self.world.key();
        let proof = Proof {
            dispute: &state,
            element,
            witness: &witness,
            witness_account: key.pubkey(),
            lamports: self.world.rent_of(staging::account_bytes(&witness)),
        };
        let mut staged = staging::stage_and_prove(&proof, &[]);
        let last = staged.pop().expect("a proof is at least one transaction");
        for instructions in staged {
            self.world.send(&instructions, &[&challenger, &key]).expect_ok();
        }
        let attempt = Attempt {
            instructions: last,
            signer: challenger.insecure_clone(),
            effect: Box::new(move |ledger| ledger.prove(dispute, is_false)),
            repeatable: false,
        };
        self.send(step, &attempt, totals);
        let close = opml_oracle::close_witness(challenger.pubkey(), key.pubkey());
        self.world.send(&[close], &[&challenger]).expect_ok();
    }

    /// A challenger shows another signed answer to the question of its receipt.
    fn play_evidence(&mut self, step: &Step, totals: &mut Totals) {
        let opened: Vec<usize> = (0..self.ledger.disputes.len())
            .filter(|dispute| self.ledger.disputes[*dispute].phase == Phase::Opened)
            .collect();
        let candidate = step.one_of(opened.len()).map(|place| opened[place]);
        let Some((dispute, place)) = candidate.and_then(|dispute| Some((dispute, self.places[dispute]?))) else {
            return self.pass(1);
        };
        let report = self.ledger.disputes[dispute].report;
        let bucket = self.ledger.reports[report].bucket.as_ref();
        if !bucket.is_some_and(|bucket| bucket.collections.contains_key(&place.payer)) {
            return self.pass(1);
        }
        let operator = self.ledger.reports[report].operator;
        let shown = self.shown(report, &place);
        let other = Claim {
            output_root: [0x77; 32],
            ..shown.claim
        };
        let answer = sign_answer(self.operator_account(operator), other, &answer_key());
        let evidence = reported(&shown);
        let state = self.state(dispute);
        let challenger = self.challengers[self.ledger.disputes[dispute].challenger].insecure_clone();
        let key = self.world.key();
        let proof = Proof {
            dispute: &state,
            element: 0,
            witness: &evidence,
            witness_account: key.pubkey(),
            lamports: self.world.rent_of(staging::account_bytes(&evidence)),
        };
        let mut staged = staging::stage_and_prove(&proof, &[]);
        // The last one may write the rest; without its last instruction it does not prove.
        staged
            .last_mut()
            .and_then(Vec::pop)
            .expect("the last instruction proves");
        for instructions in staged.into_iter().filter(|instructions| !instructions.is_empty()) {
            self.world.send(&instructions, &[&challenger, &key]).expect_ok();
        }
        let collection = self.collection_account(report, place.payer);
        let prove = opml_oracle::prove_equivocation(&state, state.game.digest, collection, key.pubkey(), &answer);
        let attempt = Attempt {
            instructions: prove.into(),
            signer: challenger.insecure_clone(),
            effect: Box::new(move |ledger| ledger.prove_equivocation(dispute)),
            repeatable: false,
        };
        self.send(step, &attempt, totals);
        let close = opml_oracle::close_witness(challenger.pubkey(), key.pubkey());
        self.world.send(&[close], &[&challenger]).expect_ok();
    }

    /// What the books of the people themselves note about a transaction that landed.
    fn note(&mut self, step: &Step) {
        let who = usize::from(step.who) % 2;
        match step.kind {
            Kind::OpenDispute => {
                let report = self.ledger.disputes.last().expect("one was opened").report;
                let place = self.place_to_dispute(report, step);
                self.places.push(place);
            }
            Kind::OpenInquiry => {
                let report = self.ledger.inquiries.last().expect("one was opened").report;
                let place = self.place_to_dispute(report, step).expect("it was about a receipt");
                self.asked_about.push(place);
            }
            Kind::Collect => {
                let Some(report) = self.report(step) else { return };
                let operator = self.ledger.reports[report].operator;
                let credit = self.ledger.credits[who].as_ref();
                let session = credit.and_then(|credit| credit.session.as_ref()).expect("it signed");
                let book = &mut self.lanes[who][operator];
                book.collected = Some(Voucher {
                    lane_generation: book.generation,
                    session_generation: session.generation,
                    units: book.asked.iter().map(|asked| self.catalogue[*asked].price_units).sum(),
                    count: book.asked.len() as u64,
                    expires_unix: self.ledger.now.unix + VOUCHER_SECONDS,
                });
            }
            _ => {}
        }
    }
}

fn of(
    signer: Keypair,
    instruction: Instruction,
    effect: impl Fn(&mut Ledger) -> Result<(), Code> + 'static,
) -> Attempt {
    Attempt {
        instructions: vec![instruction],
        signer,
        effect: Box::new(effect),
        repeatable: true,
    }
}

fn once(
    signer: Keypair,
    instruction: Instruction,
    effect: impl Fn(&mut Ledger) -> Result<(), Code> + 'static,
) -> Attempt {
    Attempt {
        repeatable: false,
        ..of(signer, instruction, effect)
    }
}
