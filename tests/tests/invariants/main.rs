//! What must hold whatever anybody does: all ways that a dispute can go.

mod disputes;
