//! What a challenger calls.

mod close_witness;
mod demand;
mod demand_node;
mod init_witness;
mod open_dispute;
mod point;
mod prove;
mod prove_equivocation;
mod prove_malformed;
mod prove_wrong_question;
mod write_witness;

pub use {
    close_witness::*, demand::*, demand_node::*, init_witness::*, open_dispute::*, point::*, prove::*,
    prove_equivocation::*, prove_malformed::*, prove_wrong_question::*, write_witness::*,
};
