//! The child processes that principals have for themselves, beside the one that all other callers share.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::failure::error;
use super::link::Link;
use super::mount::Mount;
use super::process::Process;
use super::session::OPENING;
use crate::error::{Error, Kind, Result};

/// The most of them at a time.
pub(super) const MAX_CHILDREN: usize = 16;

/// The processes that run, each with the task that owns it.
pub(super) struct Children {
    room: Arc<Semaphore>,
    /// Ends them all when it is dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl Children {
    pub(super) fn new() -> Children {
        Children {
            room: Arc::new(Semaphore::new(MAX_CHILDREN)),
            tasks: Mutex::default(),
        }
    }

    /// Starts a process, which ends once its link is dropped. Where there are too many, one that is ending makes room.
    ///
    /// # Errors
    /// `Busy` if none has ended in time, `UpstreamUnavailable` if it cannot be started.
    pub(super) async fn start(&self, mount: &Mount, max_bytes: usize) -> Result<Link> {
        let room = timeout(OPENING, self.room.clone().acquire_owned()).await;
        let room = room.map_err(|_| Error::busy("too many processes run; call again later"))?;
        let failed = |problem: &str| error(&mount.name, Kind::UpstreamUnavailable, None, problem);
        let room = room.map_err(|_| failed("is no longer mounted"))?;
        // The process that all others share tells when a list has changed.
        let (changed, _) = mpsc::channel(1);
        let started = Process::start(&mount.name, &mount.transport, max_bytes, changed);
        let (mut process, link) = started.map_err(|problem| failed(&problem))?;
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            process.run().await;
            process.end().await;
            drop(room);
        });
        Ok(Link::stdio(link))
    }

    /// Waits until all have ended, whose links are dropped; no other is started.
    pub(super) async fn end(&self) {
        self.room.close();
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}
