//! What JavaScript calls. Numbers and places in memory only, so that no generated glue has to fit.
//!
//! Bytes go in by [`imo_alloc`], which the caller fills and which the called function takes over. What comes back is a reply: at its place
//! `{ failed u32, at u32, length u32 }` as the machine has them; a failed one is a sentence in UTF-8. The caller gives it back with [`imo_release`].
#![allow(unsafe_code)]

use std::{mem::ManuallyDrop, ptr};

use opml::Claim;
use opml_runtime::Model;

use crate::verify;

/// What a call brought: bytes, or why it failed.
#[repr(C)]
pub struct Reply {
    failed: u32,
    at: *mut u8,
    len: usize,
}

impl Reply {
    fn of(result: Result<Vec<u8>, String>) -> *mut Self {
        let failed = u32::from(result.is_err());
        let bytes = result.unwrap_or_else(String::into_bytes).into_boxed_slice();
        let len = bytes.len();
        let at = Box::into_raw(bytes).cast();
        Box::into_raw(Box::new(Self { failed, at, len }))
    }
}

/// Memory for `len` bytes, which a call takes over.
#[unsafe(no_mangle)]
pub extern "C" fn imo_alloc(len: usize) -> *mut u8 {
    ManuallyDrop::new(vec![0; len].into_boxed_slice()).as_mut_ptr()
}

/// # Safety
/// `at` and `len` are from [`imo_alloc`], and were given to no other call.
unsafe fn taken(at: *mut u8, len: usize) -> Vec<u8> {
    // SAFETY: by the caller's word it is the boxed slice that imo_alloc let go of.
    unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(at, len)) }.into_vec()
}

/// Opens a model file. The reply is empty; the model, or null, is written to `model`.
///
/// # Safety
/// `file` and `len` as for every call; `model` is a place for a pointer, from [`imo_alloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_open(file: *mut u8, len: usize, model: *mut *mut Model) -> *mut Reply {
    // SAFETY: as this function's caller says.
    let opened = verify::open(unsafe { taken(file, len) });
    let (place, result) = match opened {
        Ok(opened) => (Box::into_raw(Box::new(opened)), Ok(Vec::new())),
        Err(error) => (ptr::null_mut(), Err(error)),
    };
    // SAFETY: the caller has made room for it; imo_alloc aligns to bytes only.
    unsafe { model.write_unaligned(place) };
    Reply::of(result)
}

/// Forgets a model.
///
/// # Safety
/// `model` is from [`imo_open`] and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_close(model: *mut Model) {
    // SAFETY: as this function's caller says.
    drop(unsafe { Box::from_raw(model) });
}

/// [`verify::describe`].
///
/// # Safety
/// `model` is from [`imo_open`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_describe(model: *const Model) -> *mut Reply {
    // SAFETY: as this function's caller says.
    Reply::of(Ok(verify::describe(unsafe { &*model })))
}

/// [`verify::compute`].
///
/// # Safety
/// `model` is from [`imo_open`], `input` and `len` as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_compute(model: *const Model, input: *mut u8, len: usize) -> *mut Reply {
    // SAFETY: as this function's caller says.
    Reply::of(verify::compute(unsafe { &*model }, unsafe { taken(input, len) }))
}

/// [`verify::check`] of the claim model_root 32 ‖ input_root 32 ‖ output_root 32; the reply is the encoded verdict.
///
/// # Safety
/// `model` is from [`imo_open`]; `claim` has 96 bytes; the pairs as for every call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_check(
    model: *const Model,
    claim: *mut u8,
    input: *mut u8,
    input_len: usize,
    output: *mut u8,
    output_len: usize,
) -> *mut Reply {
    // SAFETY: as this function's caller says.
    let (model, claim, input, output) = unsafe {
        (
            &*model,
            taken(claim, 96),
            taken(input, input_len),
            taken(output, output_len),
        )
    };
    let root = |at: usize| {
        claim
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .unwrap_or_default()
    };
    let claim = Claim {
        model_root: root(0),
        input_root: root(32),
        output_root: root(64),
    };
    Reply::of(verify::check(model, &claim, input, &output).map(|verdict| verdict.encode().to_vec()))
}

/// Gives back a reply.
///
/// # Safety
/// `reply` is from one of these functions and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo_release(reply: *mut Reply) {
    // SAFETY: as this function's caller says; both boxes were made in `Reply::of`.
    unsafe {
        let reply = Box::from_raw(reply);
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(reply.at, reply.len)));
    }
}
