//! Calls of functions by functions: each is charged to the request, and lets others have the thread.

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::yield_now;

use super::Context;
use super::scope::{Form, Protocol, Scope};
use crate::error::Result;

impl Context {
    /// The same call on that protocol, where its answer stands in the response in that form.
    pub(crate) fn on_protocol(self, protocol: Protocol, form: Form) -> Context {
        let scope = Scope {
            protocol: Some(protocol),
            form,
            ..self.scope
        };
        Context { scope, ..self }
    }

    /// The protocol by which the request came; none for a program that calls functions itself.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        self.scope.protocol
    }

    /// How the answer stands in the response.
    pub(crate) fn form(&self) -> Form {
        self.scope.form
    }

    /// The same request, of which several calls are made.
    pub(crate) fn batched(&self) -> Context {
        let scope = Scope {
            is_batched: true,
            ..self.scope
        };
        Context {
            scope,
            ..self.clone()
        }
    }

    /// What the function is given that is called with this: whatever it calls is nested in it.
    pub(crate) fn nested(&self, is_caller: bool) -> Context {
        let scope = Scope {
            depth: self.scope.depth.saturating_add(1),
            has_yielded: false,
            is_within_caller: is_caller || self.scope.is_within_caller,
            ..self.scope
        };
        Context {
            scope,
            ..self.clone()
        }
    }

    /// Whether the function that is given this answers another function, and not the request.
    pub(super) fn answers_function(&self) -> bool {
        self.scope.depth > 1
    }

    /// Whether a function that calls others makes this call, at whatever depth.
    pub(crate) fn is_within_caller(&self) -> bool {
        self.scope.is_within_caller
    }

    /// The same call for one that has already let others have the thread.
    pub(crate) fn already_yielded(self) -> Context {
        let scope = Scope {
            has_yielded: true,
            ..self.scope
        };
        Context { scope, ..self }
    }

    /// Charges one call to the request, unless it is the only one.
    ///
    /// # Errors
    /// `TooManyCalls` where the request has made all that it may.
    pub(crate) fn charge_call(&self) -> Result<()> {
        match self.is_one_of_many() {
            true => self.call.budget().charge_call(),
            false => Ok(()),
        }
    }

    /// Lets others have the thread before one of many calls: a request must not keep those of other clients waiting for
    /// all that is nested in it.
    pub(crate) async fn yield_to_others(&self) {
        if self.is_one_of_many() && !self.scope.has_yielded {
            self.yield_now().await;
        }
    }

    /// Lets others have the thread, however often this is polled before they had it.
    pub(crate) async fn yield_now(&self) {
        // What stands in such a set is polled only when it was woken.
        let mut turn: FuturesUnordered<_> = std::iter::once(yield_now()).collect();
        turn.next().await;
    }

    fn is_one_of_many(&self) -> bool {
        self.scope.depth > 0 || self.scope.is_batched
    }
}
