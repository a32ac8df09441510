//! The C functions for memory. Small sizes are loops, because a syscall costs as much as some dozen instructions.

unsafe extern "C" {
    fn sol_memcmp_(a: *const u8, b: *const u8, count: u64, result: *mut i32);
    fn sol_memmove_(to: *mut u8, from: *const u8, count: u64);
    fn sol_memset_(to: *mut u8, value: u8, count: u64);
}

/// Sizes up to which a loop is cheaper than the syscall.
const SMALL_COPY: usize = 32;
const SMALL_FILL: usize = 16;
const SMALL_ORDER: usize = 32;
const SMALL_EQUALITY: usize = 64;

unsafe fn word(at: *const u8) -> u64 {
    (at as *const u64).read_unaligned()
}

/// The places do not overlap, or are the same one, where a loop forwards is right as well.
#[no_mangle]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if count > SMALL_COPY {
        sol_memmove_(to, from, count as u64);
        return to;
    }
    let mut i = 0;
    while i + 8 <= count {
        (to.add(i) as *mut u64).write_unaligned(word(from.add(i)));
        i += 8;
    }
    while i < count {
        *to.add(i) = *from.add(i);
        i += 1;
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if count != 0 {
        sol_memmove_(to, from, count as u64);
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
    if count > SMALL_FILL {
        sol_memset_(to, value as u8, count as u64);
        return to;
    }
    let mut i = 0;
    while i < count {
        *to.add(i) = value as u8;
        i += 1;
    }
    to
}

#[no_mangle]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    if count > SMALL_ORDER {
        let mut result = 0i32;
        sol_memcmp_(a, b, count as u64, &mut result);
        return result;
    }
    let mut i = 0;
    while i + 8 <= count && word(a.add(i)) == word(b.add(i)) {
        i += 8;
    }
    while i < count {
        let (x, y) = (*a.add(i), *b.add(i));
        if x != y {
            return x as i32 - y as i32;
        }
        i += 1;
    }
    0
}

/// Like memcmp, but only whether there is a difference.
#[no_mangle]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    if count > SMALL_EQUALITY {
        let mut result = 0i32;
        sol_memcmp_(a, b, count as u64, &mut result);
        return result;
    }
    let mut i = 0;
    while i + 8 <= count {
        if word(a.add(i)) != word(b.add(i)) {
            return 1;
        }
        i += 8;
    }
    while i < count {
        if *a.add(i) != *b.add(i) {
            return 1;
        }
        i += 1;
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut count = 0;
    while *text.add(count) != 0 {
        count += 1;
    }
    count
}
