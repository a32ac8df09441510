//! What must hold whatever anybody does: all ways that a dispute can go, and random histories of everything.

mod deadlines;
mod disputes;
mod histories;
