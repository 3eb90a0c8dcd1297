//! Calls of functions by functions: each is charged to the request, and lets others have the thread.

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::yield_now;

use super::Context;
use super::position::{Form, Position, Protocol};
use crate::error::Result;

impl Context {
    /// The same call on that protocol, where its answer stands in the response in that form.
    pub(crate) fn on(self, protocol: Protocol, form: Form) -> Context {
        let position = Position {
            protocol: Some(protocol),
            form,
            ..self.position
        };
        Context { position, ..self }
    }

    /// The protocol by which the request came; none for a program that calls functions itself.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        self.position.protocol
    }

    /// How the answer stands in the response.
    pub(crate) fn form(&self) -> Form {
        self.position.form
    }

    /// The same request, of which several calls are made.
    pub(crate) fn member(&self) -> Context {
        let position = Position {
            is_member: true,
            ..self.position
        };
        Context {
            position,
            ..self.clone()
        }
    }

    /// What the function is given that is called with this: whatever it calls is nested in it.
    pub(crate) fn inside(&self, is_caller: bool) -> Context {
        let position = Position {
            depth: self.position.depth.saturating_add(1),
            has_turn: false,
            is_within_caller: is_caller || self.position.is_within_caller,
            ..self.position
        };
        Context {
            position,
            ..self.clone()
        }
    }

    /// Whether the function that is given this answers another function, and not the request.
    pub(super) fn answers_function(&self) -> bool {
        self.position.depth > 1
    }

    /// Whether a function that calls others makes this call, at whatever depth.
    pub(crate) fn is_within_caller(&self) -> bool {
        self.position.is_within_caller
    }

    /// The same call for one that has already let others have the thread.
    pub(crate) fn in_turn(self) -> Context {
        let position = Position {
            has_turn: true,
            ..self.position
        };
        Context { position, ..self }
    }

    /// Charges one call to the request, unless it is the only one.
    ///
    /// # Errors
    /// `TooManyCalls` where the request has made all that it may.
    pub(crate) fn take_call(&self) -> Result<()> {
        match self.is_one_of_many() {
            true => self.call.budget().take_call(),
            false => Ok(()),
        }
    }

    /// Lets others have the thread before one of many calls: a request must not keep those of other clients waiting for
    /// all that is nested in it.
    pub(crate) async fn take_turn(&self) {
        if self.is_one_of_many() && !self.position.has_turn {
            self.yield_thread().await;
        }
    }

    /// Lets others have the thread, however often this is polled before they had it.
    pub(crate) async fn yield_thread(&self) {
        // What stands in such a set is polled only when it was woken.
        let mut turn: FuturesUnordered<_> = std::iter::once(yield_now()).collect();
        turn.next().await;
    }

    fn is_one_of_many(&self) -> bool {
        self.position.depth > 0 || self.position.is_member
    }
}
