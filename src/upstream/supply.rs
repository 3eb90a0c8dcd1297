//! The client of one upstream, made for its first request, and another one in its place once it has got no answer.
//!
//! A connection can die without a sign, as those of a process that was frozen do. Over HTTP/2 all requests share it, so a
//! second try would be lost on it too. Before the first request a client would only be in the way of a cold start.

use std::future::ready;
use std::sync::Arc;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Url};

use super::client::Recipe;
use crate::clock::Deadline;
use crate::error::Result;
use crate::upstream::once::Once;

pub(super) struct Supply {
    recipe: Recipe,
    client: Once<Client>,
}

impl Supply {
    /// Gives out clients of that recipe, one until it is broken.
    pub(super) fn new(recipe: Recipe) -> Supply {
        let client = Once::new();
        Supply { recipe, client }
    }

    /// The client that all use now.
    pub(super) async fn client(&self, deadline: Deadline) -> Result<Arc<Client>> {
        self.client
            .get(deadline, || ready(build(&self.recipe)))
            .await
    }

    /// Does not give out that client again.
    pub(super) fn replace(&self, broken: &Arc<Client>) {
        self.client.drop_broken(broken);
    }
}

/// A client for upstreams.
pub(super) fn build(recipe: &Recipe) -> Result<Client> {
    recipe.build(Policy::custom(same_host))
}

/// Follows a redirect only to the scheme, host and port that were asked, and five times at most.
fn same_host(attempt: Attempt<'_>) -> Action {
    let asked = attempt.previous().first().map(Url::origin);
    match asked {
        Some(origin) if origin == attempt.url().origin() && attempt.previous().len() <= 5 => {
            attempt.follow()
        }
        _ => attempt.error("a redirect to another host, or too many of them"),
    }
}
