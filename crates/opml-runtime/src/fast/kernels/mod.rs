//! The inner loops, once for each kind of processor.
//!
//! This is the only module with `unsafe` code. Both of its uses need it: calling a function that was compiled for more instructions than the
//! build's target has, and loading a vector from memory.
//!
//! Why it is sound:
//! - A [`Level`] or a [`ShaExtensions`] is made only after the processor was asked for every feature that the functions behind it are compiled for; both
//!   have no other constructor. Each call of such a function stands behind a `match` on one.
//! - A vector is loaded from, or stored to, a reference to an array of its size. No pointer is computed.
//!
//! Everything else is bounds-checked Rust: a mistake here gives a wrong number, which the tests against the reference find, not a wild access.
#![allow(unsafe_code)]

mod dot;
mod gemm;
mod lookup;
mod narrow;
mod rows;
mod sha256;

pub(super) use dot::dot_product;
pub(super) use gemm::{PANEL, Packed, Requantisation, product};
pub(super) use lookup::lookup;
pub(super) use narrow::{Narrow, narrow_product};
pub(super) use rows::{
    Normalisation, add, arg_max, clip, layer_statistics, multiply, normalise, quotients, reduce_max, reduce_sum,
    rms_statistics, rotate,
};
pub(super) use sha256::{Quarter, ShaExtensions, compress_two};

/// Instructions that the kernels may use. Private inside, so that only [`Level::available`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// What this processor has, the fastest last. The first is always plain Rust.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))]
        let mut levels = vec![Self(Instructions::Plain)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self(Instructions::Avx2));
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vnni")
            {
                levels.push(Self(Instructions::Avx512));
            }
        }
        levels
    }

    /// The fastest.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Instructions::Plain))
    }
}

/// A function that runs `body`, which is `#[inline(always)]`, compiled for the level's instructions: the compiler then vectorises the plain Rust of `body`
/// for each of them.
macro_rules! for_each_level {
    ($(#[$doc:meta])* $name:ident = $body:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)?) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(in crate::fast) fn $name(level: $crate::fast::kernels::Level, $($arg: $type),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $type),*) $(-> $ret)? {
                $body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $type),*) $(-> $ret)? {
                $body($($arg),*)
            }
            match level.0 {
                $crate::fast::kernels::Instructions::Plain => $body($($arg),*),
                // SAFETY: a level is made only where the processor has these instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::kernels::Instructions::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::kernels::Instructions::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}

use for_each_level;
