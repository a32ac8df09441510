use anchor_lang::prelude::*;

/// Refusals. Codes are append-only; each hundred is a topic.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum ModelTokenError {
    // 0: the protocol
    #[msg("Sign with the upgrade authority of this program: only it may set up the protocol")]
    NotUpgradeAuthority = 0,
    #[msg("Sign with the protocol's authority")]
    NotAuthority = 1,
    #[msg("Sign with the protocol's guardian")]
    NotGuardian = 2,
    #[msg("New entries are paused: wait until the pause expires. What is already in can leave at any time")]
    Paused = 3,
    #[msg("A pause ends at most seven days after its beginning: choose an earlier end")]
    PauseTooLong = 4,
    #[msg("Name at least one payment mint, and no default key")]
    NoPaymentMint = 5,
    #[msg("Name at most eight payment mints")]
    TooManyPaymentMints = 6,
    #[msg("Name each payment mint once")]
    DuplicatePaymentMint = 7,
    #[msg("The protocol's share is at most 10,000 basis points")]
    ProtocolShareExceedsAll = 8,

    // 100: terms of disputes
    #[msg("Every term in slots must be from 1 to 78,840,000 (about a year)")]
    TermSlotsOutOfRange = 100,
    #[msg("A side's clock must be at least as long as one response")]
    ClockShorterThanResponse = 101,
    #[msg("Unbonding must take at least the window and the longest dispute together")]
    UnbondingTooShort = 102,
    #[msg("An epoch must take at least the window and the longest dispute together")]
    EpochTooShort = 103,
    #[msg("The bond ratio must be from 1 to 1,000,000 basis points")]
    BondRatioOutOfRange = 104,
    #[msg("The prover's share and the cap of costs are together at most 10,000 basis points")]
    SlashSharesExceedAll = 105,
    #[msg("The least bond and the challenger's bond must be above zero")]
    BondIsZero = 106,
    #[msg("One move must cost at most the challenger's bond, which pays for it")]
    MoveCostExceedsBond = 107,
    #[msg(
        "The bond does not deter: raise the bond ratio or the operator's share, or lower the prover's share or the cap of costs"
    )]
    BondDoesNotDeter = 108,
    #[msg("The length of an epoch never changes: give the one in force")]
    EpochLengthIsFixed = 109,
    #[msg("Notice and unbonding time never change: give those in force")]
    WaitIsFixed = 110,

    // 200: models and versions
    #[msg("The payment mint is not on the protocol's list: choose one that is")]
    PaymentMintNotAllowed = 200,
    #[msg("A uri has at most 128 bytes")]
    UriTooLong = 201,
    #[msg("Sign with the model's developer")]
    NotDeveloper = 202,
    #[msg("This deployment judges arithmetic version 1 only")]
    UnknownArithmeticVersion = 203,
    #[msg("The number of nodes or constants is outside what the arithmetic allows")]
    InvalidModelSize = 204,
    #[msg("The input specification is not canonical: check its type, rank and dimensions")]
    InvalidInputSpec = 205,
    #[msg("The shares of the split must sum to 10,000 basis points")]
    SplitIsNotAll = 206,
    #[msg("The protocol's share of the split must be the one in force")]
    WrongProtocolShare = 207,
    #[msg("The model has as many versions as it can have: register another model")]
    TooManyVersions = 208,
    #[msg("The version's notice has not ended: wait until its notice_ends_slot")]
    NoticeNotOver = 209,
    #[msg("Only a version later than the live one can become live")]
    VersionNotLater = 210,
    #[msg("The account belongs to another model")]
    WrongModel = 211,
    #[msg("A licence has 1 to 32 bytes")]
    InvalidLicence = 212,
    #[msg("Sign with the key that the developer has named as its successor")]
    NotPendingDeveloper = 213,

    // 300: offerings
    #[msg("Publish a version before you open an offering")]
    NoLiveVersion = 300,
    #[msg("The supply must be above zero")]
    SupplyIsZero = 301,
    #[msg("The minimum must be above zero and at most the maximum")]
    InvalidRaise = 302,
    #[msg("An offering opens now or within ninety days")]
    InvalidOpening = 303,
    #[msg("An offering closes after it opens, within ninety days of it")]
    InvalidClose = 304,
    #[msg("A token's name has 1 to 32 bytes")]
    InvalidName = 305,
    #[msg("A token's symbol has 1 to 10 bytes")]
    InvalidSymbol = 306,
    #[msg("The offering is not open yet: come back at its opens_unix")]
    OfferingNotOpenYet = 307,
    #[msg("The offering is closed: nothing can be committed any more")]
    OfferingClosed = 308,
    #[msg("The offering is not closed: settle it at its closes_unix or later")]
    OfferingNotClosed = 309,
    #[msg("Settle the offering first")]
    OfferingNotSettled = 310,
    #[msg("The offering has already succeeded")]
    OfferingSucceeded = 311,
    #[msg("The offering has failed: claim your commitment back")]
    OfferingFailed = 312,
    #[msg("Give an amount above zero")]
    CommitmentIsZero = 313,
    #[msg("The offering succeeded: pass its mint, its token vault and the investor's token account")]
    TokenAccountsMissing = 314,
    #[msg("There is nothing to withdraw: it was paid already")]
    NothingToWithdraw = 315,
    #[msg("The account belongs to another offering")]
    WrongOffering = 316,
    #[msg("The rent goes back to who paid it: pass the account's rent_payer")]
    WrongRentPayer = 317,
    #[msg("The account belongs to another investor")]
    WrongInvestor = 318,
    #[msg("Pass the mint that the offering was opened with")]
    WrongMint = 319,
    #[msg("Wait until the model's offering is settled: what investors look at does not change under them")]
    OfferingRuns = 320,
    #[msg("A published version waits to become live: activate it before you open an offering")]
    VersionWaits = 321,
    #[msg("The last tenth of an offering, at least, is for withdrawals only")]
    InvalidTail = 322,
    #[msg("Nothing more can be committed: the last part of the offering is for withdrawals only")]
    TailHasBegun = 323,
    #[msg("That is more than can be withdrawn now: give a smaller amount")]
    WithdrawalTooLarge = 324,
    #[msg("The one withdrawal of the last part was made already")]
    TailWithdrawalUsed = 325,
    #[msg("That is more than one wallet may commit: give a smaller amount")]
    WalletCapExceeded = 326,
    #[msg("Show where the wallet is on the offering's allow-list, or nothing if it has none")]
    NotOnAllowlist = 327,
    #[msg("An allow-list has a root and 1 to 262,144 wallets, or neither")]
    InvalidAllowlist = 328,
    #[msg("What is free at once has no schedule, the rest has one, and none lasts longer than ten years")]
    InvalidVesting = 329,
    #[msg(
        "The developer's tokens are never ahead of the buyers', end later than theirs, and begin after the last tranche has come due"
    )]
    DeveloperVestsTooSoon = 330,
    #[msg("Cut the proceeds into 1 to 4 tranches, each above zero and together 10,000 basis points, within ten years")]
    InvalidTranches = 331,
    #[msg("A tranche must ask for at least as much revenue for others as it can pay: otherwise it could be bought")]
    TrancheTooCheap = 332,
    #[msg("The offering has no such tranche: count from 0")]
    NoSuchTranche = 333,
    #[msg("The tranche is locked: wait for its time, or until others than the developer were paid enough")]
    TrancheLocked = 334,
    #[msg("The tranche was missed: the redeem pool has it")]
    TrancheMissed = 335,
    #[msg("The tranche is not missed: it needs no revenue, has enough of it, or has time left")]
    TrancheNotMissed = 336,
    #[msg("The commitment was claimed already: what vests is released by yield-distributor")]
    AlreadyClaimed = 337,
    #[msg("Only yield-distributor may do this, so that its pool knows of it: use the instruction there")]
    NotReleaser = 338,
    #[msg("That is not what is free and not released yet")]
    WrongRelease = 339,
    #[msg("Nothing is free that was not released: wait")]
    NothingToRelease = 340,
    #[msg("The developer's tokens wait until every tranche that had to be earned is withdrawn or missed")]
    TranchesUndecided = 341,
    #[msg("Claim every commitment first: until then nobody knows what is left")]
    CommitmentsUnclaimed = 342,
    #[msg("The dust was swept already")]
    DustSwept = 343,

    // 400: money
    #[msg("A sum does not fit: use smaller amounts")]
    ArithmeticOverflow = 400,
    #[msg("A vault would hold less than it owes")]
    VaultShort = 401,

    // 500: who may operate a model
    #[msg("The model admits its operators in this way already")]
    AccessUnchanged = 500,
    #[msg("The operator is dismissed already: its appointment ends with the notice")]
    AlreadyDismissed = 501,
    #[msg("The appointment is in force: dismiss the operator first, and wait until the notice is over")]
    AppointmentInForce = 502,

    // 600: changing the protocol
    #[msg(
        "The timelock must be at least the window, the longest dispute and the notice together, and at most 157,680,000 slots"
    )]
    TimelockOutOfRange = 600,
    #[msg("The update's timelock is not over: wait until its slot and its time are both past")]
    UpdateNotDue = 601,
    #[msg("The update was not executed in time and has lapsed: cancel it and propose again")]
    UpdateLapsed = 602,
    #[msg("Only the authority may cancel an update that has not lapsed")]
    CancelNotYours = 603,
    #[msg("Sign with the key that the authority has named as its successor")]
    NotPendingAuthority = 604,
    #[msg("Nothing is paused: name an end in the future to begin a pause")]
    NotPaused = 605,
    #[msg("A pause begins no earlier than as long after the last one's end as that one lasted")]
    PausedTooRecently = 606,
    #[msg("The audits' part of the protocol's share is at most 10,000 basis points")]
    AuditShareExceedsAll = 607,

    // 800: contributors of a version
    #[msg("A version has at most eight contributors")]
    TooManyContributors = 800,
    #[msg("Pass one account for each contributor's share, in the same order")]
    ContributorsDoNotMatch = 801,
    #[msg("The contributors' shares must sum to what the split gives them")]
    WrongContributorsSum = 802,
    #[msg("Give each contributor a share above zero")]
    ContributorShareIsZero = 803,
    #[msg("Name each contributor once, and neither the model itself nor the system program")]
    InvalidContributor = 804,
    #[msg("A model that contributes must be paid in the same mint: name its developer instead")]
    WrongContributorMint = 805,
}
