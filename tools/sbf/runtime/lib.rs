//! Functions that LLVM expects of a platform and Solana does not have. `sbf-codegen` links those a program calls,
//! after the program has been optimised.
//!
//! Signatures are what rustc makes of them for BPF: `extern "C"` passes u128 by pointer, so functions with 128-bit
//! values use Rust's own convention, which passes them in registers and returns them through a hidden pointer.
#![no_std]
#![feature(core_intrinsics)]
#![allow(internal_features)]

mod floats;
mod integers;
mod memory;
