//! Refusals of this program. Codes are append-only, in ranges of 100 a topic; each message says what to do.

use anchor_lang::prelude::*;

use crate::math::notice::FundsError;

#[error_code]
#[derive(PartialEq, Eq)]
pub enum RevenueEscrowError {
    // 0: amounts
    #[msg("The amount must be more than zero")]
    AmountIsZero = 0,
    #[msg("There is less money than that: fund first, or ask for less")]
    NotEnoughFunds = 1,
    #[msg("Nothing is announced to leave, or the notice has lapsed: give notice again")]
    NoNotice = 2,
    #[msg("The notice is not due yet: wait until its slot and its time are both past")]
    NoticeNotDue = 3,
    #[msg("The amounts add up to more than an account can hold")]
    Overflow = 4,
    #[msg("The vault would hold less than it owes")]
    VaultShort = 5,
    #[msg("New credits, deposits and lanes are paused: wait until the pause expires. What is in can leave at any time")]
    Paused = 6,

    // 100: sessions and vouchers
    #[msg("The session must expire in the future")]
    ExpiryInThePast = 100,
    #[msg("The session is revoked and its notice is over: have another session sign")]
    SessionRevoked = 101,
    #[msg("The session was revoked before")]
    AlreadyRevoked = 102,
    #[msg("The voucher would take the session over its limit: collect less, or have another session sign")]
    SessionLimit = 103,
    #[msg("The voucher is expired: ask the payer for a new one")]
    VoucherExpired = 104,
    #[msg("The voucher's expiry is later than its session's")]
    VoucherOutlivesSession = 105,
    #[msg("The session is neither expired nor revoked for as long as the notice")]
    SessionStillLive = 106,

    // 200: collecting
    #[msg("The report is not open: post another one and collect for that")]
    ReportNotOpen = 200,
    #[msg("The report's time to collect is over: seal it, post another one and collect for that")]
    ReportSealDue = 201,
    #[msg("The voucher states no more requests than were collected")]
    NothingToCollect = 202,
    #[msg("The voucher states no more money than was collected")]
    NoAmountToCollect = 203,
    #[msg("A collection holds at most 65,536 receipts: collect an earlier voucher first, for another report")]
    TooManyReceipts = 204,
    #[msg("A lane holds at most 2^32 - 1 requests: close it and open it again")]
    LaneIsFull = 205,
    #[msg("The report's bond does not cover that much: collect the rest for another report")]
    BondExceeded = 206,

    // 300: split and refund
    #[msg("The report is not final")]
    ReportNotFinal = 300,
    #[msg("The report is not rejected, and the collection not retracted from a final one")]
    ReportNotRejected = 301,
    #[msg("The bucket was split before")]
    AlreadySplit = 302,
    #[msg("The collection was refunded before")]
    AlreadyRefunded = 303,
    #[msg("The model has a token but no pool: create the pool first, anyone may")]
    PoolMissing = 304,

    // 400: closing
    #[msg("There is still money in it: take it out first")]
    NotEmpty = 400,
    #[msg("Close its lanes and sessions first and wait for its collections to be closed")]
    StillInUse = 401,
    #[msg("It was opened in this slot: close it in a later one")]
    OpenedInThisSlot = 402,
    #[msg("The collection is needed: it is neither split with a final report, nor refunded with all disputes settled")]
    CollectionNeeded = 403,
    #[msg("The bucket has open collections: close them first")]
    BucketInUse = 404,
    #[msg("The report is neither final nor rejected: its bucket is still collected into")]
    ReportNotEnded = 405,

    // 500: accounts that do not belong together
    #[msg("The account of the payer, the credit, the lane or the session is another one's")]
    WrongRelation = 500,
    #[msg("The model is another one")]
    WrongModel = 501,
    #[msg("The mint is another one")]
    WrongMint = 502,
    #[msg("The operator is another one")]
    WrongOperator = 503,
    #[msg("The report is another one")]
    WrongReport = 504,
    #[msg("Only the operator's authority may collect")]
    NotOperatorAuthority = 505,
    #[msg("The earnings are another one's")]
    WrongEarnings = 506,
    #[msg("Only the payer may do this")]
    NotPayer = 507,
    #[msg("Pay to the recipient's associated token account, or have the recipient sign")]
    WrongDestination = 508,
    #[msg("The rent goes back to who paid it")]
    WrongRentPayer = 509,
    #[msg("The contributions are those of another version")]
    WrongContributions = 510,

    // 600: who may operate
    #[msg(
        "The model admits listed operators only, and this one takes no new work: choose one with an appointment, and pass it"
    )]
    NotAppointed = 600,

    // 700: retraction
    #[msg("The report has ended: nothing of it can be retracted any more")]
    TooLateToRetract = 700,
    #[msg("A dispute or a demand for data was opened on the report: from then on nothing of it can be retracted")]
    ReportIsChallenged = 701,
    #[msg("The collection was retracted before")]
    AlreadyRetracted = 702,

    // 800: contributors
    #[msg("The version's list has no contributor with that number")]
    NoSuchContributor = 800,
    #[msg("The contributor is a model: its share is paid by pay_upstream")]
    ContributorIsModel = 801,
    #[msg("The contributor is no model: its share is paid by withdraw_contribution")]
    ContributorIsNoModel = 802,
    #[msg("Pass the model that the contributor is")]
    WrongUpstream = 803,
}

impl From<FundsError> for RevenueEscrowError {
    fn from(error: FundsError) -> Self {
        match error {
            FundsError::NotEnough => Self::NotEnoughFunds,
            FundsError::NoNotice => Self::NoNotice,
            FundsError::NotDue => Self::NoticeNotDue,
            FundsError::Overflow => Self::Overflow,
        }
    }
}

impl From<FundsError> for Error {
    fn from(error: FundsError) -> Self {
        RevenueEscrowError::from(error).into()
    }
}
