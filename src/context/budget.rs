//! What one request may take, with all that is nested in it: calls of functions, and bytes of its response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::Call;
use crate::error::{Error, Result};

/// The most calls that one request makes.
const MOST_CALLS: u32 = 200;

/// What is left to one request. Where a limit is at stake the order of memory is not, so all is relaxed.
pub struct Budget {
    calls: AtomicU32,
    /// Bytes that the response may have.
    most: usize,
    /// Bytes that are in the response for good.
    charged: AtomicUsize,
    /// Bytes of nested answers, which may or may not become a part of the response.
    reserved: AtomicUsize,
    /// Whether the integration carries the response as a string of JSON, in which quotes take two bytes.
    is_quoted: bool,
}

/// The budget of a call: its own, or that of the call which it is a part of.
pub enum BudgetRef {
    /// Its own.
    Own(Budget),
    /// That of the whole.
    Parent(Arc<Call>),
}

/// Bytes of a nested answer, reserved until it is dropped.
pub(crate) struct Reservation {
    call: Arc<Call>,
    bytes: usize,
}

impl Budget {
    /// A budget for a response of at most so many bytes, as the integration counts them.
    pub fn new(most: usize, is_quoted: bool) -> Budget {
        Budget {
            calls: AtomicU32::new(0),
            most,
            charged: AtomicUsize::new(0),
            reserved: AtomicUsize::new(0),
            is_quoted,
        }
    }

    pub(super) fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// The bytes that a response may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The bytes that are left for the response, of which nested answers may hold some.
    pub(super) fn left(&self) -> usize {
        self.most
            .saturating_sub(self.charged.load(Ordering::Relaxed))
    }

    /// The bytes that are left for one more nested answer.
    pub(super) fn free(&self) -> usize {
        self.left()
            .saturating_sub(self.reserved.load(Ordering::Relaxed))
    }

    /// Counts one call.
    ///
    /// # Errors
    /// `TooManyCalls` where the request has made all that it may.
    pub(super) fn charge_call(&self) -> Result<()> {
        let more = |calls: u32| (calls < MOST_CALLS).then_some(calls + 1);
        let taken = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Error::too_many_calls(MOST_CALLS))?;
        Ok(())
    }

    /// Puts so many bytes into the response, whether there is room for them or not.
    pub(super) fn charge(&self, bytes: usize) {
        self.charged.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Puts so many bytes into the response, if at least `rest` bytes are left afterwards.
    pub(super) fn try_charge(&self, bytes: usize, rest: usize) -> bool {
        self.add(&self.charged, bytes, self.most.saturating_sub(rest))
    }

    fn try_reserve(&self, bytes: usize) -> bool {
        self.add(&self.reserved, bytes, self.left())
    }

    /// Adds to the counter, unless it comes to more than that.
    fn add(&self, counter: &AtomicUsize, bytes: usize, most: usize) -> bool {
        let sum = |now: usize| now.checked_add(bytes).filter(|sum| *sum <= most);
        counter
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum)
            .is_ok()
    }
}

impl Call {
    pub(super) fn budget(&self) -> &Budget {
        match &self.budget {
            BudgetRef::Own(budget) => budget,
            BudgetRef::Parent(whole) => whole.budget(),
        }
    }

    /// The call that has the budget.
    pub(super) fn whole(self: &Arc<Call>) -> Arc<Call> {
        match &self.budget {
            BudgetRef::Own(_) => self.clone(),
            BudgetRef::Parent(whole) => whole.clone(),
        }
    }
}

impl Reservation {
    /// Holds so many bytes of the call's budget, if they are free.
    pub(super) fn of(call: &Arc<Call>, bytes: usize) -> Option<Reservation> {
        call.budget().try_reserve(bytes).then(|| Reservation {
            call: call.whole(),
            bytes,
        })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let reserved = &self.call.budget().reserved;
        reserved.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
