//! Money that may leave only after a notice.
//!
//! A notice moves money from counted to leaving. It may be paid out once the notice is due and until it lapses, as long again after that; then it
//! counts as before. A notice cannot be kept in a drawer: nobody can serve against money that was announced to leave, and money that may
//! leave at any moment without being announced anew is not there. Nobody has to call anything when it lapses: every use
//! of the money looks first.

use imo_protocol::{Deadline, Now};

/// Why money does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundsError {
    /// Less is there.
    NotEnough,
    /// No notice stands, or it has lapsed.
    NoNotice,
    /// The notice is not due yet.
    NotDue,
    /// A sum does not fit.
    Overflow,
}

/// A view of an account's money with a notice on part of it.
#[derive(Debug)]
pub struct Noticed<'a> {
    /// What others may count on.
    pub counted_units: &'a mut u64,
    /// What is announced to leave.
    pub leaving_units: &'a mut u64,
    /// When it may leave; not set while nothing is announced.
    pub due: &'a mut Deadline,
}

impl Noticed<'_> {
    /// All of it, in units.
    pub fn total_units(&self) -> Result<u64, FundsError> {
        self.counted_units
            .checked_add(*self.leaving_units)
            .ok_or(FundsError::Overflow)
    }

    /// Ends a notice that has lapsed.
    pub fn lapse(&mut self, now: &Now) -> Result<(), FundsError> {
        if self.due.later_by(self.due.length_slots()).is_past(now) {
            self.cancel()?;
        }
        Ok(())
    }

    /// Adds `units` that others may count on.
    pub fn add(&mut self, units: u64) -> Result<(), FundsError> {
        *self.counted_units = self.counted_units.checked_add(units).ok_or(FundsError::Overflow)?;
        Ok(())
    }

    /// Takes `units` of what is not announced to leave.
    pub fn take(&mut self, units: u64, now: &Now) -> Result<(), FundsError> {
        self.lapse(now)?;
        *self.counted_units = self.counted_units.checked_sub(units).ok_or(FundsError::NotEnough)?;
        Ok(())
    }

    /// Takes `units` of all there is, what is announced to leave first: so nobody who counted on the rest finds it missing later.
    pub fn collect(&mut self, units: u64, now: &Now) -> Result<(), FundsError> {
        self.lapse(now)?;
        let from_leaving = units.min(*self.leaving_units);
        let from_counted = units.saturating_sub(from_leaving);
        let counted_units = self
            .counted_units
            .checked_sub(from_counted)
            .ok_or(FundsError::NotEnough)?;
        *self.counted_units = counted_units;
        *self.leaving_units = self.leaving_units.saturating_sub(from_leaving);
        if *self.leaving_units == 0 {
            *self.due = Deadline::default();
        }
        Ok(())
    }

    /// Announces that `units` leave, in place of any earlier notice; 0 only cancels.
    pub fn announce(&mut self, units: u64, notice_slots: u64, now: &Now) -> Result<(), FundsError> {
        self.cancel()?;
        *self.counted_units = self.counted_units.checked_sub(units).ok_or(FundsError::NotEnough)?;
        *self.leaving_units = units;
        if units > 0 {
            *self.due = Deadline::after(now, notice_slots);
        }
        Ok(())
    }

    /// Takes out all that was announced, in units.
    pub fn leave(&mut self, now: &Now) -> Result<u64, FundsError> {
        self.lapse(now)?;
        if *self.leaving_units == 0 {
            return Err(FundsError::NoNotice);
        }
        if !self.due.is_past(now) {
            return Err(FundsError::NotDue);
        }
        *self.due = Deadline::default();
        Ok(std::mem::take(self.leaving_units))
    }

    fn cancel(&mut self) -> Result<(), FundsError> {
        *self.counted_units = self.total_units()?;
        *self.leaving_units = 0;
        *self.due = Deadline::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTICE: u64 = 100;
    /// Seconds of a notice.
    const SECONDS: i64 = 40;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Account {
        counted: u64,
        leaving: u64,
        due: Deadline,
    }

    impl Account {
        fn with(counted: u64) -> Self {
            Self {
                counted,
                ..Self::default()
            }
        }

        fn funds(&mut self) -> Noticed<'_> {
            Noticed {
                counted_units: &mut self.counted,
                leaving_units: &mut self.leaving,
                due: &mut self.due,
            }
        }
    }

    /// `slots` after the beginning, at the usual pace.
    fn after(slots: u64) -> Now {
        Now {
            slot: 1_000 + slots,
            unix: 1_000 + (slots * 2).div_ceil(5) as i64,
            last_restart_slot: 0,
        }
    }

    #[test]
    fn given_a_notice_when_not_due_then_it_stays() {
        let mut account = Account::with(10);
        account.funds().announce(7, NOTICE, &after(0)).unwrap();
        assert_eq!((account.counted, account.leaving), (3, 7));
        assert_eq!(account.funds().leave(&after(NOTICE)), Err(FundsError::NotDue));
        assert_eq!((account.counted, account.leaving), (3, 7));
    }

    #[test]
    fn given_a_notice_when_due_then_it_leaves_once() {
        let mut account = Account::with(10);
        account.funds().announce(7, NOTICE, &after(0)).unwrap();
        assert_eq!(account.funds().leave(&after(NOTICE + 3)), Ok(7));
        assert_eq!(account, Account::with(3));
        assert_eq!(account.funds().leave(&after(NOTICE + 3)), Err(FundsError::NoNotice));
    }

    #[test]
    fn given_a_notice_when_kept_in_the_drawer_then_it_counts_again() {
        let mut account = Account::with(10);
        account.funds().announce(7, NOTICE, &after(0)).unwrap();
        let last = Now {
            slot: 1_000 + 2 * NOTICE,
            unix: 1_000 + 2 * SECONDS,
            last_restart_slot: 0,
        };
        assert_eq!(account.clone().funds().leave(&last), Ok(7));
        let lapsed = Now {
            slot: last.slot + 1,
            unix: last.unix + 1,
            last_restart_slot: 0,
        };
        assert_eq!(account.funds().leave(&lapsed), Err(FundsError::NoNotice));
        assert_eq!(account, Account::with(10));
    }

    #[test]
    fn given_a_lapsed_notice_when_all_is_taken_then_it_is_there() {
        let mut account = Account::with(10);
        account.funds().announce(10, NOTICE, &after(0)).unwrap();
        assert_eq!(account.funds().take(1, &after(NOTICE)), Err(FundsError::NotEnough));
        account.funds().take(10, &after(2 * NOTICE + 3)).unwrap();
        assert_eq!(account, Account::with(0));
    }

    #[test]
    fn given_a_notice_when_announced_again_then_it_starts_anew() {
        let mut account = Account::with(10);
        account.funds().announce(7, NOTICE, &after(0)).unwrap();
        account.funds().announce(8, NOTICE, &after(50)).unwrap();
        assert_eq!((account.counted, account.leaving), (2, 8));
        assert_eq!(account.funds().leave(&after(NOTICE + 3)), Err(FundsError::NotDue));
        assert_eq!(
            account.funds().announce(11, NOTICE, &after(60)),
            Err(FundsError::NotEnough)
        );
    }

    #[test]
    fn given_a_notice_when_cancelled_then_as_before() {
        let mut account = Account::with(10);
        account.funds().announce(7, NOTICE, &after(0)).unwrap();
        account.funds().announce(0, NOTICE, &after(1)).unwrap();
        assert_eq!(account, Account::with(10));
    }

    #[test]
    fn given_a_notice_when_collected_then_what_leaves_is_used_first() {
        let mut account = Account::with(10);
        account.funds().announce(4, NOTICE, &after(0)).unwrap();
        account.funds().collect(3, &after(1)).unwrap();
        assert_eq!((account.counted, account.leaving), (6, 1));
        assert!(account.due.is_set());
        account.funds().collect(2, &after(1)).unwrap();
        assert_eq!(account, Account::with(5));
        assert_eq!(account.funds().collect(6, &after(1)), Err(FundsError::NotEnough));
        assert_eq!(account, Account::with(5));
    }

    #[test]
    fn given_a_due_notice_when_it_has_not_left_then_still_collectable() {
        let mut account = Account::with(10);
        account.funds().announce(10, NOTICE, &after(0)).unwrap();
        account.funds().collect(10, &after(NOTICE + 3)).unwrap();
        assert_eq!(account.funds().leave(&after(NOTICE + 3)), Err(FundsError::NoNotice));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Add(u64),
        Take(u64),
        Collect(u64),
        Announce(u64),
        Leave,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u64..150).prop_map(Step::Wait),
            (0u64..100).prop_map(Step::Add),
            (0u64..100).prop_map(Step::Take),
            (0u64..100).prop_map(Step::Collect),
            (0u64..100).prop_map(Step::Announce),
            Just(Step::Leave),
        ]
    }

    proptest! {
        #[test]
        fn given_any_steps_when_they_are_made_then_nothing_is_lost_and_nothing_leaves_early(
            steps in prop::collection::vec(step(), 1..60),
        ) {
            let mut account = Account::default();
            let mut expected = 0u64;
            let mut slots = 0;
            let mut announced_at = 0;
            for step in steps {
                let before = account.clone();
                let now = after(slots);
                let outcome = match step {
                    Step::Wait(more) => {
                        slots += more;
                        Ok(0i128)
                    }
                    Step::Add(units) => account.funds().add(units).map(|()| i128::from(units)),
                    Step::Take(units) => account.funds().take(units, &now).map(|()| -i128::from(units)),
                    Step::Collect(units) => account.funds().collect(units, &now).map(|()| -i128::from(units)),
                    Step::Announce(units) => account.funds().announce(units, NOTICE, &now).map(|()| {
                        announced_at = slots;
                        0
                    }),
                    Step::Leave => account.funds().leave(&now).map(|units| {
                        assert!(slots > announced_at + NOTICE);
                        assert!(slots <= announced_at + 2 * NOTICE + 5);
                        assert_eq!(units, before.leaving);
                        -i128::from(units)
                    }),
                };
                expected = u64::try_from(i128::from(expected) + outcome.unwrap_or(0)).unwrap();
                prop_assert_eq!(account.counted + account.leaving, expected);
                prop_assert_eq!(account.due.is_set(), account.leaving > 0);
            }
        }

        #[test]
        fn given_coverage_of_what_was_served_when_the_payer_gives_notice_then_the_operator_can_collect_it(
            reserved in 1u64..1_000, served in 0u64..1_000, notice in 0u64..1_000, wait in 0u64..NOTICE,
        ) {
            let served = served.min(reserved);
            let mut account = Account::with(reserved);
            let _ = account.funds().announce(notice, NOTICE, &after(0));
            prop_assert!(account.funds().leave(&after(wait)).is_err());
            prop_assert!(account.funds().collect(served, &after(wait)).is_ok());
        }
    }
}
