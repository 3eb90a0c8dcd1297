//! The connections of a stand-in, which can go dead as those of a process that was frozen do: open, and without answers.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::Barrier;

/// Who has asked, and on which connection. Clones are the same.
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
    /// Nothing more is answered on the connections that were used so far.
    pub fn cut(&self) {
        let mut known = self.0.lock().unwrap();
        known.dead = known.seen.clone();
    }

    /// Requests are answered only when so many of them are there, so that each needs a connection.
    pub fn gather(&self, requests: usize) {
        self.0.lock().unwrap().gathering = Some(Arc::new(Barrier::new(requests)));
    }

    /// Each request is answered when it comes.
    pub fn scatter(&self) {
        self.0.lock().unwrap().gathering = None;
    }

    /// How many connections were used.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().seen.len()
    }

    /// What was asked on dead connections.
    pub fn lost(&self) -> Vec<String> {
        self.0.lock().unwrap().lost.clone()
    }

    /// Ready when this request may be answered, which is never on a dead connection.
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

/// Lets what is ready go on: connections that are done with go back to where they are kept.
pub async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
