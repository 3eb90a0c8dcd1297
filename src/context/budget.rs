//! The budget of one request and everything nested in it: the number of calls, and the bytes of the response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::Call;
use crate::error::{Error, Result};

/// The limit of calls in one request.
const MOST_CALLS: u32 = 200;

/// The budget of one request. The counters are independent of each other, so all atomics are relaxed.
pub struct Budget {
    calls: AtomicU32,
    /// The limit of bytes in the response.
    most: usize,
    /// Bytes that are certainly in the response.
    charged: AtomicUsize,
    /// Bytes of nested results, which may or may not become a part of the response.
    reserved: AtomicUsize,
    /// Whether the integration sends the response inside a JSON string, in which quotes take two bytes.
    is_quoted: bool,
}

/// The budget of a call: its own, or that of its parent call.
pub enum BudgetRef {
    /// The call has its own budget.
    Own(Budget),
    /// The call shares the budget of its parent.
    Parent(Arc<Call>),
}

/// Reserved bytes of a nested result, released when this is dropped.
pub(crate) struct Reservation {
    call: Arc<Call>,
    bytes: usize,
}

impl Budget {
    /// A budget for a response of at most `most` bytes, as the integration counts them.
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

    /// The limit of bytes in the response.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The bytes that are left for the response, including those that nested results have reserved.
    pub(super) fn left(&self) -> usize {
        self.most
            .saturating_sub(self.charged.load(Ordering::Relaxed))
    }

    /// The bytes that are left for one more nested result.
    pub(super) fn free(&self) -> usize {
        self.left()
            .saturating_sub(self.reserved.load(Ordering::Relaxed))
    }

    /// Counts one call.
    ///
    /// # Errors
    /// `TooManyCalls` where the request has reached its limit.
    pub(super) fn charge_call(&self) -> Result<()> {
        let more = |calls: u32| (calls < MOST_CALLS).then_some(calls + 1);
        let taken = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Error::too_many_calls(MOST_CALLS))?;
        Ok(())
    }

    /// Charges bytes to the response, even beyond the limit.
    pub(super) fn charge(&self, bytes: usize) {
        self.charged.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Charges bytes to the response, if at least `rest` bytes are left afterwards.
    pub(super) fn try_charge(&self, bytes: usize, rest: usize) -> bool {
        self.add(&self.charged, bytes, self.most.saturating_sub(rest))
    }

    fn try_reserve(&self, bytes: usize) -> bool {
        self.add(&self.reserved, bytes, self.left())
    }

    /// Adds to the counter, unless the sum exceeds `most`.
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

    /// The call that owns the budget.
    pub(super) fn whole(self: &Arc<Call>) -> Arc<Call> {
        match &self.budget {
            BudgetRef::Own(_) => self.clone(),
            BudgetRef::Parent(whole) => whole.clone(),
        }
    }
}

impl Reservation {
    /// Reserves bytes of the call's budget, if they are free.
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
