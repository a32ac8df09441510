//! Memory of outputs that nobody needs any more.

use std::{collections::HashMap, sync::Mutex};

/// Keeps memory for the next run, in which the same lengths are needed again. Memory that is fresh from the system costs a page fault every few kilobytes, which is
/// more than most nodes cost.
#[derive(Debug)]
pub(crate) struct Memory {
    idle: Mutex<Idle>,
    /// Bytes that it keeps at most.
    limit: usize,
}

#[derive(Debug, Default)]
struct Idle {
    by_length: HashMap<usize, Vec<Vec<u8>>>,
    bytes: usize,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            idle: Mutex::default(),
            limit,
        }
    }

    /// So many bytes, with whatever was in them.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let found = self.idle.lock().ok().and_then(|mut idle| {
            let found = idle.by_length.get_mut(&length)?.pop()?;
            idle.bytes -= length;
            Some(found)
        });
        found.unwrap_or_else(|| vec![0; length])
    }

    pub(crate) fn give_back(&self, bytes: Vec<u8>) {
        if let Ok(mut idle) = self.idle.lock()
            && idle.bytes + bytes.len() <= self.limit
        {
            idle.bytes += bytes.len();
            idle.by_length.entry(bytes.len()).or_default().push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_memory_that_came_back_when_its_length_is_needed_again_then_it_is_used_and_no_more_is_kept_than_the_limit()
    {
        let memory = Memory::new(10);
        memory.give_back(vec![7; 6]);
        memory.give_back(vec![8; 5]);
        memory.give_back(vec![9; 4]);
        assert_eq!(memory.take(5), [0; 5], "it was beyond the limit");
        assert_eq!(memory.take(6), [7; 6]);
        assert_eq!(memory.take(6), [0; 6]);
        memory.give_back(vec![8; 5]);
        assert_eq!(memory.take(5), [8; 5], "what was taken makes room");
        assert_eq!(memory.take(4), [9; 4]);
    }
}
