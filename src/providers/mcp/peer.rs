//! A mounted server as its calls see it: the way to it, and the sessions with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::bridge::ParkingLot;
use super::call::gone;
use super::failure::{Failure, error};
use super::http_link::HttpLink;
use super::link::Link;
use super::mount::{Mount, Transport};
use super::names::Names;
use super::session::{MODERN, OPENING, Session};
use super::status::Status;
use crate::clock::Deadline;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::registry::Functions;
use crate::upstream::Once;

/// The most sessions of principals with one server.
const MAX_SESSIONS: usize = 256;

/// A session that no call has used for so long is ended.
pub(super) const IDLE: Duration = Duration::from_secs(1800);

/// A mounted server.
pub(super) struct Peer {
    pub(super) mount: Mount,
    pub(super) name: Arc<str>,
    pub(super) names: Names,
    pub(super) config: Arc<Config>,
    pub(super) status: Status,
    pub(super) lot: ParkingLot,
    /// What is offered of it now.
    pub(super) offered: Mutex<Functions>,
    /// Is told when a call finds the connection lost.
    pub(super) lost: Notify,
    /// The calls that run now.
    running: watch::Sender<usize>,
    /// The way over HTTP, which calls open themselves.
    http: Option<Link>,
    /// Whether the server is known to be of an earlier era.
    is_legacy: AtomicBool,
    /// Whether it proposes values of arguments.
    completes: AtomicBool,
    base: Once<Connection>,
    sessions: Mutex<HashMap<String, Slot>>,
    /// The connection to a child process, which the task opens that owns it.
    child: watch::Sender<Child>,
}

/// The session of one principal.
struct Slot {
    used: Instant,
    connection: Arc<Once<Connection>>,
}

/// The connection to a child process.
enum Child {
    /// It is being started, for the first time or again; with the last failure.
    Down(Option<String>),
    Up(Arc<Connection>),
    /// It is not started any more.
    Gone,
}

/// The way to a server, and what was agreed with it.
pub(super) struct Connection {
    link: Link,
    session: Arc<Session>,
    /// The principal whose session it is, if the server has sessions.
    principal: Option<String>,
}

/// A call that runs, until it is dropped.
pub(super) struct Running<'p>(&'p Peer);

impl Connection {
    pub(super) fn new(link: Link, session: Session) -> Connection {
        Connection {
            link,
            session: Arc::new(session),
            principal: None,
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

impl Peer {
    /// A server that was not asked anything yet.
    ///
    /// # Errors
    /// `Internal` if the settings cannot be used.
    pub(super) fn new(mount: Mount, config: &Arc<Config>) -> Result<Peer> {
        let (http, transport) = match &mount.transport {
            Transport::Http {
                url,
                headers,
                client,
            } => {
                let link = HttpLink::new(&mount.name, url, headers, client.as_ref(), config)?;
                (Some(Link::http(link)), "http")
            }
            Transport::Stdio { .. } => (None, "stdio"),
        };
        Ok(Peer {
            name: mount.name.as_str().into(),
            names: Names::new(&mount.name, mount.has_prefix),
            config: config.clone(),
            status: Status::new(&mount.name, transport),
            lot: ParkingLot::default(),
            offered: Mutex::new(Functions::default()),
            lost: Notify::new(),
            running: watch::Sender::new(0),
            http,
            is_legacy: AtomicBool::new(false),
            completes: AtomicBool::new(false),
            base: Once::new(),
            sessions: Mutex::new(HashMap::new()),
            child: watch::Sender::new(Child::Down(None)),
            mount,
        })
    }

    /// Whether the server is known to be of an earlier era.
    #[cfg(unix)]
    pub(super) fn is_legacy(&self) -> bool {
        self.is_legacy.load(Ordering::Relaxed)
    }

    /// Begins with the other era the next time.
    #[cfg(unix)]
    pub(super) fn try_other_era(&self) {
        self.is_legacy.fetch_xor(true, Ordering::Relaxed);
    }

    /// Whether a child process is running, and has agreed on an era.
    #[cfg(unix)]
    pub(super) fn is_child_up(&self) -> bool {
        matches!(&*self.child.borrow(), Child::Up(_))
    }

    /// Counts a call until what is returned is dropped.
    pub(super) fn begin(&self) -> Running<'_> {
        self.running.send_modify(|it| *it += 1);
        Running(self)
    }

    /// Waits until no call runs.
    pub(super) async fn idle(&self) {
        // The sender is ours, so it exists.
        let _ = self.running.subscribe().wait_for(|it| *it == 0).await;
    }

    /// Whether the server proposes values of arguments.
    pub(super) fn completes(&self) -> bool {
        self.completes.load(Ordering::Relaxed)
    }

    pub(super) fn set_completes(&self, completes: bool) {
        self.completes.store(completes, Ordering::Relaxed);
    }

    /// Takes over what an earlier process has learnt of the server: one of an earlier era is not asked for the later one.
    pub(super) fn recall(&self, revision: &str) {
        self.is_legacy.store(revision != MODERN, Ordering::Relaxed);
    }

    /// The connection for a call: with a server that has sessions, that of the principal.
    ///
    /// # Errors
    /// `Unseen` if there is none in time.
    pub(super) async fn connection(
        self: &Arc<Peer>,
        cx: &Context,
    ) -> Result<Arc<Connection>, Failure> {
        let deadline = Deadline::after(OPENING).min(cx.deadline());
        if self.http.is_none() {
            return self.child(deadline).await;
        }
        let base = self.base(deadline).await?;
        let principal = cx.principal().filter(|_| base.session.id.is_some());
        let Some(principal) = principal.map(|it| it.id().to_owned()) else {
            return Ok(base);
        };
        let slot = self.slot(&principal);
        let opened = slot.get(deadline, || self.open(Some(principal))).await;
        opened.map_err(Failure::Unseen)
    }

    /// The connection that belongs to no principal.
    pub(super) async fn base(
        self: &Arc<Peer>,
        deadline: Deadline,
    ) -> Result<Arc<Connection>, Failure> {
        let opened = self.base.get(deadline, || self.open(None)).await;
        opened.map_err(Failure::Unseen)
    }

    fn open(
        self: &Arc<Peer>,
        principal: Option<String>,
    ) -> impl Future<Output = Result<Connection>> + Send + 'static {
        let peer = self.clone();
        async move {
            let link = peer.http.clone();
            let link =
                link.ok_or_else(|| Error::internal("a child process is not opened by calls"))?;
            let is_legacy = peer.is_legacy.load(Ordering::Relaxed);
            let opened = Session::open(&link, is_legacy).await;
            let now_legacy = opened.as_ref().is_ok_and(|it| !it.is_modern());
            peer.is_legacy.store(now_legacy, Ordering::Relaxed);
            let session = opened.map_err(|failure| failure.into_error(&peer.name))?;
            Ok(Connection {
                principal,
                ..Connection::new(link, session)
            })
        }
    }

    fn slot(self: &Arc<Peer>, principal: &str) -> Arc<Once<Connection>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(slot) = sessions.get_mut(principal) {
            slot.used = now;
            return slot.connection.clone();
        }
        if sessions.len() >= MAX_SESSIONS {
            let oldest = sessions.iter().min_by_key(|it| it.1.used);
            let oldest = oldest.map(|it| it.0.clone());
            let slot = oldest.and_then(|it| sessions.remove(&it));
            self.end_later(slot);
        }
        let connection = Arc::new(Once::new());
        let slot = Slot {
            used: now,
            connection: connection.clone(),
        };
        sessions.insert(principal.to_owned(), slot);
        connection
    }

    /// Ends the sessions that were not used for long.
    pub(super) fn sweep(self: &Arc<Peer>) {
        self.lot.sweep(false);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let idle: Vec<String> = sessions
            .iter()
            .filter(|(_, slot)| slot.used.elapsed() > IDLE)
            .map(|it| it.0.clone())
            .collect();
        for principal in idle {
            let slot = sessions.remove(&principal);
            self.end_later(slot);
        }
    }

    fn end_later(self: &Arc<Peer>, slot: Option<Slot>) {
        let built = slot.and_then(|it| it.connection.built());
        if let (Some(connection), Ok(runtime)) = (built, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Some(http) = connection.link.as_http() {
                    http.end(&connection.session).await;
                }
            });
        }
    }

    /// A connection that does not work any more: the next call opens another one.
    pub(super) fn forget(&self, connection: &Arc<Connection>) {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = connection
            .principal
            .as_ref()
            .and_then(|it| sessions.get(it));
        match slot {
            Some(slot) => slot.connection.drop_broken(connection),
            None => self.base.drop_broken(connection),
        }
        drop(sessions);
        // The server may have been started anew, with other functions.
        self.lost.notify_one();
    }

    pub(super) fn set_offered(&self, functions: Functions) {
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = functions;
    }

    /// What is offered of it, which is nothing from now on.
    pub(super) fn take_offered(&self) -> Functions {
        std::mem::take(&mut *self.offered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends all sessions.
    pub(super) async fn end(self: &Arc<Peer>) {
        self.lot.sweep(true);
        let sessions = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *sessions)
        };
        let principals = sessions
            .into_values()
            .filter_map(|it| it.connection.built());
        let all: Vec<Arc<Connection>> = principals.chain(self.base.built()).collect();
        let links = all
            .iter()
            .filter_map(|it| Some((it.link.as_http()?, &it.session)));
        join_all(links.map(|(http, session)| http.end(session))).await;
    }

    pub(super) fn child_up(&self, connection: Connection) {
        self.child.send_replace(Child::Up(Arc::new(connection)));
    }

    pub(super) fn child_down(&self, error: String) {
        self.child.send_replace(Child::Down(Some(error)));
    }

    pub(super) fn child_gone(&self) {
        self.child.send_replace(Child::Gone);
    }

    async fn child(&self, deadline: Deadline) -> Result<Arc<Connection>, Failure> {
        let mut state = self.child.subscribe();
        let settled = state.wait_for(|it| !matches!(it, Child::Down(_)));
        match deadline.timeout(settled).await {
            Some(Ok(state)) => match &*state {
                Child::Up(connection) => Ok(connection.clone()),
                Child::Down(_) | Child::Gone => Err(gone(&self.name)),
            },
            Some(Err(_)) => Err(gone(&self.name)),
            None => {
                let problem = match &*self.child.borrow() {
                    Child::Down(Some(error)) => format!("is not running: {error}"),
                    _ => "is not running yet".to_owned(),
                };
                let failed = error(&self.name, Kind::UpstreamUnavailable, None, &problem);
                Err(Failure::Unseen(failed))
            }
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.send_modify(|it| *it -= 1);
    }
}
