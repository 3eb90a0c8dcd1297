//! A question to the client, and the types of its answers.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::error::{Capability, Result};

/// A question whose answer a function awaits.
pub struct Ask {
    /// The name of the question within the call; the answer has the same key.
    pub key: String,
    /// The capability that the client needs.
    pub capability: Capability,
    /// The MCP method.
    pub method: &'static str,
    /// The parameters of the method, an object; equal parameters mean the same question.
    pub params: Value,
    /// Whether an answer to these parameters has the type that the function expects, and is as the form demands.
    pub fits: fn(&Value, &RawValue) -> bool,
    /// Where the answer goes.
    pub response: oneshot::Sender<Result<Box<RawValue>>>,
}

impl Ask {
    /// Whether the function can use the answer.
    pub fn fits(&self, answer: &RawValue) -> bool {
        (self.fits)(&self.params, answer)
    }
}

/// The user's decision about a form or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicited<T> {
    /// The user filled in the form, or agreed to visit the page.
    Accepted(T),
    /// The user declined.
    Declined,
    /// The user made no choice.
    Cancelled,
}

/// The answer to `elicitation/create`.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum ElicitResult<T> {
    /// The user accepted.
    Accept {
        /// The fields of the form; absent for a page.
        content: T,
    },
    /// The user declined.
    Decline,
    /// The user made no choice.
    Cancel,
}

/// A folder or file that the client works in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file://` URI.
    pub uri: String,
    /// The name to display.
    #[serde(default)]
    pub name: Option<String>,
}

/// The answer to `roots/list`.
#[derive(Deserialize)]
pub struct RootsResult {
    /// The folders.
    pub roots: Vec<Root>,
}
