//! How many connections are open: as many as may be, and a few more that are told so.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tracing::warn;

/// The number of connections beyond the limit. Their requests are refused, except for `/health`. A new one replaces the
/// oldest, so that idle connections cannot keep a health check out.
const MAX_EXTRA: usize = 64;

/// File descriptors that are reserved for everything else: upstreams, the listener, the runtime.
const RESERVED_DESCRIPTORS: usize = 128;

/// The connections of one server.
pub(super) struct Connections {
    permits: Arc<Semaphore>,
    /// The connections without a permit, the oldest first.
    extra: VecDeque<AbortHandle>,
    max_extra: usize,
}

impl Connections {
    /// At most `limit` connections, or fewer where the process has fewer file descriptors.
    pub(super) fn new(limit: usize) -> Connections {
        let limit = match descriptors().map(max_connections) {
            Some(most) if most < limit => {
                warn!(
                    limit,
                    most,
                    "the process may not open enough files for `BIFOLD_MAX_CONNECTIONS`; the limit is lower"
                );
                most
            }
            _ => limit,
        };
        Connections {
            permits: Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))),
            extra: VecDeque::new(),
            max_extra: limit.min(MAX_EXTRA),
        }
    }

    /// A permit for a new connection; `None` where all are taken.
    pub(super) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().ok()
    }

    /// Adds a connection without a permit, and aborts the oldest one where there are too many.
    pub(super) fn add_extra(&mut self, connection: AbortHandle) {
        if self.extra.len() == self.max_extra
            && let Some(oldest) = self.extra.pop_front()
        {
            oldest.abort();
        }
        self.extra.push_back(connection);
    }
}

/// The number of connections that leave enough file descriptors for everything else.
fn max_connections(descriptors: usize) -> usize {
    let rest = descriptors.saturating_sub(MAX_EXTRA + RESERVED_DESCRIPTORS);
    rest.max(descriptors / 4).max(1)
}

/// The number of files that the process may have open.
#[cfg(unix)]
fn descriptors() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};

    let limit = getrlimit(Resource::Nofile).current;
    limit.and_then(|it| usize::try_from(it).ok())
}

/// The number of files that the process may have open, which has no limit on this system.
#[cfg(not(unix))]
fn descriptors() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_file_descriptors_for_everything_else() {
        for (descriptors, connections) in [
            (1 << 20, (1 << 20) - 192),
            (1024, 832),
            (256, 64),
            (64, 16),
            (0, 1),
        ] {
            assert_eq!(max_connections(descriptors), connections, "{descriptors}");
        }
    }
}
