//! Teaches the standard library one more operating system, `solana`: no threads, no randomness, no heap of its
//! own, and panics that end in the program's `custom_panic` and the `abort` syscall.
//!
//! Every edit finds its place by text that must occur exactly once, so that a standard library that has changed
//! is refused rather than edited in the wrong place.

use crate::files;
use anyhow::{Result, bail};
use std::path::Path;

pub struct Edit {
    /// Path below `library/`.
    file: &'static str,
    /// The place: whole lines that occur exactly once.
    find: &'static str,
    replace: &'static str,
}

/// A file the standard library does not have.
struct Addition {
    file: &'static str,
    text: &'static str,
}

/// Makes all edits below `library`.
pub fn apply(library: &Path) -> Result<()> {
    for addition in ADDITIONS {
        files::write(&library.join(addition.file), addition.text)?;
    }
    for edit in EDITS {
        let path = library.join(edit.file);
        let edited = edit.apply(&files::read_text(&path)?)?;
        files::write(&path, edited)?;
    }
    Ok(())
}

/// Everything the edits depend on, for a fingerprint.
pub fn description() -> String {
    let edits = EDITS.iter().flat_map(|edit| [edit.file, edit.find, edit.replace]);
    let additions = ADDITIONS.iter().flat_map(|addition| [addition.file, addition.text]);
    edits.chain(additions).collect::<Vec<_>>().join("\n")
}

impl Edit {
    fn apply(&self, text: &str) -> Result<String> {
        match text.matches(self.find).count() {
            1 => Ok(text.replacen(self.find, self.replace, 1)),
            0 => bail!(
                "the standard library has changed: library/{} no longer contains\n{}",
                self.file,
                self.find
            ),
            n => bail!(
                "the standard library has changed: library/{} contains {n} times\n{}",
                self.file,
                self.find
            ),
        }
    }
}

const ADDITIONS: &[Addition] = &[Addition {
    file: "std/src/sys/alloc/solana.rs",
    text: "\
use crate::alloc::{GlobalAlloc, Layout, System};

// Programs bring a global allocator; this one only has to exist.
#[stable(feature = \"alloc_system_type\", since = \"1.28.0\")]
unsafe impl GlobalAlloc for System {
    #[inline]
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        crate::ptr::null_mut()
    }
    #[inline]
    unsafe fn dealloc(&self, _ptr: *mut u8, _layout: Layout) {}
}
",
}];

const EDITS: &[Edit] = &[
    // Without this std would be unstable to use for an operating system it does not know.
    Edit {
        file: "std/build.rs",
        find: "        || target_os == \"vexos\"\n",
        replace: "        || target_os == \"vexos\"\n        || target_os == \"solana\"\n",
    },
    // Keys of hash maps: the usual ones live in writable thread-local data, which a program cannot have.
    Edit {
        file: "std/src/hash/random.rs",
        find: "        thread_local!(static KEYS: Cell<(u64, u64)> = {\n            Cell::new(hashmap_random_keys())\n        });\n",
        replace: "        #[cfg(target_os = \"solana\")]\n        return RandomState { k0: 0, k1: 0 };\n\n        \
                  #[cfg(not(target_os = \"solana\"))]\n        \
                  thread_local!(static KEYS: Cell<(u64, u64)> = {\n            Cell::new(hashmap_random_keys())\n        });\n",
    },
    Edit {
        file: "std/src/hash/random.rs",
        find: "        KEYS.with(|keys| {\n",
        replace: "        #[cfg(not(target_os = \"solana\"))]\n        KEYS.with(|keys| {\n",
    },
    // The stable sort keeps a buffer on the stack that would fill a whole frame; a smaller one goes to the heap sooner.
    Edit {
        file: "core/src/slice/sort/stable/mod.rs",
        find: "                    let mut stack_buf = AlignedStorage::<T, 4096>::new();\n",
        replace: "                    let mut stack_buf = AlignedStorage::<T, 512>::new();\n",
    },
    // Panics of core: the program's entrypoint! macro defines custom_panic, which logs the message.
    Edit {
        file: "std/src/panicking.rs",
        find: "#[panic_handler]\npub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {\n",
        replace: "\
#[panic_handler]
pub fn panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(target_os = \"solana\")]
    {
        unsafe extern \"Rust\" {
            fn custom_panic(info: &core::panic::PanicInfo<'_>);
        }
        unsafe extern \"C\" {
            fn abort() -> !;
        }
        unsafe {
            custom_panic(info);
            abort()
        }
    }
    #[cfg(not(target_os = \"solana\"))]
    std_panic_handler(info)
}

#[cfg(not(test))]
#[allow(dead_code)]
fn std_panic_handler(info: &core::panic::PanicInfo<'_>) -> ! {
",
    },
    // Panics of std itself (std::panic!, out of memory): log the message if it is plain text, then end.
    Edit {
        file: "std/src/panicking.rs",
        find: "#[optimize(size)]\nfn panic_with_hook(\n",
        replace: "\
#[optimize(size)]
fn panic_with_hook(
    payload: &mut dyn PanicPayload,
    location: &Location<'_>,
    can_unwind: bool,
    force_no_backtrace: bool,
) -> ! {
    #[cfg(target_os = \"solana\")]
    {
        let _ = (can_unwind, force_no_backtrace);
        unsafe extern \"C\" {
            fn sol_log_(message: *const u8, length: u64);
            fn sol_panic_(file: *const u8, length: u64, line: u64, column: u64) -> !;
        }
        unsafe {
            if let Some(message) = payload.as_str() {
                sol_log_(message.as_ptr(), message.len() as u64);
            }
            let file = location.file();
            sol_panic_(file.as_ptr(), file.len() as u64, location.line() as u64, location.column() as u64)
        }
    }
    #[cfg(not(target_os = \"solana\"))]
    std_panic_with_hook(payload, location, can_unwind, force_no_backtrace)
}

#[optimize(size)]
#[allow(dead_code)]
fn std_panic_with_hook(
",
    },
    Edit {
        file: "std/src/sys/alloc/mod.rs",
        find: "    target_arch = \"riscv32\",\n",
        replace: "    target_arch = \"riscv32\",\n    target_arch = \"bpf\",\n",
    },
    Edit {
        file: "std/src/sys/alloc/mod.rs",
        find: "    target_os = \"zkvm\" => {\n",
        replace: "    target_os = \"solana\" => {\n        mod solana;\n    }\n    target_os = \"zkvm\" => {\n",
    },
    Edit {
        file: "std/src/sys/io/error/mod.rs",
        find: "        target_os = \"vexos\",\n",
        replace: "        target_os = \"vexos\",\n        target_os = \"solana\",\n",
    },
    Edit {
        file: "std/src/sys/random/mod.rs",
        find: "        target_os = \"vexos\",\n    ) => {\n        // FIXME: finally remove std support for wasm32-unknown-unknown\n",
        replace: "        target_os = \"vexos\",\n        target_os = \"solana\",\n    ) => {\n        // FIXME: finally remove std support for wasm32-unknown-unknown\n",
    },
    Edit {
        file: "std/src/sys/random/mod.rs",
        find: "    target_os = \"vexos\",\n)))]\n",
        replace: "    target_os = \"vexos\",\n    target_os = \"solana\",\n)))]\n",
    },
    // Thread-local storage becomes plain statics: there is one thread.
    Edit {
        file: "std/src/sys/thread_local/mod.rs",
        find: "        all(target_family = \"wasm\", not(target_feature = \"atomics\")),\n        target_os = \"uefi\",\n",
        replace: "        all(target_family = \"wasm\", not(target_feature = \"atomics\")),\n        target_os = \"solana\",\n        target_os = \"uefi\",\n",
    },
    Edit {
        file: "std/src/sys/thread_local/mod.rs",
        find: "            )),\n            target_os = \"uefi\",\n",
        replace: "            )),\n            target_os = \"solana\",\n            target_os = \"uefi\",\n",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        file: "a.rs",
        find: "here\n",
        replace: "here\nand there\n",
    };

    #[test]
    fn given_the_place_once_when_edited_then_it_is_replaced() {
        assert_eq!(EDIT.apply("x\nhere\ny\n").unwrap(), "x\nhere\nand there\ny\n");
    }

    #[test]
    fn given_no_place_when_edited_then_refused_with_the_file_name() {
        let error = EDIT.apply("x\n").unwrap_err().to_string();
        assert!(error.contains("library/a.rs no longer contains"), "{error}");
    }

    #[test]
    fn given_two_places_when_edited_then_refused() {
        let error = EDIT.apply("here\nhere\n").unwrap_err().to_string();
        assert!(error.contains("contains 2 times"), "{error}");
    }
}
