//! What a function can send to its client, and ask of it.
//!
//! A function asks a question and awaits the answer. Clients of protocol version 2025 get the question while the function
//! waits. Clients of version 2026 get it as the result of their call, and call again with the answer, so **all code before
//! a question runs again with each answer**: side effects belong after the last question.
//!
//! An answer belongs to the exact question it was given to. A question whose text differs in the next run (a changed
//! price) is a new question and is asked again. A function that asks the same question again under the same key, because
//! the answer was not usable, gets a new answer.

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
use crate::schema::{Rules, Violation};

/// The capability that the client needs, the method and its parameters.
type Question = (Capability, &'static str, Value);

impl Context {
    /// Reports progress to the client: `done` of `total`, and a message. It costs nothing where the client did not ask for
    /// it. A report that does not increase `done` is not sent.
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

    /// Sends a log entry to the client, if it asked for this level; otherwise it costs nothing. Data that has no JSON
    /// form, or is larger than a response may be, is not sent.
    pub fn log(&self, level: Level, data: impl Serialize) {
        let Some(client) = self.client.as_ref().filter(|it| it.wants(level)) else {
            return;
        };
        if let Some(data) = self.encode_message(&data) {
            client.send(Message::Log(Log { level, data }));
        }
    }

    /// Whether the client of this call may have this capability. Clients of protocol version 2025 do not declare
    /// capabilities with each call, so a question to one may still fail.
    pub fn can(&self, capability: Capability) -> bool {
        self.asked(capability).is_some()
    }

    /// Asks the client's user to fill in a form with the fields of `T`. Each field is a text, a number, a boolean or a
    /// choice, and its doc comment is shown to the user. `key` names the question within the call.
    ///
    /// # Errors
    /// `MissingCapability` where the client shows no forms, `Unanswered` where it does not answer or the answer is not a
    /// `T`, `Busy` where the server is stopping, `Internal` where `T` has a field that a form cannot have.
    pub async fn elicit<T>(&self, key: &str, message: &str) -> Result<Elicited<T>>
    where
        T: DeserializeOwned + JsonSchema,
    {
        let params = json!({ "message": message, "requestedSchema": client::form::<T>()? });
        let question = (Capability::Elicitation, "elicitation/create", params);
        let fits = |params: &Value, answer: &RawValue| read_form::<T>(params, answer).is_ok();
        Ok(match self.ask_for(key, question, read_form, fits).await? {
            ElicitResult::Accept { content } => Elicited::Accepted(content),
            ElicitResult::Decline => Elicited::Declined,
            ElicitResult::Cancel => Elicited::Cancelled,
        })
    }

    /// Asks the client's user to visit `url`, for data that must not pass through the client, such as a secret. `Accepted`
    /// means that the user agreed to visit, not that they have finished there. The URL is a part of the question: use the
    /// same one in each run.
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
    /// `MissingCapability` where the client offers no model, `Unanswered` where it does not answer, `Busy` where the server
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

    /// Asks the client what another server asks; the answer is passed on as it is.
    ///
    /// # Errors
    /// `MissingCapability`, `Unanswered`, or `Busy` where the server is stopping.
    pub(crate) async fn ask_foreign(
        &self,
        key: &str,
        capability: Capability,
        method: &'static str,
        params: Value,
    ) -> Result<Box<RawValue>> {
        let read = |_: &Value, answer: &RawValue| match answer.get().starts_with('{') {
            true => Ok(answer.to_owned()),
            false => Err(serde::de::Error::custom("expected an object")),
        };
        let fits = |_: &Value, answer: &RawValue| answer.get().starts_with('{');
        self.ask_for(key, (capability, method, params), read, fits)
            .await
    }

    /// Whether the client answers by calling again, until which this call is dropped.
    pub(crate) fn answers_in_rounds(&self) -> bool {
        self.client.as_ref().is_some_and(|it| it.rounds().is_some())
    }

    /// The names of the questions that such a client has answered this time.
    pub(crate) fn answered(&self) -> Vec<String> {
        let rounds = self.client.as_ref().and_then(|it| it.rounds());
        rounds.unwrap_or_default().to_vec()
    }

    /// Whether the client wants progress reports.
    pub(crate) fn wants_progress(&self) -> bool {
        self.client.as_ref().is_some_and(|it| it.wants_progress())
    }

    /// The level from which on the client wants log entries.
    pub(crate) fn log_level(&self) -> Option<Level> {
        self.client.as_ref()?.level()
    }

    /// Declares that the rest of this call takes long. A client that supports tasks gets a task for it, and the call then
    /// has the time limit of a task. Any other client keeps waiting, and so does one whose call has an idempotency key. The
    /// tool must be declared with
    /// [`Tool::task`](crate::Tool::task).
    pub async fn detach(&self) {
        // Those who repeat a call wait for its answer, and not for a task.
        let Some(client) = self
            .asked(Capability::Tasks)
            .filter(|_| self.once_key().is_none())
        else {
            return;
        };
        let (detached, done) = oneshot::channel();
        client.send(Message::Detach(detached));
        // Where the call cannot become a task, the sender is dropped and the call continues as before.
        let _ = done.await;
    }

    /// Gives the call a new time limit, that of a task.
    pub(crate) fn restart(&self, limit: std::time::Duration) {
        self.call.countdown.restart(limit);
    }

    /// Whether the client was asked a question; then the result may be specific to it.
    pub(crate) fn has_asked(&self) -> bool {
        self.client.as_ref().is_some_and(|it| it.has_asked())
    }

    /// Whether the function waits for an answer of its client.
    pub(crate) fn is_asking(&self) -> bool {
        self.client.as_ref().is_some_and(|it| it.is_asking())
    }

    fn asked(&self, capability: Capability) -> Option<&Client> {
        self.client.as_deref().filter(|it| it.can(capability))
    }

    async fn ask<T: DeserializeOwned>(&self, key: &str, question: Question) -> Result<T> {
        let fits = |_: &Value, answer: &RawValue| read::<T>(answer).is_ok();
        self.ask_for(key, question, |_, answer| read(answer), fits)
            .await
    }

    async fn ask_for<T>(
        &self,
        key: &str,
        (capability, method, params): Question,
        read: fn(&Value, &RawValue) -> serde_json::Result<T>,
        fits: fn(&Value, &RawValue) -> bool,
    ) -> Result<T> {
        let lacking = || Error::missing_capability(capability);
        let client = self.asked(capability).ok_or_else(lacking)?;
        let (response, answer) = oneshot::channel();
        let _open = client.open_question();
        client.send(Message::Ask(Ask {
            key: key.to_owned(),
            capability,
            method,
            params: params.clone(),
            fits,
            response,
        }));
        let longest = self.config().input_timeout;
        let _pause = self.call.countdown.pause(longest);
        let answer = match tokio::time::timeout(longest, answer).await {
            Ok(Ok(answer)) => answer?,
            Ok(Err(_)) => return Err(Error::unanswered(key, "came after the call had ended")),
            Err(_) => return Err(Error::unanswered(key, "was not answered in time")),
        };
        read(&params, &answer).map_err(|error| {
            Error::unanswered(key, "got an answer of the wrong type").with_source(error)
        })
    }
}

/// An answer to a form, the fields of which must be as the form demands; null means that a field was left empty.
fn read_form<T: DeserializeOwned>(
    params: &Value,
    answer: &RawValue,
) -> serde_json::Result<ElicitResult<T>> {
    let result = read(answer)?;
    let Value::Object(mut answer) = serde_json::from_str(answer.get())? else {
        return Ok(result);
    };
    if let (ElicitResult::Accept { .. }, Some(Value::Object(fields))) =
        (&result, answer.get_mut("content"))
    {
        fields.retain(|_, value| !value.is_null());
        let fields = serde_json::to_string(fields)?;
        let problem = |it: Violation| format!("`{}`: {}", it.path(), it.problem());
        let checked = Rules::of(&params["requestedSchema"]).0.check(&fields);
        checked.map_err(|it| serde::de::Error::custom(problem(it)))?;
    }
    Ok(result)
}

fn read<T: DeserializeOwned>(answer: &RawValue) -> serde_json::Result<T> {
    let answer: Value = serde_json::from_str(answer.get())?;
    // Serde would also decode a struct from an array of its fields, and consent must be given explicitly.
    let is_object = |it: &Value| it.is_object() || it.is_null();
    let is_form = answer.get("action").is_some();
    let has_fields = !is_form || answer.get("content").is_none_or(is_object);
    match answer.is_object() && has_fields {
        true => serde_json::from_value(answer),
        false => Err(serde::de::Error::custom("expected an object")),
    }
}
