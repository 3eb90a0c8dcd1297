//! All takers of invocations of one process, as far as the platform refuses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many there are, and how many of them the platform has refused again and again. Clones are the same.
#[derive(Clone)]
pub(crate) struct Workers {
    pollers: u32,
    refused: Arc<AtomicU32>,
}

impl Workers {
    pub(crate) fn new(pollers: u32) -> Workers {
        let refused = Arc::default();
        Workers { pollers, refused }
    }

    /// One more is refused: whether there is none left to whom the platform still gives invocations.
    pub(crate) fn is_lost(&self) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1 == self.pollers
    }

    /// One that was refused has an invocation.
    pub(crate) fn is_back(&self) {
        self.refused.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_lost_when_all_are_refused_at_the_same_time() {
        assert!(Workers::new(1).is_lost());
        let workers = Workers::new(2);
        assert!(!workers.is_lost());
        workers.is_back();
        assert!(!workers.is_lost());
        assert!(workers.clone().is_lost());
    }
}
