//! The ways out of an invocation: messages to a client of API Gateway (`@connections`), and an invocation of oneself.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};

use super::connection::Connection;
use crate::aws::Aws;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Error, Result};

/// What API Gateway and Lambda are called where requests to them are signed.
const GATEWAY: &str = "execute-api";
const LAMBDA: &str = "lambda";

/// A request takes milliseconds; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// All tries of one request together.
const LIMIT: Duration = Duration::from_secs(30);

/// The first wait is at most this; each further one at most twice the one before, up to the longest.
const BASE: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Both ways.
pub(super) struct Gateway {
    aws: Result<Aws, String>,
    endpoint: Option<String>,
    function: Option<String>,
}

/// Why a message did not reach its client.
pub(super) enum Undelivered {
    /// There is no client any more.
    Gone,
    /// API Gateway takes no message of this size.
    TooLarge,
    /// It could not be posted in time, or must not be.
    Failed(Error),
}

impl Gateway {
    /// Without credentials there is no way out; that matters only to who has clients there.
    ///
    /// # Errors
    /// There are such clients, and no credentials.
    pub(super) fn new(config: &Config) -> Result<Gateway, String> {
        let aws = Aws::new(config);
        if let (Err(problem), Some(_)) = (&aws, &config.ws_endpoint) {
            return Err(format!("`BIFOLD_WS_ENDPOINT` cannot be used: {problem}"));
        }
        Ok(Gateway {
            aws,
            endpoint: config.ws_endpoint.clone(),
            function: config.function.clone(),
        })
    }

    /// Whether this process can be invoked again.
    pub(super) fn can_go_on(&self) -> bool {
        self.function.is_some()
    }

    /// Where messages to the client are posted.
    ///
    /// # Errors
    /// `Internal` where no setting says it, and the event names a host that is none of API Gateway's in this region: it
    /// must not choose who gets signed requests.
    pub(super) fn address(&self, connection: &Connection) -> Result<String> {
        let base = match &self.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => connection.endpoint(self.aws()?.region()),
        };
        let base = base.ok_or_else(|| {
            Error::internal(format!(
                "`BIFOLD_WS_ENDPOINT` is not set, and `{}` is no host of API Gateway in this region",
                connection.domain()
            ))
        })?;
        Ok(format!("{base}/@connections/{}", connection.id()))
    }

    /// Posts one message. What passes is tried again for half a minute, at most until `deadline`, so a message may arrive
    /// twice, with the same number.
    pub(super) async fn post(
        &self,
        address: &str,
        text: String,
        deadline: Deadline,
    ) -> Result<(), Undelivered> {
        let request = Request::post(address).header(CONTENT_TYPE, "application/json");
        let answer = self.send(GATEWAY, request, text.into(), deadline).await;
        let status = answer.map_err(Undelivered::Failed)?.status();
        match status {
            StatusCode::GONE => Err(Undelivered::Gone),
            StatusCode::PAYLOAD_TOO_LARGE => Err(Undelivered::TooLarge),
            _ if status.is_success() => Ok(()),
            _ => Err(Undelivered::Failed(refused(GATEWAY, status))),
        }
    }

    /// Invokes this function with that event, and does not wait for it.
    ///
    /// # Errors
    /// It was refused, or nobody knows whether it was taken.
    pub(super) async fn invoke(&self, event: Vec<u8>, deadline: Deadline) -> Result<()> {
        let function = self.function.as_deref().unwrap_or_default();
        let base = self.aws()?.endpoint(LAMBDA).map_err(Error::internal)?;
        let url = format!("{base}/2015-03-31/functions/{function}/invocations");
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("x-amz-invocation-type", "Event");
        let answer = self.send(LAMBDA, request, event.into(), deadline).await?;
        match answer.status() {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(refused(LAMBDA, status)),
        }
    }

    async fn send(
        &self,
        service: &'static str,
        request: http::request::Builder,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<Response<Bytes>> {
        let aws = self.aws()?;
        let request = request.body(body).map_err(|error| {
            Error::internal(format!("`{service}` cannot be asked")).because(error)
        })?;
        let deadline = Deadline::after(LIMIT).min(deadline);
        let mut longest = BASE;
        loop {
            let patience = Deadline::after(PATIENCE).min(deadline);
            let sent = aws.send(service, request.clone(), patience).await;
            let passes = match &sent {
                Ok(answer) => passes(answer.status()),
                Err(error) => error.retryable(),
            };
            // Full jitter: many who failed at the same moment must not come back at the same moment.
            let wait = longest.mul_f64(fastrand::f64());
            if !passes || wait >= deadline.remaining() {
                return sent;
            }
            tracing::debug!(service, "a request to AWS failed and is sent again");
            tokio::time::sleep(wait).await;
            longest = (2 * longest).min(LONGEST);
        }
    }

    fn aws(&self) -> Result<&Aws> {
        let problem = |problem: &String| {
            Error::internal("messages cannot be posted to API Gateway").because(problem.clone())
        };
        self.aws.as_ref().map_err(problem)
    }
}

/// Too many requests, and failures of the service.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn refused(service: &'static str, status: StatusCode) -> Error {
    let advice = match status {
        StatusCode::FORBIDDEN => "; does the role of the function allow it",
        _ => "",
    };
    Error::internal(format!("`{service}` answers {status}{advice}"))
}
