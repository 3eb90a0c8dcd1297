//! The fair queue of requests for one upstream: holders take turns, and each holder's requests keep their order.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use crate::upstream::single_flight::Holder;

/// The maximum number of queue positions, of all holders together.
const MAX_POSITIONS: usize = 1024;
/// The maximum number of queue positions of one holder.
const MAX_OF_HOLDER: usize = 512;
/// The maximum number of holders that are remembered although none of their requests waits.
const MAX_IDLE_HOLDERS: usize = 256;

/// Start-time fair queueing. A request gets the round after the last one of its holder, and at least the current
/// round. So a request of a holder with nothing else queued waits for at most one request of each other holder.
#[derive(Default)]
pub(super) struct FairQueue {
    entries: BTreeMap<Position, PositionOwner>,
    tickets: HashMap<u64, QueuedRequest>,
    holders: HashMap<Holder, HolderState>,
    round: u64,
    requests: u64,
}

/// The round, and within it the order in which requests were queued.
type Position = (u64, u64);

/// One position of a request. A request that several holders wait for has one for each of them.
struct PositionOwner {
    holder: Holder,
    ticket: u64,
}

struct QueuedRequest {
    grant: oneshot::Sender<()>,
    positions: Vec<Position>,
}

/// The state of one holder.
#[derive(Default)]
struct HolderState {
    waiting: usize,
    /// The round of its next request, unless the current round is later.
    next: u64,
}

impl FairQueue {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Counts a request that did not have to wait.
    pub(super) fn record_start(&mut self, holder: Holder) {
        if self.holders.len() >= MAX_IDLE_HOLDERS {
            self.forget();
        }
        self.round = self.next_round(holder);
    }

    /// Adds a request; `None` if the queue has no room for it.
    pub(super) fn push(&mut self, holder: Holder) -> Option<(u64, oneshot::Receiver<()>)> {
        if !self.has_room(holder) && !self.make_room(holder) {
            return None;
        }
        let (grant, granted) = oneshot::channel();
        self.requests += 1;
        let ticket = self.requests;
        let positions = Vec::with_capacity(1);
        self.tickets
            .insert(ticket, QueuedRequest { grant, positions });
        self.add_position(ticket, holder);
        Some((ticket, granted))
    }

    /// Another holder waits for the same request: the better one of the two positions counts.
    pub(super) fn add_holder(&mut self, ticket: u64, holder: Holder) {
        if self.has_room(holder) && self.tickets.contains_key(&ticket) {
            self.add_position(ticket, holder);
        }
    }

    /// Removes the request whose turn it is.
    pub(super) fn pop(&mut self) -> Option<oneshot::Sender<()>> {
        let (position, entry) = self.entries.first_key_value()?;
        self.round = self.round.max(position.0);
        self.take(entry.ticket)
    }

    /// Removes a request that was cancelled; false if it had already left the queue.
    pub(super) fn remove(&mut self, ticket: u64) -> bool {
        self.take(ticket).is_some()
    }

    /// How many requests are ahead of this one, counted up to `limit`; `None` if it is not queued.
    pub(super) fn ahead(&self, ticket: u64, limit: usize) -> Option<usize> {
        let first = self.tickets.get(&ticket)?.positions.iter().min()?;
        Some(self.entries.range(..first).take(limit).count())
    }

    fn add_position(&mut self, ticket: u64, holder: Holder) {
        let position = (self.next_round(holder), self.requests);
        self.requests += 1;
        if let Some(state) = self.holders.get_mut(&holder) {
            state.waiting += 1;
        }
        self.entries
            .insert(position, PositionOwner { holder, ticket });
        if let Some(ticket) = self.tickets.get_mut(&ticket) {
            ticket.positions.push(position);
        }
    }

    /// The round of a new request.
    fn next_round(&mut self, holder: Holder) -> u64 {
        let state = self.holders.entry(holder).or_default();
        let round = state.next.max(self.round);
        state.next = round + 1;
        round
    }

    fn take(&mut self, ticket: u64) -> Option<oneshot::Sender<()>> {
        let ticket = self.tickets.remove(&ticket)?;
        for position in ticket.positions {
            self.remove_position(position);
        }
        Some(ticket.grant)
    }

    fn remove_position(&mut self, position: Position) {
        let Some(entry) = self.entries.remove(&position) else {
            return;
        };
        if let Some(state) = self.holders.get_mut(&entry.holder) {
            state.waiting -= 1;
            if state.waiting == 0 {
                // Requests that were dropped do not delay the holder's later ones.
                state.next = state.next.min(self.round + 1);
            }
        }
        if self.holders.len() > MAX_IDLE_HOLDERS + self.entries.len() {
            self.forget();
        }
    }

    /// Forgets the holders without queued requests; they start again in the current round.
    fn forget(&mut self) {
        self.holders.retain(|_, state| state.waiting > 0);
    }

    fn has_room(&self, holder: Holder) -> bool {
        self.entries.len() < MAX_POSITIONS && self.waiting(holder) < MAX_OF_HOLDER
    }

    fn waiting(&self, holder: Holder) -> usize {
        self.holders.get(&holder).map_or(0, |state| state.waiting)
    }

    /// Removes the last position of the holder with the most positions, if `holder` would still have fewer.
    fn make_room(&mut self, holder: Holder) -> bool {
        let own = self.waiting(holder);
        let most = self.holders.iter().max_by_key(|it| it.1.waiting);
        let Some((&largest, state)) = most else {
            return false;
        };
        if own >= MAX_OF_HOLDER || state.waiting <= own + 1 {
            return false;
        }
        let mut from_the_end = self.entries.iter().rev();
        let last = from_the_end.find(|(_, entry)| entry.holder == largest);
        let Some((&position, entry)) = last else {
            return false;
        };
        let ticket = entry.ticket;
        self.remove_position(position);
        if let Some(kept) = self.tickets.get_mut(&ticket) {
            kept.positions.retain(|it| *it != position);
            if kept.positions.is_empty() {
                // Dropping the sender tells the waiting request.
                self.tickets.remove(&ticket);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::Receiver;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::{FairQueue, Holder, MAX_IDLE_HOLDERS, MAX_OF_HOLDER, MAX_POSITIONS};

    /// Queues a request of the holder and leaks its receiver, so that it does not count as dropped.
    fn enqueue(queue: &mut FairQueue, holder: u64) -> u64 {
        let (ticket, granted) = queue.push(Holder(holder)).expect("there is room");
        std::mem::forget(granted);
        ticket
    }

    /// The holders in the order of their turns.
    fn turns(queue: &mut FairQueue, limit: usize) -> Vec<u64> {
        let next = |queue: &mut FairQueue| {
            let holder = queue.entries.first_key_value()?.1.holder.0;
            queue.pop().map(|_| holder)
        };
        (0..limit).map_while(|_| next(queue)).collect()
    }

    #[test]
    fn holders_take_turns_and_the_requests_of_one_keep_their_order() {
        let mut queue = FairQueue::default();
        let (a1, a2) = (enqueue(&mut queue, 1), enqueue(&mut queue, 1));
        enqueue(&mut queue, 1);
        enqueue(&mut queue, 2);
        enqueue(&mut queue, 2);
        enqueue(&mut queue, 3);
        assert!(queue.ahead(a1, 9) < queue.ahead(a2, 9));
        assert_eq!(turns(&mut queue, 9), [1, 2, 3, 1, 2, 1]);
        assert!(queue.is_empty() && queue.tickets.is_empty());
    }

    #[test]
    fn a_single_request_waits_for_at_most_one_of_a_holder_with_four_hundred() {
        let mut queue = FairQueue::default();
        queue.record_start(Holder(1));
        for _ in 0..400 {
            enqueue(&mut queue, 1);
        }
        assert_eq!(turns(&mut queue, 50), [1; 50]);
        let single = enqueue(&mut queue, 2);
        assert!(queue.ahead(single, 9).unwrap() <= 1);
        assert!(turns(&mut queue, 2).contains(&2));
    }

    #[test]
    fn a_shared_request_uses_the_better_of_its_positions() {
        let mut queue = FairQueue::default();
        for _ in 0..100 {
            enqueue(&mut queue, 1);
        }
        let shared = enqueue(&mut queue, 1);
        assert_eq!(queue.ahead(shared, 999), Some(100));
        queue.add_holder(shared, Holder(2));
        assert!(queue.ahead(shared, 999).unwrap() <= 1);
        assert!(queue.remove(shared));
        assert_eq!((queue.entries.len(), queue.waiting(Holder(2))), (100, 0));
        // In the other direction: a heavy holder that joins does not delay a light holder's request.
        let light = enqueue(&mut queue, 3);
        queue.add_holder(light, Holder(1));
        assert!(queue.ahead(light, 999).unwrap() <= 1);
    }

    #[test]
    fn a_full_queue_drops_the_last_request_of_the_holder_with_most() {
        let mut queue = FairQueue::default();
        let held: Vec<_> = (0..MAX_OF_HOLDER)
            .map(|_| queue.push(Holder(1)).unwrap().1)
            .collect();
        assert!(
            queue.push(Holder(1)).is_none(),
            "one holder has its own limit"
        );
        for holder in 0..(MAX_POSITIONS - MAX_OF_HOLDER) as u64 {
            enqueue(&mut queue, 100 + holder);
        }
        assert_eq!(queue.entries.len(), MAX_POSITIONS);
        enqueue(&mut queue, 2);
        assert_eq!(
            (queue.entries.len(), queue.tickets.len()),
            (MAX_POSITIONS, MAX_POSITIONS)
        );
        let mut held = held.into_iter();
        let is_dropped = |it: &mut Receiver<()>| it.try_recv() == Err(TryRecvError::Closed);
        assert!(
            held.next_back()
                .is_some_and(|mut last| is_dropped(&mut last))
        );
        assert!(!held.any(|mut other| is_dropped(&mut other)));
        assert_eq!(queue.waiting(Holder(1)), MAX_OF_HOLDER - 1);
    }

    #[test]
    fn the_number_of_remembered_holders_is_limited() {
        let mut queue = FairQueue::default();
        for holder in 0..100_000 {
            queue.record_start(Holder(holder));
        }
        assert!(queue.holders.len() <= MAX_IDLE_HOLDERS);
        enqueue(&mut queue, 7);
        for holder in 0..100_000 {
            enqueue(&mut queue, 1_000 + holder);
            queue.pop();
        }
        assert!(queue.holders.len() <= MAX_IDLE_HOLDERS + queue.entries.len() + 1);
    }

    #[test]
    fn dropped_requests_do_not_delay_the_later_ones_of_their_holder() {
        let mut queue = FairQueue::default();
        let given_up: Vec<u64> = (0..400).map(|_| enqueue(&mut queue, 1)).collect();
        for ticket in given_up {
            queue.remove(ticket);
        }
        for _ in 0..5 {
            enqueue(&mut queue, 2);
        }
        let next = enqueue(&mut queue, 1);
        assert!(queue.ahead(next, 999).unwrap() <= 2);
    }
}
