//! An upstream on loopback that answers what it is told to, goes wrong on demand, and remembers what it was asked.
//!
//! It speaks HTTP/1.1 by hand, because an HTTP library refuses to send what a broken upstream sends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::testing::{Canned, FaultPlan};

/// A running upstream; it stops when it is dropped.
pub struct CannedUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// An answer that is given instead of the recorded one, for so many requests.
struct Instead {
    prefix: String,
    canned: Canned,
    times: usize,
}

/// What a request asks for.
struct Asked {
    target: String,
    /// The tag in `If-None-Match`.
    known: Option<String>,
}

/// Counts the answers that are on their way at the same time.
#[derive(Default)]
struct Busy {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// What answers a target for which no answer was set.
type Otherwise = fn(&str) -> Canned;

struct Shared {
    otherwise: Otherwise,
    instead: Mutex<Vec<Instead>>,
    plan: Mutex<FaultPlan>,
    seen: Mutex<Vec<String>>,
    busy: Busy,
}

impl CannedUpstream {
    /// Listens on a free port of 127.0.0.1, and answers with `otherwise` what no other answer was set for.
    ///
    /// # Errors
    /// The socket's.
    pub async fn start(otherwise: fn(&str) -> Canned) -> io::Result<CannedUpstream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            otherwise,
            instead: Mutex::default(),
            plan: Mutex::default(),
            seen: Mutex::default(),
            busy: Busy::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(CannedUpstream {
            address,
            shared,
            accepting,
        })
    }

    /// The base URL of one upstream.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// From now on, targets that begin with `prefix` (e.g. `/explorer/api/v3/utility_token`) get this answer.
    pub fn answer(&self, prefix: &str, canned: Canned) {
        self.answer_times(prefix, canned, usize::MAX);
    }

    /// The next `times` targets that begin with `prefix` get this answer, those after them what they got before.
    pub fn answer_times(&self, prefix: &str, canned: Canned, times: usize) {
        let prefix = prefix.to_owned();
        lock(&self.shared.instead).insert(
            0,
            Instead {
                prefix,
                canned,
                times,
            },
        );
    }

    /// The most answers that were on their way at the same time.
    pub fn most_at_once(&self) -> usize {
        self.shared.busy.most.load(Ordering::Relaxed)
    }

    /// From now on, some of the answers go wrong.
    pub fn follow(&self, plan: FaultPlan) {
        *lock(&self.shared.plan) = plan;
    }

    /// The targets that were asked for, in order.
    pub fn seen(&self) -> Vec<String> {
        lock(&self.shared.seen).clone()
    }

    /// Forgets the targets that were asked for.
    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }
}

impl Drop for CannedUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // A failed accept is the client's trouble; the next one is none of its business.
        if let Ok((socket, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move { drop(converse(socket, &shared).await) });
        }
    }
}

/// Answers the requests of one connection until either side ends it.
async fn converse(socket: TcpStream, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    while let Some(asked) = read_request(&mut socket).await? {
        lock(&shared.seen).push(asked.target.clone());
        let canned = shared
            .instead_of(&asked.target)
            .unwrap_or_else(|| (shared.otherwise)(&asked.target));
        let canned = lock(&shared.plan)
            .apply(&asked.target, canned)
            .unless(asked.known.as_deref());
        let _busy = shared.busy.enter();
        if !canned.send(socket.get_mut()).await? {
            break;
        }
    }
    Ok(())
}

/// The next request; `None` at the end of the connection. All requests are GETs without a body.
async fn read_request(socket: &mut BufReader<TcpStream>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut known = None;
    loop {
        line.clear();
        if socket.read_line(&mut line).await? <= 2 {
            return Ok(Some(Asked { target, known }));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("if-none-match")
        {
            known = Some(value.trim().to_owned());
        }
    }
}

impl Shared {
    fn instead_of(&self, target: &str) -> Option<Canned> {
        let mut instead = lock(&self.instead);
        let found = instead
            .iter_mut()
            .find(|it| it.times > 0 && target.starts_with(&it.prefix))?;
        found.times -= 1;
        Some(found.canned.clone())
    }
}

impl Busy {
    fn enter(&self) -> impl Drop + '_ {
        struct Leave<'a>(&'a Busy);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.now.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        Leave(self)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
