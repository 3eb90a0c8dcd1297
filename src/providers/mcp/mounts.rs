//! All mounted servers of an application: those that it declares, and those of the file in the settings.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::file;
use super::mount::Mount;
use super::mounted::Mounted;
use super::owner::Order;
use super::peer::Peer;
use super::published::Change;
use super::status::MountStatus;
use super::watch_file::watch_file;
use crate::clock::Deadline;
use crate::config::{Config, Secret};
use crate::store::Store;

/// How long the first lists wait for servers that have not answered yet.
const SETTLING: Duration = Duration::from_secs(1);

/// The longest time for reading lists after an answer.
const REFRESHING: Duration = Duration::from_secs(10);

/// The mounted servers of an application.
pub(crate) struct Mounts {
    config: Arc<Config>,
    /// The table that processes share.
    table: Option<Store>,
    /// Those that the application declares; they stay the same.
    declared: Vec<Mount>,
    /// All of the beginning, until they are started.
    first: Mutex<Vec<Arc<Peer>>>,
    running: Mutex<Running>,
    started: OnceLock<Instant>,
}

/// The servers whose tasks run.
#[derive(Default)]
struct Running {
    mounted: Vec<Mounted>,
    /// Those that are no longer mounted, until their calls have ended.
    leaving: Vec<Mounted>,
    is_stopped: bool,
}

impl Mounts {
    /// The servers that the application declares and those of the file; `None` if there are none, and no file.
    ///
    /// # Errors
    /// A line for everything that is wrong.
    pub(crate) fn new(
        declared: Vec<Mount>,
        config: &Arc<Config>,
        store: &Store,
    ) -> Result<Option<Mounts>, Vec<String>> {
        if declared.is_empty() && config.mcp_servers.is_none() {
            return Ok(None);
        }
        let all = all(&declared, config)?;
        let peers = all
            .into_iter()
            .map(|it| Peer::new(it, config).map(Arc::new));
        let peers: Result<Vec<_>, _> = peers.collect();
        let first = peers.map_err(|error| vec![error.message().to_owned()])?;
        Ok(Some(Mounts {
            config: config.clone(),
            table: config.table.as_ref().map(|_| store.clone()),
            declared,
            first: Mutex::new(first),
            running: Mutex::default(),
            started: OnceLock::new(),
        }))
    }

    /// Starts the tasks that own the connections, once.
    pub(crate) fn start(self: &Arc<Mounts>, change: impl FnOnce() -> Change) {
        if self.started.get().is_some() {
            return;
        }
        self.started.get_or_init(|| {
            let change = &change();
            let first = std::mem::take(&mut *lock(&self.first));
            let mounted = first.into_iter().map(|peer| self.mounted(peer, change));
            lock(&self.running).mounted.extend(mounted);
            if let Some(path) = self
                .config
                .mcp_servers
                .clone()
                .filter(|_| !self.config.is_frozen())
            {
                tokio::spawn(watch_file(path, Arc::downgrade(self), change.clone()));
            }
            Instant::now()
        });
    }

    /// Waits for servers that have not answered yet, for a second from the start on: after it a list has those that have.
    pub(crate) async fn settle(&self) {
        let Some(end) = self.started.get().map(|it| *it + SETTLING) else {
            return;
        };
        if end <= Instant::now() {
            return;
        }
        for mut tried in self.attempts() {
            // A task that has ended answers no more.
            let _ = tokio::time::timeout_at(end, tried.wait_for(|it| *it)).await;
        }
    }

    /// Opens what is new in the file, closes what it has no more, and leaves everything else connected.
    ///
    /// # Errors
    /// A line for everything that is wrong; nothing is changed then.
    pub(super) fn reload(&self, change: &Change) -> Result<(), Vec<String>> {
        let all = all(&self.declared, &self.config)?;
        let mut running = lock(&self.running);
        if running.is_stopped {
            return Ok(());
        }
        let is_new = |it: &&Mount| !running.mounted.iter().any(|old| old.is_of(it));
        let new = all.iter().filter(is_new);
        let new: Result<Vec<Peer>, _> = new.map(|it| Peer::new(it.clone(), &self.config)).collect();
        let new = new.map_err(|error| vec![error.message().to_owned()])?;

        let place = |it: &Mounted| all.iter().position(|mount| it.is_of(mount));
        let (gone, mut mounted): (Vec<_>, Vec<_>) = running
            .mounted
            .drain(..)
            .partition(|it| place(it).is_none());
        gone.iter().for_each(|it| it.unmount(change));
        mounted.extend(new.into_iter().map(|it| self.mounted(Arc::new(it), change)));
        mounted.sort_by_key(place);
        running.mounted = mounted;
        running.leaving.retain(|it| !it.task.is_finished());
        running.leaving.extend(gone);
        Ok(())
    }

    /// Closes all connections, for so long at most.
    pub(crate) async fn stop(&self, limit: Duration) {
        let end = Deadline::after(limit);
        let all: Vec<Mounted> = {
            let mut running = lock(&self.running);
            running.is_stopped = true;
            let leaving = std::mem::take(&mut running.leaving);
            running.mounted.drain(..).chain(leaving).collect()
        };
        for mounted in &all {
            mounted.orders.send_replace(Order::Stop);
        }
        for mut mounted in all {
            if timeout(end.remaining(), &mut mounted.task).await.is_err() {
                // A child process is killed when its owner is dropped.
                mounted.task.abort();
            }
        }
    }

    /// Whether all connections are closed for good.
    pub(super) fn is_stopped(&self) -> bool {
        lock(&self.running).is_stopped
    }

    /// Waits until every server has answered or failed, for so long at most.
    #[cfg(feature = "cli")]
    pub(crate) async fn tried(&self, limit: Duration) {
        let end = Deadline::after(limit);
        for mut tried in self.attempts() {
            // A task that has ended answers no more.
            let _ = end.timeout(tried.wait_for(|it| *it)).await;
        }
    }

    /// Whether each server has answered or failed.
    fn attempts(&self) -> Vec<watch::Receiver<bool>> {
        let running = lock(&self.running);
        running.mounted.iter().map(|it| it.tried.clone()).collect()
    }

    /// Reads stale lists again after an answer, within this time. Only a process that is frozen between requests needs it.
    pub(crate) async fn refresh(&self, limit: Duration) {
        let end = Deadline::after(limit.min(REFRESHING));
        let begun: Vec<_> = {
            let running = lock(&self.running);
            let visits = running.mounted.iter().filter_map(|it| it.visits.as_ref());
            visits.filter_map(|it| it.begin(end)).collect()
        };
        // What is received is only the end.
        end.timeout(join_all(begun)).await;
    }

    fn mounted(&self, peer: Arc<Peer>, change: &Change) -> Mounted {
        Mounted::start(peer, change, self.config.is_frozen(), self.table.clone())
    }

    /// The state of each server.
    pub(crate) fn status(&self) -> Vec<MountStatus> {
        let first = lock(&self.first)
            .iter()
            .map(|it| it.status.current())
            .collect();
        let running = lock(&self.running);
        let running = running.mounted.iter().map(|it| it.peer.status.current());
        running.chain::<Vec<_>>(first).collect()
    }
}

/// The declared servers and those of the file, all of them right.
fn all(declared: &[Mount], config: &Config) -> Result<Vec<Mount>, Vec<String>> {
    let mut all = declared.to_vec();
    if let Some(path) = &config.mcp_servers {
        let variable = |name: &str| {
            let given = config.secrets.get(name).map(Secret::reveal);
            given
                .map(str::to_owned)
                .or_else(|| std::env::var(name).ok())
        };
        let read = file::read(path, &variable);
        all.extend(read.map_err(|problem| vec![format!("`BIFOLD_MCP_SERVERS`: {problem}")])?);
    }
    let mut problems: Vec<String> = all
        .iter()
        .filter_map(|it| it.problem(config.is_frozen()))
        .collect();
    let mut names = BTreeSet::new();
    for mount in &all {
        if !names.insert(mount.name()) {
            problems.push(format!(
                "mounted server `{}`: there are two of that name",
                mount.name()
            ));
        }
    }
    match problems.is_empty() {
        true => Ok(all),
        false => Err(problems),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
