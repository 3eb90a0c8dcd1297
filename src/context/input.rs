//! What a function says to its client, and what it asks of it.
//!
//! A function that asks is written straight through. Clients of 2025 are asked while it waits. Clients of 2026 are sent
//! the question as the answer to their call and call again with what was said, so **all that stands before a question
//! runs again with each answer**: what changes anything belongs after the last one.
//!
//! An answer counts for the question that it was given to. One that reads differently in the next run (a price that has
//! changed) is another question, and is asked as it reads then. The same one asked once more under its key, because the
//! answer was no good, wants another answer.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Context;
use crate::context::client::{
    self, Ask, Capability, Client, ElicitResult, Elicited, Level, Log, Message, Progress, Root,
    RootsResult, Sampled, Sampling,
};
use crate::error::{Error, Result};

impl Context {
    /// Tells the client how far the call is: `done` of `total`, and what happened. It is free when nobody asked. What
    /// is not more than the last report is not sent.
    pub fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        let Some(client) = self.client.as_ref().filter(|it| it.wants_progress()) else {
            return;
        };
        let message = message.to_owned();
        client.send(Message::Progress(Progress {
            done,
            total,
            message,
        }));
    }

    /// Adds an entry to the client's log, if it asked for those of that level. It is free when it did not. What cannot
    /// be said as JSON, or is larger than a response may be, is not sent.
    pub fn log(&self, level: Level, data: impl Serialize) {
        let Some(client) = self.client.as_ref().filter(|it| it.wants(level)) else {
            return;
        };
        if let Some(data) = self.encode_message(&data) {
            client.send(Message::Log(Log { level, data }));
        }
    }

    /// Whether the client of this call has that capability. Clients of 2025 do not say so with their calls: whether they
    /// take a question turns out when it is asked.
    pub fn can(&self, capability: Capability) -> bool {
        self.asked(capability).is_some()
    }

    /// Asks the client's user to fill in a form with the fields of `T`, each a text, a number, yes or no, or a choice;
    /// their doc comments are what the user reads beside them. `key` names the question within the call.
    ///
    /// # Errors
    /// `MissingCapability` where the client takes no forms, `Unanswered` where it does not answer or not with a `T`,
    /// `Busy` where the server is stopping, `Internal` where `T` is more than a form can hold.
    pub async fn elicit<T>(&self, key: &str, message: &str) -> Result<Elicited<T>>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let params = json!({ "message": message, "requestedSchema": client::form::<T>()? });
        let question = (Capability::Elicitation, "elicitation/create", params);
        Ok(match self.ask(key, question).await? {
            ElicitResult::Accept { content } => Elicited::Accepted(content),
            ElicitResult::Decline => Elicited::Declined,
            ElicitResult::Cancel => Elicited::Cancelled,
        })
    }

    /// Asks the client's user to visit `url`, for what must not pass through the client, such as a secret. That the
    /// user agreed does not say that they are done there. The URL is a part of the question: make it the same each time.
    ///
    /// # Errors
    /// `MissingCapability` where the client opens no pages, `Unanswered` where it does not answer, `Busy` where the server
    /// is stopping.
    pub async fn visit(&self, key: &str, message: &str, url: &str) -> Result<Elicited<()>> {
        let params = json!({ "mode": "url", "message": message, "url": url });
        let question = (Capability::UrlElicitation, "elicitation/create", params);
        Ok(match self.ask(key, question).await? {
            ElicitResult::<Option<IgnoredAny>>::Accept { .. } => Elicited::Accepted(()),
            ElicitResult::Decline => Elicited::Declined,
            ElicitResult::Cancel => Elicited::Cancelled,
        })
    }

    /// Asks the client's model.
    ///
    /// # Errors
    /// `MissingCapability` where the client lends no model, `Unanswered` where it does not answer, `Busy` where the server
    /// is stopping.
    pub async fn sample(&self, key: &str, question: Sampling) -> Result<Sampled> {
        let question = (
            Capability::Sampling,
            "sampling/createMessage",
            json!(question),
        );
        self.ask(key, question).await
    }

    /// Asks the client for the folders it works in.
    ///
    /// # Errors
    /// `MissingCapability` where the client has none, `Unanswered` where it does not answer, `Busy` where the server is
    /// stopping.
    pub async fn roots(&self, key: &str) -> Result<Vec<Root>> {
        let question = (Capability::Roots, "roots/list", json!({}));
        let answer: RootsResult = self.ask(key, question).await?;
        Ok(answer.roots)
    }

    /// Says that what follows takes long: a client that knows tasks gets one for the rest of this call, which then has
    /// the time of a task, once it has answered what is asked. All others go on waiting. The tool must say
    /// [`Tool::task`](crate::Tool::task).
    pub async fn detach(&self) {
        let Some(client) = self.asked(Capability::Tasks) else {
            return;
        };
        let (detached, done) = oneshot::channel();
        client.send(Message::Detach(detached));
        // Whoever drives a call that cannot become a task drops the sender, and the call goes on as it is.
        let _ = done.await;
    }

    /// The same call with the time of a task.
    pub(crate) fn restart(&self, limit: std::time::Duration) {
        self.call.countdown.restart(limit);
    }

    /// Whether the client was asked anything, so that the answer may be for it alone.
    pub(crate) fn has_asked(&self) -> bool {
        self.client.as_ref().is_some_and(|it| it.has_asked())
    }

    fn asked(&self, capability: Capability) -> Option<&Client> {
        self.client.as_deref().filter(|it| it.can(capability))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        key: &str,
        (capability, method, params): (Capability, &'static str, Value),
    ) -> Result<T> {
        let lacking = || Error::missing_capability(capability);
        let client = self.asked(capability).ok_or_else(lacking)?;
        let (response, answer) = oneshot::channel();
        client.send(Message::Ask(Ask {
            key: key.to_owned(),
            capability,
            method,
            params,
            fits: |answer| read::<T>(answer).is_ok(),
            response,
        }));
        let longest = self.config().input_timeout;
        let _pause = self.call.countdown.pause(longest);
        let answer = match tokio::time::timeout(longest, answer).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(_)) => return Err(Error::unanswered(key, "came after the call had ended")),
            Err(_) => return Err(Error::unanswered(key, "was not answered in time")),
        };
        read(&answer).map_err(|error| {
            Error::unanswered(key, "got an answer of another form").with_source(error)
        })
    }
}

fn read<T: DeserializeOwned>(answer: &RawValue) -> serde_json::Result<T> {
    let answer: Value = serde_json::from_str(answer.get())?;
    // A struct would also decode from an array of its fields, and consent must not be read into anything.
    let is_object = |it: &Value| it.is_object() || it.is_null();
    let is_form = answer.get("action").is_some();
    let has_fields = !is_form || answer.get("content").is_none_or(is_object);
    match answer.is_object() && has_fields {
        true => serde_json::from_value(answer),
        false => Err(serde::de::Error::custom("expected an object")),
    }
}
