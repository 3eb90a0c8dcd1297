//! The record of a task in the store, and the task as clients see it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::auth::Principal;
use crate::clock::Timestamp;
use crate::context::client::Ask;
use crate::error::{Capabilities, Error, Result};
use crate::mcp::call::question::Answers;
use crate::mcp::call::task::{POLL, TTL};

/// The record of a task.
#[derive(Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    pub(crate) status: Status,
    pub(crate) message: Option<String>,
    created: Timestamp,
    pub(crate) updated: Timestamp,
    /// The principal that made the call.
    pub(crate) principal: Option<Principal>,
    /// The call to make, until an invocation has started it.
    #[serde(default)]
    pub(crate) call: Option<TaskCall>,
    /// The open input requests.
    questions: BTreeMap<String, Question>,
    /// The answers to earlier input requests.
    pub(crate) answers: Answers,
    result: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

/// The state of a task.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

/// A call that another invocation continues.
#[derive(Serialize, Deserialize)]
pub(crate) struct TaskCall {
    pub(crate) function: String,
    pub(crate) arguments: String,
    pub(crate) capabilities: Capabilities,
    pub(crate) known: Answers,
}

#[derive(Serialize, Deserialize)]
struct Question {
    method: String,
    params: Value,
}

/// A task as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View<'a> {
    task_id: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    ttl_ms: u64,
    poll_interval_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_requests: Option<&'a BTreeMap<String, Question>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RawValue>,
}

impl Status {
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Status::Completed | Status::Failed | Status::Cancelled)
    }
}

impl TaskRecord {
    /// A task that has just started.
    pub(crate) fn new(now: Timestamp, principal: Option<Principal>) -> TaskRecord {
        TaskRecord {
            status: Status::Working,
            message: None,
            created: now,
            updated: now,
            principal,
            call: None,
            questions: BTreeMap::new(),
            answers: BTreeMap::new(),
            result: None,
            error: None,
        }
    }

    pub(crate) fn encode(&self) -> String {
        serde_json::to_string(self).expect("a task of texts is JSON")
    }

    pub(crate) fn decode(text: &str) -> Result<TaskRecord> {
        serde_json::from_str(text).map_err(|error| {
            Error::internal("a task that was kept cannot be read").with_source(error)
        })
    }

    /// Opens an input request under a key that the task has not used before.
    pub(crate) fn ask(&mut self, key: &str, ask: &Ask) {
        let question = Question {
            method: ask.method.to_owned(),
            params: ask.params.clone(),
        };
        self.questions.insert(key.to_owned(), question);
        self.status = Status::InputRequired;
    }

    /// Stores the client's answers to open input requests, and ignores all other keys.
    pub(crate) fn answer<'a>(
        &mut self,
        answers: impl Iterator<Item = (&'a String, &'a &'a RawValue)>,
    ) {
        for (key, answer) in answers {
            if self.questions.remove(key).is_some() {
                self.answers.insert(key.clone(), (*answer).to_owned());
            }
        }
        self.settle();
    }

    /// Keeps only the input requests and answers whose key is `wanted`.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.questions.retain(|key, _| wanted(key));
        self.answers.retain(|key, _| wanted(key));
        self.settle();
    }

    /// Changes the state to working, if no input request is open.
    fn settle(&mut self) {
        if self.questions.is_empty() {
            self.status = Status::Working;
        }
    }

    /// Ends the task because the client cancelled it.
    pub(crate) fn cancel(&mut self) {
        self.questions.clear();
        self.answers.clear();
        self.status = Status::Cancelled;
    }

    /// Ends the task with the function's result or with a protocol error.
    pub(crate) fn end(&mut self, end: &std::result::Result<Box<RawValue>, Box<RawValue>>) {
        self.questions.clear();
        self.answers.clear();
        // The progress is no longer of interest.
        self.message = None;
        match end {
            Ok(result) => (self.status, self.result) = (Status::Completed, Some(result.clone())),
            Err(error) => (self.status, self.error) = (Status::Failed, Some(error.clone())),
        }
    }

    /// The task as shown to clients under this id. It expires a fixed time after its last change, so each change
    /// extends its life.
    pub(crate) fn view<'a>(&'a self, id: &'a str) -> View<'a> {
        let age = self.updated.unix().saturating_sub(self.created.unix());
        let age = Duration::from_secs(age.max(0).cast_unsigned());
        View {
            task_id: id,
            status: self.status,
            status_message: self.message.as_deref(),
            created_at: self.created,
            last_updated_at: self.updated,
            ttl_ms: (age + TTL).as_millis() as u64,
            poll_interval_ms: POLL.as_millis() as u64,
            input_requests: Some(&self.questions).filter(|it| !it.is_empty()),
            result: self.result.as_deref(),
            error: self.error.as_deref(),
        }
    }
}
