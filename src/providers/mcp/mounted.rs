//! One mounted server, with the task that owns its connection.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use super::kept::Keeper;
use super::mount::Mount;
use super::owner::{Order, Owner};
use super::peer::Peer;
use super::published::Change;
use super::visits::{Visited, Visits};
use crate::registry::Functions;
use crate::store::Store;

/// One mounted server, with the task that owns its connection.
pub(super) struct Mounted {
    pub(super) peer: Arc<Peer>,
    pub(super) orders: watch::Sender<Order>,
    pub(super) tried: watch::Receiver<bool>,
    /// The way to have stale lists read, in a process that is frozen between requests.
    pub(super) visits: Option<Visits>,
    pub(super) task: JoinHandle<()>,
}

impl Mounted {
    /// Starts the task.
    pub(super) fn start(
        peer: Arc<Peer>,
        change: &Change,
        is_frozen: bool,
        table: Option<Store>,
    ) -> Mounted {
        let (orders, ordered) = watch::channel(Order::Keep);
        let (trying, tried) = watch::channel(false);
        let (change, owned) = (change.clone(), peer.clone());
        let (visits, task) = if is_frozen {
            let keeper = Arc::new(Keeper::new(&peer.mount, table));
            let owner = Owner::new(owned, change, ordered, trying, Some(keeper.clone()));
            let (sender, visits) = Visits::channel();
            let visited = Visited {
                owner,
                peer: peer.clone(),
                keeper,
                visits,
            };
            (Some(sender), tokio::spawn(visited.run()))
        } else {
            let owner = Owner::new(owned, change, ordered, trying, None);
            (None, tokio::spawn(owner.run()))
        };
        Mounted {
            peer,
            orders,
            tried,
            visits,
            task,
        }
    }

    /// Whether it is the server of this declaration.
    pub(super) fn is_of(&self, mount: &Mount) -> bool {
        self.peer.mount.is_same_peer(mount)
    }

    /// Takes it out of the catalog, and closes its connection once its calls have ended.
    pub(super) fn unmount(&self, change: &Change) {
        self.orders.send_replace(Order::Unmount);
        let name = &self.peer.name;
        // At once, so that the names are free for what takes its place.
        let changed = change(&mut |functions| {
            functions.set_absent(name, false);
            let old = self.peer.take_offered();
            functions.replace(&old, &mut Functions::default(), &mut Vec::new());
        });
        if let Err(problem) = changed {
            warn!(
                mount = &**name,
                problem, "the functions of a server that is gone are still listed"
            );
        }
    }
}
