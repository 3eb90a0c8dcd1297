//! One more invocation of this Lambda function, for what goes on after an answer has been given.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::aws::{self, Aws};
use crate::clock::Deadline;
use crate::config::Config;
use crate::error::{Error, Result};

/// What Lambda is called where requests to it are signed.
const SERVICE: &str = "lambda";

/// The way for this function to invoke itself.
pub struct Invoker {
    aws: Aws,
    url: String,
}

/// The event of such an invocation. The integrations wrap all that their callers send, so one with this field at its root
/// comes only from who may invoke the function itself.
#[derive(Serialize, Deserialize)]
struct Again {
    #[serde(rename = "bifold")]
    continuation: Continuation,
}

/// What is to be gone on with.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continuation {
    /// The task of that id.
    Task(String),
    /// The call of a client on a WebSocket, as the protocol that handed it on wrote it.
    Frame(Box<RawValue>),
}

impl Continuation {
    /// Reads the event of an invocation; `None` for that of a integration.
    pub fn read(event: &str) -> Option<Continuation> {
        // No event of a integration begins like this, so all of those are read but once.
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

    /// What a client is told that it does not get, where nobody can be sent on this continuation.
    fn lost(&self) -> &'static str {
        match self {
            Continuation::Task(_) => "the call cannot become a task",
            Continuation::Frame(_) => "the call was not begun",
        }
    }
}

impl Invoker {
    /// Checks the settings; nothing is asked of the network. `None` outside Lambda.
    ///
    /// # Errors
    /// The variable that is missing or cannot be used.
    pub fn new(config: &Config) -> Result<Option<Invoker>, String> {
        let Some(function) = &config.function else {
            return Ok(None);
        };
        let aws = Aws::new(config)?;
        let base = aws.endpoint(SERVICE)?;
        let url = format!("{base}/2015-03-31/functions/{function}/invocations");
        Ok(Some(Invoker { aws, url }))
    }

    /// Has the platform invoke this function for that, soon and elsewhere, perhaps twice.
    ///
    /// # Errors
    /// The platform cannot be reached or refuses; the sentence ends with what does not come about.
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
