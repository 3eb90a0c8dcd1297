//! The owner of a connection in a process that is frozen between requests: the lists of an earlier process are offered without
//! a connection, and are read again after an answer, while the invocation has time left.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::debug;

use super::kept::Keeper;
use super::owner::{Order, Owner, ordered};
use super::peer::Peer;
use crate::clock::{Backoff, Deadline};

/// The visits that wait, where several invocations end at a time: each of them would read the same.
const WAITING: usize = 4;

/// The time after an answer without which no server is asked.
const LEAST: Duration = Duration::from_millis(100);

/// The waits between attempts that fail: they are paid for.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

/// The time after an answer in which lists may be read.
pub(super) struct Visit {
    end: Deadline,
    /// Is dropped when nothing is left to do.
    _done: oneshot::Sender<()>,
}

/// Asks the owner to read stale lists.
pub(super) struct Visits(mpsc::Sender<Visit>);

/// An owner that reads the lists when it is visited.
pub(super) struct Visited {
    pub(super) owner: Owner,
    pub(super) peer: Arc<Peer>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) visits: mpsc::Receiver<Visit>,
}

/// What is known of the lists. The times are of the system's clock: that of the runtime may stop while the process is frozen.
#[derive(Default)]
struct Known {
    /// When this process or another one has read them.
    read_at: Option<SystemTime>,
    failures: u32,
    /// Before this time no attempt follows one that has failed.
    not_before: Option<SystemTime>,
}

impl Visits {
    /// A way to ask, and the other end of it.
    pub(super) fn channel() -> (Visits, mpsc::Receiver<Visit>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Visits(sender), receiver)
    }

    /// Gives the owner until `end` to read stale lists; what is returned is ready once it has, or has no need to.
    pub(super) fn begin(&self, end: Deadline) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        let visit = Visit { end, _done: done };
        self.0.try_send(visit).ok().map(|()| waiting)
    }
}

impl Visited {
    /// Owns the connection until it is ordered to close it.
    pub(super) async fn run(mut self) {
        let mut orders = self.owner.orders();
        let order = tokio::select! {
            () = self.attend() => Order::Stop,
            order = ordered(&mut orders) => order,
        };
        self.owner.end(order).await;
    }

    async fn attend(&mut self) {
        let mut known = Known::default();
        match self.keeper.load().await {
            Some(kept) => {
                known.read_at = Some(kept.read_at());
                self.owner.recall(kept);
            }
            None => self.read(&mut known).await,
        }
        while let Some(visit) = self.visits.recv().await {
            if visit.end.remaining() >= LEAST && self.is_due(&known) {
                // Counts as a failure until it has ended: the time may not be enough.
                known.fail();
                let renewing = self.renew(&mut known);
                if timeout(visit.end.remaining(), renewing).await.is_err() {
                    let mount = &*self.peer.name;
                    debug!(
                        mount,
                        "the lists were not read in the time of the invocation"
                    );
                }
            }
        }
    }

    fn is_due(&self, known: &Known) -> bool {
        // A call that finds the connection lost may have found a server that was started anew.
        let is_lost = self.peer.lost.notified().now_or_never().is_some();
        let is_waiting = known.not_before.is_some_and(|it| it > SystemTime::now());
        !is_waiting && (is_lost || self.is_stale(known.read_at))
    }

    /// A time that is still to come is that of another clock, and says nothing.
    fn is_stale(&self, read_at: Option<SystemTime>) -> bool {
        let age = read_at.and_then(|it| it.elapsed().ok());
        age.is_none_or(|it| it >= self.peer.config.mount_stale)
    }

    /// Takes over what another process has read meanwhile, or else reads the lists.
    async fn renew(&mut self, known: &mut Known) {
        match self.keeper.load().await {
            Some(kept) if !self.is_stale(Some(kept.read_at())) => {
                known.succeed(kept.read_at());
                self.owner.recall(kept);
            }
            _ => self.read(known).await,
        }
    }

    async fn read(&mut self, known: &mut Known) {
        match self.owner.visit().await {
            Ok(_) => {
                known.succeed(SystemTime::now());
                // What this attempt has found out itself.
                let _ = self.peer.lost.notified().now_or_never();
            }
            Err(problem) => {
                known.fail();
                self.owner.down(problem);
            }
        }
    }
}

impl Known {
    fn succeed(&mut self, read_at: SystemTime) {
        *self = Known {
            read_at: Some(read_at),
            ..Known::default()
        };
    }

    fn fail(&mut self) {
        self.failures += 1;
        self.not_before = Some(SystemTime::now() + BACKOFF.limit(self.failures));
    }
}
