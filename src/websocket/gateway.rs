//! Sends messages to clients behind API Gateway, through its `@connections` API.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};

use super::connection::Connection;
use crate::aws::{self, Aws};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};

/// The maximum bytes of one message.
pub(super) const MOST_BYTES: usize = 128 << 10;

/// The service name of API Gateway in signatures.
const SERVICE: &str = "execute-api";

/// The client of the API, if there are credentials for it.
pub(super) struct Gateway {
    aws: Result<Aws, String>,
    endpoint: Option<String>,
}

/// Why a message was not delivered.
pub(super) enum Undelivered {
    /// The client has disconnected.
    Gone,
    /// The message is too large for API Gateway.
    TooLarge,
    /// The message could not be posted in time, or must not be posted.
    Failed(Error),
}

impl Gateway {
    /// Checks the credentials. Missing ones are an error only where the settings name a WebSocket API.
    ///
    /// # Errors
    /// The settings name a WebSocket API, and there are no credentials.
    pub(super) fn new(config: &Arc<Config>) -> Result<Gateway, String> {
        let aws = Aws::new(config.clone());
        if let (Err(problem), Some(_)) = (&aws, &config.ws_endpoint) {
            return Err(format!("`BIFOLD_WS_ENDPOINT` cannot be used: {problem}"));
        }
        Ok(Gateway {
            aws,
            endpoint: config.ws_endpoint.clone(),
        })
    }

    /// The URL for messages to the client.
    ///
    /// # Errors
    /// `Internal` if no setting names the URL, and the event's host is not an API Gateway host in this region: an event
    /// must not choose where signed requests are sent.
    pub(super) fn address(&self, connection: &Connection) -> Result<String> {
        let base = match &self.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => connection.endpoint(self.aws()?.region()),
        };
        let base = base.ok_or_else(|| {
            Error::internal(format!(
                "`BIFOLD_WS_ENDPOINT` is not set, and `{}` is not an API Gateway host in this region",
                connection.domain()
            ))
        })?;
        Ok(format!("{base}/@connections/{}", connection.id()))
    }

    /// Posts one message. A transient failure is retried until `deadline`, so a message may arrive twice with the same
    /// number.
    pub(super) async fn post(
        &self,
        address: &str,
        text: String,
        deadline: Deadline,
    ) -> Result<(), Undelivered> {
        let request = Request::post(address).header(CONTENT_TYPE, "application/json");
        let request = request.body(text.into()).map_err(|error| {
            Undelivered::Failed(Error::internal("no message can be posted").with_source(error))
        })?;
        let aws = self.aws().map_err(Undelivered::Failed)?;
        let answer = aws.insist(SERVICE, request, deadline).await;
        let answer = answer.map_err(Undelivered::Failed)?;
        let status = answer.status();
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Undelivered::Gone),
            StatusCode::PAYLOAD_TOO_LARGE => Err(Undelivered::TooLarge),
            _ => Err(Undelivered::Failed(refused(&answer))),
        }
    }

    fn aws(&self) -> Result<&Aws> {
        let problem = |problem: &String| {
            Error::internal("messages cannot be posted to API Gateway").with_source(problem.clone())
        };
        self.aws.as_ref().map_err(problem)
    }
}

fn refused(answer: &Response<Bytes>) -> Error {
    let advice = match answer.status() {
        StatusCode::FORBIDDEN => ": does the role allow `execute-api:ManageConnections`",
        _ => "",
    };
    aws::refused(SERVICE, answer, "a message").with_context(advice)
}
