//! What the programs' error codes mean.

use std::fmt;

use anchor_lang::{error::ErrorCode as AnchorError, prelude::Pubkey};
use imo_protocol::ids;

/// A refusal of one of the four programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The program that refused.
    pub program: &'static str,
    /// The code in `custom program error`.
    pub code: u32,
    /// The name of the error, as in the program's source.
    pub name: String,
    /// What to do.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            code,
            name,
            message,
        } = self;
        write!(f, "{program} refuses ({name}, {code}): {message}")
    }
}

/// What `code` of `program` means; `None` when it is none of the four programs, or a code that this client does not know.
pub fn lookup(program: &Pubkey, code: u32) -> Option<Refusal> {
    let (program, own) = program_errors(program)?;
    let (name, message) = own(code)
        .or_else(|| protocol_error(code))
        .or_else(|| anchor_error(code))?;
    Some(Refusal {
        program,
        code,
        name,
        message,
    })
}

/// The refusal that ended a transaction, found in its logs. The innermost program that failed is logged first, and it knows why.
pub fn from_logs<S: AsRef<str>>(logs: &[S]) -> Option<Refusal> {
    logs.iter().find_map(|line| {
        let (program, code) = line
            .as_ref()
            .strip_prefix("Program ")?
            .split_once(" failed: custom program error: 0x")?;
        lookup(&program.parse().ok()?, u32::from_str_radix(code, 16).ok()?)
    })
}

type Meaning = fn(u32) -> Option<(String, String)>;

fn program_errors(program: &Pubkey) -> Option<(&'static str, Meaning)> {
    Some(match *program {
        ids::MODEL_TOKEN => ("model-token", model_token_error as Meaning),
        ids::YIELD_DISTRIBUTOR => ("yield-distributor", yield_error),
        ids::OPML_ORACLE => ("opml-oracle", oracle_error),
        ids::REVENUE_ESCROW => ("revenue-escrow", revenue_escrow_error),
        _ => return None,
    })
}

macro_rules! meanings {
    ($($function:ident: $error:path { $($name:ident),+ $(,)? })+) => {
        $(fn $function(code: u32) -> Option<(String, String)> {
            use $error as Error;
            [$(Error::$name),+]
                .into_iter()
                .find(|error| u32::from(*error) == code)
                .map(|error| (error.name(), error.to_string()))
        })+
    };
}

meanings! {
    model_token_error: model_token::errors::ModelTokenError {
        NotUpgradeAuthority, NotAuthority, NotGuardian, Paused, PauseTooLong, NoPaymentMint,
        TooManyPaymentMints, DuplicatePaymentMint, ProtocolShareExceedsAll, TermSlotsOutOfRange,
        ClockShorterThanResponse, UnbondingTooShort, EpochTooShort, BondRatioOutOfRange,
        SlashSharesExceedAll, BondIsZero, MoveCostExceedsBond, BondDoesNotDeter, EpochLengthIsFixed, WaitIsFixed,
        PaymentMintNotAllowed, UriTooLong, NotDeveloper, UnknownArithmeticVersion, InvalidModelSize,
        InvalidInputSpec, SplitIsNotAll, WrongProtocolShare, TooManyVersions, NoticeNotOver,
        VersionNotLater, WrongModel, NoLiveVersion, SupplyIsZero, InvalidRaise, InvalidOpening,
        InvalidClose, InvalidName, InvalidSymbol, OfferingNotOpenYet, OfferingClosed, OfferingNotClosed,
        OfferingNotSettled, OfferingSucceeded, OfferingFailed, CommitmentIsZero, TokenAccountsMissing,
        NothingToWithdraw, WrongOffering, WrongRentPayer, WrongInvestor, WrongMint, ArithmeticOverflow,
        VaultShort, AccessUnchanged, AlreadyDismissed, AppointmentInForce, TimelockOutOfRange,
        UpdateNotDue, UpdateLapsed, CancelNotYours, NotPendingAuthority, NotPaused, PausedTooRecently,
        AuditShareExceedsAll,
        InvalidLicence, NotPendingDeveloper, OfferingRuns, VersionWaits, InvalidTail, TailHasBegun,
        WithdrawalTooLarge, TailWithdrawalUsed, WalletCapExceeded, NotOnAllowlist, InvalidAllowlist,
        InvalidVesting, DeveloperVestsTooSoon, InvalidTranches, TrancheTooCheap, NoSuchTranche, TrancheLocked,
        TrancheMissed, TrancheNotMissed, AlreadyClaimed, NotReleaser, WrongRelease, NothingToRelease,
        TranchesUndecided, CommitmentsUnclaimed, DustSwept, TooManyContributors, ContributorsDoNotMatch,
        WrongContributorsSum, ContributorShareIsZero, InvalidContributor, WrongContributorMint
    }
    yield_error: yield_distributor::errors::YieldError {
        OfferingNotSucceeded, WrongModel, WrongTokenMint, WrongRevenueMint, NotDepositor, AmountIsZero,
        WrongActivationEpoch, StakeTooSmall, PositionNotEmpty, WrongOwner, NotEnoughTokens,
        EpochMarkMissing, WrongPool, EpochMarkInUse, WrongRentPayer, RedeemsNothing, ArithmeticOverflow,
        VaultShort, InconsistentState,
        DeveloperVestingMissing, WrongBeneficiary, CommitmentUnclaimed, NothingVests, VestingNotEmpty,
        NotOwnerOrDelegate, WrongDestination, NothingToClaim, NobodyDelegated
    }
    oracle_error: opml_oracle::errors::OracleError {
        AmountIsZero, NotEnoughFreeStake, NothingUnbonding, StillUnbonding, DisputesOpen, MintNotAllowed,
        EndpointTooLong, NotTheAuthority, WrongMint, NotTheTokenAuthority, WrongModelVersion,
        VersionNeverLive, WrongOperatorMint, PeriodEmpty, BondTooSmall, ReportNotOpen, SealNotYours,
        ReportNotSealed, ReportEnded, WindowClosed, WindowOpen, DisputesUnsettled, ReportNotEnded,
        TracesOpen, BucketOpen, WrongBucket, WrongOperator, WrongRentPayer, WrongPhase, StaleDigest,
        MoveTooLate, TimeoutTooEarly, NotTheChallenger, WrongReport, WrongCollection, WrongPlace,
        ReceiptOutOfRange, WrongReceiptPath, WrongTrace, NotTheOperator, WrongRootCount, TraceMustBeWhole,
        WrongLastRoot, WrongTracePath, NotAPosition, ShowTheNode, NotATraceLeaf, TileDue, HashesDue,
        WrongHashCount, NotCanonical, WrongPreimage, WrongTileLength, ElementIsCorrect, WrongWitness,
        WitnessOutOfRange, WitnessTruncated, WitnessTrailingBytes, WitnessHeader, WitnessNodeOutOfRange,
        WitnessNode, WitnessOperand, WitnessRegion, WitnessTile, ElementOutOfRange, DisputeNotFinished,
        AlreadySettled, SettleInOrder, NotSettled, RecipientMissing, RecipientNotAllowed, AmountOverflow,
        CountOverflow, StakeCounters, VaultShort, Inconsistent, DemandPending, NothingDemanded, NoSuchNode, UnknownNode,
        WrongAnswerLength, NotCheckable, WrongConstant, PermissionMissing, NotTheDemander, DemandsPending, InquiriesOpen,
        NotAppointed, Jailed, KeyChangesTooSoon, QuestionIsRight, WrongRequestPath,
        NodeIsWellFormed, NotAnAnswer, WrongAnswerKey, AnotherQuestion, NoEquivocation, NothingToSlash, NothingOwed,
        PayoutWaits, SlashWaits, EvidenceCounts,
        NoSuchAudit, AlreadyDrawn, DrawTooEarly, NotSlotHashes, NotTheDrawnReceipt, WindowTooShort, AuditFundShort,
        NotAuditable, WrongAuditPhase, NothingCommitted, CommittedTooLate, WrongOpening, AlreadyRevealed, AuditNotOver,
        TraceIsPosted, EntriesOpen, AuditsOpen, WrongAudit, NotTheAuditor
    }
    revenue_escrow_error: revenue_escrow::errors::RevenueEscrowError {
        AmountIsZero, NotEnoughFunds, NoNotice, NoticeNotDue, Overflow, VaultShort, Paused, ExpiryInThePast,
        SessionRevoked, AlreadyRevoked, SessionLimit, VoucherExpired, VoucherOutlivesSession,
        SessionStillLive, ReportNotOpen, ReportSealDue, NothingToCollect, NoAmountToCollect,
        TooManyReceipts, LaneIsFull, BondExceeded, ReportNotFinal, ReportNotRejected, AlreadySplit,
        AlreadyRefunded, PoolMissing, NotEmpty, StillInUse, OpenedInThisSlot, CollectionNeeded, BucketInUse,
        WrongRelation, WrongModel, WrongMint, WrongOperator, WrongReport, NotOperatorAuthority,
        WrongEarnings, NotPayer, WrongDestination, WrongRentPayer, NotAppointed, TooLateToRetract, ReportIsChallenged,
        AlreadyRetracted, ReportNotEnded,
        WrongContributions, NoSuchContributor, ContributorIsModel, ContributorIsNoModel, WrongUpstream
    }
    protocol_error: imo_protocol::ProtocolError {
        NoPrecedingInstruction, NotInstructionsSysvar, NotEd25519Program, WrongEd25519DataLength,
        WrongSignatureCount, WrongPadding, WrongSignatureOffset, WrongSignatureInstruction, WrongKeyOffset,
        WrongKeyInstruction, WrongMessageOffset, WrongMessageLength, WrongMessageInstruction, WrongSigner,
        WrongMessage, SequenceOutOfRange
    }
    anchor_error: AnchorError {
        ConstraintMut, ConstraintHasOne, ConstraintSigner, ConstraintRaw, ConstraintOwner, ConstraintSeeds,
        ConstraintAssociated, ConstraintClose, ConstraintAddress, ConstraintZero, ConstraintTokenMint,
        ConstraintTokenOwner, ConstraintTokenTokenProgram, ConstraintMintTokenProgram, ConstraintDuplicateMutableAccount,
        AccountDiscriminatorAlreadySet, AccountDiscriminatorNotFound, AccountDiscriminatorMismatch,
        AccountDidNotDeserialize, AccountDidNotSerialize, AccountNotEnoughKeys, AccountNotMutable,
        AccountOwnedByWrongProgram, InvalidProgramId, AccountNotSigner, AccountNotSystemOwned, AccountNotInitialized,
        AccountNotProgramData, InstructionFallbackNotFound, InstructionDidNotDeserialize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Name = 123,` of an error enum's source.
    fn variants(source: &str) -> impl Iterator<Item = (&str, u32)> {
        source.lines().filter_map(|line| {
            let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
            Some((name, number.parse().ok()?))
        })
    }

    #[test]
    fn given_every_error_in_the_sources_when_looked_up_then_its_name_and_a_message() {
        let sources = [
            (
                model_token::ID,
                6_000,
                include_str!("../../../programs/model-token/src/errors.rs"),
            ),
            (
                yield_distributor::ID,
                6_000,
                include_str!("../../../programs/yield-distributor/src/errors.rs"),
            ),
            (
                opml_oracle::ID,
                6_000,
                include_str!("../../../programs/opml-oracle/src/errors.rs"),
            ),
            (
                revenue_escrow::ID,
                6_000,
                include_str!("../../../programs/revenue-escrow/src/errors.rs"),
            ),
            (opml_oracle::ID, 9_000, include_str!("../../imo-protocol/src/errors.rs")),
        ];
        for (program, offset, source) in sources {
            assert!(variants(source).count() > 0);
            for (name, number) in variants(source) {
                let refusal = lookup(&program, offset + number).unwrap_or_else(|| panic!("{name} is not listed"));
                assert_eq!(refusal.name, name);
                assert!(!refusal.message.is_empty());
            }
        }
    }

    #[test]
    fn given_a_code_of_the_framework_when_looked_up_then_named_too() {
        assert_eq!(lookup(&model_token::ID, 2006).unwrap().name, "ConstraintSeeds");
    }

    #[test]
    fn given_logs_of_a_nested_failure_when_read_then_the_innermost_refusal() {
        let logs = [
            format!("Program {} invoke [1]", revenue_escrow::ID),
            format!("Program {} invoke [2]", yield_distributor::ID),
            format!("Program {} failed: custom program error: 0x1838", yield_distributor::ID),
            format!("Program {} failed: custom program error: 0x1838", revenue_escrow::ID),
        ];
        let refusal = from_logs(&logs).unwrap();
        assert_eq!(
            (refusal.program, refusal.name.as_str()),
            ("yield-distributor", "EpochMarkMissing")
        );
    }

    #[test]
    fn given_another_program_or_code_when_looked_up_then_none() {
        assert_eq!(lookup(&Pubkey::default(), 6_000), None);
        assert_eq!(lookup(&model_token::ID, 1), None);
        assert_eq!(from_logs(&["Program log: hello"]), None);
    }
}
