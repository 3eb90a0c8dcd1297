//! How grave a log entry is (RFC 5424, as MCP names the levels).

use serde::{Deserialize, Serialize};

/// The level of a log entry, the least grave first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For those who look for a defect.
    Debug,
    /// What happened.
    Info,
    /// What happened and matters.
    Notice,
    /// What may go wrong.
    Warning,
    /// What went wrong.
    Error,
    /// What must be mended soon.
    Critical,
    /// What must be mended now.
    Alert,
    /// Nothing works any more.
    Emergency,
}
