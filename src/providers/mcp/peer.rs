//! A mounted server as its calls see it: the way to it, and the sessions with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, watch};

use super::bridge::ParkingLot;
use super::call::gone;
#[cfg(unix)]
use super::children::{Children, MAX_CHILDREN};
use super::failure::{Failure, error};
use super::http_link::HttpLink;
use super::link::Link;
use super::mount::{Mount, Transport};
use super::names::Names;
use super::session::{MODERN, OPENING, Session};
use super::sessions::Sessions;
use super::status::Status;
use crate::clock::Deadline;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Kind, Result};
use crate::registry::Functions;
use crate::upstream::Once;

/// The most sessions of principals with one server.
const MAX_SESSIONS: usize = 256;

#[cfg(not(unix))]
const MAX_CHILDREN: usize = 0;

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
    /// The sessions of principals.
    sessions: Sessions,
    /// The connection to the child process that all share who have no session, which the task opens that owns it.
    child: watch::Sender<Child>,
    #[cfg(unix)]
    children: Children,
}

/// The connection to a child process.
enum Child {
    /// It is being started, for the first time or again; with the last failure.
    Down(Option<String>),
    Up(Arc<Connection>),
    /// It is not started again.
    Gone,
}

/// The way to a server, and what was agreed with it.
pub(super) struct Connection {
    link: Link,
    session: Arc<Session>,
    /// The principal whose session it is, if it is not for all.
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
        let (http, transport, most) = match &mount.transport {
            Transport::Http {
                url,
                headers,
                client,
            } => {
                let link = HttpLink::new(&mount.name, url, headers, client.as_ref(), config)?;
                (Some(Link::http(link)), "http", MAX_SESSIONS)
            }
            Transport::Stdio { .. } => (None, "stdio", MAX_CHILDREN),
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
            sessions: Sessions::new(most),
            child: watch::Sender::new(Child::Down(None)),
            #[cfg(unix)]
            children: Children::new(),
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

    /// The connection for a call: with a server that may keep state, that of the principal.
    ///
    /// # Errors
    /// `Unseen` if there is none in time.
    pub(super) async fn connection(
        self: &Arc<Peer>,
        cx: &Context,
    ) -> Result<Arc<Connection>, Failure> {
        let deadline = Deadline::after(OPENING).min(cx.deadline());
        let (base, keeps_state) = match self.http {
            Some(_) => {
                let base = self.base(deadline).await?;
                let has_sessions = base.session.id.is_some();
                (base, has_sessions)
            }
            None => (self.child(deadline).await?, !self.mount.is_shared),
        };
        let principal = cx.principal().filter(|_| keeps_state);
        let Some(principal) = principal.map(|it| it.id().to_owned()) else {
            return Ok(base);
        };
        let place = self.sessions.of(&principal).map_err(Failure::Unseen)?;
        self.end_later(place.ended);
        let opened = place
            .session
            .get(deadline, || self.open(Some(principal)))
            .await;
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
            let link = match &peer.http {
                Some(link) => link.clone(),
                None => peer.start_child().await?,
            };
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

    #[cfg(unix)]
    async fn start_child(&self) -> Result<Link> {
        let max_bytes = self.config.max_upstream_bytes;
        self.children.start(&self.mount, max_bytes).await
    }

    #[cfg(not(unix))]
    async fn start_child(&self) -> Result<Link> {
        Err(crate::error::Error::internal(
            "child processes are only supported on Unix",
        ))
    }

    /// Ends the sessions that were not used for long.
    pub(super) fn sweep(self: &Arc<Peer>) {
        self.lot.sweep(false);
        for connection in self.sessions.unused(IDLE) {
            self.end_later(Some(connection));
        }
    }

    /// Ends a session. A child process ends without its connection.
    fn end_later(&self, ended: Option<Arc<Connection>>) {
        if let (Some(connection), Ok(runtime)) = (ended, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Some(http) = connection.link.as_http() {
                    http.end(&connection.session).await;
                }
            });
        }
    }

    /// Drops a broken connection: the next call opens another one.
    pub(super) fn forget(&self, connection: &Arc<Connection>) {
        match &connection.principal {
            Some(principal) => self.sessions.forget(principal, connection),
            None => self.base.drop_broken(connection),
        }
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
        let mut all = self.sessions.take();
        all.extend(self.base.built());
        let links = all
            .iter()
            .filter_map(|it| Some((it.link.as_http()?, &it.session)));
        join_all(links.map(|(http, session)| http.end(session))).await;
        drop(all);
        #[cfg(unix)]
        self.children.end().await;
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
