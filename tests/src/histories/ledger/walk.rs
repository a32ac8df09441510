//! The walk down a trace, from its root to one node.

/// Most nodes of a model whose trace is posted whole.
const WHOLE: u32 = 16;
/// Levels that an answer goes down at most.
const LEVELS: u8 = 4;

/// The hashes that were shown last: so many of a level of the trace's tree, from one on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Above the leaves, which are the nodes of the model.
    pub level: u8,
    pub first: u32,
    shown: u32,
    /// Whether a node was picked, of whose output the one tile is next.
    pub in_node: bool,
}

impl Walk {
    /// Down the trace of a model of so many nodes.
    pub fn begin(nodes: u32) -> Self {
        let (level, shown) = match nodes {
            ..=WHOLE => (0, nodes),
            _ => (
                u8::try_from(nodes.next_power_of_two().ilog2()).expect("a tree is not that high"),
                1,
            ),
        };
        Self {
            level,
            shown,
            ..Self::default()
        }
    }

    /// One of the hashes; `None` for what is none, or of no node of the model.
    pub(super) fn pick(&mut self, child: u8, nodes: u32) -> Option<u32> {
        let picked = self.first + u32::from(child);
        if u32::from(child) >= self.shown || picked << self.level >= nodes {
            return None;
        }
        self.first = picked;
        self.shown = 1;
        Some(picked)
    }

    /// What is below the one that was picked.
    pub(super) fn descend(&mut self) {
        let levels = self.level.min(LEVELS);
        self.level -= levels;
        self.first <<= levels;
        self.shown = 1 << levels;
    }

    /// Which of the hashes is above a node.
    pub fn child_above(&self, node: u32) -> Option<u8> {
        let child = (node >> self.level).checked_sub(self.first)?;
        u8::try_from(child).ok().filter(|_| child < self.shown)
    }
}
