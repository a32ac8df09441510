//! What a history is made of.

use proptest::prelude::*;

macro_rules! kinds {
    ($($weight:literal $kind:ident)+) => {
        /// What somebody tries. Each but the first ones is one instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($kind,)+
        }

        fn kind() -> impl Strategy<Value = Kind> {
            let weighted = vec![$(($weight, Just(Kind::$kind)),)+];
            proptest::strategy::Union::new_weighted(weighted)
        }
    };
}

kinds! {
    // Time.
    6 Wait
    14 WaitUntilDue
    1 Restart
    // Off chain.
    10 Ask
    // model-token
    2 SetPause
    // revenue-escrow
    2 OpenCredit
    4 DepositCredit
    3 RequestWithdraw
    3 WithdrawCredit
    1 CloseCredit
    4 OpenLane
    3 FundLane
    3 RequestRelease
    3 ReleaseLane
    1 CloseLane
    4 GrantSession
    1 RevokeSession
    2 CloseSession
    12 Collect
    2 CollectReplayed
    4 Split
    4 Refund
    3 CloseCollection
    3 CloseBucket
    3 WithdrawEarnings
    3 WithdrawContribution
    // opml-oracle
    2 StakeBond
    2 RequestUnbond
    2 WithdrawBond
    6 PostReport
    8 SealReport
    2 SealReportByStranger
    6 FinaliseReport
    3 CloseReport
    2 CloseTrace
    8 OpenDispute
    22 NextMove
    2 Point
    2 PostTrace
    2 AttachTrace
    2 DemandNode
    2 RevealTile
    2 RevealOtherBytes
    4 Prove
    8 TimeOut
    8 SettleDispute
    5 WithdrawPayout
    // yield-distributor
    4 Stake
    3 Unstake
    3 Claim
    3 Redeem
    2 ClosePosition
    2 CloseEpochMark
}

/// One try. The numbers choose among what there is when it is its turn, so that a history stays meaningful when it is shortened.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub kind: Kind,
    pub who: u8,
    pub what: u8,
    pub amount: u16,
    /// Whether the same is sent a second time.
    pub again: bool,
}

impl Step {
    /// Nothing, one, all of `reference`, one more than that, or a part.
    pub fn units(&self, reference: u64) -> u64 {
        match self.amount % 16 {
            0 => 0,
            1 => 1,
            2 => reference,
            3 => reference.saturating_add(1),
            _ => reference / 65_536 * u64::from(self.amount) + reference % 65_536,
        }
    }

    /// One of `count`.
    pub fn one_of(&self, count: usize) -> Option<usize> {
        usize::from(self.what).checked_rem(count)
    }

    /// One of `count`, the last ones more often than the first.
    pub fn recent_of(&self, count: usize) -> Option<usize> {
        let back = usize::from(self.what) % 4;
        Some(count.checked_sub(1)?.saturating_sub(back))
    }
}

/// Any try.
pub fn step() -> impl Strategy<Value = Step> {
    (
        kind(),
        any::<u8>(),
        any::<u8>(),
        any::<u16>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(kind, who, what, amount, again)| Step {
            kind,
            who,
            what,
            amount,
            again,
        })
}
