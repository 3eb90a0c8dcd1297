//! Who calls, and what the rules for callers say of it.

use std::sync::Arc;

use super::{Context, network};
use crate::auth::{Denial, Needs, Principal, Quota};
use crate::clock::Deadline;
use crate::error::{Error, Result};

impl Context {
    /// The principal: the caller, where this server or the integration in front of it has checked it.
    pub fn principal(&self) -> Option<&Principal> {
        let own = self.call.principal.get();
        own.or(self.call.checked.as_ref()).map(Arc::as_ref)
    }

    /// Names the principal of the request: for a layer that has checked who calls. False where there is one already, which
    /// stays.
    pub fn identify(&self, principal: impl Into<Principal>) -> bool {
        let principal = self.services.auth.complete(principal.into());
        self.principal().is_none() && self.call.principal.set(principal).is_ok()
    }

    /// The principal that this server has checked itself.
    pub(crate) fn authenticated_principal(&self) -> Option<&Principal> {
        self.call.principal.get().map(Arc::as_ref)
    }

    /// Sets the principal that this server has checked.
    pub(crate) fn authenticated(&self, principal: Option<Arc<Principal>>) {
        if let Some(principal) = principal {
            // Only the beginning of a request authenticates, so that there is none yet.
            let _ = self.call.principal.set(principal);
        }
    }

    /// Sets the principal that began the call, for a call that another invocation resumes.
    pub(crate) fn set_principal(&self, principal: Option<Principal>) {
        // A principal that this invocation has checked itself takes precedence.
        if self.principal().is_none() {
            self.authenticated(principal.map(Arc::new));
        }
    }

    /// The owner of the records that a call leaves in the store: the principal, or else the client's network.
    pub(crate) fn holder(&self) -> Option<String> {
        let principal = self.principal().map(|it| it.id().to_owned());
        principal.or_else(|| self.call.peer.map(|it| network(it).to_string()))
    }

    /// Whether the rules for callers hold for this call.
    pub(crate) fn is_guarded(&self) -> bool {
        self.services.auth.is_on() && !self.call.is_trusted
    }

    /// The time at which the credentials of the caller expire, if they do.
    pub(crate) fn expiry(&self) -> Option<Deadline> {
        let principal = self.principal().filter(|_| self.is_guarded())?;
        let left = principal.left(self.config().clock.now())?;
        Some(Deadline::after(left))
    }

    /// Whether the caller may do what needs this. The first denial of a request becomes its challenge.
    ///
    /// # Errors
    /// `Unauthenticated` or `InsufficientScope`.
    pub(crate) fn authorize<'a>(&self, needs: impl FnOnce() -> Needs<'a>) -> Result<()> {
        if !self.is_guarded() {
            return Ok(());
        }
        let denied = self.services.auth.authorize(self.principal(), needs);
        denied.map_err(|denial| self.deny(denial))
    }

    /// Whether the caller may do what needs this, where that is only to be shown.
    pub(crate) fn may<'a>(&self, needs: impl FnOnce() -> Needs<'a>) -> bool {
        !self.is_guarded()
            || self
                .services
                .auth
                .authorize(self.principal(), needs)
                .is_ok()
    }

    /// Whether the caller is authenticated and has the scope.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        let principal = self.principal().filter(|_| self.is_guarded());
        principal.is_some_and(|it| it.has_scope(scope))
    }

    /// Whether the caller is known at all.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub(crate) fn require_principal(&self) -> Result<()> {
        if !self.is_guarded() {
            return Ok(());
        }
        let denied = self.services.auth.require(self.principal());
        denied.map_err(|denial| self.deny(denial))
    }

    /// Keeps the denial for the challenge, and gives the error of the call.
    pub(crate) fn deny(&self, denial: Denial) -> Error {
        let error = denial.error();
        let _ = self.call.denial.set(denial);
        error
    }

    /// Why the request was refused.
    pub(crate) fn denial(&self) -> Option<&Denial> {
        self.call.denial.get()
    }

    /// Charges a call of a function of these classes to the rate limits of its caller.
    ///
    /// # Errors
    /// `TooManyRequests`.
    pub(crate) async fn charge_rate<'a>(
        &self,
        classes: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        if self.call.is_trusted {
            return Ok(());
        }
        let holder = || self.holder().unwrap_or_default();
        let Some(quota) = self.services.auth.charge(holder, classes).await else {
            return Ok(());
        };
        let wait = quota.wait;
        // Of many calls in one request the first one is told of.
        let _ = self.call.quota.set(quota);
        if wait.is_zero() {
            return Ok(());
        }
        let message = format!(
            "the rate limit is reached: call again in {} ms, and less often",
            wait.as_millis().max(1)
        );
        Err(Error::rate_limit_reached(message, wait))
    }

    /// What is left of the rate limits.
    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.call.quota.get()
    }
}
