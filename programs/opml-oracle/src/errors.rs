use anchor_lang::prelude::*;
use opml::RefereeError;

use crate::{audit_game::AuditRefusal, data_game::DataRefusal, game::Refusal};

/// Refusals of this program. Codes are only ever appended, in ranges of 100 a topic.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum OracleError {
    // 0: stake
    #[msg("State an amount above zero")]
    AmountIsZero = 0,
    #[msg("Add stake or wait for reports to become final: less is free than this needs")]
    NotEnoughFreeStake = 1,
    #[msg("Announce with request_unbond first: nothing is unbonding")]
    NothingUnbonding = 2,
    #[msg("Wait until the unbonding deadline is past")]
    StillUnbonding = 3,
    #[msg("Wait until every dispute of this operator's reports is settled: until then no stake leaves")]
    DisputesOpen = 4,
    #[msg("Use a mint of the protocol's list of payment mints")]
    MintNotAllowed = 5,
    #[msg("The endpoint is at most 128 bytes")]
    EndpointTooLong = 6,
    #[msg("Sign with the operator's authority")]
    NotTheAuthority = 7,
    #[msg("Use a token account of this vault's mint")]
    WrongMint = 8,
    #[msg("Use a token account whose authority is the signer that pays")]
    NotTheTokenAuthority = 9,

    // 100: reports
    #[msg("Use a version of this model")]
    WrongModelVersion = 100,
    #[msg("Report on a version that is or was live")]
    VersionNeverLive = 101,
    #[msg("Report with the operator account of the model's payment mint")]
    WrongOperatorMint = 102,
    #[msg("The period must end after it starts")]
    PeriodEmpty = 103,
    #[msg("Lock at least the least bond of the version's terms")]
    BondTooSmall = 104,
    #[msg("The report must be open: it is sealed already")]
    ReportNotOpen = 105,
    #[msg("Only the operator may seal before the report's seal deadline is past")]
    SealNotYours = 106,
    #[msg("The report must be sealed first")]
    ReportNotSealed = 107,
    #[msg("The report is final or rejected: nothing changes it any more")]
    ReportEnded = 108,
    #[msg("The challenge window is past")]
    WindowClosed = 109,
    #[msg("Wait until the challenge window is past")]
    WindowOpen = 110,
    #[msg("Settle every dispute of this report first")]
    DisputesUnsettled = 111,
    #[msg("The report must be final or rejected first")]
    ReportNotEnded = 112,
    #[msg("Close every trace of this report first")]
    TracesOpen = 113,
    #[msg("Close the escrow's bucket of this report first")]
    BucketOpen = 114,
    #[msg("Use the address of the escrow's bucket of this report")]
    WrongBucket = 115,
    #[msg("Use the operator account of this report")]
    WrongOperator = 116,
    #[msg("Pass the account that paid the rent")]
    WrongRentPayer = 117,

    // 200: moves of a dispute
    #[msg("This move does not belong to the dispute's phase: read the dispute again")]
    WrongPhase = 200,
    #[msg("The dispute moved on since this move was made: read its digest and decide again")]
    StaleDigest = 201,
    #[msg("The deadline of this move is past")]
    MoveTooLate = 202,
    #[msg("Wait until the deadline of the side whose turn it is is past")]
    TimeoutTooEarly = 203,
    #[msg("Sign with the challenger of this dispute")]
    NotTheChallenger = 204,
    #[msg("Use the report of this dispute")]
    WrongReport = 205,

    // 300: the place
    #[msg("Use a Collection of the disputed report")]
    WrongCollection = 300,
    #[msg("The place is not the one that was committed to")]
    WrongPlace = 301,
    #[msg("The Collection has no receipt of this index")]
    ReceiptOutOfRange = 302,
    #[msg("The path does not show this claim as that receipt")]
    WrongReceiptPath = 303,
    #[msg("Use the trace address of this report and claim")]
    WrongTrace = 304,

    // 400: the trace
    #[msg("Sign with the operator's authority or backup key")]
    NotTheOperator = 400,
    #[msg("Post one root for each node of the model, 16 at most")]
    WrongRootCount = 401,
    #[msg("The model has at most 16 nodes: post the trace whole")]
    TraceMustBeWhole = 402,
    #[msg("The last node's root must be the claimed output root")]
    WrongLastRoot = 403,
    #[msg("The path does not show the claimed output root as the last leaf of this trace")]
    WrongTracePath = 404,

    // 500: demand and reveal
    #[msg("There is no such child: it is padding or beyond the frontier")]
    NotAPosition = 500,
    #[msg("The child is a node's output: use demand_node with the node's record")]
    ShowTheNode = 501,
    #[msg("The child is not a node's output: use demand")]
    NotATraceLeaf = 502,
    #[msg("Reveal the tile: there are no hashes below it")]
    TileDue = 503,
    #[msg("Reveal hashes: the tile is not reached yet")]
    HashesDue = 504,
    #[msg("Reveal all nodes of the level, four levels down or where the tree ends")]
    WrongHashCount = 505,
    #[msg("Padding must be zero, and nothing else may be")]
    NotCanonical = 506,
    #[msg("This is not what the known hash commits to")]
    WrongPreimage = 507,
    #[msg("Reveal exactly the bytes of the tile that hold elements")]
    WrongTileLength = 508,

    // 600: witness and referee
    #[msg("The element is what the operator makes of its operands: nothing is wrong here")]
    ElementIsCorrect = 600,
    #[msg("Use the witness of this dispute and challenger")]
    WrongWitness = 601,
    #[msg("The write goes beyond the end of the witness account")]
    WitnessOutOfRange = 602,
    #[msg("The witness ends before its last part")]
    WitnessTruncated = 603,
    #[msg("The witness account is longer than the witness")]
    WitnessTrailingBytes = 604,
    #[msg("The header is not the one of the report's model root")]
    WitnessHeader = 605,
    #[msg("The model has no such node")]
    WitnessNodeOutOfRange = 606,
    #[msg("The record or its path is not that node's of the model")]
    WitnessNode = 607,
    #[msg("An operand's record, root or path is not the committed one")]
    WitnessOperand = 608,
    #[msg("An operand's bytes or path are not the part that the element depends on")]
    WitnessRegion = 609,
    #[msg("The tile is not one of the node's output")]
    WitnessTile = 610,
    #[msg("The tile has no such element")]
    ElementOutOfRange = 611,

    // 700: settling and paying
    #[msg("Settle the dispute when its game is over")]
    DisputeNotFinished = 700,
    #[msg("This dispute is settled already")]
    AlreadySettled = 701,
    #[msg("Settle the disputes that were opened earlier first")]
    SettleInOrder = 702,
    #[msg("Settle the dispute before its payout is withdrawn")]
    NotSettled = 703,
    #[msg("Pass the token account that the payout goes to")]
    RecipientMissing = 704,
    #[msg("Only who is owed may name another account than its own associated token account")]
    RecipientNotAllowed = 705,

    // 800: counters; none of these is reachable by legal calls
    #[msg("The amount does not fit")]
    AmountOverflow = 800,
    #[msg("The count does not fit")]
    CountOverflow = 801,
    #[msg("The operator's stake counters contradict each other")]
    StakeCounters = 802,
    #[msg("The vault would hold less than it owes")]
    VaultShort = 803,
    #[msg("The dispute holds what no legal play leads to")]
    Inconsistent = 804,

    // 900: who may operate
    #[msg("The model admits listed operators only: have its developer appoint this one, and pass the appointment")]
    NotAppointed = 900,

    // 1000: jail, signed answers, and fraud that one transaction shows
    #[msg("The operator is jailed after a rejected report or an equivocation: wait until its deadline is past")]
    Jailed = 1000,
    #[msg("The answer key changed not long ago: wait until the deadline of that change is past")]
    KeyChangesTooSoon = 1001,
    #[msg("The receipt answers what its payer asked: nothing is wrong here")]
    QuestionIsRight = 1002,
    #[msg("The path does not show this request at the receipt's sequence")]
    WrongRequestPath = 1003,
    #[msg("The node keeps every rule of its arithmetic: nothing is wrong here")]
    NodeIsWellFormed = 1004,
    #[msg("The signed message is not an answer of this operator on this cluster")]
    NotAnAnswer = 1005,
    #[msg("The answer is signed neither with the operator's present key nor with the one before it in its time")]
    WrongAnswerKey = 1006,
    #[msg("The answers are to different questions: model or input differ")]
    AnotherQuestion = 1007,
    #[msg("The answers are the same: nothing is wrong here")]
    NoEquivocation = 1008,
    #[msg("Nothing is left to take, or all of the operator's stake is locked: wait until a report of it ends")]
    NothingToSlash = 1009,
    #[msg("Nothing is owed to the prover")]
    NothingOwed = 1010,
    #[msg("Pay the prover first")]
    PayoutWaits = 1011,
    #[msg("A part of the slash waits for stake that is locked: take it first")]
    SlashWaits = 1012,
    #[msg("The same evidence still counts: wait until the operator changed its key and the old one's time is past")]
    EvidenceCounts = 1013,

    // 1100: data
    #[msg("One demand of this inquiry waits for its answer: let it be answered or time out first")]
    DemandPending = 1100,
    #[msg("No demand of this inquiry waits for an answer")]
    NothingDemanded = 1101,
    #[msg("The tree has no such node: demand one that has something below it")]
    NoSuchNode = 1102,
    #[msg("Show a path from this node to the root, or to one of the nodes that were shown last")]
    UnknownNode = 1103,
    #[msg(
        "Answer with exactly what is below the node: all hashes of the level, the receipts of the run, or the bytes of the tile"
    )]
    WrongAnswerLength = 1104,
    #[msg("Only constants of a version that anyone may check can be demanded")]
    NotCheckable = 1105,
    #[msg("The record or its path is not that constant's of the report's model")]
    WrongConstant = 1106,
    #[msg("This Collection is private: have its payer or a live session key of its credit sign")]
    PermissionMissing = 1107,
    #[msg("Sign with the demander of this inquiry")]
    NotTheDemander = 1108,
    #[msg("Wait until every demand for data of this report is answered or timed out")]
    DemandsPending = 1109,
    #[msg("Settle every inquiry of this report first")]
    InquiriesOpen = 1110,

    // 1200: audits
    #[msg("The report has fewer audits: it may have one for each begun 512 receipts, 16 at most")]
    NoSuchAudit = 1200,
    #[msg("This audit was drawn before: each is drawn once")]
    AlreadyDrawn = 1201,
    #[msg("No slot decides yet: call in the slots after the seal slot + 32, again when they had no block")]
    DrawTooEarly = 1202,
    #[msg("Pass the sysvar of slot hashes")]
    NotSlotHashes = 1203,
    #[msg("This is not the drawn receipt: read the audit, or calculate the draw, and pass its Collection and index")]
    NotTheDrawnReceipt = 1204,
    #[msg("Too little of the window is left: an answer in the last moment could not be disputed any more")]
    WindowTooShort = 1205,
    #[msg("The audit fund holds less than the fee above what it has promised, or there are no audits: add to the fund")]
    AuditFundShort = 1206,
    #[msg("Nobody can check this version: no audit of it is drawn")]
    NotAuditable = 1207,
    #[msg("This call does not belong to the audit's phase: read the audit again")]
    WrongAuditPhase = 1208,
    #[msg("Nobody committed to a trace: nothing is to be answered")]
    NothingCommitted = 1209,
    #[msg("The trace was on chain before this commitment: what could be copied is not paid")]
    CommittedTooLate = 1210,
    #[msg(
        "The commitment does not open to the operator's trace: dispute the receipt when it is the operator that is wrong"
    )]
    WrongOpening = 1211,
    #[msg("This commitment was opened before")]
    AlreadyRevealed = 1212,
    #[msg("Wait until the report has ended and the time to open commitments is over")]
    AuditNotOver = 1213,
    #[msg("The trace is on chain: attach it")]
    TraceIsPosted = 1214,
    #[msg("Close every entry of this audit first")]
    EntriesOpen = 1215,
    #[msg("Settle every audit of this report first")]
    AuditsOpen = 1216,
    #[msg("Use the audit of this report or entry")]
    WrongAudit = 1217,
    #[msg("Sign with the auditor of this entry")]
    NotTheAuditor = 1218,
}

impl From<AuditRefusal> for OracleError {
    fn from(refusal: AuditRefusal) -> Self {
        match refusal {
            AuditRefusal::WrongPhase => Self::WrongAuditPhase,
            AuditRefusal::TooLate => Self::MoveTooLate,
            AuditRefusal::TooEarly => Self::TimeoutTooEarly,
            AuditRefusal::NothingCommitted => Self::NothingCommitted,
            AuditRefusal::WindowTooShort => Self::WindowTooShort,
            AuditRefusal::CommittedTooLate => Self::CommittedTooLate,
            AuditRefusal::WrongOpening => Self::WrongOpening,
            AuditRefusal::NotOver => Self::AuditNotOver,
            AuditRefusal::Inconsistent => Self::Inconsistent,
        }
    }
}

impl From<Refusal> for OracleError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongPhase => Self::WrongPhase,
            Refusal::StaleDigest => Self::StaleDigest,
            Refusal::MoveTooLate => Self::MoveTooLate,
            Refusal::TimeoutTooEarly => Self::TimeoutTooEarly,
            Refusal::NotAPosition => Self::NotAPosition,
            Refusal::ShowTheNode => Self::ShowTheNode,
            Refusal::NotATraceLeaf => Self::NotATraceLeaf,
            Refusal::TileDue => Self::TileDue,
            Refusal::HashesDue => Self::HashesDue,
            Refusal::WrongHashCount => Self::WrongHashCount,
            Refusal::NotCanonical => Self::NotCanonical,
            Refusal::WrongPreimage => Self::WrongPreimage,
            Refusal::WrongTileLength => Self::WrongTileLength,
            Refusal::WrongRootCount => Self::WrongRootCount,
            Refusal::TraceMustBeWhole => Self::TraceMustBeWhole,
            Refusal::WrongLastRoot => Self::WrongLastRoot,
            Refusal::WrongTracePath => Self::WrongTracePath,
            Refusal::Inconsistent => Self::Inconsistent,
        }
    }
}

impl From<DataRefusal> for OracleError {
    fn from(refusal: DataRefusal) -> Self {
        match refusal {
            DataRefusal::DemandPending => Self::DemandPending,
            DataRefusal::NothingDemanded => Self::NothingDemanded,
            DataRefusal::NoSuchNode => Self::NoSuchNode,
            DataRefusal::UnknownNode => Self::UnknownNode,
            DataRefusal::TooLate => Self::MoveTooLate,
            DataRefusal::TooEarly => Self::TimeoutTooEarly,
            DataRefusal::WrongLength => Self::WrongAnswerLength,
            DataRefusal::NotCanonical => Self::NotCanonical,
            DataRefusal::WrongPreimage => Self::WrongPreimage,
            DataRefusal::Inconsistent => Self::Inconsistent,
        }
    }
}

impl From<RefereeError> for OracleError {
    fn from(error: RefereeError) -> Self {
        match error {
            RefereeError::Truncated => Self::WitnessTruncated,
            RefereeError::TrailingBytes => Self::WitnessTrailingBytes,
            RefereeError::Header => Self::WitnessHeader,
            RefereeError::NodeOutOfRange => Self::WitnessNodeOutOfRange,
            RefereeError::Node => Self::WitnessNode,
            RefereeError::Operand { operand: _ } => Self::WitnessOperand,
            RefereeError::Region { operand: _ } => Self::WitnessRegion,
            RefereeError::Tile => Self::WitnessTile,
            RefereeError::ElementOutOfRange => Self::ElementOutOfRange,
        }
    }
}
