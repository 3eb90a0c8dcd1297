//! A question to the client, and the forms that its answer may have.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::error::{Capability, Result};

/// A question on whose answer a function waits.
pub struct Ask {
    /// Its name within the call: the answer to it comes under the same one.
    pub key: String,
    /// What it takes of the client.
    pub capability: Capability,
    /// The protocol's method.
    pub method: &'static str,
    /// The method's parameters, an object: the same for the same question.
    pub params: Value,
    /// Whether the function can use that answer.
    pub fits: fn(&RawValue) -> bool,
    /// Where the answer goes.
    pub response: oneshot::Sender<Result<Box<RawValue>>>,
}

/// What a person did with a form or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elicited<T> {
    /// Filled it in, or agreed.
    Accepted(T),
    /// Said no.
    Declined,
    /// Made no choice.
    Cancelled,
}

/// The answer to `elicitation/create`.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum ElicitResult<T> {
    /// With what was filled in.
    Accept {
        /// The fields of a form; a page has none.
        content: T,
    },
    /// The person said no.
    Decline,
    /// The person made no choice.
    Cancel,
}

/// A folder or file that the client works in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file://` URI.
    pub uri: String,
    /// The name that people read.
    #[serde(default)]
    pub name: Option<String>,
}

/// The answer to `roots/list`.
#[derive(Deserialize)]
pub struct RootsResult {
    /// All of them.
    pub roots: Vec<Root>,
}
