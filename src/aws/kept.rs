//! A client that is kept between requests, and the check that its connections still work.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};

use crate::clock::{Deadline, LastTime};
use crate::error::{Error, Result};
use crate::upstream::Client;

/// Lambda may freeze the process between two requests. A connection that was idle for longer than this may have died.
const QUIET: Duration = Duration::from_secs(30);

pub(super) struct Kept {
    client: Client,
    answered: LastTime,
}

impl Kept {
    /// The longest time of a check. It takes milliseconds, with a new connection some tens of them.
    pub(super) const PATIENCE: Duration = Duration::from_secs(1);

    pub(super) fn new(client: Client) -> Kept {
        Kept {
            client,
            answered: LastTime::now(),
        }
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
            self.answered.renew();
        }
        sent
    }

    /// Whether the service responded a short time ago, so that its connections need no check.
    pub(super) fn is_recent(&self) -> bool {
        self.answered.elapsed() < QUIET
    }

    /// Whether the service at `url` responds, with any status, to an empty request without a signature.
    pub(super) async fn responds(self: Arc<Self>, service: &'static str, url: Uri) -> bool {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = root(url);
        let deadline = Deadline::after(Kept::PATIENCE);
        !self
            .send(service, request, deadline)
            .await
            .is_err_and(|it| it.is_unreachable())
    }
}

/// The root of the same host.
fn root(url: Uri) -> Uri {
    let mut parts = url.into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_default()
}
