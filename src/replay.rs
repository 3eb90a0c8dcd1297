//! An upstream on loopback that answers from recorded bodies: the `--replay` mode, and what the tests ask.
//!
//! It speaks HTTP/1.1 by hand, because an HTTP library refuses to send what a broken upstream sends.

mod canned;
mod recorded;
mod wallets;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;

pub use canned::{Canned, Fault};
pub use wallets::{DELAYED, MOVING, PERIODIC, PERMANENT, PLAIN, VESTING};

/// When the recorded bodies were true: the clock stands here, so that they stay true.
pub const RECORDED_AT: &str = "2025-11-18T12:00:00Z";

/// A running upstream; it stops when it is dropped.
pub struct Replay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    instead: Mutex<Vec<(String, Canned)>>,
    seen: Mutex<Vec<String>>,
}

impl Replay {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The socket's.
    pub async fn start() -> io::Result<Replay> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Ok(Replay {
            address,
            shared,
            accepting,
        })
    }

    /// Points every bundled upstream here and stops the clock at the recording, unless it was set.
    pub fn configure(&self, config: &mut Config) {
        config.replay = true;
        // The limits protect public APIs, and this one is nobody's but ours.
        config.upstream_limits = false;
        for name in ["explorer", "lcd", "exchange"] {
            config.upstream_urls.insert(name.to_owned(), self.url(name));
        }
        if let Clock::System = config.clock {
            let recorded = Timestamp::parse(RECORDED_AT).expect("the constant is a date and time");
            config.clock = Clock::Fixed(recorded);
        }
    }

    /// The base URL of one upstream.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// From now on, targets that begin with `prefix` (e.g. `/explorer/api/v3/utility_token`) get this answer.
    pub fn answer(&self, prefix: &str, canned: Canned) {
        lock(&self.shared.instead).insert(0, (prefix.to_owned(), canned));
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

impl Drop for Replay {
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
    while let Some(target) = read_target(&mut socket).await? {
        lock(&shared.seen).push(target.clone());
        let instead = lock(&shared.instead)
            .iter()
            .find(|(prefix, _)| target.starts_with(prefix.as_str()))
            .map(|it| it.1.clone());
        let canned = instead.unwrap_or_else(|| recorded::answer(&target));
        if !canned.send(socket.get_mut()).await? {
            break;
        }
    }
    Ok(())
}

/// The target of the next request; `None` at the end of the connection. All requests are GETs without a body.
async fn read_target(socket: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
    loop {
        line.clear();
        if socket.read_line(&mut line).await? <= 2 {
            return Ok(Some(target));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
