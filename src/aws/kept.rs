//! A client that is kept between requests, and the check that its connections still work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use tokio::time::Instant;

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::upstream::Client;

/// Lambda may freeze the process between two requests. A connection that was idle for longer than this may have died.
const QUIET: Duration = Duration::from_secs(30);

pub(super) struct Kept {
    client: Client,
    /// The last response, by both clocks: the monotonic clock may stop while the process is frozen.
    answered: Mutex<(Instant, SystemTime)>,
}

impl Kept {
    /// The longest time of a check. It takes milliseconds, with a new connection some tens of them.
    pub(super) const PATIENCE: Duration = Duration::from_secs(1);

    pub(super) fn new(client: Client) -> Kept {
        let answered = Mutex::new(now());
        Kept { client, answered }
    }

    /// Sends one request and reads the whole response.
    pub(super) async fn send(
        &self,
        service: &'static str,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let sent = self.client.send(service, request, deadline).await;
        if !sent.as_ref().is_err_and(Error::is_unreachable) {
            *self.answered() = now();
        }
        sent
    }

    /// Whether the service at `url` responds, with any status: it did so recently, or does so now to an empty request
    /// without a signature.
    pub(super) async fn is_whole(self: Arc<Self>, service: &'static str, url: Uri) -> bool {
        if self.quiet() < QUIET {
            return true;
        }
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = root(url);
        let deadline = Deadline::after(Kept::PATIENCE);
        !self
            .send(service, request, deadline)
            .await
            .is_err_and(|it| it.is_unreachable())
    }

    /// The time since the last response.
    fn quiet(&self) -> Duration {
        let (instant, time) = *self.answered();
        instant.elapsed().max(time.elapsed().unwrap_or_default())
    }

    fn answered(&self) -> MutexGuard<'_, (Instant, SystemTime)> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

/// The root of the same host.
fn root(url: Uri) -> Uri {
    let mut parts = url.into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_default()
}
