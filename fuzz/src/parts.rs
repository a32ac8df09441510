//! Bytes taken from the front.

pub struct Parts<'a>(pub &'a [u8]);

impl<'a> Parts<'a> {
    /// `None` when fewer are left.
    pub fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(head)
    }
}
