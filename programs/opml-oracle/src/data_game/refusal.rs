/// Why the data game refuses a call. A refused call changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataRefusal {
    /// A demand waits for its answer.
    DemandPending,
    /// No demand waits for an answer.
    NothingDemanded,
    /// The tree has no real node at that place.
    NoSuchNode,
    /// The path does not lead to the root, nor to a node that was shown last.
    UnknownNode,
    /// The demand's deadline is past.
    TooLate,
    /// The demand's deadline is not past.
    TooEarly,
    /// The answer is not as long as the demanded place makes it.
    WrongLength,
    /// Padding is not where it must be, or where it must not be.
    NotCanonical,
    /// The answer is not what the demanded node commits to.
    WrongPreimage,
    /// The state holds what no legal call leads to.
    Inconsistent,
}
