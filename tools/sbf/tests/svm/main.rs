//! What the compiler makes of `programs/cases`, run in Solana's virtual machine.

mod differential;
mod failures;
mod machine;
