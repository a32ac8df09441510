//! Where parallel work runs.

/// The threads of a plan.
pub(super) enum Threads {
    /// The caller's thread alone.
    Caller,
    /// Those that all plans share: one a core.
    Shared,
    /// The plan's own.
    Own(rayon::ThreadPool),
}

/// What is too small to be shared runs here.
pub(super) static CALLER: Threads = Threads::Caller;

impl Threads {
    /// `None` for one a core. When the system refuses new threads, the caller's must do.
    pub(super) fn new(count: Option<usize>) -> Self {
        match count {
            None if rayon::current_num_threads() > 1 => Self::Shared,
            None | Some(0 | 1) => Self::Caller,
            Some(count) => rayon::ThreadPoolBuilder::new()
                .num_threads(count)
                .build()
                .map_or(Self::Caller, Self::Own),
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Caller => 1,
            Self::Shared => rayon::current_num_threads(),
            Self::Own(pool) => pool.current_num_threads(),
        }
    }

    /// Runs `work` on one of the threads, so that what it does in parallel stays among them.
    pub(super) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Caller => work(),
            Self::Shared => rayon::scope(|_| work()),
            Self::Own(pool) => pool.install(work),
        }
    }
}
