//! The health of the workers of one process: how many of them the platform refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of workers, and of those that the platform has refused repeatedly. Clones share the counts.
#[derive(Clone)]
pub(crate) struct WorkerHealth {
    workers: u32,
    refused: Arc<AtomicU32>,
}

impl WorkerHealth {
    pub(crate) fn new(workers: u32) -> WorkerHealth {
        let refused = Arc::default();
        WorkerHealth { workers, refused }
    }

    /// Counts one more refused worker; true when all are refused.
    pub(crate) fn mark_refused(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1 == self.workers
    }

    /// Counts one refused worker less: it got an invocation again.
    pub(crate) fn mark_recovered(&self) {
        self.refused.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_gives_up_only_when_all_workers_are_refused_at_once() {
        assert!(WorkerHealth::new(1).mark_refused());
        let health = WorkerHealth::new(2);
        assert!(!health.mark_refused());
        health.mark_recovered();
        assert!(!health.mark_refused());
        assert!(health.clone().mark_refused());
    }
}
