//! Disputes: whose turn, until when, and who is paid.

use opml_oracle::errors::OracleError as Error;

use super::{
    Code, IN_USE, Ledger, NOT_THERE,
    equivocations::FIRST_KEY,
    stake::{Report, Status, Trace},
    time::Due,
    walk::Walk,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Opened,
    Pointed,
    Traced,
    Demanded,
    TileKnown,
    Proven,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Challenger,
    Operator,
}

#[derive(Clone, Debug)]
pub struct Dispute {
    pub report: usize,
    pub challenger: usize,
    pub order: u32,
    pub phase: Phase,
    /// What it is about, once it is named: the claim's hash.
    pub claim: Option<[u8; 32]>,
    /// How far the trace is known.
    pub walk: Walk,
    /// The node that was picked.
    pub node: u32,
    pub challenger_left: u64,
    pub operator_left: u64,
    pub due: Due,
    began_unix: i64,
    pub challenger_moves: u64,
    pub operator_moves: u64,
    pub bond: u64,
    pub settled: bool,
    pub payout: u64,
    pub closed: bool,
}

impl Phase {
    fn turn(self) -> Option<Side> {
        match self {
            Self::Opened | Self::Traced | Self::TileKnown => Some(Side::Challenger),
            Self::Pointed | Self::Demanded => Some(Side::Operator),
            Self::Proven | Self::Lost => None,
        }
    }
}

impl Dispute {
    /// What the vault owes its challenger.
    pub fn owed(&self) -> u64 {
        if self.settled { self.payout } else { self.bond }
    }

    pub fn is_running(&self) -> bool {
        self.phase.turn().is_some()
    }
}

impl Ledger {
    pub fn open_dispute(&mut self, report: usize, challenger: usize) -> Result<(), Code> {
        let now = self.now;
        let Report {
            status,
            window,
            operator,
            disputes,
            closed,
            ..
        } = self.reports[report];
        if closed {
            return Err(NOT_THERE);
        }
        match status {
            Status::Open => return Err(Error::ReportNotSealed.into()),
            Status::Final | Status::Rejected => return Err(Error::ReportEnded.into()),
            Status::Sealed => {}
        }
        if window.is_some_and(|window| window.is_past(&now)) {
            return Err(Error::WindowClosed.into());
        }
        let terms = self.terms;
        let key = self.people.challengers[challenger];
        self.charge(&key, terms.challenger_bond_units + terms.open_fee_units)?;
        self.insurance += terms.open_fee_units;
        self.reports[report].disputes += 1;
        self.operators[operator].open_disputes += 1;
        self.disputes.push(Dispute {
            report,
            challenger,
            order: disputes,
            phase: Phase::Opened,
            claim: None,
            walk: Walk::default(),
            node: 0,
            challenger_left: terms.clock_slots,
            operator_left: terms.clock_slots,
            due: Due::after(&now, terms.response_slots.min(terms.clock_slots)),
            began_unix: now.unix,
            challenger_moves: 0,
            operator_moves: 0,
            bond: terms.challenger_bond_units,
            settled: false,
            payout: 0,
            closed: false,
        });
        Ok(())
    }

    fn dispute(&mut self, dispute: usize) -> Result<&mut Dispute, Code> {
        let report = self.disputes[dispute].report;
        if self.disputes[dispute].closed || self.reports[report].closed {
            return Err(NOT_THERE);
        }
        Ok(&mut self.disputes[dispute])
    }

    /// What every move needs.
    fn due_move(&mut self, dispute: usize, phase: Phase) -> Result<(), Code> {
        let now = self.now;
        let dispute = &self.disputes[dispute];
        if dispute.phase != phase {
            return Err(Error::WrongPhase.into());
        }
        if dispute.due.is_past(&now) {
            return Err(Error::MoveTooLate.into());
        }
        Ok(())
    }

    /// A move happens: the mover's clock, then the other's turn.
    fn land(&mut self, dispute: usize, next: Phase, counts: bool) {
        let (now, response) = (self.now, self.terms.response_slots);
        let dispute = &mut self.disputes[dispute];
        let used = dispute.due.used(dispute.began_unix, &now);
        match dispute.phase.turn().expect("somebody moves") {
            Side::Challenger => {
                dispute.challenger_left = dispute.challenger_left.saturating_sub(used);
                dispute.challenger_moves += 1;
            }
            Side::Operator => {
                dispute.operator_left = dispute.operator_left.saturating_sub(used);
                dispute.operator_moves += u64::from(counts);
            }
        }
        dispute.phase = next;
        let left = match next.turn() {
            Some(Side::Challenger) => dispute.challenger_left,
            Some(Side::Operator) => dispute.operator_left,
            None => return,
        };
        dispute.due = Due::after(&now, response.min(left));
        dispute.began_unix = now.unix;
    }

    /// The challenger names the place, whose claim has this hash; a trace that is there is attached.
    pub fn point(&mut self, dispute: usize, payer: usize, claim: [u8; 32]) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        let bucket = self.reports[report].bucket.as_ref().ok_or(NOT_THERE)?;
        bucket.collections.get(&payer).ok_or(NOT_THERE)?;
        self.due_move(dispute, Phase::Opened)?;
        self.land(dispute, Phase::Pointed, true);
        self.disputes[dispute].claim = Some(claim);
        if self.reports[report].trace(&claim).is_some() {
            self.trace(dispute, false);
        }
        Ok(())
    }

    /// The trace of what it is about is there.
    fn trace(&mut self, dispute: usize, counts: bool) {
        self.land(dispute, Phase::Traced, counts);
        self.disputes[dispute].walk = Walk::begin(self.nodes);
    }

    pub fn post_trace(&mut self, dispute: usize, claim: [u8; 32]) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        if self.reports[report].trace(&claim).is_some() {
            return Err(IN_USE);
        }
        self.due_move(dispute, Phase::Pointed)?;
        self.trace(dispute, true);
        let slot = self.now.slot;
        self.reports[report].traces.push(Trace { claim, slot });
        Ok(())
    }

    pub fn attach_trace(&mut self, dispute: usize, claim: [u8; 32]) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        if self.reports[report].trace(&claim).is_none() {
            return Err(NOT_THERE);
        }
        self.due_move(dispute, Phase::Pointed)?;
        self.trace(dispute, false);
        Ok(())
    }

    /// Which of the hashes that were shown last is wrong.
    pub fn demand(&mut self, dispute: usize, child: u8) -> Result<(), Code> {
        let nodes = self.nodes;
        if self.disputes[dispute].closed {
            return Err(NOT_THERE);
        }
        self.due_move(dispute, Phase::Traced)?;
        let walk = &mut self.disputes[dispute].walk;
        if walk.level == 0 {
            return Err(Error::ShowTheNode.into());
        }
        walk.pick(child, nodes).ok_or(Error::NotAPosition)?;
        self.land(dispute, Phase::Demanded, true);
        Ok(())
    }

    pub fn demand_node(&mut self, dispute: usize, child: u8) -> Result<(), Code> {
        let nodes = self.nodes;
        if self.dispute(dispute)?.phase != Phase::Traced {
            return Err(Error::WrongPhase.into());
        }
        let walk = &mut self.disputes[dispute].walk;
        if walk.level > 0 {
            return Err(Error::NotATraceLeaf.into());
        }
        let node = walk.pick(child, nodes).ok_or(Error::NotAPosition)?;
        walk.in_node = true;
        self.due_move(dispute, Phase::Traced)?;
        self.land(dispute, Phase::Demanded, true);
        self.disputes[dispute].node = node;
        Ok(())
    }

    /// What is below the hash that was demanded, or something else.
    pub fn reveal(&mut self, dispute: usize, is_it: bool) -> Result<(), Code> {
        if self.disputes[dispute].closed {
            return Err(NOT_THERE);
        }
        self.due_move(dispute, Phase::Demanded)?;
        let walk = &mut self.disputes[dispute].walk;
        if walk.in_node {
            return Err(Error::TileDue.into());
        }
        if !is_it {
            return Err(Error::WrongPreimage.into());
        }
        walk.descend();
        self.land(dispute, Phase::Traced, true);
        Ok(())
    }

    /// The tile, or other bytes.
    pub fn reveal_tile(&mut self, dispute: usize, is_it: bool) -> Result<(), Code> {
        if self.disputes[dispute].closed {
            return Err(NOT_THERE);
        }
        self.due_move(dispute, Phase::Demanded)?;
        if !self.disputes[dispute].walk.in_node {
            return Err(Error::HashesDue.into());
        }
        if !is_it {
            return Err(Error::WrongPreimage.into());
        }
        self.land(dispute, Phase::TileKnown, true);
        Ok(())
    }

    pub fn prove(&mut self, dispute: usize, is_wrong: bool) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        self.due_move(dispute, Phase::TileKnown)?;
        if !is_wrong {
            return Err(Error::ElementIsCorrect.into());
        }
        self.land(dispute, Phase::Proven, true);
        self.reject(report);
        Ok(())
    }

    /// Another signed answer to the question of a receipt is shown instead of naming the place.
    pub fn prove_equivocation(&mut self, dispute: usize) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        self.due_move(dispute, Phase::Opened)?;
        if !self.answers_with(self.reports[report].operator, FIRST_KEY) {
            return Err(Error::WrongAnswerKey.into());
        }
        self.land(dispute, Phase::Proven, true);
        self.reject(report);
        Ok(())
    }

    /// Evidence of any kind of which the end is missing.
    pub fn prove_by_a_part(&mut self, dispute: usize) -> Result<(), Code> {
        self.dispute(dispute)?;
        self.due_move(dispute, Phase::Opened)?;
        Err(Error::WitnessTruncated.into())
    }

    /// The request at a receipt's sequence is shown, which is what it answers, or another one.
    pub fn prove_wrong_question(&mut self, dispute: usize, is_right: bool) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        self.due_move(dispute, Phase::Opened)?;
        if is_right {
            return Err(Error::QuestionIsRight.into());
        }
        self.land(dispute, Phase::Proven, true);
        self.reject(report);
        Ok(())
    }

    /// A node of the model is shown, which keeps every rule, or does not.
    pub fn prove_malformed(&mut self, dispute: usize, is_well_formed: bool) -> Result<(), Code> {
        let report = self.dispute(dispute)?.report;
        self.due_move(dispute, Phase::Opened)?;
        if is_well_formed {
            return Err(Error::NodeIsWellFormed.into());
        }
        self.land(dispute, Phase::Proven, true);
        self.reject(report);
        Ok(())
    }

    pub fn time_out(&mut self, dispute: usize) -> Result<(), Code> {
        let now = self.now;
        let game = self.dispute(dispute)?;
        let side = game.phase.turn().ok_or(Error::WrongPhase)?;
        if !game.due.is_past(&now) {
            return Err(Error::TimeoutTooEarly.into());
        }
        let report = game.report;
        match side {
            Side::Challenger => game.phase = Phase::Lost,
            Side::Operator => {
                game.phase = Phase::Proven;
                self.reject(report);
            }
        }
        Ok(())
    }

    pub fn settle_dispute(&mut self, dispute: usize) -> Result<(), Code> {
        let terms = self.terms;
        let ended = self.dispute(dispute)?.clone();
        let report = &mut self.reports[ended.report];
        if ended.settled {
            return Err(Error::AlreadySettled.into());
        }
        if ended.is_running() {
            return Err(Error::DisputeNotFinished.into());
        }
        if ended.order != report.settled {
            return Err(Error::SettleInOrder.into());
        }
        let mut payout = 0;
        if ended.phase == Phase::Proven {
            payout = ended.bond + report.reward(&terms, ended.challenger_moves);
        } else if report.status == Status::Rejected {
            self.insurance += ended.bond;
        } else {
            let earned = (terms.move_cost_units * ended.operator_moves).min(ended.bond);
            self.operators[report.operator].stake += earned;
            self.insurance += ended.bond - earned;
        }
        report.settled += 1;
        self.operators[report.operator].open_disputes -= 1;
        self.insure_unclaimed(ended.report);
        let ended = &mut self.disputes[dispute];
        ended.settled = true;
        ended.payout = payout;
        Ok(())
    }

    pub fn withdraw_payout(&mut self, dispute: usize) -> Result<(), Code> {
        let ended = &mut self.disputes[dispute];
        if ended.closed {
            return Err(NOT_THERE);
        }
        if !ended.settled {
            return Err(Error::NotSettled.into());
        }
        ended.closed = true;
        let (challenger, payout) = (self.people.challengers[ended.challenger], ended.payout);
        self.pay(&challenger, payout);
        Ok(())
    }
}
