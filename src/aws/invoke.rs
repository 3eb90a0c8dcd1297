//! Another invocation of this Lambda function, for work that continues after a response.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::aws::{self, Aws};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};

/// The name of Lambda in a signature.
const SERVICE: &str = "lambda";

/// The way for this function to invoke itself.
pub struct Invoker {
    aws: Aws,
    url: String,
}

/// The event of such an invocation. Integrations wrap everything that their callers send, so an event with this field at
/// its root comes from a caller with the permission to invoke the function itself.
#[derive(Serialize, Deserialize)]
struct Again {
    #[serde(rename = "bifold")]
    continuation: Continuation,
}

/// The work that another invocation continues.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Continuation {
    /// The task of that id.
    Task(String),
    /// The call of a client on a WebSocket, in the form that the WebSocket protocol wrote.
    Frame(Box<RawValue>),
}

impl Continuation {
    /// Reads the event of an invocation; `None` for an event of an integration.
    pub fn read(event: &str) -> Option<Continuation> {
        // No event of an integration begins like this, so those are parsed only once.
        if !event
            .trim_start()
            .strip_prefix('{')?
            .trim_start()
            .starts_with("\"bifold\"")
        {
            return None;
        }
        let again: Option<Again> = serde_json::from_str(event).ok();
        again.map(|it| it.continuation)
    }

    /// What the client does not get if the invocation fails, for the error message.
    fn lost(&self) -> &'static str {
        match self {
            Continuation::Task(_) => "the call cannot become a task",
            Continuation::Frame(_) => "the call was not begun",
        }
    }
}

impl Invoker {
    /// Checks the settings, and sends nothing. `None` outside Lambda.
    ///
    /// # Errors
    /// The variable that is missing or invalid.
    pub fn new(config: &Arc<Config>) -> Result<Option<Invoker>, String> {
        let Some(function) = &config.function else {
            return Ok(None);
        };
        let aws = Aws::new(config.clone())?;
        let base = aws.endpoint(SERVICE)?;
        let url = format!("{base}/2015-03-31/functions/{function}/invocations");
        Ok(Some(Invoker { aws, url }))
    }

    /// Asks the platform to invoke this function with the continuation: soon, in another process, perhaps twice.
    ///
    /// # Errors
    /// The platform cannot be reached or refuses; the message ends with what the client does not get.
    pub async fn again(&self, continuation: Continuation, deadline: Deadline) -> Result<()> {
        let lost = continuation.lost();
        let asked = self.ask(continuation, deadline).await;
        asked.map_err(|error| error.with_context(format!(", so {lost}")))
    }

    async fn ask(&self, continuation: Continuation, deadline: Deadline) -> Result<()> {
        let failed = || Error::internal("this function cannot invoke itself");
        let event = serde_json::to_vec(&Again { continuation });
        let event = event.map_err(|error| failed().with_source(error))?;
        let request = Request::post(&self.url).header("x-amz-invocation-type", "Event");
        let request = request.body(Bytes::from(event));
        let request = request.map_err(|error| failed().with_source(error))?;
        let response = self.aws.insist(SERVICE, request, deadline).await?;
        match response.status() {
            StatusCode::ACCEPTED => Ok(()),
            _ => Err(aws::refused(SERVICE, &response, "an invocation")),
        }
    }
}
