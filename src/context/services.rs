//! The services that all calls of one process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Extensions;

use super::cipher::StateCipher;
use super::updates::Updates;
use crate::auth::Auth;
use crate::config::{Config, Setting};
use crate::http::buffers::Buffers;
use crate::store::Store;
use crate::upstream::Upstreams;

/// The services that all calls of one process share.
pub(crate) struct Services {
    /// The settings of the process.
    pub config: Arc<Config>,
    /// The rules for callers.
    pub auth: Auth,
    /// The client of the upstream APIs.
    pub upstreams: Upstreams,
    /// Encrypts what clients keep for the application.
    pub cipher: Arc<StateCipher>,
    /// The short-lived records that the processes of the application share.
    pub store: Store,
    /// The channel for change notifications.
    pub updates: Arc<Updates>,
    /// The buffers for what clients send.
    pub buffers: Buffers,
    /// The application's own values, one of each type.
    pub state: Extensions,
    /// The settings that the application declares.
    pub settings: Vec<Setting>,
    /// What `/health` says of mounted servers: the state of each.
    pub mounts: Option<Arc<MountStates>>,
    /// The start time and the request count of this process.
    pub process: Process,
}

/// The name and the state of each mounted server.
pub(crate) type MountStates = dyn Fn() -> Vec<(String, &'static str)> + Send + Sync;

/// The start time and the request count of a process.
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

    /// Counts one request; returns true for the first one.
    pub(crate) fn count(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// The number of requests so far, including the running ones.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The time since the start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
