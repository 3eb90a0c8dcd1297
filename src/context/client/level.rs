//! The severity of a log entry (RFC 5424, with the names of MCP).

use serde::{Deserialize, Serialize};

/// The severity of a log entry, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// A normal event.
    Info,
    /// A normal but significant event.
    Notice,
    /// A possible problem.
    Warning,
    /// A failure.
    Error,
    /// A failure of a component.
    Critical,
    /// A failure that needs action at once.
    Alert,
    /// The system cannot be used.
    Emergency,
}
