//! What the catalog has of a mounted server, and how it is replaced.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::lists::Listed;
use super::offer::Offer;
use super::owner::Order;
use super::peer::Peer;
use crate::registry::Functions;

/// Changes the catalog; the text is why that was refused.
pub(crate) type Change =
    Arc<dyn Fn(&mut dyn FnMut(&mut Functions)) -> Result<(), String> + Send + Sync>;

/// What the catalog has of one server.
pub(super) struct Published {
    peer: Arc<Peer>,
    change: Change,
    orders: watch::Receiver<Order>,
    offer: Offer,
    /// Whether anything was published, be it nothing.
    has_offer: bool,
    is_absent: bool,
}

impl Published {
    pub(super) fn new(
        peer: Arc<Peer>,
        change: Change,
        orders: watch::Receiver<Order>,
    ) -> Published {
        Published {
            peer,
            change,
            orders,
            offer: Offer::default(),
            has_offer: false,
            is_absent: false,
        }
    }

    /// Offers what these lists have, which the server has given just now or an earlier process has kept.
    pub(super) fn offer(&mut self, listed: Listed, revision: &'static str, is_kept: bool) {
        self.peer.set_completes(listed.has_completions);
        let offer = Offer::new(&self.peer, listed, &self.offer);
        self.replace(offer);
        self.peer.status.offers(is_kept, revision, &self.offer);
    }

    /// How many tools are offered, and how many things are refused.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.offer.functions.tools.len(), self.offer.refused.len())
    }

    /// Says in the lists that this server is missing.
    pub(super) fn absent(&mut self) {
        if self.is_absent {
            return;
        }
        let name = &self.peer.name;
        let changed = (self.change)(&mut |functions| functions.set_absent(name, true));
        self.is_absent = true;
        self.complain(changed);
    }

    /// Replaces what is offered of the server. Names that others have already are left out.
    fn replace(&mut self, mut offer: Offer) {
        let (old, name) = (&self.offer.functions, &self.peer.name);
        if old.is_same(&offer.functions) && !self.is_absent && self.has_offer {
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
        (self.has_offer, self.is_absent) = (true, false);
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
