//! Memory of outputs that nobody needs any more.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex},
};

use bytes::Bytes;

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

    /// Bytes that were taken, to be read by anybody. They come back when nobody needs them any more.
    pub(super) fn share(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Taken {
            bytes,
            memory: self.clone(),
        })
    }

    fn give_back(&self, bytes: Vec<u8>) {
        if let Ok(mut idle) = self.idle.lock()
            && idle.bytes + bytes.len() <= self.limit
        {
            idle.bytes += bytes.len();
            idle.by_length.entry(bytes.len()).or_default().push(bytes);
        }
    }
}

struct Taken {
    bytes: Vec<u8>,
    memory: Arc<Memory>,
}

impl AsRef<[u8]> for Taken {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.give_back(mem::take(&mut self.bytes));
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

    #[test]
    fn given_shared_bytes_when_the_last_reader_is_gone_then_and_no_earlier_their_memory_is_used_again() {
        let memory = Arc::new(Memory::new(10));
        let first = memory.share(vec![7; 6]);
        let second = first.clone();
        drop(first);
        assert_eq!(memory.take(6), [0; 6], "somebody still reads");
        drop(second);
        assert_eq!(memory.take(6), [7; 6]);
    }
}
