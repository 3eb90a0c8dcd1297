//! Nested calls: each is charged to the request, and yields the thread to other tasks first.

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::yield_now;

use super::Context;
use super::scope::{Form, Protocol, Scope};
use crate::error::Result;

impl Context {
    /// The same call on this protocol, with its result in the response in this form.
    pub(crate) fn on_protocol(self, protocol: Protocol, form: Form) -> Context {
        let scope = Scope {
            protocol: Some(protocol),
            form,
            ..self.scope
        };
        Context { scope, ..self }
    }

    /// The protocol of the request; `None` where a program calls functions itself.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        self.scope.protocol
    }

    /// Its name in the log.
    pub(crate) fn protocol_name(&self) -> Option<&'static str> {
        self.protocol().map(|it| match it {
            Protocol::Mcp => "mcp",
            Protocol::Rest => "rest",
        })
    }

    /// The form of the result in the response.
    pub(crate) fn form(&self) -> Form {
        self.scope.form
    }

    /// A context for one of several messages in one request.
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

    /// The context for a function that is called: its own calls are nested in it.
    pub(crate) fn nested(&self, is_caller: bool) -> Context {
        let scope = Scope {
            depth: self.scope.depth.saturating_add(1),
            has_yielded: false,
            is_cut_later: false,
            is_within_caller: is_caller || self.scope.is_within_caller,
            ..self.scope
        };
        Context {
            page: None,
            scope,
            ..self.clone()
        }
    }

    /// Whether the result goes to another function, and not into the response.
    pub(crate) fn answers_function(&self) -> bool {
        self.scope.depth > 1
    }

    /// Whether a function makes this call.
    pub(crate) fn is_within_call(&self) -> bool {
        self.scope.depth > 0
    }

    /// Whether this call is made by a function that calls others, at any depth.
    pub(crate) fn is_within_caller(&self) -> bool {
        self.scope.is_within_caller
    }

    /// A context for a call that has already yielded the thread.
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
    /// `TooManyCalls` where the request has reached its limit.
    pub(crate) fn charge_call(&self) -> Result<()> {
        match self.is_one_of_many() {
            true => self.call.budget().charge_call(),
            false => Ok(()),
        }
    }

    /// Yields the thread before one of many calls, so that a request with many nested calls does not block other requests.
    pub(crate) async fn yield_to_others(&self) {
        if self.is_one_of_many() && !self.scope.has_yielded {
            self.yield_now().await;
        }
    }

    /// Yields the thread, even where the surrounding future is polled again before other tasks have run.
    pub(crate) async fn yield_now(&self) {
        // A `FuturesUnordered` polls its future only after a wake-up.
        let mut turn: FuturesUnordered<_> = std::iter::once(yield_now()).collect();
        turn.next().await;
    }

    fn is_one_of_many(&self) -> bool {
        self.scope.depth > 0 || self.scope.is_batched
    }
}
