//! Two answers of one operator to one question, shown outside any report.

use opml_oracle::errors::OracleError as Error;

use super::{Code, IN_USE, Ledger, NOT_THERE, time::Due};

#[derive(Clone, Copy, Debug)]
pub struct Equivocation {
    pub prover: usize,
    /// What it costs, and has cost so far.
    pub due: u64,
    pub slashed: u64,
    pub payout: u64,
}

/// The key that equivocations are signed with.
pub(super) const FIRST_KEY: usize = 0;

impl Ledger {
    /// Takes what is due out of the stake that no report locks: of what is leaving, only what is not free.
    fn slash(&mut self, operator: usize, equivocation: &mut Equivocation) {
        let share = |units| Self::share(units, self.terms.prover_share_bps);
        let staked = &mut self.operators[operator];
        let units = (equivocation.due - equivocation.slashed).min(staked.stake - staked.locked);
        staked.unbonding -= units.saturating_sub(staked.free());
        staked.stake -= units;
        let given = share(equivocation.slashed + units) - share(equivocation.slashed);
        equivocation.slashed += units;
        equivocation.payout += given;
        self.insurance += units - given;
    }

    /// The answers are signed with the first of an operator's two keys.
    pub fn punish_equivocation(&mut self, operator: usize, question: u8, prover: usize) -> Result<(), Code> {
        if self.equivocations.contains_key(&(operator, question)) {
            return Err(IN_USE);
        }
        if !self.answers_with(operator, FIRST_KEY) {
            return Err(Error::WrongAnswerKey.into());
        }
        let mut equivocation = Equivocation {
            prover,
            due: self.least_bond,
            slashed: 0,
            payout: 0,
        };
        self.slash(operator, &mut equivocation);
        self.operators[operator].jail = Some(Due::after(&self.now, self.terms.unbonding_slots));
        self.equivocations.insert((operator, question), equivocation);
        Ok(())
    }

    pub fn settle_equivocation(&mut self, operator: usize, question: u8) -> Result<(), Code> {
        let mut equivocation = *self.equivocations.get(&(operator, question)).ok_or(NOT_THERE)?;
        let before = equivocation.slashed;
        self.slash(operator, &mut equivocation);
        if equivocation.slashed == before {
            return Err(Error::NothingToSlash.into());
        }
        self.equivocations.insert((operator, question), equivocation);
        Ok(())
    }

    pub fn withdraw_reward(&mut self, operator: usize, question: u8) -> Result<(), Code> {
        let equivocation = self.equivocations.get_mut(&(operator, question)).ok_or(NOT_THERE)?;
        if equivocation.payout == 0 {
            return Err(Error::NothingOwed.into());
        }
        let units = std::mem::take(&mut equivocation.payout);
        let prover = self.people.challengers[equivocation.prover];
        self.pay(&prover, units);
        Ok(())
    }

    pub fn close_equivocation(&mut self, operator: usize, question: u8) -> Result<(), Code> {
        let equivocation = self.equivocations.get(&(operator, question)).ok_or(NOT_THERE)?;
        if equivocation.payout > 0 {
            return Err(Error::PayoutWaits.into());
        }
        if equivocation.slashed < equivocation.due && self.operators[operator].stake > 0 {
            return Err(Error::SlashWaits.into());
        }
        if self.answers_with(operator, FIRST_KEY) {
            return Err(Error::EvidenceCounts.into());
        }
        self.equivocations.remove(&(operator, question));
        Ok(())
    }
}
