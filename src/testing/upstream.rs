//! A local upstream for tests: it gives canned responses, fails as planned, and records the requests.
//!
//! It implements HTTP/1.1 itself, because HTTP libraries refuse to send malformed responses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{Canned, FaultPlan, Received};
use crate::config::Config;

/// A running upstream, which stops when it is dropped.
pub struct CannedUpstream {
    address: SocketAddr,
    state: Arc<UpstreamState>,
    accepting: JoinHandle<()>,
    /// The upstream that it stands for, if it is one.
    name: Option<String>,
}

/// A response that replaces the default one for a number of requests.
struct Override {
    prefix: String,
    canned: Canned,
    times: usize,
}

/// Counts the responses in progress.
#[derive(Default)]
struct InProgress {
    now: AtomicUsize,
    max: AtomicUsize,
}

/// Gives the response to a request without a response of its own.
pub(super) type Fallback = Box<dyn Fn(&Received) -> Canned + Send + Sync>;

struct UpstreamState {
    fallback: Fallback,
    overrides: Mutex<Vec<Override>>,
    plan: Mutex<FaultPlan>,
    received: Mutex<Vec<Received>>,
    /// What every target begins with, which is not a part of a path.
    prefix: String,
    in_progress: InProgress,
}

impl CannedUpstream {
    /// Listens on a free port of 127.0.0.1; `fallback` gives the response to each target (path with query) that has
    /// no other. For one upstream with a response for each path, [`upstream`](super::upstream()) is shorter.
    ///
    /// # Errors
    /// The error of the socket.
    pub async fn start(
        fallback: impl Fn(&str) -> Canned + Send + Sync + 'static,
    ) -> io::Result<CannedUpstream> {
        let fallback = move |received: &Received| fallback(&received.target);
        CannedUpstream::serve(None, Box::new(fallback)).await
    }

    /// Listens in place of the upstream `name`, or of any.
    pub(super) async fn serve(
        name: Option<String>,
        fallback: Fallback,
    ) -> io::Result<CannedUpstream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(UpstreamState {
            fallback,
            overrides: Mutex::default(),
            plan: Mutex::default(),
            received: Mutex::default(),
            prefix: name
                .as_ref()
                .map_or(String::new(), |name| format!("/{name}")),
            in_progress: InProgress::default(),
        });
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(CannedUpstream {
            address,
            state,
            accepting,
            name,
        })
    }

    /// Lets the application of this configuration ask here instead of the upstream that was named.
    pub fn configure(&self, config: &mut Config) {
        if let Some(name) = &self.name {
            config.upstream_urls.insert(name.clone(), self.url(name));
        }
    }

    /// The base URL of the upstream `name`.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Sets the response to all targets that begin with `prefix` (e.g. `/explorer/api/v3/utility_token`).
    pub fn answer(&self, prefix: &str, canned: Canned) {
        self.answer_times(prefix, canned, usize::MAX);
    }

    /// Sets the response to the next `times` targets that begin with `prefix`; later ones get the response they had
    /// before.
    pub fn answer_times(&self, prefix: &str, canned: Canned, times: usize) {
        let prefix = prefix.to_owned();
        lock(&self.state.overrides).insert(
            0,
            Override {
                prefix,
                canned,
                times,
            },
        );
    }

    /// The maximum number of responses that were in progress at the same time.
    pub fn max_concurrent(&self) -> usize {
        self.state.in_progress.max.load(Ordering::Relaxed)
    }

    /// Makes responses fail as planned.
    pub fn plan_faults(&self, plan: FaultPlan) {
        *lock(&self.state.plan) = plan;
    }

    /// The requested targets, in order.
    pub fn seen(&self) -> Vec<String> {
        let received = lock(&self.state.received);
        received.iter().map(|it| it.target.clone()).collect()
    }

    /// The requests, in order.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.received).clone()
    }

    /// The number of requests of this method and path, with any query.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let received = lock(&self.state.received);
        let is_one = |it: &&Received| it.method == method && it.path == path;
        received.iter().filter(is_one).count()
    }

    /// Clears the list of requests.
    pub fn forget(&self) {
        lock(&self.state.received).clear();
    }
}

impl Drop for CannedUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<UpstreamState>) {
    loop {
        // A failed accept concerns only that client.
        if let Ok((socket, _)) = listener.accept().await {
            let state = state.clone();
            tokio::spawn(async move { drop(serve_connection(socket, &state).await) });
        }
    }
}

/// Serves one connection until either side closes it.
async fn serve_connection(socket: TcpStream, state: &UpstreamState) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    while let Some(request) = Received::read(&mut socket, &state.prefix).await? {
        lock(&state.received).push(request.clone());
        let canned = state
            .take_override(&request.target)
            .unwrap_or_else(|| (state.fallback)(&request));
        let canned = lock(&state.plan)
            .apply(&request.target, canned)
            .if_modified(request.header("if-none-match"));
        let _in_progress = state.in_progress.enter();
        if !canned.send(socket.get_mut()).await? {
            break;
        }
    }
    Ok(())
}

impl UpstreamState {
    fn take_override(&self, target: &str) -> Option<Canned> {
        let mut overrides = lock(&self.overrides);
        let found = overrides
            .iter_mut()
            .find(|it| it.times > 0 && target.starts_with(&it.prefix))?;
        found.times -= 1;
        Some(found.canned.clone())
    }
}

impl InProgress {
    fn enter(&self) -> impl Drop + '_ {
        struct Guard<'a>(&'a InProgress);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.now.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.max.fetch_max(now, Ordering::Relaxed);
        Guard(self)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
