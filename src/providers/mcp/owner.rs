//! The task that owns the connection to a mounted server: it opens it, reads the lists, hears of changes, and closes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::failure::{Failure, error};
use super::kept::{Keeper, Kept};
use super::link::{Link, Said};
use super::listen::listen;
use super::lists::Listed;
use super::mount::Transport;
use super::peer::{Connection, Peer};
#[cfg(unix)]
use super::process::Process;
use super::published::{Change, Published};
use super::session::Session;

use crate::clock::{Backoff, Deadline};
use crate::error::Kind;

/// How often the lists are read again from a server that says nothing of changes.
const REFRESH: Duration = Duration::from_secs(300);

/// How long a server may take for all its lists.
const LISTING: Duration = Duration::from_secs(30);

/// The waits between attempts to reach a server.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));

/// The waits between readings of the lists of a server that says all the time that they change.
const CALM: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));

/// A stream of changes that ends sooner is not opened again before the next reading.
const LASTING: Duration = Duration::from_secs(10);

/// How long the sessions of a server may take to end.
const ENDING: Duration = Duration::from_secs(2);

/// What the owner is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Keep the connection.
    Keep,
    /// Close it: the process ends.
    Stop,
    /// Close it once no call runs: the server is not mounted any more.
    Unmount,
}

/// The owner of one connection.
pub(super) struct Owner {
    peer: Arc<Peer>,
    published: Published,
    orders: watch::Receiver<Order>,
    /// Becomes true once the first attempt has ended.
    tried: watch::Sender<bool>,
    /// The attempts that have failed since the last one that did not.
    failures: u32,
    /// The connections that were lost soon after they were made, one after the other.
    short_lived: u32,
    /// The readings of the lists that followed one another closely.
    restless: u32,
    listed_at: Option<Instant>,
    /// Where the lists are kept, in a process that is frozen between requests.
    keeper: Option<Arc<Keeper>>,
}

impl Owner {
    pub(super) fn new(
        peer: Arc<Peer>,
        change: Change,
        orders: watch::Receiver<Order>,
        tried: watch::Sender<bool>,
        keeper: Option<Arc<Keeper>>,
    ) -> Owner {
        Owner {
            published: Published::new(peer.clone(), change, orders.clone()),
            peer,
            orders,
            tried,
            failures: 0,
            short_lived: 0,
            restless: 0,
            listed_at: None,
            keeper,
        }
    }

    pub(super) fn orders(&self) -> watch::Receiver<Order> {
        self.orders.clone()
    }

    /// Owns the connection until it is ordered to close it.
    pub(super) async fn run(mut self) {
        let order = loop {
            let mut orders = self.orders.clone();
            let since = Instant::now();
            let problem = match &self.peer.mount.transport {
                Transport::Http { .. } => tokio::select! {
                    problem = self.http() => problem,
                    order = ordered(&mut orders) => break order,
                },
                // It ends its process itself.
                Transport::Stdio { .. } => self.stdio().await,
            };
            let order = *orders.borrow();
            if order != Order::Keep || orders.has_changed().is_err() {
                break order;
            }
            self.down(problem);
            let is_short = since.elapsed() < LASTING;
            self.short_lived = if is_short { self.short_lived + 1 } else { 0 };
            let wait = match self.failures.max(self.short_lived) {
                // It has worked: the first attempt follows at once.
                0 | 1 => Duration::ZERO,
                failures => BACKOFF.wait(failures - 1),
            };
            tokio::select! {
                () = sleep(wait) => {}
                order = ordered(&mut orders) => break order,
            }
        };
        self.end(order).await;
    }

    pub(super) async fn end(self, order: Order) {
        if order == Order::Unmount {
            let longest = self.peer.config.call_timeout;
            let _ = timeout(longest, self.peer.idle()).await;
        }
        self.peer.child_gone();
        self.peer.status.stopped();
        let _ = timeout(ENDING, self.peer.end()).await;
    }

    /// Works with a server over HTTP until it cannot be reached.
    async fn http(&mut self) -> String {
        loop {
            match self.visit().await {
                Ok(connection) => self.wait_for_change(&connection).await,
                Err(problem) => return problem,
            }
        }
    }

    /// Connects, if that was not done, and reads the lists.
    pub(super) async fn visit(&mut self) -> Result<Arc<Connection>, String> {
        let peer = self.peer.clone();
        let said = |failure: Failure| failure.into_error(&peer.name).message().to_owned();
        loop {
            let opened = peer.base(Deadline::after(LISTING)).await;
            let connection = opened.map_err(said)?;
            match self.read(connection.link(), connection.session()).await {
                Ok(()) => return Ok(connection),
                // It is opened once anew; if that fails too, it fails.
                Err(failure) if self.failures == 0 && self.is_outlived(&failure) => {
                    peer.forget(&connection);
                    self.failures += 1;
                }
                Err(failure) => {
                    peer.forget(&connection);
                    return Err(said(failure));
                }
            }
        }
    }

    /// Whether a failure says no more than that the connection is an old one, as after a process was frozen.
    fn is_outlived(&self, failure: &Failure) -> bool {
        match failure {
            Failure::SessionGone => true,
            Failure::Broken(error) => self.keeper.is_some() && error.is_unreachable(),
            Failure::Unseen(_) | Failure::Refused(..) => false,
        }
    }

    /// Waits until the lists are to be read again.
    async fn wait_for_change(&mut self, connection: &Arc<Connection>) {
        let since = Instant::now();
        let listening = timeout(LISTING, listen(connection)).await;
        let mut changes = listening.ok().flatten();
        let refresh = sleep(REFRESH);
        tokio::pin!(refresh);
        loop {
            let heard = async {
                match &mut changes {
                    Some(exchange) => exchange.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                said = heard => match said {
                    Ok(Said::Told { method, .. }) if method.ends_with("/list_changed") => break,
                    Ok(Said::Told { .. }) => {}
                    Ok(Said::Asked { id, method, .. }) => {
                        if let Some(exchange) = &changes {
                            exchange.reply(&id, super::link::unbidden(&method)).await;
                        }
                    }
                    Ok(Said::Ended(_)) | Err(_) => {
                        changes = None;
                        // A stream that was there and is gone may mean that the server was started anew.
                        if since.elapsed() > LASTING {
                            break;
                        }
                    }
                },
                () = self.peer.lost.notified() => break,
                () = &mut refresh => break,
            }
        }
        self.peer.sweep();
        self.calm_down().await;
    }

    /// Keeps a server that changes its lists all the time from keeping us busy.
    async fn calm_down(&mut self) {
        let is_close = self
            .listed_at
            .is_some_and(|it| it.elapsed() < 2 * CALM.limit(self.restless.max(1)));
        self.restless = if is_close { self.restless + 1 } else { 0 };
        if self.restless > 0 {
            sleep(CALM.limit(self.restless)).await;
        }
    }

    /// Works with a child process until it ends.
    #[cfg(unix)]
    async fn stdio(&mut self) -> String {
        let (changed, mut changes) = mpsc::channel(1);
        let peer = self.peer.clone();
        let max_bytes = peer.config.max_upstream_bytes;
        let started = Process::start(&peer.name, &peer.mount.transport, max_bytes, changed);
        let (mut process, link) = match started {
            Ok(started) => started,
            Err(problem) => return problem,
        };
        let link = Link::stdio(link);
        let mut orders = self.orders.clone();
        let problem = tokio::select! {
            problem = process.run() => problem,
            problem = self.talk(&link, &mut changes) => problem,
            _ = ordered(&mut orders) => {
                // Calls that run may end before their process does.
                if *orders.borrow() == Order::Unmount {
                    let longest = peer.config.call_timeout;
                    tokio::select! {
                        _ = timeout(longest, peer.idle()) => {}
                        _ = process.run() => {}
                    }
                }
                String::new()
            }
        };
        if !peer.is_child_up() {
            // Some servers of an earlier era end when they hear of the later one.
            peer.try_other_era();
        }
        peer.child_down(problem.clone());
        process.end().await;
        problem
    }

    #[cfg(not(unix))]
    async fn stdio(&mut self) -> String {
        "child processes are only supported on Unix".to_owned()
    }

    /// Reads the lists of a child process whenever they change; ends when it does not answer.
    #[cfg(unix)]
    async fn talk(&mut self, link: &Link, changes: &mut mpsc::Receiver<()>) -> String {
        let peer = self.peer.clone();
        let session = match Session::open(link, peer.is_legacy()).await {
            Ok(session) => session,
            Err(failure) => return failure.into_error(&peer.name).message().to_owned(),
        };
        let connection = Connection::new(link.clone(), session);
        let session = connection.session().clone();
        peer.child_up(connection);
        loop {
            if let Err(failure) = self.read(link, &session).await {
                return failure.into_error(&peer.name).message().to_owned();
            }
            tokio::select! {
                _ = changes.recv() => {}
                () = sleep(REFRESH) => {}
            }
            peer.sweep();
            self.calm_down().await;
        }
    }

    /// Reads the lists, and offers what they have.
    async fn read(&mut self, link: &Link, session: &Arc<Session>) -> Result<(), Failure> {
        let listed = match timeout(LISTING, Listed::read(link, session)).await {
            Ok(listed) => listed?,
            Err(_) => {
                let problem = format!("did not give its lists within {} s", LISTING.as_secs());
                let failed = error(&self.peer.name, Kind::UpstreamTimeout, None, &problem);
                return Err(Failure::Unseen(failed));
            }
        };
        let keeper = self.keeper.clone();
        let text = keeper
            .as_ref()
            .and_then(|it| it.written(&listed, session.version));
        let was_up = self.failures == 0 && self.listed_at.is_some();
        self.published.offer(listed, session.version, false);
        self.failures = 0;
        self.listed_at = Some(Instant::now());
        self.tried.send_replace(true);
        if !was_up {
            let (tools, refused) = self.published.counts();
            let revision = session.version;
            info!(
                mount = &*self.peer.name,
                revision, tools, refused, "a mounted server is up"
            );
        }
        if let (Some(keeper), Some(text)) = (keeper, text) {
            keeper.save(text).await;
        }
        Ok(())
    }

    /// Offers what an earlier process has kept.
    pub(super) fn recall(&mut self, kept: Kept) {
        let revision = kept.revision();
        self.peer.recall(revision);
        self.published.offer(kept.listed, revision, true);
        self.tried.send_replace(true);
    }

    pub(super) fn down(&mut self, problem: String) {
        self.failures += 1;
        self.tried.send_replace(true);
        let was_up = self.peer.status.down(problem.clone());
        if was_up || self.failures == 1 {
            warn!(
                mount = &*self.peer.name,
                problem, "a mounted server cannot be reached"
            );
        }
        self.published.absent();
    }
}

/// Waits for an order to close the connection. Without anybody who could give one the application is gone.
pub(super) async fn ordered(orders: &mut watch::Receiver<Order>) -> Order {
    match orders.wait_for(|it| *it != Order::Keep).await {
        Ok(order) => *order,
        Err(_) => Order::Stop,
    }
}
