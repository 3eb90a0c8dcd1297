//! The HTTP client of one upstream: built for the first request, and replaced after a request got no response.
//!
//! A connection can die silently, for example while a Lambda process is frozen. With HTTP/2 all requests share one
//! connection, so a retry on it would also fail. Building the client before the first request would delay a cold
//! start.

use std::sync::Arc;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};

use super::client::ClientSettings;
use crate::clock::Deadline;
use crate::error::Result;
use crate::upstream::once::Once;

pub(super) struct SharedClient {
    settings: ClientSettings,
    client: Once<Client>,
}

impl SharedClient {
    /// Builds clients with `settings`; all requests share one until it is replaced.
    pub(super) fn new(settings: ClientSettings) -> SharedClient {
        let client = Once::new();
        SharedClient { settings, client }
    }

    /// The current client.
    pub(super) async fn client(&self, deadline: Deadline) -> Result<Arc<Client>> {
        let build = || {
            let settings = self.settings.clone();
            // Built by the future, because a lock is held while this closure runs.
            async move { build(&settings) }
        };
        self.client.get(deadline, build).await
    }

    /// Discards the client, unless it was already replaced.
    pub(super) fn replace(&self, broken: &Arc<Client>) {
        self.client.drop_broken(broken);
    }
}

/// Builds a client for upstreams.
pub(super) fn build(settings: &ClientSettings) -> Result<Client> {
    settings.build(Policy::custom(same_host))
}

/// Follows at most five redirects, all to the scheme, host and port of the first request.
fn same_host(attempt: Attempt<'_>) -> Action {
    let asked = attempt.previous().first().map(Url::origin);
    match asked {
        Some(origin) if origin == attempt.url().origin() && attempt.previous().len() <= 5 => {
            attempt.follow()
        }
        _ => attempt.error("a redirect to another host, or too many of them"),
    }
}
