/// Why an audit refuses a call. A refused call changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditRefusal {
    /// The call does not belong to the audit's phase.
    WrongPhase,
    /// The deadline of the phase is past.
    TooLate,
    /// The deadline of the phase is not past.
    TooEarly,
    /// Nobody committed to anything, so that nobody has to answer.
    NothingCommitted,
    /// The window ends before an answer could be disputed.
    WindowTooShort,
    /// The commitment was made when the trace could already be read.
    CommittedTooLate,
    /// The commitment does not open to the operator's trace.
    WrongOpening,
    /// The report, or the time to show what was committed to, has not ended.
    NotOver,
    /// The state holds what no legal call leads to.
    Inconsistent,
}
