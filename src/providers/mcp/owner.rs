//! The task that owns the connection to a mounted server: it opens it, reads the lists, hears of changes, and closes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::failure::{Failure, error};
use super::link::Link;
use super::listen::Changes;
use super::lists::Listed;
use super::mount::Transport;
use super::offer::Offer;
use super::peer::{Connection, Peer};
#[cfg(unix)]
use super::process::Process;
use super::session::Session;

use crate::clock::{Backoff, Deadline};
use crate::error::Kind;
use crate::registry::Functions;

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

/// How long the sessions of a server, and its processes, may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// Changes the catalog; the text is why that was refused.
pub(crate) type Change =
    Arc<dyn Fn(&mut dyn FnMut(&mut Functions)) -> Result<(), String> + Send + Sync>;

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
    change: Change,
    orders: watch::Receiver<Order>,
    /// Becomes true once the first attempt has ended.
    tried: watch::Sender<bool>,
    offer: Offer,
    /// The attempts that have failed since the last one that did not.
    failures: u32,
    /// The connections that were lost soon after they were made, one after the other.
    short_lived: u32,
    /// The readings of the lists that followed one another closely.
    restless: u32,
    listed_at: Option<Instant>,
    is_absent: bool,
    changes: Option<Changes>,
}

impl Owner {
    pub(super) fn new(
        peer: Arc<Peer>,
        change: Change,
        orders: watch::Receiver<Order>,
        tried: watch::Sender<bool>,
    ) -> Owner {
        Owner {
            peer,
            change,
            orders,
            tried,
            offer: Offer::default(),
            failures: 0,
            short_lived: 0,
            restless: 0,
            listed_at: None,
            is_absent: false,
            changes: None,
        }
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

    async fn end(self, order: Order) {
        if order == Order::Unmount {
            finish_calls(&self.peer, self.orders).await;
        }
        self.peer.child_gone();
        self.peer.status.stopped();
        let _ = timeout(ENDING, self.peer.end()).await;
    }

    /// Works with a server over HTTP until it cannot be reached.
    async fn http(&mut self) -> String {
        let peer = self.peer.clone();
        loop {
            let opened = peer.base(Deadline::after(LISTING)).await;
            let connection = match opened {
                Ok(connection) => connection,
                Err(failure) => return failure.into_error(&peer.name).message().to_owned(),
            };
            let read = self.read(connection.link(), connection.session()).await;
            match read {
                Ok(()) => {}
                // It is opened once anew; if that fails too, it fails.
                Err(Failure::SessionGone) if self.failures == 0 => {
                    peer.forget(&connection);
                    self.failures += 1;
                    continue;
                }
                Err(failure) => {
                    peer.forget(&connection);
                    return failure.into_error(&peer.name).message().to_owned();
                }
            }
            self.wait_for_change(&connection).await;
        }
    }

    /// Waits until the lists are to be read again.
    async fn wait_for_change(&mut self, connection: &Arc<Connection>) {
        // The stream stays open while the lists are read, so that no change is missed meanwhile.
        if !self.changes.as_ref().is_some_and(|it| it.is_of(connection)) {
            let opened = timeout(LISTING, Changes::open(connection)).await;
            self.changes = opened.ok().flatten();
        }
        let refresh = sleep(REFRESH);
        tokio::pin!(refresh);
        loop {
            let heard = async {
                match &mut self.changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                has_changed = heard => {
                    if has_changed {
                        break;
                    }
                    let ended = self.changes.take();
                    // A stream that was there and is gone may mean that the server was started anew.
                    if ended.is_some_and(|it| it.age() > LASTING) {
                        break;
                    }
                }
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
                tokio::select! {
                    () = finish_calls(&peer, orders) => {}
                    _ = process.run() => {}
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
        let offer = Offer::new(&self.peer, listed, &self.offer);
        let was_up = self.failures == 0 && self.listed_at.is_some();
        self.publish(offer);
        self.peer.status.up(session.version, &self.offer);
        self.failures = 0;
        self.listed_at = Some(Instant::now());
        self.tried.send_replace(true);
        if !was_up {
            let (tools, refused) = (self.offer.functions.tools.len(), self.offer.refused.len());
            let revision = session.version;
            info!(
                mount = &*self.peer.name,
                revision, tools, refused, "a mounted server is up"
            );
        }
        Ok(())
    }

    fn down(&mut self, problem: String) {
        self.failures += 1;
        let was_up = self.peer.status.down(problem.clone());
        if was_up || self.failures == 1 {
            warn!(
                mount = &*self.peer.name,
                problem, "a mounted server cannot be reached"
            );
        }
        if !self.is_absent {
            self.absent(true);
        }
        // Last, because then the state and the lists are looked at.
        self.tried.send_replace(true);
    }

    /// Says in the lists whether this server is missing.
    fn absent(&mut self, is_absent: bool) {
        let name = &self.peer.name;
        let orders = self.orders.clone();
        let changed = (self.change)(&mut |functions| {
            // One that is not mounted any more was forgotten already.
            if *orders.borrow() == Order::Keep {
                functions.set_absent(name, is_absent);
            }
        });
        self.is_absent = is_absent;
        self.complain(changed);
    }

    /// Replaces what is offered of the server. Names that others have already are left out.
    fn publish(&mut self, mut offer: Offer) {
        let (old, name) = (&self.offer.functions, &self.peer.name);
        if old.is_same(&offer.functions) && !self.is_absent && self.listed_at.is_some() {
            self.offer = offer;
            return;
        }
        let mut taken = Vec::new();
        let orders = self.orders.clone();
        let peer = self.peer.clone();
        let changed = (self.change)(&mut |functions| {
            // One that is not mounted any more was taken out of the catalog already.
            if *orders.borrow() == Order::Keep {
                functions.set_absent(name, false);
                functions.replace(old, &mut offer.functions, &mut taken);
                peer.set_offered(offer.functions.clone());
            }
        });
        for (what, owner) in taken {
            offer.refuse(what, format!("{owner} has the same name"));
        }
        self.is_absent = false;
        match &changed {
            Ok(()) => self.offer = offer,
            Err(problem) => self.offer.refuse("all of it".to_owned(), problem.clone()),
        }
        self.complain(changed);
    }

    fn complain(&self, changed: Result<(), String>) {
        if let Err(problem) = changed {
            warn!(
                mount = &*self.peer.name,
                problem, "the functions of a mounted server are refused"
            );
        }
    }
}

/// Waits until no call runs, for the time that a call may take; not if the process ends.
async fn finish_calls(peer: &Peer, mut orders: watch::Receiver<Order>) {
    let stopped = async {
        // Without anybody who could order it, the application is gone.
        let _ = orders.wait_for(|it| *it == Order::Stop).await;
    };
    tokio::select! {
        _ = timeout(peer.config.call_timeout, peer.idle()) => {}
        () = stopped => {}
    }
}

/// Waits for an order to close the connection. Without anybody who could give one the application is gone.
async fn ordered(orders: &mut watch::Receiver<Order>) -> Order {
    match orders.wait_for(|it| *it != Order::Keep).await {
        Ok(order) => *order,
        Err(_) => Order::Stop,
    }
}
