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
    2 SetOperatorAccess
    2 AppointOperator
    1 DismissOperator
    1 CloseAppointment
    1 ProposeUpdate
    1 ExecuteUpdate
    1 CancelUpdate
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
    3 AnnounceRetraction
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
    4 OpenInquiry
    7 DemandData
    6 ServeData
    1 ServeOtherBytes
    3 TimeOutDemand
    4 SettleInquiry
    3 WithdrawInquiry
    2 ProveEquivocation
    1 PunishEquivocation
    2 SettleEquivocation
    2 WithdrawReward
    1 CloseEquivocation
    // yield-distributor
    4 Stake
    3 Unstake
    3 Claim
    3 Redeem
    2 ClosePosition
    2 CloseEpochMark
}

/// What leads on from most states: nothing of it holds anything up.
const CARRIES_ON: [Kind; 32] = [
    Kind::OpenCredit,
    Kind::Collect,
    Kind::NextMove,
    Kind::SettleDispute,
    Kind::PostReport,
    Kind::DemandData,
    Kind::DepositCredit,
    Kind::FinaliseReport,
    Kind::Stake,
    Kind::OpenLane,
    Kind::ServeData,
    Kind::OpenDispute,
    Kind::NextMove,
    Kind::GrantSession,
    Kind::Split,
    Kind::WithdrawPayout,
    Kind::SealReport,
    Kind::Refund,
    Kind::TimeOut,
    Kind::Claim,
    Kind::SettleInquiry,
    Kind::FundLane,
    Kind::CloseCollection,
    Kind::OpenInquiry,
    Kind::WithdrawEarnings,
    Kind::CloseBucket,
    Kind::TimeOutDemand,
    Kind::CloseTrace,
    Kind::WithdrawInquiry,
    Kind::CloseReport,
    Kind::Unstake,
    Kind::AnnounceRetraction,
];

/// One try. The numbers choose among what there is when it is its turn, so that a history stays meaningful when it is shortened.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub kind: Kind,
    pub who: u8,
    pub what: u8,
    pub amount: u16,
    /// Whether the same is sent a second time.
    pub again: bool,
    /// Whether it looks for somebody and something with which it is possible, or tries what comes.
    pub legal: bool,
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

    /// The same try with the next person, thing and amount, and the ones after that; then some of what carries things on.
    pub fn variations(&self) -> impl Iterator<Item = Self> {
        const OWN: u8 = 8;
        const OTHER: u8 = 4;
        const KINDS: usize = 14;
        let begin = usize::from(self.amount) + usize::from(self.what) * 7;
        let others = (0..KINDS).map(move |kind| CARRIES_ON[(begin + kind) % CARRIES_ON.len()]);
        let kinds = [(self.kind, OWN)].into_iter().chain(others.map(|kind| (kind, OTHER)));
        kinds.flat_map(move |(kind, count)| {
            (0..count).map(move |variation| Self {
                kind,
                who: self.who.wrapping_add(variation % 2),
                what: self.what.wrapping_add(variation / 2),
                amount: self.amount.wrapping_add(u16::from(variation) * 4_099),
                ..*self
            })
        })
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
        prop::bool::weighted(0.75),
    )
        .prop_map(|(kind, who, what, amount, again, legal)| Step {
            kind,
            who,
            what,
            amount,
            again,
            legal,
        })
}
