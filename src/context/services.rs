//! What all calls of one process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Extensions;

use super::updates::Updates;
use crate::config::{Config, Setting};
use crate::http::buffers::Buffers;
use crate::store::Store;
use crate::upstream::Upstreams;

/// What all calls of one process share.
pub(crate) struct Services {
    /// The settings of the process.
    pub config: Config,
    /// The integration to the upstream APIs.
    pub upstreams: Upstreams,
    /// The short-lived records that the processes of the application share.
    pub store: Store,
    /// Where changes are told.
    pub updates: Arc<Updates>,
    /// The room for what requests bring.
    pub buffers: Buffers,
    /// The application's own values, one of each type.
    pub state: Extensions,
    /// The settings that the application declares.
    pub settings: Vec<Setting>,
    /// The life of this process.
    pub process: Process,
}

/// The life of this process.
pub struct Process {
    started: Instant,
    requests: AtomicU64,
}

impl Process {
    /// A process that has just started.
    pub(crate) fn start() -> Process {
        Process {
            started: Instant::now(),
            requests: AtomicU64::new(0),
        }
    }

    /// Counts one request; true for the first.
    pub(crate) fn count(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Requests so far, the running ones included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Time since start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
