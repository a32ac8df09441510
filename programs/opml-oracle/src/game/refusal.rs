/// Why the game refuses a move. A refused move changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The move does not belong to this phase.
    WrongPhase,
    /// The move answers another state than the present one.
    StaleDigest,
    /// The deadline of the move is past.
    MoveTooLate,
    /// The deadline is not past: the side whose turn it is may still move.
    TimeoutTooEarly,
    /// There is no such child, or it is padding.
    NotAPosition,
    /// The child is a leaf of the trace: its node's record must be shown.
    ShowTheNode,
    /// The child is not a leaf of the trace: a node's record is of no use yet.
    NotATraceLeaf,
    /// The tile itself is due, not hashes.
    TileDue,
    /// Hashes are due, not yet a tile.
    HashesDue,
    /// A reveal is all nodes of the level it is of.
    WrongHashCount,
    /// Padding is not where it must be, or where it must not be.
    NotCanonical,
    /// The hashes or the tile are not what the known hash commits to.
    WrongPreimage,
    /// A tile is revealed in exactly the bytes that hold elements.
    WrongTileLength,
    /// A small model's trace is posted whole, one root a node.
    WrongRootCount,
    /// The model is small: its trace is posted whole.
    TraceMustBeWhole,
    /// The last node's output is not the output that was claimed.
    WrongLastRoot,
    /// The path does not show the claimed output as the last leaf of the trace.
    WrongTracePath,
    /// The state holds what no legal play leads to.
    Inconsistent,
}
