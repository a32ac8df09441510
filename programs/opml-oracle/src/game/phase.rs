use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace};

/// The two sides of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Challenger,
    Operator,
}

/// How far a dispute is.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The challenger has committed to a place and must name it.
    Opened,
    /// The claim is known; the operator must post or attach its trace.
    Pointed,
    /// The trace is known; the challenger must pick a node of it.
    Traced,
    /// A node is picked; the operator must show what is below it.
    Demanded,
    /// What is below is known; the challenger must pick one of it.
    Narrowed,
    /// The wrong tile is known; the challenger must prove an element of it wrong.
    TileKnown,
    /// Over: the operator is wrong, or did not answer.
    Proven,
    /// Over: the challenger did not go on.
    Lost,
}

impl Phase {
    /// Whose clock runs; nobody's when it is over.
    pub fn turn(self) -> Option<Side> {
        match self {
            Self::Opened | Self::Traced | Self::Narrowed | Self::TileKnown => Some(Side::Challenger),
            Self::Pointed | Self::Demanded => Some(Side::Operator),
            Self::Proven | Self::Lost => None,
        }
    }
}

/// The kinds of move, as the digest names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Move {
    /// Payload: order u32, commitment.
    Open = 0,
    /// Payload: collection, receipt index u32, salt, input root, output root, the receipt's salt.
    Point = 1,
    /// Payload: trace root.
    PostTrace = 2,
    /// Payload: trace root.
    AttachTrace = 3,
    /// Payload: child u8.
    Demand = 4,
    /// Payload: child u8.
    DemandNode = 5,
    /// Payload: the hashes.
    Reveal = 6,
    /// Payload: the used bytes of the tile.
    RevealTile = 7,
    /// Payload: element u32.
    Prove = 8,
    /// Payload: collection, receipt index u32.
    ProveWrongQuestion = 9,
    /// Payload: collection, receipt index u32, output root of the other answer.
    ProveEquivocation = 10,
    /// Payload: node u32.
    ProveMalformed = 11,
}
