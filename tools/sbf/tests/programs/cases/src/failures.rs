//! Ways for a program to fail. Each must end the transaction cleanly.

use std::hint::black_box;

/// Fails in one of several ways; the returned number is never seen.
pub fn fail(way: u64) -> u64 {
    let nothing: Option<u64> = black_box(None);
    match way {
        0 => panic!("a plain message"),
        1 => [1u64, 2, 3][black_box(3)],
        2 => black_box(u64::MAX) + black_box(1),
        3 => black_box(i64::MIN).unsigned_abs() / black_box(0),
        4 => nothing.expect("nothing there"),
        5 => Vec::<u8>::with_capacity(black_box(1 << 20)).capacity() as u64,
        6 => endless_recursion(black_box(1)),
        7 => loop {
            black_box(way);
        },
        8 => (black_box(i128::MIN) / black_box(-1)) as u64,
        _ => (black_box(u128::MAX) * black_box(2)) as u64,
    }
}

#[inline(never)]
fn endless_recursion(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    black_box(endless_recursion(black_box(depth + 1)) + 1)
}
