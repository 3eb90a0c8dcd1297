//! Requests that wait for an upstream, in fair order: each holder's next one in turn, and those of one holder as they came.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use crate::upstream::flight::Holder;

/// The most requests that wait, of all holders together.
const MOST: usize = 1024;
/// The most requests of one holder that wait.
const MOST_OF_ONE: usize = 512;
/// The holders that are remembered while none of their requests waits.
const REMEMBERED: usize = 256;

/// Those who wait. A request gets the round after the last one of its holder, and no earlier one than now: so a holder
/// with one request is behind one request at most of each other holder, however many they have (start-time fair queueing).
#[derive(Default)]
pub(super) struct Line {
    entries: BTreeMap<Position, Entry>,
    tickets: HashMap<u64, Ticket>,
    holders: HashMap<Holder, Share>,
    round: u64,
    requests: u64,
}

/// The round, and within it the order of request_info.
type Position = (u64, u64);

/// One position of a request; a request that several holders wait for has one for each.
struct Entry {
    holder: Holder,
    ticket: u64,
}

struct Ticket {
    grant: oneshot::Sender<()>,
    positions: Vec<Position>,
}

/// What one holder has of the line.
#[derive(Default)]
struct Share {
    waiting: usize,
    /// The round of its next request, unless that has passed.
    next: u64,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Counts a request that did not have to wait.
    pub(super) fn pass(&mut self, holder: Holder) {
        if self.holders.len() >= REMEMBERED {
            self.forget();
        }
        self.round = self.next_round(holder);
    }

    /// Puts a request at its place; none where the line has no room for it.
    pub(super) fn push(&mut self, holder: Holder) -> Option<(u64, oneshot::Receiver<()>)> {
        if !self.has_room(holder) && !self.make_room(holder) {
            return None;
        }
        let (grant, granted) = oneshot::channel();
        self.requests += 1;
        let ticket = self.requests;
        let positions = Vec::with_capacity(1);
        self.tickets.insert(ticket, Ticket { grant, positions });
        self.stand(ticket, holder);
        Some((ticket, granted))
    }

    /// Another holder waits for the same request: the better one of their positions counts.
    pub(super) fn also(&mut self, ticket: u64, holder: Holder) {
        if self.has_room(holder) && self.tickets.contains_key(&ticket) {
            self.stand(ticket, holder);
        }
    }

    /// The request whose turn it is.
    pub(super) fn pop(&mut self) -> Option<oneshot::Sender<()>> {
        let (position, entry) = self.entries.first_key_value()?;
        self.round = self.round.max(position.0);
        self.take(entry.ticket)
    }

    /// A request that does not wait any more; false where it had been taken out before.
    pub(super) fn leave(&mut self, ticket: u64) -> bool {
        self.take(ticket).is_some()
    }

    /// How many requests are before that one, counted to `most`; none where it is not in the line.
    pub(super) fn before(&self, ticket: u64, most: usize) -> Option<usize> {
        let first = self.tickets.get(&ticket)?.positions.iter().min()?;
        Some(self.entries.range(..first).take(most).count())
    }

    fn stand(&mut self, ticket: u64, holder: Holder) {
        let position = (self.next_round(holder), self.requests);
        self.requests += 1;
        if let Some(share) = self.holders.get_mut(&holder) {
            share.waiting += 1;
        }
        self.entries.insert(position, Entry { holder, ticket });
        if let Some(ticket) = self.tickets.get_mut(&ticket) {
            ticket.positions.push(position);
        }
    }

    /// The round of a request that comes now.
    fn next_round(&mut self, holder: Holder) -> u64 {
        let share = self.holders.entry(holder).or_default();
        let round = share.next.max(self.round);
        share.next = round + 1;
        round
    }

    fn take(&mut self, ticket: u64) -> Option<oneshot::Sender<()>> {
        let ticket = self.tickets.remove(&ticket)?;
        for position in ticket.positions {
            self.remove(position);
        }
        Some(ticket.grant)
    }

    fn remove(&mut self, position: Position) {
        let Some(entry) = self.entries.remove(&position) else {
            return;
        };
        if let Some(share) = self.holders.get_mut(&entry.holder) {
            share.waiting -= 1;
            if share.waiting == 0 {
                // Requests that were given up are not held against those to come.
                share.next = share.next.min(self.round + 1);
            }
        }
        if self.holders.len() > REMEMBERED + self.entries.len() {
            self.forget();
        }
    }

    /// Forgets the holders of which nothing waits; they begin anew.
    fn forget(&mut self) {
        self.holders.retain(|_, share| share.waiting > 0);
    }

    fn has_room(&self, holder: Holder) -> bool {
        self.entries.len() < MOST && self.waiting(holder) < MOST_OF_ONE
    }

    fn waiting(&self, holder: Holder) -> usize {
        self.holders.get(&holder).map_or(0, |share| share.waiting)
    }

    /// Takes the last position of the holder that has most of them, if that has clearly more than this one.
    fn make_room(&mut self, holder: Holder) -> bool {
        let own = self.waiting(holder);
        let most = self.holders.iter().max_by_key(|it| it.1.waiting);
        let Some((&largest, share)) = most else {
            return false;
        };
        if own >= MOST_OF_ONE || share.waiting <= own + 1 {
            return false;
        }
        let mut from_the_end = self.entries.iter().rev();
        let last = from_the_end.find(|(_, entry)| entry.holder == largest);
        let Some((&position, entry)) = last else {
            return false;
        };
        let ticket = entry.ticket;
        self.remove(position);
        if let Some(kept) = self.tickets.get_mut(&ticket) {
            kept.positions.retain(|it| *it != position);
            if kept.positions.is_empty() {
                // Its sender goes with it, which tells the one who waits.
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

    use super::{Holder, Line, MOST, MOST_OF_ONE, REMEMBERED};

    /// Takes a place for the holder and keeps its receiver, so that it does not count as gone.
    fn stand(line: &mut Line, holder: u64) -> u64 {
        let (ticket, granted) = line.push(Holder(holder)).expect("there is room");
        std::mem::forget(granted);
        ticket
    }

    /// The holders in the order of their turns.
    fn turns(line: &mut Line, most: usize) -> Vec<u64> {
        let next = |line: &mut Line| {
            let holder = line.entries.first_key_value()?.1.holder.0;
            line.pop().map(|_| holder)
        };
        (0..most).map_while(|_| next(line)).collect()
    }

    #[test]
    fn holders_take_turns_and_one_of_them_keeps_its_order() {
        let mut line = Line::default();
        let (a1, a2) = (stand(&mut line, 1), stand(&mut line, 1));
        stand(&mut line, 1);
        stand(&mut line, 2);
        stand(&mut line, 2);
        stand(&mut line, 3);
        assert!(line.before(a1, 9) < line.before(a2, 9));
        assert_eq!(turns(&mut line, 9), [1, 2, 3, 1, 2, 1]);
        assert!(line.is_empty() && line.tickets.is_empty());
    }

    #[test]
    fn one_request_is_behind_one_of_a_holder_with_four_hundred() {
        let mut line = Line::default();
        line.pass(Holder(1));
        for _ in 0..400 {
            stand(&mut line, 1);
        }
        assert_eq!(turns(&mut line, 50), [1; 50]);
        let single = stand(&mut line, 2);
        assert!(line.before(single, 9).unwrap() <= 1);
        assert!(turns(&mut line, 2).contains(&2));
    }

    #[test]
    fn a_shared_request_has_the_better_one_of_two_positions() {
        let mut line = Line::default();
        for _ in 0..100 {
            stand(&mut line, 1);
        }
        let shared = stand(&mut line, 1);
        assert_eq!(line.before(shared, 999), Some(100));
        line.also(shared, Holder(2));
        assert!(line.before(shared, 999).unwrap() <= 1);
        assert!(line.leave(shared));
        assert_eq!((line.entries.len(), line.waiting(Holder(2))), (100, 0));
        // The other way round: a light holder's request does not get worse by a heavy holder that joins it.
        let light = stand(&mut line, 3);
        line.also(light, Holder(1));
        assert!(line.before(light, 999).unwrap() <= 1);
    }

    #[test]
    fn a_full_line_takes_from_the_holder_that_has_most_of_it() {
        let mut line = Line::default();
        let held: Vec<_> = (0..MOST_OF_ONE)
            .map(|_| line.push(Holder(1)).unwrap().1)
            .collect();
        assert!(line.push(Holder(1)).is_none(), "one holder has its bound");
        for holder in 0..(MOST - MOST_OF_ONE) as u64 {
            stand(&mut line, 100 + holder);
        }
        assert_eq!(line.entries.len(), MOST);
        stand(&mut line, 2);
        assert_eq!((line.entries.len(), line.tickets.len()), (MOST, MOST));
        let mut held = held.into_iter();
        let is_told = |it: &mut Receiver<()>| it.try_recv() == Err(TryRecvError::Closed);
        assert!(held.next_back().is_some_and(|mut last| is_told(&mut last)));
        assert!(!held.any(|mut other| is_told(&mut other)));
        assert_eq!(line.waiting(Holder(1)), MOST_OF_ONE - 1);
    }

    #[test]
    fn what_is_remembered_of_holders_stays_within_its_bound() {
        let mut line = Line::default();
        for holder in 0..100_000 {
            line.pass(Holder(holder));
        }
        assert!(line.holders.len() <= REMEMBERED);
        stand(&mut line, 7);
        for holder in 0..100_000 {
            stand(&mut line, 1_000 + holder);
            line.pop();
        }
        assert!(line.holders.len() <= REMEMBERED + line.entries.len() + 1);
    }

    #[test]
    fn requests_that_were_given_up_are_not_held_against_their_holder() {
        let mut line = Line::default();
        let given_up: Vec<u64> = (0..400).map(|_| stand(&mut line, 1)).collect();
        for ticket in given_up {
            line.leave(ticket);
        }
        for _ in 0..5 {
            stand(&mut line, 2);
        }
        let next = stand(&mut line, 1);
        assert!(line.before(next, 999).unwrap() <= 2);
    }
}
