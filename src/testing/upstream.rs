//! A local upstream for tests: it gives canned responses, fails as planned, and records the requests.
//!
//! It implements HTTP/1.1 itself, because HTTP libraries refuse to send malformed responses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::testing::{Canned, FaultPlan};

/// A running upstream, which stops when it is dropped.
pub struct CannedUpstream {
    address: SocketAddr,
    state: Arc<UpstreamState>,
    accepting: JoinHandle<()>,
}

/// A response that replaces the default one for a number of requests.
struct Override {
    prefix: String,
    canned: Canned,
    times: usize,
}

/// A received request.
struct ReceivedRequest {
    target: String,
    /// The value of `If-None-Match`.
    if_none_match: Option<String>,
}

/// Counts the responses in progress.
#[derive(Default)]
struct InProgress {
    now: AtomicUsize,
    max: AtomicUsize,
}

/// Gives the response to a target without a response of its own.
type Fallback = fn(&str) -> Canned;

struct UpstreamState {
    fallback: Fallback,
    overrides: Mutex<Vec<Override>>,
    plan: Mutex<FaultPlan>,
    seen: Mutex<Vec<String>>,
    in_progress: InProgress,
}

impl CannedUpstream {
    /// Listens on a free port of 127.0.0.1; `fallback` gives the response to each target (path with query) that has
    /// no other.
    ///
    /// # Errors
    /// The error of the socket.
    pub async fn start(fallback: fn(&str) -> Canned) -> io::Result<CannedUpstream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(UpstreamState {
            fallback,
            overrides: Mutex::default(),
            plan: Mutex::default(),
            seen: Mutex::default(),
            in_progress: InProgress::default(),
        });
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(CannedUpstream {
            address,
            state,
            accepting,
        })
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
        lock(&self.state.seen).clone()
    }

    /// Clears the list of requested targets.
    pub fn forget(&self) {
        lock(&self.state.seen).clear();
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
    while let Some(request) = read_request(&mut socket).await? {
        lock(&state.seen).push(request.target.clone());
        let canned = state
            .take_override(&request.target)
            .unwrap_or_else(|| (state.fallback)(&request.target));
        let canned = lock(&state.plan)
            .apply(&request.target, canned)
            .if_modified(request.if_none_match.as_deref());
        let _in_progress = state.in_progress.enter();
        if !canned.send(socket.get_mut()).await? {
            break;
        }
    }
    Ok(())
}

/// Reads the next request; `None` at the end of the connection. All requests are GETs without a body.
async fn read_request(socket: &mut BufReader<TcpStream>) -> io::Result<Option<ReceivedRequest>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut if_none_match = None;
    loop {
        line.clear();
        if socket.read_line(&mut line).await? <= 2 {
            return Ok(Some(ReceivedRequest {
                target,
                if_none_match,
            }));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            if_none_match = Some(value.trim().to_owned());
        }
    }
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
