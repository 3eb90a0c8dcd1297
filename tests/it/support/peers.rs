//! The connections of a fake server, which can become dead like those of a frozen process: open, but without responses.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::Barrier;

/// The requests, and the connection of each. Clones share them.
#[derive(Clone, Default)]
pub struct Peers(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    seen: HashSet<SocketAddr>,
    dead: HashSet<SocketAddr>,
    lost: Vec<String>,
    gathering: Option<Arc<Barrier>>,
}

impl Peers {
    /// The connections that were used so far get no more responses.
    pub fn cut(&self) {
        let mut known = self.0.lock().unwrap();
        known.dead = known.seen.clone();
    }

    /// Responses are sent only when this many requests are open, so that each needs its own connection.
    pub fn gather(&self, requests: usize) {
        self.0.lock().unwrap().gathering = Some(Arc::new(Barrier::new(requests)));
    }

    /// Each request gets its response at once.
    pub fn scatter(&self) {
        self.0.lock().unwrap().gathering = None;
    }

    /// The number of connections that were used.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().seen.len()
    }

    /// The requests on dead connections.
    pub fn lost(&self) -> Vec<String> {
        self.0.lock().unwrap().lost.clone()
    }

    /// Waits until this request may be answered, which never happens on a dead connection.
    pub async fn admit(&self, peer: SocketAddr, what: &str, gathers: bool) {
        let (is_dead, gathering) = {
            let mut known = self.0.lock().unwrap();
            known.seen.insert(peer);
            let is_dead = known.dead.contains(&peer);
            if is_dead {
                known.lost.push(what.to_owned());
            }
            (is_dead, known.gathering.clone().filter(|_| gathers))
        };
        if is_dead {
            std::future::pending::<()>().await;
        }
        if let Some(gathering) = gathering {
            gathering.wait().await;
        }
    }
}

/// Lets ready tasks run, so that unused connections return to their pool.
pub async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
